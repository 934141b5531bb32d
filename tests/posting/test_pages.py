"""Members post, see the state, edit while the published version stays up, withdraw, renew."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import timezone

from cms.models import Achievement, Demand, ListingRecord
from marketplace.posting import services, views
from tests.factories import (
    AchievementFactory,
    DemandFactory,
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
    kpi,
    member,
    patent,
)
from tests.posting.scene import a_company, achievement_data, demand_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(client):
    organization, user = a_company()
    client.force_login(user)
    return organization, user


def latest(record: ListingRecord):
    return record.listing.get_latest_revision_as_object()


def test_a_member_posts_a_demand_and_a_moderator_publishes_it(client, company):
    organization, _user = company
    page = client.get(reverse("demand_new"))
    assert page.status_code == 200
    assert organization.name in page.content.decode()
    answer = client.post(reverse("demand_new"), demand_data(organization, act="submit"))
    record = ListingRecord.objects.get(owner=organization)
    assert answer.url == reverse("listing_state", args=[record.number])
    assert "审核中" in client.get(answer.url).content.decode()
    assert not record.listing.live
    published = services.approve(record.listing, by=UserFactory(moderator=True))
    assert published.live
    assert published.budget_max == Decimal("1800000.00")
    assert [t.figure for t in published.targets.all()] == ["≤\u00a01\u00a0mg/L"]
    assert [m.code for m in published.cooperation_modes.all()] == ["M5"]


def test_an_achievement_keeps_its_patent_number_as_printed(client, company):
    client.post(reverse("achievement_new"), achievement_data(company[0], act="submit"))
    record = ListingRecord.objects.get(kind="achievement")
    assert [p.number for p in latest(record).patents.all()] == ["201710601862.3"]
    assert latest(record).price_max == Decimal("1200000.00")
    published = services.approve(record.listing, by=UserFactory(moderator=True))
    assert published.patents.count() == 1


def test_a_draft_needs_a_title_and_an_owner_only_and_says_what_a_publication_lacks(client, company):
    data = {"title": "草稿一条", "owner": company[0].pk, "act": "submit", "disclosure_level": "L0"}
    blank = {f"targets-{k}": v for k, v in {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0}.items()}
    answer = client.post(reverse("demand_new"), data | blank, follow=True)
    page = answer.content.decode()
    assert Demand.objects.get().current_workflow_state is None
    assert "请写明要解决的问题" in page
    assert "请选择需求类型" in page
    assert 'href="#id_problem"' in page


def test_the_same_form_sent_twice_makes_one_listing(client, company):
    data = demand_data(company[0], key="5f0f3a52-52dd-4a0e-9f3a-d3f2ba1cbb10")
    client.post(reverse("demand_new"), data)
    client.post(reverse("demand_new"), data)
    assert Demand.objects.count() == 1


def test_two_clicks_at_the_same_moment_make_one_listing(client, company, monkeypatch):
    """The second request looks before the first has committed; then the constraint stops it."""
    data = demand_data(company[0], key="5f0f3a52-52dd-4a0e-9f3a-d3f2ba1cbb11")
    client.post(reverse("demand_new"), data)
    looked, real = [], views._sent_before

    def too_early(*args):
        looked.append(args)
        return None if len(looked) == 1 else real(*args)

    monkeypatch.setattr(views, "_sent_before", too_early)
    answer = client.post(reverse("demand_new"), data)
    assert answer.status_code == 302
    assert answer.url == reverse("listing_state", args=[Demand.objects.get().number])


@pytest.mark.parametrize("signed_in", [True, False])
def test_what_was_searched_in_vain_stands_as_the_title_of_a_new_demand(client, company, signed_in):
    if not signed_in:
        client.logout()
    page = client.get(reverse("demand_new"), {"title": f"  煤矿\n矿井水 除氟“{'长' * 300}"}).content.decode()
    field = next(tag for tag in BeautifulSoup(page, "html.parser").select("input[name=title]"))
    assert field["value"].startswith("煤矿 矿井水 除氟“长")
    assert len(field["value"]) == Demand._meta.get_field("title").max_length


def test_yuan_typed_for_wan_is_asked_about_and_the_button_repairs_it(client, company):
    page = client.post(reverse("demand_new"), demand_data(company[0], budget_max="1800000"))
    text = page.content.decode()
    assert "是 180 万元 吗" in text or "是 180 万元吗" in text.replace("\u00a0", " ")
    assert 'value="budget_max=180"' in text
    assert not Demand.objects.exists()
    page = client.post(reverse("demand_new"), demand_data(company[0], budget_max="1800000", fix="budget_max=180"))
    assert 'value="180"' in page.content.decode()


def test_full_width_digits_are_read(client, company):
    client.post(reverse("demand_new"), demand_data(company[0], budget_min="１２０．５", budget_max="１８０"))
    assert latest(ListingRecord.objects.get()).budget_min == Decimal("1205000.00")


def test_a_telephone_number_is_kept_as_one_dials_it(client, company):
    client.post(reverse("demand_new"), demand_data(company[0], contact_phone=" ０４７７－0000001 "))
    assert latest(ListingRecord.objects.get()).contact_phone == "0477-0000001"


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [("120", "180", "120.00–180.00 万元"), ("", "180", "不超过 180.00 万元"), ("120", "", "120.00 万元起")],
)
def test_a_preview_says_the_budget_with_its_unit_once(client, company, low, high, says):
    client.post(reverse("demand_new"), demand_data(company[0], budget_min=low, budget_max=high))
    record = ListingRecord.objects.get()
    page = client.get(reverse("listing_preview", args=[record.number])).content.decode().replace("\u00a0", " ")
    assert says in " ".join(BeautifulSoup(page, "html.parser").select_one(".deflist").get_text().split())


def test_a_wrong_patent_check_character_is_named_and_nothing_is_saved(client, company):
    data = achievement_data(company[0], **{"patents-0-number": "201710601862.4"})
    text = client.post(reverse("achievement_new"), data).content.decode()
    assert "按前" in text
    assert "应为“3”" in text
    assert not Achievement.objects.exists()


def test_begun_before_signing_in_it_becomes_a_draft_after(client):
    organization, user = a_company()
    answer = client.post(reverse("demand_new"), demand_data())
    assert answer.status_code == 302
    assert "next=/demands/new/" in answer.url
    assert not Demand.objects.exists()
    client.force_login(user)
    answer = client.get(reverse("demand_new"))
    record = ListingRecord.objects.get()
    assert answer.url == reverse("listing_edit", args=[record.number])
    assert record.owner == organization
    assert latest(record).problem.startswith("氟离子带入")
    assert client.get(reverse("demand_new")).status_code == 200
    assert Demand.objects.count() == 1


def test_begun_without_an_organisation_it_becomes_a_draft_once_there_is_one(client):
    """The founder of an organisation is led back to what he wrote before."""
    user = UserFactory()
    client.force_login(user)
    answer = client.post(reverse("demand_new"), demand_data())
    assert answer.url == "/accounts/organizations/new/?next=/demands/new/"
    assert 'name="next" value="/demands/new/"' in client.get(answer.url).content.decode()
    MembershipFactory(user=user, organization=OrganizationFactory())
    answer = client.get(reverse("demand_new"))
    assert answer.url == reverse("listing_edit", args=[ListingRecord.objects.get().number])


def test_another_organisation_in_the_body_is_refused(client, company):
    other, _user = a_company()
    page = client.post(reverse("demand_new"), demand_data(other))
    assert page.status_code == 200
    assert "您现在不能代表这个单位发布" in page.content.decode()
    assert not ListingRecord.objects.exists()


@pytest.mark.parametrize("name", ["listing_state", "listing_edit", "listing_preview", "listing_withdraw"])
def test_a_strangers_number_is_not_found(client, company, name):
    stranger = DemandFactory(published=True)
    assert client.get(reverse(name, args=[stranger.number])).status_code == 404


@pytest.mark.parametrize("name", ["listing_submit", "listing_renew", "listing_delete", "listing_withdraw"])
def test_a_strangers_listing_cannot_be_acted_on(client, company, name):
    stranger = DemandFactory(published=True)
    assert client.post(reverse(name, args=[stranger.number]), {"reason": "不要了"}).status_code == 404
    stranger.refresh_from_db()
    assert stranger.live


def test_editing_leaves_the_published_version_up_until_approval(client):
    demand = DemandFactory(published=True, cooperation_modes=["M5"])
    user = member(demand.record.owner)
    client.force_login(user)
    url = reverse("listing_edit", args=[demand.number])
    data = demand_data(title="改过的名称：除氟", version=demand.latest_revision_id, act="submit")
    assert client.post(url, data).status_code == 302
    demand.refresh_from_db()
    assert demand.title.startswith("煤化工高盐废水深度除氟需求")
    assert demand.live
    services.approve(demand, by=UserFactory(moderator=True))
    assert Demand.objects.get(pk=demand.pk).title == "改过的名称：除氟"


def test_a_stale_form_answers_409_with_both_versions_and_the_typed_text(client):
    demand = DemandFactory()
    user = member(demand.record.owner)
    client.force_login(user)
    old = demand.latest_revision_id
    other = demand.get_latest_revision_as_object()
    other.title = "同事改的名称"
    services.save_draft(other, by=user, on_behalf_of=demand.record.owner)
    url = reverse("listing_edit", args=[demand.number])
    answer = client.post(url, demand_data(title="我写的名称一", version=old))
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "同事改的名称" in text
    assert "我写的名称一" in text
    demand.refresh_from_db()
    assert demand.latest_revision.object_str == "同事改的名称"
    # Having seen both, the writer may decide.
    answer = client.post(url, demand_data(title="我写的名称一", version=demand.latest_revision_id))
    assert answer.status_code == 302


def test_the_version_check_is_what_stops_the_overwrite(client, monkeypatch):
    """Negative control: without the check a stale form silently writes over a colleague's text."""
    from cms import publishing

    demand = DemandFactory()
    user = member(demand.record.owner)
    client.force_login(user)
    old = demand.latest_revision_id
    other = demand.get_latest_revision_as_object()
    other.title = "同事改的名称"
    services.save_draft(other, by=user, on_behalf_of=demand.record.owner)
    real = publishing.save_draft
    monkeypatch.setattr(publishing, "save_draft", lambda listing, *, seen=None, **kw: real(listing, **kw))
    answer = client.post(reverse("listing_edit", args=[demand.number]), demand_data(title="我写的名称一", version=old))
    assert answer.status_code == 302
    assert Demand.objects.get(pk=demand.pk).latest_revision.object_str == "我写的名称一"


