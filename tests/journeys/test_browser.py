"""The same line in Chromium, at a desk and on a phone: a need is posted, answered, agreed, registered and counted."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
import urllib.request
from decimal import Decimal

import pytest

from .browsing import Surfer
from .city import document
from .demo import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PDF = {"name": "技术开发合同.pdf", "mimeType": "application/pdf"}


def in_days(days: int) -> str:
    return (dt.date.today() + dt.timedelta(days=days)).isoformat()


def turnover(site: Site) -> Decimal:
    """This year's figure as anybody may ask for it, in 元."""
    with urllib.request.urlopen(site.url("/api/v1/indicators/turnover/"), timeout=20) as answer:  # noqa: S310
        return Decimal(json.load(answer)["value"])


def free_achievement(site: Site, role: str) -> tuple[str, str]:
    """Number and title of a public achievement of the role's organisation that nobody talks about yet."""
    found = site.market.sql(
        "SELECT r.number, a.title FROM cms_achievement a JOIN cms_listingrecord r ON r.id = a.record_id "
        "JOIN accounts_membership m ON m.organization_id = r.owner_id JOIN demo_demoaccount d ON d.user_id = m.user_id "
        "WHERE a.live AND a.disclosure_level = 'L0' AND r.availability = 'open' AND d.role = ? ORDER BY r.id",
        role,
    )
    assert found, f"{role} has nothing free"
    return found[0]


def wait_for(surfer: Surfer, path: str, selector: str, seconds: float = 30) -> None:
    """Reload until the site's own threads have done their part."""
    until = time.monotonic() + seconds
    surfer.opens(path)
    while not surfer.page.locator(selector).count():
        assert time.monotonic() < until, f"{path} has no {selector} after {seconds} s:\n{surfer.text[:2000]}"
        time.sleep(0.5)
        surfer.opens(path)


@pytest.fixture
def meets(browser, demo_site):
    """meets(role, width): a person at a browser; at the end nobody may have met a fault."""
    people: list[Surfer] = []

    def meet(role: str, width: int) -> Surfer:
        people.append(Surfer(browser, demo_site, role, width))
        return people[-1]

    yield meet
    for person in people:
        person.leaves()
    assert [fault for person in people for fault in person.faults] == []


@pytest.mark.parametrize("width", [1440, 390])
def test_a_need_is_posted_and_counted(meets, demo_site, width):
    before = turnover(demo_site)
    achievement, title = free_achievement(demo_site, "university")
    company, university = meets("company", width), meets("university", width)

    demand = posts(company, f"{title}用于扩产（{width}）")
    approves(meets("moderator", 1440), demand)
    wait_for(company, f"/demands/{demand}/matches/", f'a[href*="/deals/inquire/{achievement}/"]')
    company.fits()

    inquires(company, demand, achievement)
    deal = answers_and_offers(university, title)
    company.opens(f"/deals/{deal}/")
    company.presses("接受报价")
    company.says("已接受的报价")

    contract, receipt = registers(university, deal)
    number = reviews(meets("registrar", width), meets("registrar2", width), receipt)
    assert turnover(demo_site) - before == Decimal("1680000.00")

    visitor = meets("", width)
    visitor.opens("/indicators/turnover/rows/")
    visitor.says(number)
    visitor.fits()
    university.opens(f"/contracts/{contract}/")
    university.says(number)
    university.fits()


def posts(company: Surfer, title: str) -> str:
    company.opens("/demands/new/")
    company.fits()
    company.fills(
        title=title,
        demand_type="RD",
        problem="现有装置负荷低于四成就要停车，一年停 11 次，重新升温一次耗电 3.2 万千瓦时，要求在两成负荷下连续运行。",
        summary="现有装置负荷低于四成就停车，要求在两成负荷下连续运行 72 小时，单耗不升高。",
        technology_field="0605",
        targets__0__name="最低连续负荷",
        targets__0__operator="le",
        targets__0__value="20",
        targets__0__unit="%",
        is_budget_negotiable="0",
        budget_min="120",
        budget_max="１８０",
        deadline=in_days(90),
        cooperation_modes=["M5"],
        region="150622",
        contact_name="赵立新",
        contact_phone="0477-0000000",
    )
    company.presses("提交审核")
    company.says("审核中")
    found = re.search(r"XQ-\d{4}-[0-9A-Z]{6}", company.path)
    assert found, company.path
    return found.group(0)


