"""Listings as the rows of a list: what `components/row_*.html` and the two rows of this package read."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from cms.models import Achievement, Availability, Demand, Expert, Listing, Project
from search.text import highlights

from . import words

TEMPLATES = {
    "achievement": "components/row_achievement.html",
    "demand": "components/row_demand.html",
    "expert": "library/row_expert.html",
    "project": "library/row_project.html",
}


def row(listing: Listing, typed: str = "", *, brief: bool = False) -> dict[str, Any]:
    """One row of any kind, with the typed words' places in title and text; `brief` for the home page."""
    record = listing.record
    text = words.line_of(listing.summary, typed)
    owner = record.owner
    common = {
        "kind": listing.KIND,
        "template": TEMPLATES[listing.KIND],
        "href": listing.get_absolute_url(),
        "number": record.number,
        "title": listing.title,
        "title_spans": highlights(listing.title, typed) if typed else [],
        "text": text,
        "text_spans": highlights(text, typed) if typed else [],
        "owner": listing.owner_name_public,
        "region": listing.region.name if listing.region else "",
        "field": str(listing.technology_field or ""),
        "verified": bool(owner and owner.verified_at),
        "date": record.changed_at,
        "date_word": _("更新"),
    }
    if record.availability != Availability.OPEN:
        common |= {
            "state": record.get_availability_display(),
            "state_kind": words.STATE_KINDS[Availability(record.availability)],
        }
    if brief and isinstance(listing, Achievement):
        text = words.short_line(listing.summary)
        figure = words.price_figure(listing)
        return common | {"text": text, "price": figure, "price_word": words.price_word(listing), "trl": listing.trl}
    if brief and isinstance(listing, Demand):
        return common | _demand(listing) | {"budget": words.budget_word(listing)}
    return common | _OWN[listing.KIND](listing)


def _achievement(listing: Achievement) -> dict[str, Any]:
    figure = words.price_figure(listing)
    return {
        "price": figure,
        "price_word": words.with_small_unit(words.price_word(listing)) if figure is None else "",
        "trl": listing.trl,
        "modes": " · ".join(str(mode) for mode in _listed(listing, "modes", "transfer_modes")[:3]),
        "rights": _rights(listing),
    }


def _listed(listing: Achievement, short: str, name: str) -> list[Any]:
    """What `finding.for_rows` has put beside the row, or else the related rows."""
    known: list[Any] | None = getattr(listing, f"listed_{short}", None)
    return list(getattr(listing, name).all()) if known is None else known


def _rights(listing: Achievement) -> str:
    """What protects it: granted and pending patents where they are public, else the kind of achievement."""
    patents = _listed(listing, "patents", "patents") if listing.disclosure_level == "L0" else []
    granted = sum(p.is_granted for p in patents)
    if granted:
        return _("授权专利 %(n)d 件") % {"n": granted}
    if patents:
        return _("专利申请 %(n)d 件") % {"n": len(patents)}
    return str(listing.achievement_type or "")


def _demand(listing: Demand) -> dict[str, Any]:
    return {
        "owner": "" if listing.is_anonymous else listing.record.owner_name,
        "budget": words.with_small_unit(words.budget_word(listing)),
        "deadline": listing.deadline,
        "days": listing.days_waiting if listing.record.availability == Availability.OPEN else None,
    }


def _expert(listing: Expert) -> dict[str, Any]:
    return {"position": listing.position, "services": listing.services}


def _project(listing: Project) -> dict[str, Any]:
    return {
        "stage": listing.get_stage_display() if listing.stage else "",
        "budget": words.with_small_unit(words.span_of(listing.budget, listing.budget)),
        "starts_on": listing.starts_on,
        "ends_on": listing.ends_on,
    }


_OWN: dict[str, Any] = {"achievement": _achievement, "demand": _demand, "expert": _expert, "project": _project}
