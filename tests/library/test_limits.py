"""Queries and bytes stay within their marks at any number of rows; hostile input and a dead engine break no page."""

from __future__ import annotations

import gzip

import pytest

from tests.factories import OrganizationFactory, UserFactory, kpi, member, patent, target
from tests.library.factories import FACTORIES, index, published

pytestmark = pytest.mark.django_db

QUERIES = 25
BYTES = 60 * 1024
FULL = {
    "achievement": lambda: {
        "kpis": [kpi(name=f"指标{n}") for n in range(8)],
        "patents": [patent(title=f"专利{n}") for n in range(6)],
        "transfer_modes": ["M1", "M2", "M4"],
        "industries": ["26", "06"],
        "key_technologies": ["KI1-2", "KI5-5"],
    },
    "demand": lambda: {
        "targets": [target(name=f"目标{n}") for n in range(8)],
        "cooperation_modes": ["M1", "M4"],
        "industries": ["26"],
        "key_technologies": ["KI1-2"],
    },
    "expert": lambda: {"industries": ["26"], "key_technologies": ["KI1-2"]},
    "project": lambda: {"industries": ["26"], "key_technologies": ["KI1-2"]},
}


def count_queries(client, address, django_assert_max_num_queries):
    with django_assert_max_num_queries(QUERIES):
        response = client.get(address)
    assert response.status_code == 200, address
    assert len(gzip.compress(response.content)) < BYTES, address
    return response


@pytest.mark.parametrize("size", [0, 3, 60])
@pytest.mark.parametrize("kind", FACTORIES)
def test_lists_stay_within_their_marks(client, engine, django_assert_max_num_queries, kind, size):
    for _n in range(size):
        published(kind, **FULL[kind]())
    index()
    if size:
        client.force_login(member(OrganizationFactory()))
    addresses = [f"/{kind}s/", f"/{kind}s/?q=废水&region=1506&technology_field=07&industry=26&key_technology=KI1"]
    addresses += [
        f"/{kind}s/?region=440300&technology_field=0105",
        f"/api/v1/{kind}s/?page_size=100",
        "/search/?q=废水",
    ]
    for address in addresses:
        count_queries(client, address, django_assert_max_num_queries)


@pytest.mark.parametrize("size", [0, 3, 60])
def test_the_home_page_stays_within_its_marks(client, engine, django_assert_max_num_queries, size):
    for _n in range(size):
        published("achievement", **FULL["achievement"]())
        published("demand", **FULL["demand"]())
    index()
    page = count_queries(client, "/", django_assert_max_num_queries).content.decode()
    assert ("怎样用这个市场" in page) == (size == 0)
    client.force_login(member(OrganizationFactory()))
    count_queries(client, "/", django_assert_max_num_queries)


@pytest.mark.parametrize("kind", FACTORIES)
def test_details_stay_within_their_marks(client, engine, django_assert_max_num_queries, kind):
    listing = published(kind, **FULL[kind]())
    count_queries(client, listing.get_absolute_url(), django_assert_max_num_queries)
    client.force_login(member(listing.record.owner))
    count_queries(client, listing.get_absolute_url(), django_assert_max_num_queries)
    count_queries(client, f"/api/v1/{kind}s/{listing.record.number}/", django_assert_max_num_queries)


@pytest.mark.parametrize("size", [3, 60])
def test_an_organisations_page_stays_within_its_marks(client, engine, django_assert_max_num_queries, size):
    owner = OrganizationFactory()
    for _n in range(size):
        for kind in FACTORIES:
            published(kind, owner=owner, **FULL[kind]())
    count_queries(client, f"/organizations/{owner.number}/", django_assert_max_num_queries)


HOSTILE = [
    '"' * 10_000,
    " OR ".join(["a"] * 1_000),
    "title:secret AND body:*",
    "record__owner__name:x",
    "((((((((((",
    "a" * 100_000,
    "氢" * 5_000,
    "' OR 1=1 --",
    "{{ 7*7 }}<script>alert(1)</script>",
    "*?~^\\/[]!-+&|",
    "\u202e\u200b\ufeff",
    "😀🏭",
    "12 mg/L ≤ 0.8",
]


@pytest.mark.parametrize("typed", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_are_words(client, engine, typed):
    published("achievement")
    index()
    for address in ("/achievements/", "/search/", "/api/v1/achievements/", "/api/v1/search/"):
        response = client.get(address, {"q": typed})
        assert response.status_code in (200, 400), address
        assert b"<script>alert" not in response.content or address.startswith("/api/")


@pytest.mark.parametrize(
    "address", ["/achievements/?q=%00", "/search/?q=a%00b", "/achievements/a%00/", "/api/v1/search/?q=%00"]
)
def test_a_nul_character_is_refused(client, engine, address):
    assert client.get(address).status_code in (400, 404)


@pytest.mark.parametrize("page", ["0", "-1", "abc", "99999999999999999999", "١", "2.5", "1e3", ""])
def test_a_page_that_is_none_is_the_first_or_refused(client, engine, page):
    published("achievement")
    index()
    assert client.get("/achievements/", {"page": page}).status_code == 200
    assert client.get("/search/", {"q": "废水", "page": page}).status_code == 200
    assert client.get("/api/v1/achievements/", {"page": page}).status_code in (200, 400, 404)


def test_the_last_page_answers_for_pages_beyond_it(client, engine):
    for _n in range(15):
        published("achievement")
    index()
    page = client.get("/achievements/?page=50").content.decode()
    assert "第 13–15 项，共 15 项" in page


@pytest.mark.parametrize(
    "address",
    ["/achievements/?q=除氟", "/search/?q=除氟", "/demands/?technology_field=07", "/search/?q=除氟&scope=demand"],
)
def test_a_dead_engine_is_said_and_the_database_answers(client, engine, engine_down, address):
    found = [published("achievement", title="高盐废水除氟装置"), published("demand", title="求除氟技术")]
    page = client.get(address)
    assert page.status_code == 200
    text = page.content.decode()
    assert "检索服务暂时不可用" in text
    assert any(one.get_absolute_url() in text for one in found)


def test_the_api_answers_from_the_database_and_says_so(client, engine, engine_down):
    published("achievement", title="高盐废水除氟装置")
    response = client.get("/api/v1/achievements/?q=除氟")
    assert response.json()["count"] == 1
    assert response["X-Answered-By"] == "database"
    assert client.get("/api/v1/search/?q=除氟").json()["counts"]["achievement"] == 1


def test_a_number_in_another_spelling_leads_to_its_page(client, engine):
    listing = published("achievement")
    number = listing.record.number
    response = client.get(f"/achievements/{number.lower()}/")
    assert response.status_code == 301
    assert response["Location"] == listing.get_absolute_url()
    assert client.get(f"/demands/{number}/").status_code == 404
    assert client.get("/achievements/CG-2026-000000/").status_code == 404
    assert client.get("/search/", {"q": number.lower()})["Location"] == listing.get_absolute_url()


def test_relaxed_results_are_said(client, engine):
    published("achievement", title="矿井水诱导结晶除氟", summary="没有别的词")
    index()
    assert "全部字词" in client.get("/achievements/?q=除氟 氢能").content.decode()
    assert "全部字词" not in client.get("/achievements/?q=除氟").content.decode()


def test_a_new_person_has_an_empty_but_guiding_page(client, engine):
    client.force_login(UserFactory())
    assert client.get("/").status_code == 200
    text = client.get("/achievements/?q=没有这样的东西").content.decode()
    assert "没有找到“没有这样的东西”" in text
    assert "把它写成一条需求" in text
