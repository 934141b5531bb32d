"""The pages of matches, inquiries and deals as their readers see them; strangers get 404."""

import pytest
from django.urls import reverse

from marketplace.deals import services
from marketplace.deals.models import Deal, Inquiry, Match, MatchDue, Offer
from search import changes
from tests.factories import (
    AchievementFactory,
    BrokerFactory,
    MandateFactory,
    OrganizationFactory,
    UserFactory,
    kpi,
    member,
    target,
)

from . import factories

pytestmark = pytest.mark.django_db


def get(client, user, url, **kwargs):
    client.force_login(user)
    return client.get(url, **kwargs)


def post(client, user, url, data):
    client.force_login(user)
    return client.post(url, data)


@pytest.fixture
def matched(index):
    of = factories.sides(
        demand={"title": "高盐废水中氟离子深度去除", "targets": [target()]},
        achievement={"title": "煤化工高盐废水除氟填料与再生方法", "kpis": [kpi()]},
    )
    for title in ("羊绒分梳机", "智能采煤工作面", "沙棘籽油提取", "光伏支架除尘机器人", "稀土永磁电机"):
        AchievementFactory(published=True, title=title, summary=f"{title}，已在两处试用。", body="")
    settle()
    return of


def settle():
    changes.drain()
    for _round in range(10):
        services.work_off_due(seconds=60)
        if not MatchDue.objects.exists():
            return


# Matches


def test_the_match_page_shows_reasons_basis_and_the_first_act(client, matched):
    page = get(client, matched.buyer, f"/demands/{matched.need.number}/matches/").content.decode()
    assert matched.achievement.title in page
    assert "强匹配" in page
    assert "<mark>" in page
    assert "与 6 项成果比对，索引时间" in page
    assert f"/deals/inquire/{matched.supply.number}/?own={matched.need.number}&amp;match=" in page
    assert "有新成果达到“可能匹配”时" in page


def test_the_match_page_is_for_owner_his_broker_and_staff(client, matched):
    url = f"/demands/{matched.need.number}/matches/"
    broker = BrokerFactory()
    MandateFactory(broker=broker, client=matched.company, record=matched.need)
    former = MandateFactory(client=matched.company, record=matched.need, ended=True).broker
    for person, status in (
        (matched.buyer, 200),
        (broker.user, 200),
        (UserFactory(moderator=True), 200),
        (matched.seller, 404),
        (former.user, 404),
        (UserFactory(), 404),
    ):
        assert get(client, person, url).status_code == status
    client.logout()
    assert client.get(url).status_code == 302


def test_what_is_under_way_stands_instead_of_the_first_act(client, matched):
    url = f"/demands/{matched.need.number}/matches/"
    row = services.inquire(
        matched.supply, by=matched.buyer, on_behalf_of=matched.company, own=matched.need, message="想约一次现场交流。"
    )
    page = get(client, matched.buyer, url).content.decode()
    assert "已申请对接，等待答复" in page
    assert f"/deals/inquire/{matched.supply.number}/" not in page
    deal = services.accept(row, by=matched.seller)
    settle()
    page = get(client, matched.buyer, url).content.decode()
    assert "查看对接进展" in page
    assert deal.get_absolute_url() in page
    # The two talk with each other, which speaks against nothing; a stranger is told that they talk.
    assert "正在与其他单位洽谈" in str(Match.objects.get(demand=matched.need, supply=matched.supply).reasons)
    assert "正在与其他单位洽谈" not in page
    assert "正在与其他单位洽谈" not in get(client, matched.seller, deal.get_absolute_url()).content.decode()


def test_a_demand_without_an_answer_says_with_how_many_it_was_compared(client, index):
    of = factories.sides(
        demand={"title": "羊绒分梳机针布磨损", "problem": "", "summary": "针布寿命短。", "body": ""},
        achievement={"title": "瓦斯抽采钻孔", "summary": "定向钻进。", "body": ""},
    )
    settle()
    page = get(client, of.buyer, f"/demands/{of.need.number}/matches/").content.decode()
    assert "还没有达到“可能匹配”的成果" in page
    assert "与 1 项成果比对" in page