def test_who_withdraws_is_told_that_his_reason_will_be_public_and_it_is(client):
    demand = DemandFactory(published=True)
    user = member(demand.record.owner)
    client.force_login(user)
    url = reverse("listing_withdraw", args=[demand.number])
    assert "任何人都能看到" in client.get(url).content.decode()
    client.post(url, {"reason": "问题已自行解决"})
    client.logout()
    page = client.get(demand.get_absolute_url())
    assert page.status_code == 410
    assert "问题已自行解决" in page.content.decode()


def test_while_under_review_saving_answers_409_and_keeps_the_text(client):
    demand = DemandFactory(cooperation_modes=["M5"])
    user = member(demand.record.owner)
    client.force_login(user)
    services.submit(demand, by=user, on_behalf_of=demand.record.owner)
    url = reverse("listing_edit", args=[demand.number])
    assert client.get(url).status_code == 302
    answer = client.post(url, demand_data(title="审核中改名", version=demand.latest_revision_id))
    assert answer.status_code == 409
    assert "审核中改名" in answer.content.decode()


def test_a_returned_listing_shows_the_reason_and_is_submitted_again(client):
    demand = DemandFactory(cooperation_modes=["M5"])
    user = member(demand.record.owner)
    client.force_login(user)
    services.submit(demand, by=user, on_behalf_of=demand.record.owner)
    services.send_back(demand, by=UserFactory(moderator=True), reason="指标没有写测试条件")
    page = client.get(reverse("listing_state", args=[demand.number])).content.decode()
    assert "指标没有写测试条件" in page
    client.post(reverse("listing_submit", args=[demand.number]))
    assert "审核中" in client.get(reverse("listing_state", args=[demand.number])).content.decode()


