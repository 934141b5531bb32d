"""Inquiries and deals of the demo, each step at its day through the services of `deals` and `agencies`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cms.models import TransferMode
from marketplace.agencies import services as agencies
from marketplace.deals import services as deals
from marketplace.deals.models import Deal, Inquiry, Match, MatchDue
from search import changes

from . import clock
from .listings import in_yuan
from .world import World, rows

OPENINGS = [
    "看过贵方公开的指标和测试条件，与我方现场工况接近，想约一次技术交流，请告知可以派谁来。",
    "我方装置在本季度有停车检修窗口，可以配合做侧线试验，希望先看一份试验报告。",
    "贵方成果的主要指标能达到我们的要求，但规模要放大，想了解放大后的设备投资和运行费用。",
    "已把我方水质和负荷数据整理好，接受对接后即可提供，请安排工程师核对适用性。",
    "我们比较过另外两条路线，贵方的再生次数更合适，请先报一个委托开发的框架价格。",
]
TERMS = (
    "乙方按双方确认的指标完成{title}，交付图纸、操作规程和验收报告；甲方提供现场条件和原料。"
    "付款分三次：签订后 30%，样机或方案通过后 40%，现场考核合格后 30%。改进成果双方共有。"
)


def index_and_match(world: World) -> None:
    """Bring the index up to date and compute all matches; each match is dated after both sides were public."""
    changes.drain()
    while MatchDue.objects.exists():
        before = MatchDue.objects.count()
        deals.work_off_due(limit=200)
        if MatchDue.objects.count() == before:
            break
    for match in Match.objects.select_related("demand", "supply"):
        public = max(m for m in (match.demand.first_published_at, match.supply.first_published_at) if m)
        Match.objects.filter(pk=match.pk).update(computed_at=public + dt.timedelta(minutes=2))


def load(world: World) -> None:
    answers = {row["key"]: row["answers"] for row in rows("demands")}
    for n, row in enumerate(rows("deals")):
        supply = row["supply"] if row["supply"] in world.listings else answers[row["demand"]][0]
        _deal(world, row, world.listings[row["demand"]], world.listings[supply], OPENINGS[n % len(OPENINGS)])
    for n, row in enumerate(rows("inquiries")):
        demand = world.listings[row["demand"]]
        _inquiry(world, row, demand, world.listings[answers[row["demand"]][0]], OPENINGS[(n + 2) % len(OPENINGS)])


def _head(world: World, organization: Any) -> Any:
    key = next(k for k, o in world.organizations.items() if o.pk == organization.pk)
    return world.heads[key]


def _match(demand: Any, supply: Any) -> Match | None:
    return Match.objects.filter(demand=demand.record, supply=supply.record).first()


def _inquire(
    world: World, demand: Any, supply: Any, message: str, *, from_supply: bool = False, mandate: Any = None
) -> Inquiry:
    about, own = (demand, supply) if from_supply else (supply, demand)
    sender = own.record.owner
    by = mandate.broker.user if mandate is not None else _head(world, sender)
    return deals.inquire(
        about.record,
        by=by,
        on_behalf_of=sender,
        own=own.record,
        match=_match(demand, supply),
        message=message,
        shares=["contact_name", "phone", "email"],
        mandate=mandate,
    )


def _mandate(world: World, row: dict[str, Any], demand: Any) -> Any:
    broker = world.brokers[row["broker"]]
    client = demand.record.owner
    with clock.at(clock.moment(world.ago(row["days"] + 3), 9)):
        mandate = agencies.give_mandate(
            broker=broker,
            client=client,
            record=demand.record,
            ends_on=world.ago(row["days"] - 300),
            commission="成交额的 2%，合同登记后 30 日内支付",
            by=_head(world, client),
        )
    with clock.at(clock.moment(world.ago(row["days"] + 2), 16)):
        return agencies.accept_mandate(mandate, by=broker.user)


def _deal(world: World, row: dict[str, Any], demand: Any, supply: Any, message: str) -> None:
    """From the inquiry to where `stage` says; contracts go on from `terms`."""
    day = row["days"]
    mandate = _mandate(world, row, demand) if row["broker"] else None
    buyer, seller = demand.record.owner, supply.record.owner
    with clock.at(clock.moment(world.ago(day), 10, 20)):
        inquiry = _inquire(
            world, demand, supply, message, mandate=mandate, from_supply=mandate is None and day % 3 == 0
        )
    receiver = inquiry.to_organization
    with clock.at(clock.moment(world.ago(day - 3), 14, 5)):
        deal = deals.accept(inquiry, by=_head(world, receiver), on_behalf_of=receiver)
    world.deals[row["demand"]] = deal
    if row["stage"] == "contacted":
        return
    if row["total_wan"]:
        with clock.at(clock.moment(world.ago(day - 8), 15, 30)):
            offer = deals.offer(
                Deal.objects.get(pk=deal.pk),
                by=_head(world, seller),
                on_behalf_of=seller,
                amount_total=in_yuan(row["total_wan"]) or Decimal(0),
                amount_tech=in_yuan(row["tech_wan"]) or Decimal(0),
                contract_type_code=row["contract_type"],
                transfer_mode=TransferMode.objects.get(code=row["mode"]),
                terms=TERMS.format(title=demand.title),
                payment_code="P2",
                starts_on=world.ago(day - 14),
                ends_on=world.ago(day - 14 - 360),
            )
    if row["stage"] == "offered":
        return
    if row["stage"] == "lost":
        with clock.at(clock.moment(world.ago(day - 15), 11)):
            deals.lose(
                Deal.objects.get(pk=deal.pk),
                by=_head(world, buyer),
                on_behalf_of=buyer,
                reason="price",
                note="预算当年批不下来，明年再议。",
            )
        return
    with clock.at(clock.moment(world.ago(day - 11), 9, 40)):
        deals.accept_offer(offer, by=_head(world, buyer), on_behalf_of=buyer)


def _inquiry(world: World, row: dict[str, Any], demand: Any, supply: Any, message: str) -> None:
    with clock.at(clock.moment(world.ago(row["days"]), 10, 45)):
        inquiry = _inquire(world, demand, supply, message)
    if row["stage"] == "declined":
        with clock.at(clock.moment(world.ago(row["days"] - 4), 16)):
            deals.decline(
                inquiry,
                by=_head(world, inquiry.to_organization),
                on_behalf_of=inquiry.to_organization,
                reason=row["reason"],
                note="年内课题已排满，可在明年二季度再联系。",
            )
    elif row["stage"] == "lapsed":
        with clock.at(clock.moment(world.ago(row["days"] - 20), 0, 10)):
            deals.lapse(inquiry)
