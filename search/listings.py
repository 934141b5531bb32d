"""What of a listing is public: the document in the index, the facts beside a match, and the text that may ask.

L0 is public as a whole. Of L1 and L2 title and summary are (with the codes, readiness, ways and price that a list
shows), of L3 nothing but field, industry and region, and it is not in the index at all. Contacts, inventors' names
and patent numbers are never indexed: names and numbers are looked up (`search.resolve`), not ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
            partial(_lean_rows, kind),
            to_document,
            prepare=partial(_read_parts, kind),
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
    names = [*_modes(kind), *_figures(kind)]
    joined = ["record", "technology_field", "region"]
    return rows.select_related(*joined).prefetch_related("industries", "key_technologies", *names)


def _modes(kind: str) -> list[str]:
    return {"achievement": ["transfer_modes"], "demand": ["cooperation_modes"]}.get(kind, [])


def _figures(kind: str) -> list[str]:
    return {"achievement": ["kpis"], "demand": ["targets"]}.get(kind, [])


# What a document has of a listing and of its record; another column costs a query a row (a test counts them).
_RECORD = ("number", "owner_id", "availability", "search_version", "first_published_at", "changed_at")
_COMMON = (
    *("title", "summary", "body", "keywords", "title_en", "summary_en"),
    *("technology_field_id", "region_id", "disclosure_level"),
)
_OF_KIND = {
    "achievement": ("problem", "trl", "price_type", "price_min", "price_max", "achievement_type_id"),
    "demand": ("problem", "is_budget_negotiable", "budget_min", "budget_max", "demand_type_id", "is_anonymous"),
    "expert": ("position", "services"),
    "project": ("stage", "wanted", "budget"),
}


def _lean_rows(kind: str) -> QuerySet[Any]:
    """Published rows of a kind with what `to_document` reads, but for the codes and figures: `_read_parts`."""
    record = [f"record__{name}" for name in _RECORD]
    rows = listing_model(kind).objects.public().select_related("record")
    return rows.only(*_COMMON, *_OF_KIND[kind], *record)


def _read_parts(kind: str, rows: Sequence[Listing]) -> None:
    """Attach codes and figures to many rows, a query each.

    Prefetching them by their fields makes a manager and a query set a row and a field, and an object a code: two thirds
    of what making the index anew took.
    """
    keys = [row.pk for row in rows]
    read: dict[int, dict[str, list[Any]]] = {key: {} for key in keys}
    for name in ("industries", "key_technologies", *_modes(kind)):
        field = listing_model(kind)._meta.get_field(name)
        source, target = field.m2m_column_name(), field.m2m_reverse_name()
        linked = field.remote_field.through.objects.filter(**{f"{source}__in": keys})
        for key, code in linked.values_list(source, target):
            read[key].setdefault(name, []).append(code)
    for name in _figures(kind):
        relation = listing_model(kind)._meta.get_field(name)
        for figure in relation.related_model.objects.filter(**{f"{relation.field.name}__in": keys}):
            read[getattr(figure, relation.field.attname)].setdefault(name, []).append(figure)
    for row in rows:
        setattr(row, _READ, read[row.pk])


# Where `_read_parts` leaves what it read.
_READ = "_parts_for_search"


def _parts_of(listing: Listing, name: str) -> list[Any]:
    """What `_read_parts` has attached, or else the related rows."""
    read = getattr(listing, _READ, None)
    return list(getattr(listing, name).all()) if read is None else read.get(name, [])


def _codes_of(listing: Listing, name: str) -> list[str]:
    return sorted(part if isinstance(part, str) else part.pk for part in _parts_of(listing, name))


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
        figures = [str(row) for name in _figures(listing.KIND) for row in _parts_of(listing, name)]
        extra |= {"problem": listing.problem, "figures": "\n".join(figures)}
    if isinstance(listing, Project):
        extra["wanted"] = listing.wanted
    return extra


def _terms(listing: Listing) -> Mapping[str, list[str]]:
    """Codes to filter by and count."""
    terms: dict[str, list[str]] = {
        "technology_field": _one(listing.technology_field_id),
        "region": _one(listing.region_id),
        "industry": _codes_of(listing, "industries"),
        "key_technology": _codes_of(listing, "key_technologies"),
        "availability": [listing.record.availability],
    }
    if isinstance(listing, Achievement):
        terms["transfer_mode"] = _codes_of(listing, "transfer_modes")
        terms["achievement_type"] = _one(listing.achievement_type_id)
    elif isinstance(listing, Demand):
        terms["transfer_mode"] = _codes_of(listing, "cooperation_modes")
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