def test_withdrawing_needs_a_reason_and_takes_the_listing_off_the_site(client):
    demand = DemandFactory(published=True)
    client.force_login(member(demand.record.owner))
    url = reverse("listing_withdraw", args=[demand.number])
    assert client.get(url).status_code == 200
    assert "请写明撤回的原因" in client.post(url, {"reason": ""}).content.decode()
    client.post(url, {"reason": "问题已自行解决"})
    demand.refresh_from_db()
    assert not demand.live
    assert ListingRecord.objects.get(pk=demand.record.pk).withdrawn_reason == "问题已自行解决"


def test_renewing_sets_a_later_day(client):
    listing = AchievementFactory(published=True)
    soon = timezone.localdate() + dt.timedelta(days=5)
    ListingRecord.objects.filter(pk=listing.record.pk).update(valid_until=soon)
    client.force_login(member(listing.record.owner))
    until = timezone.localdate() + dt.timedelta(days=300)
    client.post(reverse("listing_renew", args=[listing.number]), {"until": until.isoformat()})
    assert ListingRecord.objects.get(pk=listing.record.pk).valid_until == until
    page = client.post(reverse("listing_renew", args=[listing.number]), {"until": "2020-01-01"})
    assert "有效期要在今天之后" in page.content.decode()


def test_my_listings_costs_the_same_number_of_queries_at_any_number(client, company, django_assert_max_num_queries):
    for _n in range(12):
        DemandFactory(owner=company[0])
    with django_assert_max_num_queries(25):
        page = client.get(reverse("my_listings"))
    assert page.status_code == 200


