"""Real patents and real needs (JUDGED_DATA) through a scratch market: three needs are posted, answers come from among
the patents, and one is walked to the counted yuan in the city of the patent's owner. Nothing of the data is kept."""

from __future__ import annotations

import io
import json
import os
import re
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from marketplace.deals.models import Match

from .city import Administrator, City, Registrar, in_days
from .people import Person

pytestmark = [pytest.mark.judged, pytest.mark.slow]

# The city in which the owner is said to stand: the patents name none. 洛阳市.
AREA = "410300"
POSTED = 3


def folder() -> Path:
    return Path(os.environ["JUDGED_DATA"])


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder() / name).read_text(encoding="utf-8").splitlines() if line.strip()]


def imports(name: str, *arguments: str) -> dict[str, Any]:
    """`import_listings` as an operator calls it; its counts."""
    out = io.StringIO()
    # Exit code 1 where a row was left out, with its reason in the answer.
    with suppress(SystemExit):
        call_command("import_listings", str(folder() / name), *arguments, "--json", stdout=out)
    return dict(json.loads(out.getvalue().splitlines()[-1]))


def demand_form(row: dict[str, Any]) -> dict[str, Any]:
    """A real need as its company would type it: its words, and what the form asks besides."""
    return {
        "title": row["title"][:100],
        "summary": row["text"][:200].ljust(20, "。"),
        "problem": row["text"][:3000].ljust(20, "。"),
        "demand_type": "RD",
        "technology_field": "0601",
        "region": "150602",
        "disclosure_level": "L0",
        "is_budget_negotiable": "0",
        "budget_min": "80",
        "budget_max": "150",
        "deadline": in_days(90),
        "cooperation_modes": ["M5"],
        "contact_name": "云起",
        "contact_phone": "0477-0000001",
    }


def answer_of(demand: str) -> Match | None:
    """Its best match that belongs to an organisation which can be claimed."""
    rows = Match.objects.filter(demand__number=demand, is_current=True, band__in=("strong", "possible"))
    rows = rows.filter(supply__owner__isnull=False, rank_for_demand__isnull=False)
    return rows.select_related("supply__owner", "supply__achievement").order_by("rank_for_demand").first()


def test_real_needs_find_real_patents_and_one_is_counted(city: City):
    patents = imports("patents.jsonl", "--kind", "achievement", "--publish")
    assert patents["rows"] == 2_027
    assert patents["created"] + len({error["row"] for error in patents["errors"]}) == 2_027
    assert patents["created"] > 2_000, patents["errors"][:5]
    needs = imports("henan_demands.jsonl", "--kind", "demand", "--org", "测试需求征集单位", "--map", "text=problem")
    assert needs["rows"] == 191
    assert imports("patents.jsonl", "--kind", "achievement", "--publish")["created"] == 0

    company = city.newcomer("云起")
    company.founds("砚北测试材料有限公司", region="150602", serial="MA0W0001")
    city.moderator.verifies(company.organization)
    chosen = [row for row in lines("henan_demands.jsonl") if row["judged"] and 60 <= len(row["text"]) <= 1_200]
    posted = [company.posts("demand", **demand_form(row)) for row in chosen[:POSTED]]
    for demand in posted:
        city.moderator.approves(demand)
    city.settles()

    answers = [(demand, found) for demand in posted if (found := answer_of(demand)) is not None]
    assert answers, f"none of {[row['title'] for row in chosen[:POSTED]]} found a patent"
    for demand, found in answers:
        page = company.opens(f"/demands/{demand}/matches/")
        page.says(found.supply.achievement.title)
        assert page.link(f"/achievements/{found.supply.number}/")

    walks_to_the_counted_yuan(city, company, *answers[0])


def walks_to_the_counted_yuan(city: City, company: Any, demand: str, match: Match) -> None:
    """The owner is claimed and verified, its city gets an office, and the contract (委托开发) is counted there."""
    number, owner = match.supply.number, match.supply.owner
    seller = city.newcomer("苏格")
    seller.claims(owner.name, region=AREA, serial="MA0W0002", kind="university" if "大学" in owner.name else "company")
    city.moderator.verifies(owner.name)

    inquiry = company.inquires(number, own=demand, message="这项专利与我方的问题接近，想委托开发，约一次交流。")
    deal = seller.accepts(inquiry)
    seller.offers(
        deal,
        contract_type_code="TD1",
        amount_total="96",
        amount_tech="96",
        payment_code="P2",
        starts_on=in_days(0),
        ends_on=in_days(365),
        terms="按甲方工况开发样机，分两期支付，改进成果双方共有。",
    )
    company.accepts_offer(deal)

    first, second = city.staff(Registrar, "韩初审"), city.staff(Registrar, "温复审")
    administrator = city.staff(Administrator, "萧管理", administrator=True)
    posts = {first.email: "first_review", second.email: "second_review"}
    administrator.opens_office("测试技术合同登记处", region=AREA, prefix="4103", officers=posts)

    contract = seller.drafts(deal)
    summary = re.sub(r"\s+", "", match.demand.demand.problem)[:400].ljust(20, "。")
    seller.completes(contract, technology_field="0601", summary=summary, novelty_points="按甲方工况达到约定指标")
    receipt = seller.hands_in(contract)
    first.accepts(receipt)
    first.passes(receipt)
    registered = second.recognises(receipt)

    today = timezone.localdate()
    out = io.StringIO()
    call_command(
        "indicator", "turnover", "--area", AREA, "--from", f"{today.year}-01-01", "--to", today.isoformat(),
        "--basis", "output", "--rows", "--json", stdout=out,
    )  # fmt: skip
    figure = json.loads(out.getvalue().splitlines()[-1])
    assert (figure["value"], figure["count"]) == ("960000.00", 1)
    assert sum(Decimal(row["amount_total"]) for row in figure["rows"]) == Decimal(figure["value"])
    assert [row["number"] for row in figure["rows"]] == [registered]
    Person("过客").opens(f"/registry/{registered}/").says(registered)
