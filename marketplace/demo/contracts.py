"""Thirty contracts of the demo with their full trail: filled in, submitted, reviewed twice, registered or refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cms.models import Demand
from marketplace.contracts import items
from marketplace.contracts import services as contracts
from marketplace.contracts.models import Contract, Registration
from marketplace.deals import services as deals
from marketplace.deals.models import Deal

from . import clock, paper
from .listings import in_yuan
from .world import World, rows

HERE = ("周明远", "何秋实", "贾云霄")
THERE = ("额日登", "武若兰", "武若兰")
INDUSTRY = {"company": "26", "university": "83", "institute": "73", "agency": "75"}
NATURE = {"company": "150", "university": "022", "institute": "021"}
SUPPLEMENT = "申报扣除与合同第四条所列设备及材料费不符，请核对扣除明细并补充设备清单。"


def load(world: World) -> None:
    for row in rows("deals"):
        if row["stage"] in ("contacted", "offered", "terms", "lost"):
            continue
        deal = Deal.objects.select_related("seller", "demand__demand").get(pk=world.deals[row["demand"]].pk)
        _from_deal(world, row, deal)
    for n, row in enumerate(rows("contracts")):
        _by_hand(world, row, n)


# What stands in the form


def _party(world: World, organization: Any, side: str) -> dict[str, Any]:
    key = next(k for k, o in world.organizations.items() if o.pk == organization.pk)
    return {
        **{k: v for k, v in contracts.party_of(organization, side).items() if k != "side"},
        "nature_id": NATURE.get(organization.kind, "150"),
        "industry_id": INDUSTRY.get(organization.kind, "75"),
        "scale": "medium" if organization.kind == "company" else "none",
        "is_hightech_enterprise": organization.kind == "company" and world.chance.random() < 0.4,
        "contact_name": world.heads[key].name,
        "contact_phone": world.heads[key].phone,
        "address": organization.address,
        "postcode": "017000",
    }


def _fields(world: World, row: dict[str, Any], signed: dt.date, seller: Any) -> dict[str, Any]:
    kind = row["contract_type"]
    fields: dict[str, Any] = {
        "contract_type_id": kind,
        "licence_mode": row.get("licence_mode", ""),
        "signed_on": signed,
        "effective_on": signed,
        "valid_from": signed,
        "valid_to": signed + dt.timedelta(days=540),
        "amount_total": in_yuan(row["amount_wan"]),
        "amount_tech": in_yuan(row["tech_wan"]),
        "payment_method_id": "P2",
        "plan_source_id": "9",
        "ip_type_id": row["ip_type"],
        "technology_field_id": row["technology_field"],
        "social_objective_id": row["social_objective"],
        "served_industry_id": row["industry"],
        "natures": ["domestic"],
        "summary": row["summary"],
        "novelty_points": row.get("novelty", "")
        or ("按合同约定的工况完成开发，指标见合同第二条。" if kind.startswith("TD") else ""),
        "responsible": seller.legal_representative,
        "is_declared_signed": True,
        "consents_to_name": world.chance.random() < 0.8,
        "consents_to_amount": world.chance.random() < 0.75,
    }
    if kind.startswith(("TT", "TL")):
        fields.update(expected_new_input=Decimal(2_000_000), expected_new_output=Decimal(9_000_000))
        if seller.is_state_institution:
            fields.update(
                pricing_mode="agreement",
                notice_starts_on=signed - dt.timedelta(days=24),
                notice_ends_on=signed - dt.timedelta(days=5),
                notice_channel="本单位公告栏和网站",
            )
    return fields


def _deductions(row: dict[str, Any]) -> list[dict[str, Any]]:
    rest = Decimal(str(row["amount_wan"])) - Decimal(str(row["tech_wan"]))
    return [{"kind": "D1", "amount": rest * 10_000, "clause": "第四条"}] if rest else []


def _complete(world: World, contract: Contract, row: dict[str, Any], seller: Any, buyer: Any, signed: dt.date) -> None:
    """Fill the whole form and attach its papers, as the seller's person."""
    by = next(world.heads[k] for k, o in world.organizations.items() if o.pk == seller.pk)
    rights = []
    if row["ip_type"] in ("K21", "K22"):
        rights = [
            {
                "number": "202110012345.9" if row["ip_type"] == "K21" else "202220345678.3",
                "title": row["project_name"],
                "holder": seller.name,
                "legal_status": "已授权",
            }
        ]
    elif row["ip_type"] == "K3":
        rights = [
            {"number": "2023SR0123456", "title": row["project_name"], "holder": seller.name, "legal_status": "已登记"}
        ]
    contract = contracts.fill(
        contract,
        by=by,
        on_behalf_of=seller,
        fields=_fields(world, row, signed, seller),
        sellers=[_party(world, seller, "seller")],
        buyers=[_party(world, buyer, "buyer")],
        deductions=_deductions(row),
        ip_items=rights,
    )
    contracts.attach(contract, paper.contract_pdf(contract), kind="contract", by=by, on_behalf_of=seller)
    if row["contract_type"].startswith(("TT", "TL")) and seller.is_state_institution:
        proof = paper.note_pdf(
            "成果转让公示",
            f"{row['project_name']}，拟交易价格 {row['amount_wan']} 万元，公示二十日无异议。",
            "公示证明.pdf",
        )
        contracts.attach(contract, proof, kind="notice", by=by, on_behalf_of=seller)


