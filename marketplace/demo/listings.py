"""The written listings, brought in through a member's doors: draft, submit, approve, send back, withdraw."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from cms import publishing
from cms.identifiers import patent_check
from cms.models import (
    Achievement,
    Demand,
    Expert,
    Industry,
    KeyTechnology,
    Kpi,
    ListingRecord,
    PatentItem,
    Project,
    Target,
    TransferMode,
)
from marketplace.posting import services as posting

from . import clock
from .world import World, rows

WAN = Decimal(10_000)
PATENT_DIGIT = {"A01": "1", "A02": "2", "A03": "3", "A04": "1"}
RESTRICTED = {"restricted_l1": "L1", "restricted_l2": "L2"}


def codes(model: type[Any], given: list[str]) -> list[Any]:
    """The rows of a code list: modelcluster takes objects where a listing is not saved yet. KeyError for an unknown."""
    found = model.objects.in_bulk(given)
    return [found[code] for code in given]


def in_yuan(value: float | None) -> Decimal | None:
    return None if value is None else (Decimal(str(value)) * WAN).quantize(Decimal("0.01"))


def _common(world: World, row: dict[str, Any]) -> dict[str, Any]:
    contact = world.heads[row["owner"]]
    return {
        "title": row["title"],
        "summary": row["summary"],
        "body": row["body"],
        "technology_field_id": row["technology_field"],
        "region_id": row["region"],
        "title_en": row.get("title_en", ""),
        "summary_en": row.get("summary_en", ""),
        "disclosure_level": RESTRICTED.get(row.get("state", ""), "L0"),
        "contact_name": contact.name,
        "contact_phone": contact.phone,
        "contact_email": contact.email,
    }


def _figures(model: type[Kpi] | type[Target], given: list[dict[str, Any]]) -> list[Any]:
    out = []
    for order, one in enumerate(given):
        extra = {"is_hard": one["is_hard"]} if model is Target else {"condition": one.get("condition", "")}
        out.append(
            model(
                name=one["name"],
                operator=one["operator"],
                value=Decimal(str(one["value"])),
                value_to=None if one.get("value_to") is None else Decimal(str(one["value_to"])),
                unit=one["unit"],
                sort_order=order,
                **extra,
            )
        )
    return out


def _patents(world: World, row: dict[str, Any]) -> list[PatentItem]:
    """Invented numbers with a right check character."""
    out = []
    for order, one in enumerate(row["patents"]):
        year = world.chance.randint(2019, 2024)
        digits = f"{year}{PATENT_DIGIT[one['kind']]}{world.chance.randint(100000, 1999999):07d}"
        out.append(
            PatentItem(
                number=f"{digits}.{patent_check(digits)}",
                title=one["title"],
                sort_order=order,
                holder=world.organizations[row["owner"]].name,
                is_granted=one["kind"] != "A04",
            )
        )
    return out


def _achievement(world: World, row: dict[str, Any]) -> Achievement:
    owner = world.organizations[row["owner"]]
    listing = Achievement(
        **_common(world, row),
        achievement_type_id=row["achievement_type"],
        inventors="、".join(row["inventors"]),
        trl=row["trl"],
        price_type=row["price_type"],
        price_min=in_yuan(row["price_min_wan"]),
        price_max=in_yuan(row["price_max_wan"]),
        is_state_institution=owner.is_state_institution,
        pricing_mode="agreement" if row["price_type"] != "negotiable" else "negotiable",
        problem=row["body"].split("\n\n", 1)[0],
        keywords="、".join(k["name"] for k in row["kpis"][:5]),
    )
    listing.kpis = _figures(Kpi, row["kpis"])
    listing.patents = _patents(world, row)
    listing.transfer_modes = codes(TransferMode, row["transfer_modes"])
    return listing


def _demand(world: World, row: dict[str, Any]) -> Demand:
    listing = Demand(
        **_common(world, row),
        demand_type_id=row["demand_type"],
        problem=row["problem"],
        budget_min=in_yuan(row["budget_min_wan"]),
        budget_max=in_yuan(row["budget_max_wan"]),
        is_budget_negotiable=row["budget_max_wan"] is None,
        is_anonymous=row["anonymous"],
        deadline=world.day + dt.timedelta(days=row["deadline_days"]),
        keywords="、".join(t["name"] for t in row["targets"][:5]),
    )
    listing.targets = _figures(Target, row["targets"])
    listing.cooperation_modes = codes(TransferMode, row["cooperation_modes"])
    return listing


def load(world: World) -> None:
    """Achievements and demands in every state, experts and projects published by an editor."""
    used = _days_of_deals()
    for kind, build in (("achievements", _achievement), ("demands", _demand)):
        for row in rows(kind):
            days = world.chance.randint(4, 230) if kind == "achievements" else world.chance.randint(2, 58)
            days = max(days, used.get(row["key"], 0))
            listing = build(world, row)
            listing.industries = codes(Industry, row["industries"])
            listing.key_technologies = codes(KeyTechnology, row["key_technologies"])
            _bring(world, row, listing, days)
    _staff_listings(world)


def _days_of_deals() -> dict[str, int]:
    """Listings that a deal grew from were public a while before it."""
    answers = {row["key"]: row["answers"] for row in rows("demands")}
    out: dict[str, int] = {}
    for n, row in enumerate([*rows("deals"), *rows("inquiries")]):
        for key in (row["demand"], *answers[row["demand"]]):
            out[key] = max(out.get(key, 0), row["days"] + 12 + n % 9)
    return out


def _bring(world: World, row: dict[str, Any], listing: Any, days: int) -> None:
    """Take one listing to the state that its row asks for."""
    state = row["state"]
    by, owner = world.heads[row["owner"]], world.organizations[row["owner"]]
    if state in ("draft", "submitted", "returned"):
        days = world.chance.randint(1, 6)
    elif state == "expired":
        days = 380
    listing.record = ListingRecord(kind=listing.KIND, owner=owner, created_by=by, valid_until=world.ago(days - 365))
    moderator = world.staff["周静宜" if world.chance.random() < 0.6 else "丁博远"]
    with clock.at(clock.moment(world.ago(days + 2), 9, world.chance.randint(0, 59))):
        listing = posting.save_draft(listing, by=by, on_behalf_of=owner)
        if state != "draft":
            posting.submit(listing, by=by, on_behalf_of=owner)
    world.listings[row["key"]] = listing
    if state in ("draft", "submitted"):
        return
    with clock.at(clock.moment(world.ago(days), 15, world.chance.randint(0, 59))):
        if state == "returned":
            posting.send_back(
                listing, by=moderator, reason="量化指标没有写测试条件，请补充水温、负荷或样本量后再提交。"
            )
            return
        world.listings[row["key"]] = posting.approve(listing, by=moderator)
    if state == "withdrawn":
        with clock.at(clock.moment(world.ago(max(days - 9, 1)))):
            posting.withdraw(world.listings[row["key"]], by=by, on_behalf_of=owner, reason="已改由本单位自行实施。")
    if state == "expired":
        with clock.at(clock.moment(world.ago(days - 366), 1)):
            publishing.expire(world.listings[row["key"]])


def _staff_listings(world: World) -> None:
    editor = world.staff["秦语桐"]
    for kind, model in (("experts", Expert), ("projects", Project)):
        for row in rows(kind):
            fields = _common(world, row)
            if model is Expert:
                fields.update(position=row["position"], services="、".join(row["services"]))
            else:
                fields.update(
                    stage=row["stage"],
                    wanted=row["wanted"],
                    budget=in_yuan(row["budget_wan"]),
                    starts_on=f"{row['starts']}-01",
                    ends_on=f"{row['ends']}-28",
                )
            owner = world.organizations[row["owner"]]
            with clock.at(clock.moment(world.ago(world.chance.randint(20, 200)), 11)):
                record = ListingRecord.objects.create(
                    kind=model.KIND, owner=owner, created_by=editor, valid_until=world.ago(-330)
                )
                listing = model(record=record, **fields)
                listing.industries = codes(Industry, row["industries"])
                listing.key_technologies = codes(KeyTechnology, row["key_technologies"])
                listing.save()
                listing.save_revision(user=editor)
                world.listings[row["key"]] = publishing.publish(listing, by=editor)
