"""What of a listing is public: the document in the index, the facts beside a match, and the text that may ask.

L0 is public as a whole. Of L1 and L2 title and summary are (with the codes, readiness, ways and price that a list
shows), of L3 nothing but field, industry and region, and it is not in the index at all. Contacts, inventors' names
and patent numbers are never indexed: names and numbers are looked up (`search.resolve`), not ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import QuerySet

from cms.models import KINDS, Achievement, Demand, Expert, Listing, ListingRecord, Project, listing_model

from . import sources
from .conditions import Facts
from .query import Document
from .units import Figure

# What outsiders may not read of L1 and L2 beside the body.
_OPEN = "L0"
_MASKED = "L3"


def register_kinds() -> None:
    """Make the four kinds of cms findable."""
    for kind in KINDS:
        sources.register(
            kind,
            partial(public_rows, kind),
            to_document,
            key="record__number",
            version="record__search_version",
            outrun=outrun,
        )


def outrun(versions: Mapping[str, int]) -> None:
    """Raise the search versions of records to at least what is given."""
    for number, version in versions.items():
        ListingRecord.objects.filter(number=number, search_version__lt=version).update(search_version=version)


def public_rows(kind: str) -> QuerySet[Any]:
    """Published rows of a kind, with all that a document or a comparison needs in a fixed number of queries."""
    return with_parts(listing_model(kind).objects.public(), kind)


def with_parts(rows: QuerySet[Any], kind: str) -> QuerySet[Any]:
    """Join what `to_document` and `facts` read."""
    names = {
        "achievement": ["transfer_modes", "kpis"],
        "demand": ["cooperation_modes", "targets"],
    }.get(kind, [])
    joined = ["record", "technology_field", "region"]
    return rows.select_related(*joined).prefetch_related("industries", "key_technologies", *names)


def to_document(listing: Listing) -> Document | None:
    """The public part of a listing; None for L3."""
    if listing.disclosure_level == _MASKED:
        return None
    record = listing.record
    price, negotiable = _price(listing)
    return Document(
        id=record.number,
        kind=listing.KIND,
        title=listing.title,
        summary=listing.summary,
        body=listing.body if listing.disclosure_level == _OPEN else "",
        extra=_extra(listing, full=listing.disclosure_level == _OPEN),
        version=record.search_version,
        terms=_terms(listing),
        owner="" if getattr(listing, "is_anonymous", False) or not record.owner_id else str(record.owner_id),
        trl=getattr(listing, "trl", None),
        price=price,
        negotiable=negotiable,
        published_at=record.first_published_at,
        updated_at=record.changed_at,
    )


def asking_document(listing: Listing) -> Document:
    """All of a listing's text, whatever its level: it may ask for matches, and is never shown or found by this."""
    return Document(
        id=listing.record.number,
        kind=listing.KIND,
        title=listing.title,
        summary=listing.summary,
        body=listing.body,
        extra={name: text for name, text in _extra(listing, full=True).items() if not name.endswith("_en")},
    )


def public_texts(listing: Listing) -> dict[str, str]:
    """The texts in which a reason may point at phrases: what any visitor may read, by field of the listing."""
    document = to_document(listing)
    if document is None:
        return {}
    # Figures are compared one by one, and keywords stand in the texts anyway.
    return {name: text for name, text in document.parts.items() if name not in ("figures", "keywords")}


def _extra(listing: Listing, *, full: bool) -> dict[str, str]:
    """Further texts by name. Those of the detail only where the listing is open."""
    extra = {"title_en": listing.title_en, "summary_en": listing.summary_en}
    if isinstance(listing, Expert):
        extra |= {"position": listing.position, "services": listing.services}
    if not full:
        return extra
    extra["keywords"] = listing.keywords
    if isinstance(listing, Achievement | Demand):
        rows: Iterable[Any] = listing.kpis.all() if isinstance(listing, Achievement) else listing.targets.all()
        extra |= {"problem": listing.problem, "figures": "\n".join(str(row) for row in rows)}
    if isinstance(listing, Project):
        extra["wanted"] = listing.wanted
    return extra


def _terms(listing: Listing) -> Mapping[str, list[str]]:
    """Codes to filter by and count."""
    terms: dict[str, list[str]] = {
        "technology_field": _one(listing.technology_field_id),
        "region": _one(listing.region_id),
        "industry": [code.pk for code in listing.industries.all()],
        "key_technology": [code.pk for code in listing.key_technologies.all()],
        "availability": [listing.record.availability],
    }
    if isinstance(listing, Achievement):
        terms["transfer_mode"] = [code.pk for code in listing.transfer_modes.all()]
        terms["achievement_type"] = _one(listing.achievement_type_id)
    elif isinstance(listing, Demand):
        terms["transfer_mode"] = [code.pk for code in listing.cooperation_modes.all()]
        terms["demand_type"] = _one(listing.demand_type_id)
    elif isinstance(listing, Project):
        terms["stage"] = _one(listing.stage)
    return terms


def _one(code: str | None) -> list[str]:
    return [code] if code else []


def _price(listing: Listing) -> tuple[Decimal | None, bool]:
    """What a list sorts and filters by, in 元: the least asked, the most offered, a project's budget; and 面议."""
    if isinstance(listing, Achievement):
        amount = listing.price_min if listing.price_min is not None else listing.price_max
        return amount, listing.price_type == "negotiable"
    if isinstance(listing, Demand):
        amount = listing.budget_max if listing.budget_max is not None else listing.budget_min
        return amount, listing.is_budget_negotiable
    return (listing.budget, False) if isinstance(listing, Project) else (None, False)


def facts(listing: Listing) -> Facts:
    """What a listing publicly states beside its text: of L1 and L2 no figures, of L3 only field, industry and
    region.
    """
    subject = Facts(
        technology_field=_named([listing.technology_field]),
        industries=_named(listing.industries.all()),
        region=_named([listing.region]),
    )
    if listing.disclosure_level == _MASKED:
        return subject
    price, negotiable = _price(listing)
    is_open = listing.disclosure_level == _OPEN
    modes: Iterable[Any] = ()
    figures: Iterable[Any] = ()
    if isinstance(listing, Achievement):
        modes, figures = listing.transfer_modes.all(), listing.kpis.all() if is_open else ()
    elif isinstance(listing, Demand):
        modes, figures = listing.cooperation_modes.all(), listing.targets.all() if is_open else ()
    return replace(
        subject,
        key_technologies=_named(listing.key_technologies.all()),
        modes=_named(modes),
        demand_type=getattr(listing, "demand_type_id", None) or "",
        trl=getattr(listing, "trl", None),
        price_min=price,
        price_max=price,
        negotiable=negotiable,
        figures=tuple(_figure(row) for row in figures),
        availability=listing.record.availability,
    )


def _named(codes: Iterable[Any]) -> dict[str, str]:
    """code → Chinese name: reasons are kept as rows and must not change with the reader's language."""
    return {code.pk: getattr(code, "full_name", "") or code.name for code in codes if code is not None}


def _figure(row: Any) -> Figure:
    return Figure(
        row.name,
        row.operator,
        row.value,
        row.value_to,
        row.unit,
        getattr(row, "is_hard", True),
        getattr(row, "condition", ""),
    )