def test_queries_of_the_match_page_do_not_grow(client, matched, django_assert_max_num_queries):
    for n in range(12):
        AchievementFactory(
            published=True, title=f"高盐废水氟离子深度去除膜{'甲乙丙丁戊己庚辛壬癸子丑'[n]}", kpis=[kpi()]
        )
    settle()
    client.force_login(matched.buyer)
    url = f"/demands/{matched.need.number}/matches/"
    client.get(url)
    with django_assert_max_num_queries(25):
        page = client.get(url).content.decode()
    assert page.count('class="match"') == 13


# Inquiries


def test_the_form_says_what_is_shared_and_with_whom_before_sending(client):
    of = factories.sides()
    page = get(client, of.seller, reverse("inquiry_new", args=[of.need.number])).content.decode()
    assert of.company.name in page
    assert "什么时候提供什么" in page
    assert Inquiry.objects.count() == 0


def sent(of, **more):
    return {
        "sender": f"o{of.university.pk}",
        "own": of.supply.number,
        "message": "我们的填料在贵厂同类水质上连续运行了 90 天。",
        "shares": ["phone", "body"],
        **more,
    }


def test_sending_twice_is_sending_once(client):
    of = factories.sides()
    url = reverse("inquiry_new", args=[of.need.number])
    first = post(client, of.seller, url, sent(of))
    second = post(client, of.seller, url, sent(of))
    row = Inquiry.objects.get()
    assert first.url == second.url == f"/deals/inquiries/{row.pk}/"
    assert row.shares == ["phone", "body"]
    assert client.get(first.url).status_code == 200


def test_wrong_input_is_said_beside_the_fields_and_kept(client):
    of = factories.sides()
    page = post(client, of.seller, reverse("inquiry_new", args=[of.need.number]), sent(of, message="太短"))
    text = page.content.decode()
    assert page.status_code == 200
    assert "错误：" in text
    assert "太短" in text
    assert Inquiry.objects.count() == 0


def test_marked_secrets_are_not_sent(client):
    of = factories.sides()
    text = "机密★5年 某装置的设计参数如下，请看能否解决。"
    page = post(client, of.seller, reverse("inquiry_new", args=[of.need.number]), sent(of, message=text))
    assert "国家秘密" in page.content.decode()
    assert Inquiry.objects.count() == 0


def test_another_organisations_listing_or_name_cannot_be_chosen(client):
    of, other = factories.sides(), factories.sides()
    url = reverse("inquiry_new", args=[of.need.number])
    for wrong in ({"own": other.supply.number}, {"sender": f"o{other.university.pk}"}):
        assert post(client, of.seller, url, sent(of, **wrong)).status_code == 200
    assert Inquiry.objects.count() == 0


def test_an_unknown_or_private_listing_is_not_there(client):
    of = factories.sides(demand={"matchmaker_only": True})
    assert get(client, of.seller, reverse("inquiry_new", args=[of.need.number])).status_code == 404
    assert get(client, of.seller, reverse("inquiry_new", args=["XQ-2026-000000"])).status_code == 404


def test_contact_data_is_given_after_acceptance_and_only_what_was_ticked(client):
    of = factories.sides()
    type(of.seller).objects.filter(pk=of.seller.pk).update(phone="0477-1234567", name="申请人甲")
    type(of.buyer).objects.filter(pk=of.buyer.pk).update(phone="0477-7654321", name="答复人乙")
    row = factories.inquiry(of, shares=["phone"])
    url = reverse("inquiry", args=[row.pk])
    before = get(client, of.buyer, url).content.decode()
    assert "0477-1234567" not in before
    assert of.seller.email not in before
    post(
        client, of.buyer, reverse("inquiry_act", args=[row.pk, "accept"]), {"version": row.version, "shares": ["email"]}
    )
    after = get(client, of.buyer, url).content.decode()
    assert "0477-1234567" in after
    assert of.seller.email not in after
    theirs = get(client, of.seller, url).content.decode()
    assert of.buyer.email in theirs
    assert "0477-7654321" not in theirs


def test_the_senders_person_is_not_named_before_acceptance(client):
    of = factories.sides()
    type(of.seller).objects.filter(pk=of.seller.pk).update(name="申请人甲乙丙")
    row = factories.inquiry(of, shares=[])
    url = reverse("inquiry", args=[row.pk])
    page = get(client, of.buyer, url).content.decode()
    assert "申请人甲乙丙" not in page
    assert "代表 " + of.university.name in page