def test_a_huge_field_and_a_nul_change_nothing(client, company):
    page = client.post(reverse("demand_new"), demand_data(company[0], body="x" * 30_000))
    assert page.status_code == 200
    page = client.post(reverse("demand_new"), demand_data(company[0], title="除\x00氟废水处理"))
    assert page.status_code == 200
    answer = client.post(reverse("demand_new"), demand_data(company[0], body="x" * 10_000_000))
    assert answer.status_code == 413
    assert not Demand.objects.exists()


def test_the_form_shows_what_others_budget_once_there_are_enough(client, company):
    draft = DemandFactory(owner=company[0])
    url = reverse("listing_edit", args=[draft.number])
    assert "同类需求怎么写" not in client.get(url).content.decode()
    for wan in (50, 100, 150, 200, 250):
        DemandFactory(published=True, budget_min=None, budget_max=Decimal(wan * 10_000))
    page = client.get(url).content.decode()
    assert "同类需求怎么写" in page
    assert "150.00" in page


@pytest.mark.parametrize("name", ["listing_state", "listing_edit", "listing_preview", "listing_withdraw"])
def test_no_page_of_a_listing_asks_more_than_twenty_five_queries(client, name, django_assert_max_num_queries):
    listing = AchievementFactory(published=True, kpis=[kpi(), kpi(name="再生次数")], patents=[patent()])
    client.force_login(member(listing.record.owner))
    client.get(reverse(name, args=[listing.number]))
    with django_assert_max_num_queries(25):
        assert client.get(reverse(name, args=[listing.number])).status_code == 200


@pytest.mark.parametrize("name", ["demand_new", "achievement_new"])
def test_the_empty_form_asks_few_queries(client, company, name, django_assert_max_num_queries):
    client.get(reverse(name))
    with django_assert_max_num_queries(25):
        client.get(reverse(name))


def test_what_was_typed_survives_an_expired_session(client):
    demand = DemandFactory()
    user = member(demand.record.owner)
    url = reverse("listing_edit", args=[demand.number])
    answer = client.post(url, demand_data(title="登录过期时写的名称", version=demand.latest_revision_id))
    assert answer.status_code == 302
    assert f"next={url}" in answer.url
    assert demand.revisions.count() == 1
    client.force_login(user)
    page = client.get(url).content.decode()
    assert "登录过期时写的名称" in page
    assert "还没有保存" in page
    assert "登录过期时写的名称" not in client.get(url).content.decode()


def test_a_kept_text_is_not_shown_to_somebody_who_may_not_edit_the_listing(client):
    demand = DemandFactory()
    url = reverse("listing_edit", args=[demand.number])
    client.post(url, demand_data(title="登录过期时写的名称"))
    client.force_login(member(DemandFactory().record.owner))
    assert client.get(url).status_code == 404
