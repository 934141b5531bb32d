"""Home, desk, organisation page, matches on a detail: what other apps know, put together for the right reader."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from cms import publishing
from marketplace import money
from marketplace.accounts.models import User
from marketplace.deals import services as deals
from marketplace.deals.models import Match
from marketplace.indicators import catalogue
from marketplace.library import selectors
from tests.contracts.factories import Scene
from tests.deals.factories import inquiry, sides
from tests.factories import BrokerFactory, MandateFactory, OrganizationFactory, UserFactory, member
from tests.indicators.factories import entry
from tests.library.factories import FACTORIES, index, published

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate


# Home


def test_an_empty_market_explains_itself_without_zeros_in_big_type(client, engine):
    text = client.get("/").content.decode()
    assert "怎样用这个市场" in text
    assert "数字从合同来" in text
    assert 'class="figure__value"' not in text
    assert "0 项" not in text


def test_the_figure_is_the_ledgers_and_opens(client, engine):
    entry("312000000", on=TODAY())
    entry("268500000", on=TODAY().replace(month=1, day=1))
    start, end = catalogue.year_period(TODAY().year)
    value = catalogue.turnover(start=start, end=end).value
    text = client.get("/").content.decode()
    assert money.yi(value) in text
    assert f"{money.yuan(value)} 元" in text
    assert 'href="/indicators/turnover/"' in text


def test_the_latest_contracts_show_names_and_amounts_only_with_consent(client, engine):
    shy, frank = entry("1110000", on=TODAY()), entry("2220000", on=TODAY(), consents=True)
    text = client.get("/").content.decode()
    assert shy.registration.registration_number in text
    assert frank.registration.registration_number in text
    assert "222.00" in text
    assert "111.00" not in text
    assert shy.registration.contract.project_name not in text
    assert "项目名称未公开" in text


def test_needs_wait_until_somebodys_inquiry_is_accepted(engine):
    of = sides()
    long_ago = timezone.now() - dt.timedelta(days=30)
    older = published("demand", record={"first_published_at": long_ago})
    assert [one.pk for one in selectors.unanswered()] == [older.pk, of.demand.pk]
    found = selectors.waiting_demands(6)
    assert (found["total"], found["long"]) == (2, 1)
    assert [row["days"] for row in found["rows"]] == [30, 0]
    sent = inquiry(of)
    assert selectors.unanswered().count() == 2
    deals.accept(sent, by=of.buyer)
    assert [one.pk for one in selectors.unanswered()] == [older.pk]


def test_a_lost_deals_need_waits_again_like_the_list_of_open_needs(engine):
    of = sides()
    deal = deals.accept(inquiry(of), by=of.buyer)
    deal = getattr(deal, "deal", deal)
    assert selectors.unanswered().count() == 0
    deals.lose(deal, by=of.buyer, on_behalf_of=of.company, reason="price")
    assert [one.pk for one in selectors.unanswered()] == [of.demand.pk]


def test_scopes_and_roles_count_what_a_visitor_may_find(client, engine):
    for kind in FACTORIES:
        published(kind)
        published(kind, matchmaker_only=True)
        FACTORIES[kind]()
    counts = selectors.counts()
    assert (counts.achievement, counts.demand, counts.expert, counts.project) == (1, 1, 1, 1)


# Organisation


def test_an_organisations_page_says_who_checked_it_and_what_it_offers(client, engine):
    owner = OrganizationFactory(introduction="做水处理的单位")
    offered = published("achievement", owner=owner)
    sought = published("demand", owner=owner)
    published("demand", owner=owner, title="匿名的那一条", anonymous=True)
    hidden = published("achievement", owner=owner, title="仅撮合的那一条", matchmaker_only=True)
    text = client.get(f"/organizations/{owner.number}/").content.decode()
    for shown in (owner.name, owner.credit_code, "做水处理的单位", offered.title, sought.title, "平台已核实"):
        assert shown in text
    assert "匿名的那一条" not in text
    assert hidden.title not in text


def test_an_unverified_organisation_with_nothing_public_is_nobodys(client):
    unknown = OrganizationFactory(unverified=True)
    published("demand", owner=unknown, anonymous=True)
    assert client.get(f"/organizations/{unknown.number}/").status_code == 404
    client.force_login(member(unknown))
    assert client.get(f"/organizations/{unknown.number}/").status_code == 200


# Search


def test_a_name_leads_to_its_page_and_words_to_all_kinds(client, engine):
    owner = OrganizationFactory(name="朔方测试膜科学有限公司")
    published("achievement", owner=owner, title="陶瓷膜")
    published("expert", title="陶膜儿", summary="研究陶瓷膜")
    index()
    text = client.get("/search/", {"q": owner.name}).content.decode()
    assert f"/organizations/{owner.number}/" in text
    page = client.get("/search/?q=陶瓷膜").content.decode()
    assert "陶膜儿" in page
    assert page.count("/achievements/CG-") >= 1
    only = client.get("/search/?q=陶瓷膜&scope=expert").content.decode()
    assert "/achievements/CG-" not in only
    assert client.get("/search/?q=陶瓷膜&scope=nonsense").status_code == 200


# Matches


def matched(**changes):
    """A pair with a kept match."""
    of = sides(**changes)
    row = Match.objects.create(
        demand=of.need,
        supply=of.supply,
        demand_revision_id=of.demand.live_revision_id,
        supply_revision_id=of.achievement.live_revision_id,
        demand_version=1,
        supply_version=1,
        score=3.5,
        rank_for_demand=1,
        rank_for_supply=1,
        parts={"lexical": 3.5},
        band="strong",
        reasons={"phrases": [], "conditions": [], "against": [], "coverage": 0.4},
    )
    return of, row


def test_a_public_detail_shows_its_public_matches(client, engine):
    of, _row = matched()
    assert of.achievement.title in client.get(of.demand.get_absolute_url()).content.decode()
    assert of.demand.title in client.get(of.achievement.get_absolute_url()).content.decode()
    assert "查看全部匹配" not in client.get(of.demand.get_absolute_url()).content.decode()
    client.force_login(of.buyer)
    assert f"/demands/{of.need.number}/matches/" in client.get(of.demand.get_absolute_url()).content.decode()


def test_a_match_with_a_hidden_listing_is_on_no_public_page(client, engine):
    of, _row = matched(achievement={"matchmaker_only": True, "title": "仅撮合的成果"})
    assert "仅撮合的成果" not in client.get(of.demand.get_absolute_url()).content.decode()


# First act


def test_the_first_act_fits_the_reader(client, engine):
    of = sides()
    need = of.demand.get_absolute_url()
    assert "我能解决，提交响应" in client.get(need).content.decode()
    client.force_login(of.buyer)
    own = client.get(need).content.decode()
    assert "我能解决，提交响应" not in own
    assert f"/desk/listings/{of.need.number}/edit/" in own
    publishing.set_availability(of.need, "solved", reference="DJ-2026-000000")
    client.force_login(of.seller)
    assert "不再接受对接" in client.get(need).content.decode()


def test_a_persons_right_without_an_organisation_has_no_inquiry(client, engine):
    listing = published("achievement", record={"owner": None, "holder_name": "测试丙"})
    text = client.get(listing.get_absolute_url()).content.decode()
    assert "测试丙" in text
    assert "权利人是自然人" in text


# Desk


def test_the_desk_is_for_signed_in_people(client):
    response = client.get("/desk/")
    assert response.status_code == 302
    assert response["Location"].endswith("?next=/desk/")


def test_a_person_without_an_organisation_is_told_the_next_step(client):
    client.force_login(UserFactory())
    text = client.get("/desk/").content.decode()
    assert "您还没有加入单位" in text
    assert "/accounts/organizations/new/" in text


def test_a_company_sees_the_inquiry_it_must_answer(client, engine):
    of = sides()
    sent = inquiry(of)
    client.force_login(of.buyer)
    text = client.get("/desk/").content.decode()
    assert f"/deals/inquiries/{sent.pk}/" in text
    assert of.university.label in text
    client.force_login(of.seller)
    assert f"/deals/inquiries/{sent.pk}/" not in client.get("/desk/").content.decode()


def test_registrars_see_only_their_offices_table(client, engine):
    scene, other = Scene(), Scene(seller_region="150102", territory="1501")
    mine = scene.submitted()
    theirs = other.submitted()
    client.force_login(scene.first)
    text = client.get("/desk/").content.decode()
    assert mine.form_number in text
    assert theirs.form_number not in text
    assert "登记办理" in text


def test_moderators_and_brokers_find_their_work(client, engine):
    client.force_login(UserFactory(moderator=True))
    text = client.get("/desk/").content.decode()
    assert "审核发布内容" in text
    assert 'href="/desk/reports/"' in text
    broker = BrokerFactory()
    MandateFactory(broker=broker)
    client.force_login(User.objects.get(pk=broker.user_id))
    text = client.get("/desk/").content.decode()
    assert "有效委托" in text
    assert "我的委托" in text


@pytest.mark.parametrize("size", [0, 3, 30])
def test_the_desk_does_not_ask_more_for_more_rows(client, engine, size, django_assert_max_num_queries):
    of = sides()
    for _n in range(size):
        published("demand", owner=of.company)
        FACTORIES["achievement"](owner=of.company)
    if size:
        inquiry(of)
    client.force_login(of.buyer)
    with django_assert_max_num_queries(30):
        assert client.get("/desk/").status_code == 200