def approves(moderator: Surfer, demand: str) -> None:
    moderator.opens("/admin/moderation/")
    row = moderator.page.locator("tr", has_text=demand)
    with moderator.page.expect_navigation():
        row.locator("a").first.click()
    moderator.presses("通过并公开")


def inquires(company: Surfer, demand: str, achievement: str) -> None:
    with company.page.expect_navigation():
        company.page.locator(f'main a[href*="/deals/inquire/{achievement}/"]:visible').first.click()
    company.says("什么时候提供什么")
    company.fits()
    company.fills(message="看过贵方指标，与我方负荷波动的工况接近，想约一次技术交流。", own=demand)
    company.presses("送出申请")
    assert "/deals/inquiries/" in company.path
    company.fits()


def answers_and_offers(university: Surfer, title: str) -> str:
    university.opens("/desk/")
    university.fits()
    university.opens("/deals/")
    with university.page.expect_navigation():
        university.page.locator('main a[href*="/deals/inquiries/"]:visible', has_text=title[:8]).first.click()
    university.presses("接受对接")
    found = re.search(r"DJ-\d{4}-[0-9A-Z]{6}", university.path)
    assert found, university.path
    university.fits()
    university.fills(
        contract_type_code="TD1",
        amount_total="168",
        amount_tech="138",
        payment_code="P2",
        starts_on=in_days(0),
        ends_on=in_days(365),
        terms="分三期支付，验收后付清；改进成果双方共有。",
    )
    university.presses("送出报价")
    return found.group(0)


def registers(university: Surfer, deal: str) -> tuple[str, str]:
    university.opens(f"/deals/{deal}/")
    with university.page.expect_navigation():
        university.page.locator(f'a[href$="/contracts/from/{deal}/"]:visible').first.click()
    university.presses("带入这些内容，开始填写")
    found = re.search(r"HT-\d{4}-[0-9A-Z]{6}", university.path)
    assert found, university.path
    party = {
        "row__0__nature": "150",
        "row__0__industry": "26",
        "row__0__scale": "none",
        "row__0__legal_representative": "演示甲",
        "row__0__contact_name": "演示乙",
        "row__0__contact_phone": "0477-0000000",
        "row__0__address": "演示路 1 号",
    }
    today, year = in_days(0), in_days(365)
    steps = {
        "basics": {"signed_on": today, "natures": ["domestic"], "confidential": "no"},
        "seller": party,
        "buyer": party,
        "subject": {
            "technology_field": "0605",
            "social_objective": "01",
            "served_industry": "26",
            "summary": "研究开发低负荷连续运行的催化与控温方法，完成侧线试验并交付工艺包。",
            "novelty_points": "两成负荷下连续运行 72 小时",
        },
        "amounts": {"row__0__kind": "D1", "row__0__amount": "30", "row__0__clause": "附件二"},
        "payment": {"payment_method": "P2", "effective_on": today, "valid_from": today, "valid_to": year},
        "rights": {"ip_type": "K1", "plan_source": "9"},
        "pricing": {},
        "files": {},
        "declaration": {"filler": "演示乙", "responsible": "演示甲", "is_declared_signed": True},
    }
    contract = found.group(0)
    for step, values in steps.items():
        university.opens(f"/contracts/{contract}/{step}/")
        university.fits()
        if step == "files":
            text = document("合同.pdf", f"contract {contract}").read()
            university.fills(kind="contract", file={**PDF, "buffer": text})
            university.presses("上传")
            continue
        university.fills(**values)
        university.presses("保存并继续")
    university.opens(f"/contracts/{contract}/check/")
    university.fits()
    university.presses("提交登记")
    receipt = re.search(r"ZC-\d{4}-[0-9A-Z]{6}", university.text)
    assert receipt, university.text[:2000]
    return contract, receipt.group(0)


def reviews(first: Surfer, second: Surfer, receipt: str) -> str:
    first.opens(f"/registrar/{receipt}/")
    first.fits()
    first.presses("受理")
    for name in sorted({e.get_attribute("name") for e in first.page.locator('[name^="verdict-"]').all()}):
        first.fills(**{name.replace("-", "__"): "pass"})
    if first.page.locator("[name=warning_answer]").count():
        first.fills(warning_answer="已与合同文本逐条核对。")
    first.presses("保存进度")
    first.presses("通过初审，送复审")
    second.opens(f"/registrar/{receipt}/")
    second.fits()
    second.presses("认定登记")
    number = re.search(r"编号\s*(\d{10,20})", second.text)
    assert number, second.text[:2000]
    return number.group(1)
