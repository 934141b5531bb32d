"""What must not be read is nowhere: each secret word is looked for on every public surface.

Each guard is taken away once to see that it was the guard that kept it back.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from cms import publishing
from cms.models import AccessLog, ListingQuerySet, ListingRecord, listing_model
from marketplace.accounts.models import User
from marketplace.deals import services as deals
from tests.deals.factories import inquiry, sides
from tests.factories import OrganizationFactory, UserFactory, kpi, member, patent, target
from tests.library.factories import FACTORIES, index, published

pytestmark = pytest.mark.django_db

OWNER = "绝密单位甲"


def surfaces(record: ListingRecord) -> list[str]:
    """Every public address that could speak of a listing."""
    kind, number = record.kind, record.number
    lists = ["/", "/desk/", "/news/", "/sitemap.xml"]
    for one in FACTORIES:
        lists += [f"/{one}s/", f"/{one}s/?q=暗号", f"/api/v1/{one}s/?page_size=100", f"/api/v1/{one}s/?q=暗号"]
    lists += ["/search/?q=暗号", "/api/v1/search/?q=暗号", f"/search/?q={number}", f"/search/?q={OWNER}"]
    if record.owner_id:
        lists += [f"/organizations/{record.owner.number}/", f"/{kind}s/?owner={record.owner.number}"]
    detail = [f"/{kind}s/{number}/", f"/api/v1/{kind}s/{number}/", f"/{kind}s/{number}/?revision=1"]
    return [*lists, *detail, f"/{kind}s/{number}/matches/", f"/api/v1/{kind}s/{number}/matches/"]


def leaks(client, record: ListingRecord, words: list[str]) -> dict[str, list[str]]:
    """Surface → words that stand on it."""
    found = {}
    for address in surfaces(record):
        response = client.get(address, follow=True)
        assert response.status_code < 500, address
        text = response.content.decode()
        standing = [word for word in words if word in text]
        if standing:
            found[address] = standing
    return found


def test_a_draft_is_nowhere(client, engine):
    draft = FACTORIES["achievement"](title="暗号碧落", summary="暗号黄泉", body="暗号扶桑")
    index()
    assert leaks(client, draft.record, ["碧落", "黄泉", "扶桑"]) == {}
    assert client.get(draft.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("level", ["L1", "L2"])
def test_of_a_restricted_listing_only_title_and_summary_are_public(client, engine, level):
    secret = published(
        "achievement",
        title="限制级公开名称",
        summary="限制级公开简介",
        body="暗号正文子丑",
        problem="暗号问题寅卯",
        keywords="暗号关键辰巳",
        inventors="暗号完成午未",
        kpis=[kpi(name="暗号指标申酉")],
        patents=[patent(title="暗号专利戌亥")],
        contact_name="暗号联系甲乙",
        disclosure_level=level,
    )
    index()
    words = ["正文子丑", "问题寅卯", "关键辰巳", "完成午未", "指标申酉", "专利戌亥", "联系甲乙"]
    assert leaks(client, secret.record, words) == {}
    page = client.get(secret.get_absolute_url()).content.decode()
    assert "限制级公开名称" in page
    assert "限制级公开简介" in page
    assert "详情未公开" in page
    body = client.get(f"/api/v1/achievements/{secret.record.number}/").json()
    assert body["restricted"] is True
    assert body["body"] is body["kpis"] is body["patents"] is body["inventors"] is body["problem"] is None


def test_a_listing_for_matchmakers_only_is_nowhere(client, engine):
    hidden = published("demand", title="暗号碧落", summary="暗号黄泉", body="暗号扶桑", matchmaker_only=True)
    index()
    assert leaks(client, hidden.record, ["碧落", "黄泉", "扶桑"]) == {}
    assert client.get(hidden.get_absolute_url()).status_code == 404
    assert client.get(f"/api/v1/demands/{hidden.record.number}/").status_code == 404


def test_a_withdrawn_listing_answers_410_without_its_words(client, engine):
    owner = OrganizationFactory()
    person = member(owner)
    gone = published("achievement", owner=owner, title="暗号碧落", summary="暗号黄泉", body="暗号扶桑")
    like = published("achievement", title="同类的另一项成果")
    index()
    publishing.withdraw(gone, by=person, on_behalf_of=owner, reason="已自行转化")
    response = client.get(gone.get_absolute_url())
    assert response.status_code == 410
    text = response.content.decode()
    assert "已自行转化" in text
    assert like.title in text
    index()
    assert leaks(client, gone.record, ["碧落", "黄泉", "扶桑"]) == {}
    assert client.get(f"/api/v1/achievements/{gone.record.number}/").status_code == 404


def test_what_expired_says_so_and_a_draft_never_answers_410(client, engine):
    old = published("demand", title="到期暗号", record={"valid_until": timezone.localdate() - dt.timedelta(days=1)})
    page = client.get(old.get_absolute_url())
    assert page.status_code == 200
    assert "已过期" in page.content.decode()
    assert "提交响应</a>" not in page.content.decode()
    publishing.expire(old)
    response = client.get(old.get_absolute_url())
    assert response.status_code == 410
    assert "有效期已过" in response.content.decode()
    assert "到期暗号" not in response.content.decode()


@pytest.mark.parametrize("person", ["visitor", "stranger"])
def test_an_anonymous_owners_name_stands_nowhere(client, engine, person):
    owner = OrganizationFactory(name=OWNER)
    need = published(
        "demand", owner=owner, anonymous=True, title="匿名需求甲", contact_name="张暗号", contact_phone="0477-1234567"
    )
    published("achievement", title="同名单位的成果")
    index()
    if person == "stranger":
        client.force_login(member(OrganizationFactory()))
    words = [owner.number, "张暗号", "0477-1234567"]
    found = leaks(client, need.record, [OWNER, *words])
    own_page = f"/organizations/{owner.number}/"
    # A verified organisation has a page under its name, and asking for a name says it back; the need is on neither.
    for address in (own_page, f"/demands/?owner={owner.number}", f"/search/?q={OWNER}"):
        found.pop(address, None)
        assert "匿名需求甲" not in client.get(address).content.decode()
    assert found == {}
    assert "匿名需求甲" in client.get(need.get_absolute_url()).content.decode()
    assert client.get(f"/api/v1/demands/{need.record.number}/").json()["owner"] is None


def test_the_owner_sees_his_name_and_his_draft(client, engine):
    owner = OrganizationFactory(name=OWNER)
    client.force_login(member(owner))
    need = published("demand", owner=owner, anonymous=True)
    draft = FACTORIES["achievement"](owner=owner, kpis=[kpi(name="草稿里的指标")], transfer_modes=["M2"])
    assert OWNER in client.get(need.get_absolute_url()).content.decode()
    page = client.get(draft.get_absolute_url())
    assert page.status_code == 200
    assert "还没有公开" in page.content.decode()
    assert "草稿里的指标" in page.content.decode()


def test_a_verified_member_reads_l1_and_every_look_is_written_down(client, engine):
    secret = published("demand", body="暗号正文子丑", targets=[target(name="指标暗号丑")], restricted_l1=True)
    client.force_login(member(OrganizationFactory(unverified=True)))
    assert "正文子丑" not in client.get(secret.get_absolute_url()).content.decode()
    assert not AccessLog.objects.exists()
    reader = member(OrganizationFactory())
    client.force_login(reader)
    page = client.get(secret.get_absolute_url()).content.decode()
    assert "正文子丑" in page
    assert "指标暗号丑" in page
    assert list(AccessLog.objects.values_list("record", "user")) == [(secret.record.pk, reader.pk)]
    assert client.get(f"/api/v1/demands/{secret.record.number}/").json()["body"] == "暗号正文子丑"


def test_a_grant_opens_l2_until_it_ends(client, engine):
    secret = published("achievement", body="暗号正文子丑", restricted_l2=True)
    reader = member(OrganizationFactory())
    client.force_login(reader)
    assert "正文子丑" not in client.get(secret.get_absolute_url()).content.decode()
    publishing.grant(secret.record, organization=reader.approved_memberships[0].organization, reason="DJ-2026-000000")
    assert "正文子丑" in client.get(secret.get_absolute_url()).content.decode()
    secret.record.grants.update(
        starts_on=timezone.localdate() - dt.timedelta(days=9), ends_on=timezone.localdate() - dt.timedelta(days=1)
    )
    assert "正文子丑" not in client.get(secret.get_absolute_url()).content.decode()


def test_contacts_are_for_signed_in_people_and_never_in_the_api(client, engine):
    listing = published(
        "achievement", contact_name="联系人乙", contact_phone="0477-7654321", contact_email="x@example.org"
    )
    address = listing.get_absolute_url()
    assert "0477-7654321" not in client.get(address).content.decode()
    client.force_login(UserFactory())
    assert "0477-7654321" in client.get(address).content.decode()
    for api in (f"/api/v1/achievements/{listing.record.number}/", "/api/v1/achievements/"):
        text = client.get(api).content.decode()
        assert "0477-7654321" not in text
        assert "x@example.org" not in text


# Earlier versions


def two_versions():
    owner = OrganizationFactory()
    listing = published("achievement", owner=owner, title="第一版的名称", body="第一版的正文")
    first = listing.live_revision
    listing.title, listing.body = "第二版的名称", "第二版的正文"
    listing.save_revision().publish()
    draft = type(listing).objects.get(pk=listing.pk)
    draft.title = "第三版暗号"
    unpublished = draft.save_revision()
    return owner, listing, first, unpublished


def test_an_earlier_published_version_is_for_those_with_a_part_in_it(client):
    owner, listing, first, _unpublished = two_versions()
    address = f"{listing.get_absolute_url()}?revision={first.pk}"
    assert client.get(address).status_code == 404
    client.force_login(member(OrganizationFactory()))
    assert client.get(address).status_code == 404
    for person in (member(owner), UserFactory(moderator=True)):
        client.force_login(User.objects.get(pk=person.pk))
        page = client.get(address)
        assert page.status_code == 200
        text = page.content.decode()
        assert "第一版的正文" in text
        assert "当时已公开的版本" in text


def test_a_version_that_was_never_published_is_no_page(client):
    owner, listing, _first, unpublished = two_versions()
    client.force_login(member(owner))
    for key in (unpublished.pk, 999_999, "abc", "²", "1" * 30, "-1"):
        assert client.get(f"{listing.get_absolute_url()}?revision={key}").status_code == 404


# Negative controls: the guard is taken away and the attack succeeds.


@pytest.fixture
def no_guard(monkeypatch):
    """`.visible_to` lets everything through."""
    monkeypatch.setattr(ListingQuerySet, "visible_to", lambda self, user: self)


@pytest.fixture
def stale(engine):
    """A listing that is in the index as public and was made matchmakers-only since: the index is a moment behind."""
    listing = published("achievement", title="后来改为仅撮合的暗号", summary="暗号")
    index()
    type(listing).objects.filter(pk=listing.pk).update(disclosure_level="L3")
    return listing


SURFACES = {
    "list": "/achievements/?q=暗号",
    "detail": "/achievements/{number}/",
    "search": "/search/?q=暗号",
    "api list": "/api/v1/achievements/?q=暗号",
    "api detail": "/api/v1/achievements/{number}/",
    "api search": "/api/v1/search/?q=暗号",
}


@pytest.mark.parametrize("surface", SURFACES)
def test_the_guard_keeps_a_hidden_listing_back(client, stale, surface):
    address = SURFACES[surface].format(number=stale.record.number)
    assert "后来改为仅撮合" not in client.get(address).content.decode()


@pytest.mark.parametrize("surface", SURFACES)
def test_without_the_guard_the_hidden_listing_shows(client, stale, no_guard, surface):
    address = SURFACES[surface].format(number=stale.record.number)
    assert "后来改为仅撮合" in client.get(address).content.decode()


def test_every_kind_of_list_asks_who_is_looking():
    for kind in FACTORIES:
        assert not listing_model(kind).objects.visible_to(AnonymousUser()).filter(disclosure_level="L3").exists()


def test_the_parties_of_a_deal_read_what_they_agreed_on_though_it_changed_since(client):
    of = sides(demand={"body": "谈妥时的正文"})
    deals.accept(inquiry(of), by=of.buyer)
    seen = of.demand.live_revision_id
    changed = type(of.demand).objects.get(pk=of.demand.pk)
    changed.body = "后来改写的正文"
    publishing.save_draft(changed, by=of.buyer, on_behalf_of=of.company)
    publishing.publish(type(changed).objects.get(pk=changed.pk), by=UserFactory(moderator=True))
    address = f"{of.demand.get_absolute_url()}?revision={seen}"
    for person, status in ((of.seller, 200), (of.buyer, 200), (member(OrganizationFactory()), 404)):
        client.force_login(person)
        page = client.get(address)
        assert page.status_code == status
        assert ("谈妥时的正文" in page.content.decode()) == (status == 200)
    publishing.withdraw(type(changed).objects.get(pk=changed.pk), by=of.buyer, on_behalf_of=of.company, reason="已找到")
    client.force_login(of.seller)
    assert client.get(address).status_code == 200
    assert client.get(of.demand.get_absolute_url()).status_code == 410
