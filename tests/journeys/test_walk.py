"""One demand becomes turnover: every step by the person whose step it is, through the pages, and the way back."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from marketplace.contracts.models import Contract
from marketplace.indicators import catalogue

from .city import City, in_days
from .people import Person

pytestmark = pytest.mark.slow

DEMAND = {
    "title": "煤化工高盐废水深度除氟",
    "summary": "膜浓缩后氟离子富集到 12 mg/L，要求降到 1 mg/L 以下，填料要能再生。",
    "problem": "氟离子带入结晶单元后腐蚀换热管，一年停车两次，现有钙盐沉淀只能降到 8 mg/L。",
    "demand_type": "RD",
    "technology_field": "0701",
    "region": "150622",
    "disclosure_level": "L0",
    "is_budget_negotiable": "0",
    "budget_min": "120",
    "budget_max": "１８０",
    "cooperation_modes": ["M5"],
    "targets-0-name": "出水氟离子",
    "targets-0-operator": "le",
    "targets-0-value": "1.0",
    "targets-0-unit": "mg/L",
    "contact_name": "云起",
    "contact_phone": "0477-0000001",
}
ACHIEVEMENT = {
    "title": "煤化工高盐废水除氟填料与再生方法",
    "summary": "用改性铝基填料把高盐废水的氟离子从 12 mg/L 降到 0.8 mg/L，填料再生 18 次。",
    "body": "进水含盐量 35 g/L，水温 30 ℃。\n\n两级串联运行，出水氟离子稳定在 1 mg/L 以下。",
    "technology_field": "0701",
    "region": "150603",
    "disclosure_level": "L0",
    "achievement_type": "A01",
    "trl": "6",
    "transfer_modes": ["M2"],
    "price_type": "fixed",
    "price_min": "120",
    "pricing_mode": "agreement",
    "kpis-0-name": "出水氟离子",
    "kpis-0-operator": "le",
    "kpis-0-value": "0.8",
    "kpis-0-unit": "mg/L",
    "contact_name": "苏格",
    "contact_phone": "0477-0000002",
}
LATER = "新一代填料把氟离子降到 0.5 mg/L，再生 25 次，正在做工业放大。"


def test_a_demand_becomes_turnover(city: City):
    first, second = city.office()
    company, university = city.newcomer("云起"), city.newcomer("苏格")
    company.founds("砚北测试煤化工有限公司", region="150622", serial="MA0W0001")
    university.founds("朔北测试大学", region="150603", serial="MA0W0002", kind="university", state=True)
    for name in (company.organization, university.organization):
        city.moderator.verifies(name)

    demand = company.posts("demand", **DEMAND, deadline=in_days(90))
    stranger = Person("过客")
    stranger.opens(f"/demands/{demand}/", status=404)
    city.moderator.approves(demand)
    achievement = university.posts("achievement", **ACHIEVEMENT)
    city.moderator.approves(achievement)
    city.settles()

    stranger.opens("/search/?q=除氟").says(DEMAND["title"], ACHIEVEMENT["title"])
    stranger.opens(f"/demands/{demand}/").says(ACHIEVEMENT["title"]).keeps_silent_about("0477-0000001")
    company.opens(f"/demands/{demand}/matches/").says(ACHIEVEMENT["title"], "出水氟离子")

    inquiry = company.inquires(achievement, own=demand, message="看过贵方指标，与现场水质接近，想约一次技术交流。")
    university.opens("/desk/").says("答复对接申请：砚北测试煤化工有限公司")
    deal = university.accepts(inquiry)
    university.offers(
        deal,
        contract_type_code="TD1",
        amount_total="168",
        amount_tech="138",
        payment_code="P2",
        starts_on=in_days(0),
        ends_on=in_days(365),
        terms="分三期支付，验收后付清；改进成果双方共有。",
    )
    company.accepts_offer(deal)

    university.edits(achievement, summary=LATER)
    city.moderator.approves(achievement)
    stranger.opens(f"/achievements/{achievement}/").says(LATER)

    contract = university.drafts(deal)
    university.completes(
        contract,
        technology_field="0701",
        summary="研制改性铝基除氟填料和两级串联装置，完成中试并交付工艺包。",
        novelty_points="填料可再生 18 次，出水氟离子不高于 1 mg/L",
        deduction="30",
    )
    receipt = university.hands_in(contract)
    first.accepts(receipt)
    first.passes(receipt)
    number = second.recognises(receipt)

    it_is_counted(stranger, number, Decimal("1680000.00"))
    the_paper_says(university, stranger, contract, number)
    the_way_back_leads_to_the_listing(company, number, deal, demand, achievement)


def it_is_counted(visitor: Person, number: str, amount: Decimal) -> None:
    """The figure is the amount, the rows sum to it, the register has the row."""
    today = timezone.localdate()
    figure = catalogue.turnover(area="150600", start=today.replace(month=1, day=1), end=today, basis="output")
    assert (figure.value, figure.count, figure.entries) == (amount, 1, 1)
    assert sum(row.amount_total for row in figure.rows) == figure.value
    visitor.opens(reverse("indicators")).says("技术合同成交额")
    visitor.opens(reverse("turnover_rows")).says(number)
    answer = visitor.gets("/api/v1/indicators/turnover/").json()
    assert (answer["value"], answer["count"]) == (str(amount), 1)
    visitor.opens(f"/registry/{number}/").says(number, "未公开").keeps_silent_about("168.00", DEMAND["title"])


def the_paper_says(owner: Person, visitor: Person, contract: str, number: str) -> None:
    """The certificate's text is what the check page says, to the person and to anybody with its code."""
    paper = owner.gets(f"/contracts/{contract}/certificate.pdf")
    assert paper["Content-Type"] == "application/pdf"
    text = "".join(
        page.extract_text()
        for page in PdfReader(io.BytesIO(b"".join(paper) if paper.streaming else paper.content)).pages
    )
    for part in (number, DEMAND["title"], "1,680,000.00", "壹佰陆拾捌万元整", "砚北测试煤化工有限公司"):
        assert part in text, text
    assert visitor.gets(f"/contracts/{contract}/certificate.pdf").status_code in (302, 404)
    code = Contract.objects.get(number=contract).registration.certificate.code
    assert code in text
    page = visitor.presses(visitor.opens("/verify/"), "查验", {"code": code.lower().replace("-", " ")})
    page.says("有效", number, "1,680,000.00")


def the_way_back_leads_to_the_listing(person: Person, number: str, deal: str, demand: str, achievement: str) -> None:
    """打开这个数: rows → register → contract → deal → match → listings, as they stood when the deal began."""
    page = person.opens(person.opens(reverse("indicators")).link(reverse("turnover")))
    page = person.opens(page.link(reverse("turnover_rows")))
    page = person.opens(page.link(f"/registry/{number}/"))
    page.says("168.00")
    page = person.opens(page.link("/contracts/HT"))
    page = person.opens(page.link(f"/deals/{deal}/"))
    page.says("匹配", "氟离子")
    listing = person.opens(page.link(f"/achievements/{achievement}/?revision="))
    listing.says(ACHIEVEMENT["title"], ACHIEVEMENT["summary"]).keeps_silent_about(LATER)
    person.opens(page.link(f"/demands/{demand}/")).says(DEMAND["title"])
