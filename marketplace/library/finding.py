"""One page of listings: asked of the engine, checked once more against the database, or read from the database alone.

Counts of facets and totals come from the engine. Where it is down the FilterSet's rows answer without facet counts, and
the page says so. A hit that this person may not see (the index is a moment behind) is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Max, Prefetch
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from cms.models import Listing, PatentItem, TransferMode, listing_model
from search import checked
from search.checked import Checked, Parts
from search.engines import EngineDown
from search.query import DEPTH_LIMIT, Hit, Query

from .filters import ListingFilterSet, findable

logger = logging.getLogger(__name__)

# Where the database answers for the engine it reads the texts of so many listings of a kind, the newest by key: half a
# second on one core.
WINDOW = 50_000


class Counted(Paginator):
    """Pages over something whose size is already known and whose rows are already cut."""

    def __init__(self, total: int, per_page: int) -> None:
        super().__init__([], per_page)
        self.total = total

    @cached_property
    def count(self) -> int:
        return self.total

    @cached_property
    def num_pages(self) -> int:
        return max(1, min(-(-self.total // self.per_page), DEPTH_LIMIT // self.per_page))

    def page_of(self, rows: Sequence[Any], number: int) -> Page:
        return Page(rows, number, self)


@dataclass
class Found:
    """What a list shows. `is_fallback`: the engine was down, and `is_partial`: there may be more than the database was
    asked for; `relaxed`: nothing contains all of the words.
    """

    page: Page
    total: int
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    relaxed: bool = False
    is_fallback: bool = False
    is_partial: bool = False
    index_time: datetime | None = None
    hits: Sequence[Hit] = ()

    @property
    def rows(self) -> list[Any]:
        return list(self.page.object_list)


def ask(query: Query, user: Any, *, place: str, parts: Parts | None = None) -> Checked | None:
    """What the engine finds and this person may see, or None where the database must answer. `parts`: what is joined
    to the rows; none is `with_parts`.
    """
    try:
        return checked.find(query, user, place=place, parts=parts or with_parts)
    except EngineDown as error:
        logger.warning("library: the search engine is down, the database answers: %s", error)
        return None


def find(
    filters: ListingFilterSet,
    user: Any,
    *,
    page: int = 1,
    page_size: int = 20,
    facets: Sequence[str] = (),
    parts: Parts | None = None,
) -> Found:
    """One page of what the FilterSet asks for, with counts of the named facets (parameters of the set).

    A page beyond the last one is the last one. `parts` as at `ask`; `for_rows` where rows of a list are all that is
    shown.
    """
    page = max(1, page)
    if (page - 1) * page_size >= DEPTH_LIMIT:
        page = DEPTH_LIMIT // page_size
    query = filters.to_query(facets=facets, page=page, page_size=page_size)
    results = ask(query, user, place=f"{filters.KIND}s", parts=parts)
    if results is None:
        return from_rows(filters, page=page, page_size=page_size)
    paginator = Counted(results.total, page_size)
    if page > paginator.num_pages:
        return find(filters, user, page=paginator.num_pages, page_size=page_size, facets=facets, parts=parts)
    by_parameter = {name: results.facets.get(filters.coded[name].facet, {}) for name in facets}
    return Found(
        page=paginator.page_of(results.listed, page),
        total=results.total,
        facets=by_parameter,
        relaxed=results.relaxed,
        index_time=results.index_time,
        hits=results.hits,
    )


@dataclass(frozen=True)
class FromDatabase:
    """What the database finds in the engine's place: keys in order; `is_partial`: there may be more."""

    keys: list[int]
    is_partial: bool