def test_an_anonymous_owner_stays_unnamed_to_the_sender(client):
    of = factories.sides(demand={"anonymous": True})
    type(of.buyer).objects.filter(pk=of.buyer.pk).update(name="匿名方的人")
    form = get(client, of.seller, reverse("inquiry_new", args=[of.need.number])).content.decode()
    assert of.company.name not in form
    row = factories.inquiry(of)
    url = reverse("inquiry", args=[row.pk])
    assert of.company.name not in get(client, of.seller, url).content.decode()
    assert of.company.name not in get(client, of.seller, reverse("deals")).content.decode()
    services.decline(row, by=of.buyer, reason="price")
    declined = get(client, of.seller, url).content.decode()
    assert of.company.name not in declined
    assert "匿名方的人" not in declined
    assert of.company.name in get(client, of.buyer, url).content.decode()


def test_a_refusal_without_reason_is_shown_again(client):
    of = factories.sides()
    row = factories.inquiry(of)
    url = reverse("inquiry_act", args=[row.pk, "decline"])
    page = post(client, of.buyer, url, {"version": 1, "reason": "other", "note": ""}).content.decode()
    assert "请写明原因" in page
    row.refresh_from_db()
    assert row.state == "sent"
    assert post(client, of.buyer, url, {"version": 1, "reason": "timing", "note": "明年再说"}).status_code == 302


def test_the_second_to_answer_is_told_what_the_first_did(client):
    of = factories.sides()
    colleague = member(of.company, role="member")
    row = factories.inquiry(of)
    services.accept(row, by=of.buyer)
    page = post(
        client,
        colleague,
        reverse("inquiry_act", args=[row.pk, "decline"]),
        {"version": 1, "reason": "price", "note": "太贵"},
    )
    assert page.status_code == 409
    text = page.content.decode()
    assert "已接受" in text
    assert "太贵" in text
    assert "价格" in text
    row.refresh_from_db()
    assert row.state == "accepted"


@pytest.mark.parametrize("act", ["accept", "decline", "recall"])
def test_strangers_get_404_for_everything(client, act):
    of = factories.sides()
    row = factories.inquiry(of)
    stranger = member(OrganizationFactory())
    assert get(client, stranger, reverse("inquiry", args=[row.pk])).status_code == 404
    assert post(client, stranger, reverse("inquiry_act", args=[row.pk, act]), {"version": 1}).status_code == 404
    deal = services.accept(row, by=of.buyer)
    assert get(client, stranger, deal.get_absolute_url()).status_code == 404
    assert post(client, stranger, reverse("deal_act", args=[deal.number, "lose"]), {"version": 1}).status_code == 404


# Deals


def offered(of, deal, **more):
    return {
        "version": deal.version,
        "side": str(of.university.pk),
        "contract_type_code": "TD1",
        "amount_total": "180",
        "amount_tech": "１５０",
        "payment_code": "P1",
        "starts_on": "2026-12-01",
        "ends_on": "2027年11月30日",
        "terms": "分三期支付。",
        **more,
    }


def test_a_deal_is_walked_from_offer_to_terms_by_its_pages(client):
    of = factories.sides()
    deal = factories.deal(of)
    url = reverse("deal_act", args=[deal.number, "offer"])
    assert post(client, of.seller, url, offered(of, deal)).status_code == 302
    offer = Offer.objects.get()
    assert (offer.amount_total, offer.amount_tech) == (1_800_000, 1_500_000)
    deal.refresh_from_db()
    page = get(client, of.buyer, deal.get_absolute_url()).content.decode()
    assert "接受报价" in page
    accept = reverse("deal_act", args=[deal.number, "accept-offer"])
    assert post(client, of.buyer, accept, {"version": deal.version, "offer": offer.pk}).status_code == 302
    deal.refresh_from_db()
    assert deal.state == "terms"
    page = get(client, of.seller, deal.get_absolute_url()).content.decode()
    draft = reverse("contract_from_deal", args=[deal.number])
    assert draft in page
    assert "代表 " + of.company.name in page
    # The seller applies for registration; the buyer is told whom he waits for.
    page = get(client, of.buyer, deal.get_absolute_url()).content.decode()
    assert draft not in page
    assert f"由“{of.university.name}”的人员起草并申请登记。" in page