# The two ways to a form


def _from_deal(world: World, row: dict[str, Any], deal: Deal) -> None:
    start, seller, buyer = row["days"], deal.seller, deal.buyer
    demand: Demand = deal.demand.demand
    by = next(world.heads[k] for k, o in world.organizations.items() if o.pk == seller.pk)
    industry = next(iter(demand.industries.all()), None)
    form = {
        "project_name": deal.title,
        "contract_type": row["contract_type"],
        "amount_wan": row["total_wan"],
        "tech_wan": row["tech_wan"],
        "ip_type": "K1",
        "technology_field": demand.technology_field_id,
        "social_objective": "10",
        "industry": industry.code if industry else "26",
        "summary": demand.summary,
        "novelty": "；".join(str(t) for t in demand.targets.all()),
    }
    with clock.at(clock.moment(world.ago(start - 14), 9, 10)):
        contract = contracts.draft(deal, by=by, on_behalf_of=seller)
        _complete(
            world, contract, form, seller, buyer, world.ago(start - 13 if start - 13 <= start - 14 else start - 14)
        )
    stage = {"won": "registered", "registered_there": "registered"}.get(row["stage"], row["stage"])
    office = THERE if row["stage"] == "registered_there" else HERE
    _walk(world, contract, stage, start - 15, office)
    if row["stage"] == "won":
        with clock.at(clock.moment(world.ago(max(start - 60, 2)), 15)):
            deals.win(Deal.objects.get(pk=deal.pk), by=world.heads[_key(world, buyer)], on_behalf_of=buyer)


def _by_hand(world: World, row: dict[str, Any], n: int) -> None:
    seller, buyer = world.organizations[row["seller"]], world.organizations[row["buyer"]]
    by = world.heads[row["seller"]]
    submit_ago = {
        "registered": 9 + n * 9,
        "second_review": 11,
        "accepted": 7,
        "submitted": 1 + n % 2,
        "supplement": 15 + n % 4,
        "expert_review": 18,
        "draft": 2,
        "refused": 48 + n,
    }[row["stage"]]
    signed = world.ago(submit_ago + 6)
    with clock.at(clock.moment(world.ago(submit_ago + 1), 11)):
        contract = contracts.draft_by_hand(by=by, on_behalf_of=seller, project_name=row["project_name"])
        _complete(world, contract, row, seller, buyer, signed)
    _walk(world, contract, row["stage"], submit_ago, HERE)


def _key(world: World, organization: Any) -> str:
    return next(k for k, o in world.organizations.items() if o.pk == organization.pk)


# Through the office


def _walk(world: World, contract: Contract, stage: str, ago: int, officers: tuple[str, str, str]) -> None:
    """Take an application from its submission `ago` days back to its stage; two officers, never one person twice."""
    if stage == "draft":
        return
    seller = contract.applicant
    first, second = world.staff[officers[0]], world.staff[officers[1]]

    def again() -> Registration:
        return Registration.objects.select_related("contract", "office").get(contract=contract)

    with clock.at(clock.moment(world.ago(ago), 15, 31)):
        contracts.submit(again(), by=world.heads[_key(world, seller)], on_behalf_of=seller)
    if stage == "submitted":
        return
    with clock.at(clock.moment(world.ago(ago - 1), 9, 5)):
        contracts.accept(again(), by=first)
    reviewed = max(ago - 4, 0)
    with clock.at(clock.moment(world.ago(reviewed), 16, 40)):
        _review(again(), stage, first)
    if stage == "registered":
        with clock.at(clock.moment(world.ago(max(ago - 7, 0)), 10, 10)):
            contracts.recognise(again(), by=second)


def _review(registration: Registration, stage: str, first: Any) -> None:
    known = [item.key for item in items.of(registration.contract)]
    passed = dict.fromkeys(known, ("pass", ""))
    if stage == "accepted":
        contracts.mark(registration, by=first, marks=dict(list(passed.items())[:4]))
    elif stage == "supplement":
        last = "amount_tech" if "amount_tech" in known else known[-1]
        contracts.mark(registration, by=first, marks={**dict(list(passed.items())[:5]), last: ("return", SUPPLEMENT)})
        contracts.ask_supplement(Registration.objects.get(pk=registration.pk), by=first)
    elif stage == "refused":
        contracts.refuse(
            registration, by=first, reason_code="R07", note="标的为日常维护或货物买卖，没有技术内容和指标。"
        )
    else:
        contracts.mark(
            registration, by=first, marks=passed, warning_answer="已与合同文本逐条核对，提示事项属实，不影响认定。"
        )
        registration = Registration.objects.get(pk=registration.pk)
        if contracts.needs_expert(registration) or stage == "expert_review":
            contracts.escalate(registration, by=first, reason="技术交易额达到大额起点。")
        else:
            contracts.pass_first(registration, by=first)