def without_engine(filters: ListingFilterSet) -> FromDatabase:
    """The keys that fit a FilterSet, at most DEPTH_LIMIT of them and among the WINDOW newest of the kind.

    Without an index every text is read: a market of 400,000 listings would take ten seconds for a word that few hold.
    """
    rows, model = filters.queryset, filters.model
    newest = model._default_manager.aggregate(top=Max("pk"))["top"] or 0
    is_cut = newest > WINDOW
    if is_cut:
        rows = rows.filter(pk__gt=newest - WINDOW)
    found = list(type(filters)(filters.data, rows).qs.values_list("pk", flat=True)[: DEPTH_LIMIT + 1])
    return FromDatabase(found[:DEPTH_LIMIT], is_cut or len(found) > DEPTH_LIMIT)


def partial_words() -> str:
    """What a reader must know where `is_partial`."""
    words = _("每类只查了最近登记的 %(window)s 条，最多列出 %(most)s 条。")
    return words % {"window": f"{WINDOW:,}", "most": f"{DEPTH_LIMIT:,}"}


def rows_of(filters: ListingFilterSet, keys: Sequence[int]) -> list[Listing]:
    """The set's rows with these keys, in their order."""
    known = {row.pk: row for row in with_parts(filters.queryset.filter(pk__in=keys), filters.KIND)}
    return [known[key] for key in keys if key in known]


def from_rows(filters: ListingFilterSet, *, page: int, page_size: int) -> Found:
    """The same from the database, newest first where a text was asked (it cannot rank)."""
    found = without_engine(filters)
    keys = Paginator(found.keys, page_size).get_page(page)
    shown = Counted(len(found.keys), page_size).page_of(rows_of(filters, list(keys.object_list)), keys.number)
    return Found(page=shown, total=len(found.keys), is_fallback=True, is_partial=found.is_partial)


def load(kind: str, numbers: Sequence[str], user: Any) -> list[Listing]:
    """Listings by number in the given order, those that this person may see."""
    if not numbers:
        return []
    rows = with_parts(findable(listing_model(kind), user).filter(record__number__in=numbers), kind)
    known = {row.record.number: row for row in rows}
    return [known[number] for number in numbers if number in known]


ONE = {"achievement": ["achievement_type"], "demand": ["demand_type"]}
MANY = {"achievement": ["transfer_modes", "patents"], "demand": ["cooperation_modes"]}


def with_parts(rows: Any, kind: str) -> Any:
    """Everything that a row of the list shows, in a fixed number of queries."""
    rows = rows.with_related()
    if kind in ONE:
        # Without a name select_related() would forget the joins that stand there already.
        rows = rows.select_related(*ONE[kind])
    return rows.prefetch_related(*MANY.get(kind, []))


# What `rows.row` shows of a listing and of what is joined to it; another column costs a query a row (a test counts).
_NAMES = ("name", "name_en")
_JOINED = {
    "record": ("kind", "number", "availability", "changed_at", "first_published_at", "holder_name"),
    "record__owner": ("name", "verified_at"),
    "technology_field": _NAMES,
    "region": _NAMES,
    "achievement_type": _NAMES,
}
_SHOWN = {
    "achievement": ("trl", "price_type", "price_min", "price_max"),
    "demand": ("is_budget_negotiable", "budget_min", "budget_max", "deadline", "is_anonymous"),
    "expert": ("position", "services"),
    "project": ("stage", "budget", "starts_on", "ends_on"),
}


def for_rows(rows: Any, kind: str) -> Any:
    """Only what a row of a list shows, in a fixed number of queries: no text of the detail is read, and codes stand as
    lists beside the row (`listed_modes`, `listed_patents`), which saves a manager each.
    """
    joined = [name for name in _JOINED if name != "achievement_type" or kind == "achievement"]
    columns = [f"{name}__{column}" for name in joined for column in _JOINED[name]]
    rows = rows.select_related(*joined).only("title", "summary", "disclosure_level", *_SHOWN[kind], *columns)
    if kind == "achievement":
        modes = TransferMode.objects.only(*_NAMES, "order")
        patents = PatentItem.objects.only("is_granted", "achievement_id", "sort_order")
        return rows.prefetch_related(
            Prefetch("transfer_modes", modes, to_attr="listed_modes"),
            Prefetch("patents", patents, to_attr="listed_patents"),
        )
    return rows