@pytest.mark.parametrize("odd", ["²", "1" * 30, "", "x"])
def test_an_odd_key_of_an_offer_or_a_match_is_no_offer_and_no_match(client, odd):
    of = factories.sides()
    deal = factories.deal(of)
    url = reverse("deal_act", args=[deal.number, "accept-offer"])
    assert post(client, of.buyer, url, {"version": deal.version, "offer": odd}).status_code == 409
    ask = reverse("inquiry_new", args=[factories.sides().need.number])
    assert get(client, of.seller, f"{ask}?match={odd}").status_code == 200


def test_a_deal_keeps_the_reasons_of_its_match_when_it_no_longer_holds(client, matched):
    match = Match.objects.get(demand=matched.need, supply=matched.supply)
    deal = services.accept(factories.inquiry(matched, match=match), by=matched.buyer)
    Match.objects.update(is_current=False)
    page = get(client, matched.seller, deal.get_absolute_url()).content.decode()
    assert "当时的匹配理由" in page
    assert "<mark>" in page
    assert "出水氟离子" in page


def test_yuan_typed_for_wan_is_asked_about_and_put_right_by_a_button(client):
    of = factories.sides()
    deal = factories.deal(of)
    url = reverse("deal_act", args=[deal.number, "offer"])
    page = post(client, of.seller, url, offered(of, deal, amount_total="1800000")).content.decode()
    assert "是 180 万元 吗" in page
    assert 'value="amount_total=180"' in page
    assert Offer.objects.count() == 0
    page = post(
        client, of.seller, url, offered(of, deal, amount_total="1800000", fix="amount_total=180")
    ).content.decode()
    assert 'value="180"' in page
    assert Offer.objects.count() == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"amount_tech": "200"}, "技术交易额不能大于合同成交额"),
        ({"amount_total": "0", "amount_tech": "0"}, "金额要大于零"),
        ({"ends_on": "2026-11-01"}, "完成日期早于开始日期"),
        ({"contract_type_code": "XX"}, "选择一个有效的选项"),
    ],
)
def test_wrong_offers_change_nothing(client, wrong, says):
    of = factories.sides()
    deal = factories.deal(of)
    page = post(client, of.seller, reverse("deal_act", args=[deal.number, "offer"]), offered(of, deal, **wrong))
    assert says in page.content.decode()
    assert Offer.objects.count() == 0


def test_a_stale_form_answers_409_with_both_versions(client):
    of = factories.sides()
    deal = factories.deal(of)
    old = deal.version
    factories.offer(of, Deal.objects.get(pk=deal.pk))
    page = post(
        client, of.buyer, reverse("deal_act", args=[deal.number, "plan"]), {"version": old, "plan-next_step": "约谈"}
    )
    assert page.status_code == 409
    assert "约谈" in page.content.decode()
    assert "答复报价" in page.content.decode()


def test_an_offer_that_was_replaced_cannot_be_accepted(client):
    of = factories.sides()
    deal = factories.deal(of)
    first = factories.offer(of, deal)
    factories.offer(of, Deal.objects.get(pk=deal.pk))
    deal.refresh_from_db()
    accept = reverse("deal_act", args=[deal.number, "accept-offer"])
    assert post(client, of.buyer, accept, {"version": deal.version, "offer": first.pk}).status_code == 409
    deal.refresh_from_db()
    assert deal.state == "contacted"


def test_ending_the_talks_needs_a_reason(client):
    of = factories.sides()
    deal = factories.deal(of)
    url = reverse("deal_act", args=[deal.number, "lose"])
    page = post(client, of.buyer, url, {"version": deal.version, "lose-reason": ""})
    assert "终止洽谈" in page.content.decode()
    deal.refresh_from_db()
    assert deal.state == "contacted"
    assert post(client, of.buyer, url, {"version": deal.version, "lose-reason": "price"}).status_code == 302
    page = get(client, of.seller, deal.get_absolute_url()).content.decode()
    assert "价格或预算不合适" in page


def test_the_board_counts_and_sums_by_state(client):
    of = factories.sides()
    factories.agreed(of)
    page = get(client, of.buyer, reverse("deals")).content.decode()
    assert "180.00" in page
    assert "在谈 1 单，报价合计 180.00 万元" in page
    assert get(client, of.buyer, "/deals/?state=terms").status_code == 200
    assert get(client, of.buyer, "/deals/?state=nonsense").status_code == 404
    assert "还没有对接项目" in get(client, member(OrganizationFactory()), reverse("deals")).content.decode()


def test_queries_of_list_and_deal_do_not_grow(client, django_assert_max_num_queries):
    of = factories.sides()
    for n in range(4):
        more = factories.sides()
        more.university, more.seller = of.university, of.seller
        more.achievement = AchievementFactory(owner=of.university, published=True, title=f"成果{n}")
        deal = factories.deal(more)
        factories.offer(more, deal)
        again = factories.sides()
        again.university, again.seller, again.achievement = of.university, of.seller, more.achievement
        factories.inquiry(again)
    deal = Deal.objects.first()
    client.force_login(of.seller)
    Deal.objects.filter(pk=deal.pk).update(
        match=Match.objects.create(
            demand=deal.demand, supply=deal.supply, demand_version=1, supply_version=1, score=1, band="strong"
        )
    )
    for url in (reverse("deals"), deal.get_absolute_url(), reverse("inquiry", args=[Inquiry.objects.first().pk])):
        client.get(url)
        with django_assert_max_num_queries(25):
            assert client.get(url).status_code == 200


# Brokers


def test_a_broker_walks_his_clients_inquiry_and_offer_by_the_pages(client):
    of = factories.sides()
    broker = BrokerFactory()
    mandate = MandateFactory(broker=broker, client=of.university, record=of.supply)
    url = reverse("inquiry_new", args=[of.need.number])
    page = get(client, broker.user, f"{url}?own={of.supply.number}").content.decode()
    assert f'value="m{mandate.pk}"' in page
    answer = post(client, broker.user, url, sent(of, sender=f"m{mandate.pk}"))
    assert answer.status_code == 302
    row = Inquiry.objects.get()
    assert (row.by, row.from_organization, row.mandate) == (broker.user, of.university, mandate)
    assert str(broker.user) in get(client, of.buyer, answer.url).content.decode()
    deal = services.accept(row, by=of.buyer)
    offer = post(client, broker.user, reverse("deal_act", args=[deal.number, "offer"]), offered(of, deal))
    assert offer.status_code == 302
    deal.refresh_from_db()
    counter = services.offer(deal, by=of.buyer, on_behalf_of=of.company, **factories.terms())
    deal.refresh_from_db()
    page = get(client, broker.user, deal.get_absolute_url()).content.decode()
    assert "accept-offer" not in page
    assert "终止洽谈" not in page
    accept = reverse("deal_act", args=[deal.number, "accept-offer"])
    assert post(client, broker.user, accept, {"version": deal.version, "offer": counter.pk}).status_code == 403
    deal.refresh_from_db()
    assert deal.state == "contacted"


def test_a_broker_without_mandate_in_force_reads_the_deal_and_writes_nothing(client):
    of = factories.sides()
    broker = BrokerFactory()
    mandate = MandateFactory(broker=broker, client=of.university, record=of.supply)
    deal = services.accept(factories.inquiry(of, by=broker.user, mandate=mandate), by=of.buyer)
    type(mandate).objects.filter(pk=mandate.pk).update(revoked_on=mandate.starts_on)
    page = get(client, broker.user, deal.get_absolute_url()).content.decode()
    assert "现已不在有效期，促成仍记在他名下" in page
    assert "送出报价" not in page
    for act, data in (("offer", offered(of, deal)), ("plan", {"version": deal.version, "plan-next_step": "再谈"})):
        assert post(client, broker.user, reverse("deal_act", args=[deal.number, act]), data).status_code in (403, 409)
    assert Offer.objects.count() == 0
    form = get(client, broker.user, reverse("inquiry_new", args=[of.need.number])).content.decode()
    assert "对接以单位名义进行" in form
