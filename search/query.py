"""What is asked and answered, in our own words: no view ever sees an engine's object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from cms.taxonomy import area_prefix

# Terms that a document may carry and a query may filter by and count. A new one is a new SCHEMA_VERSION.
FACETS = (
    "technology_field",
    "industry",
    "key_technology",
    "region",
    "transfer_mode",
    "achievement_type",
    "demand_type",
    "stage",
    "availability",
    "owner",
    "trl_band",
    "price_band",
)
SCHEMA_VERSION = 1

# Codes that stand for all below them: 06 finds 0605, 150600 (= 1506) finds 150602, KI1 finds KI1-2.
_PREFIX_FACETS = frozenset({"technology_field", "region"})

# Bands of the lists' facets: name, lowest and highest (both inclusive; None = open).
TRL_BANDS: tuple[tuple[str, int, int], ...] = (("1-3", 1, 3), ("4-6", 4, 6), ("7-9", 7, 13))
# In 元: lower bound inclusive, upper exclusive. `negotiable` stands beside them.
PRICE_BANDS: tuple[tuple[str, Decimal, Decimal | None], ...] = (
    ("0-50", Decimal(0), Decimal(500_000)),
    ("50-200", Decimal(500_000), Decimal(2_000_000)),
    ("200-", Decimal(2_000_000), None),
)
NEGOTIABLE = "negotiable"

# Beyond this nobody pages; the engine would have to sort everything before it.
DEPTH_LIMIT = 10_000
# So many ids one question can leave out; both engines take a list of this length in a few milliseconds.
EXCLUDING_LIMIT = 1_000

ORDERINGS = ("", "-published_at", "-updated_at", "price", "-price", "-trl")


# Every document of a rebuild asks, of a few hundred codes.
@lru_cache(maxsize=8_192)
def levels(facet: str, code: str) -> tuple[str, ...]:
    """Return every term under which a code is found: itself and all above it.

    region 150602 → 15, 1506, 150602; technology_field 0605 → 06, 0605; key_technology KI1-2 → KI1, KI1-2;
    industry 2611 (GB/T 4754) → 26, 261, 2611. Other facets have one level.
    """
    if facet in _PREFIX_FACETS:
        code = area_prefix(code)
        return (*(code[:length] for length in range(2, len(code), 2)), code)
    if facet == "industry" and code.isdigit():
        return (*(code[:length] for length in range(2, len(code))), code)
    if facet == "key_technology" and "-" in code:
        return code.split("-")[0], code
    return (code,)


def term_of(facet: str, code: str) -> str:
    """Return the one term that a filter value asks for."""
    return area_prefix(code) if facet in _PREFIX_FACETS else code


def trl_band(trl: int | None) -> str | None:
    """Name of the band that a readiness level falls in."""
    return next((name for name, low, high in TRL_BANDS if trl is not None and low <= trl <= high), None)


def price_band(price: Decimal | None) -> str | None:
    """Name of the band that a price in 元 falls in."""
    return next(
        (n for n, low, high in PRICE_BANDS if price is not None and low <= price and (high is None or price < high)),
        None,
    )


def _frozen(mapping: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping or {}))


@dataclass(frozen=True)
class Document:
    """The public part of one thing that can be found: what stands in the index, and nothing else.

    `id` is the listing's number. `version` is the row's own counter: an older one never overwrites a newer. `terms`
    maps names of FACETS to codes as they stand on the row; the engine adds the levels above and the bands. `owner` is
    the owner's id as text, empty where the owner must not be known. `price` is in 元, None where negotiable or not
    stated.
    """

    id: str
    kind: str
    title: str
    summary: str = ""
    body: str = ""
    extra: Mapping[str, str] = field(default_factory=_frozen)
    version: int = 1
    terms: Mapping[str, Sequence[str]] = field(default_factory=_frozen)
    owner: str = ""
    trl: int | None = None
    price: Decimal | None = None
    negotiable: bool = False
    published_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def parts(self) -> dict[str, str]:
        """Every text by the name of its part: title, summary, what else the kind has (`extra`), body; none empty."""
        parts = {"title": self.title, "summary": self.summary, **self.extra, "body": self.body}
        return {name: text for name, text in parts.items() if text}

    @property
    def rest(self) -> str:
        """All but the title, joined."""
        return "\n".join(text for name, text in self.parts.items() if name != "title")

    @property
    def text(self) -> str:
        """All texts joined, as they are analysed: a boost for the document's title cost .17 on need."""
        return "\n".join(self.parts.values())

    def all_terms(self) -> dict[str, list[str]]:
        """Every facet's terms with all their levels and the bands, each once."""
        found: dict[str, list[str]] = {}
        given: dict[str, Sequence[str]] = dict(self.terms)
        if self.owner:
            given["owner"] = (self.owner,)
        if band := trl_band(self.trl):
            given["trl_band"] = (band,)
        if band := NEGOTIABLE if self.negotiable else price_band(self.price):
            given["price_band"] = (band,)
        for name, codes in given.items():
            if name not in FACETS:
                raise ValueError(f"unknown facet {name!r} of {self.id}: add it to search.query.FACETS")
            unique: dict[str, None] = {}
            for code in codes:
                if code:
                    unique |= dict.fromkeys(levels(name, str(code)))
            if unique:
                found[name] = list(unique)
        return found


@dataclass(frozen=True)
class Query:
    """One question to the box or a list.

    Filters: any of the values of one facet (OR), all the facets together (AND). Ranges: (lowest, highest), both
    inclusive, None = open, on `trl`, `price` (元), `published_at`, `updated_at` (datetimes); a document without the
    value is outside. Counts of a facet are made with every filter but the facet's own, so that a second value can be
    chosen beside the first. `ordering` is one of ORDERINGS; empty is by relevance where there is a text, else newest
    first. `excluding` names ids (at most EXCLUDING_LIMIT) that the answer must not know of: they are in neither hits
    nor total nor any facet's counts, and do not keep a question from being relaxed.
    """

    text: str = ""
    kinds: Sequence[str] = ()
    filters: Mapping[str, Sequence[str]] = field(default_factory=_frozen)
    ranges: Mapping[str, tuple[Any, Any]] = field(default_factory=_frozen)
    facets: Sequence[str] = ()
    ordering: str = ""
    page: int = 1
    page_size: int = 20
    excluding: Sequence[str] = ()

    def __post_init__(self) -> None:
        unknown = [f for f in (*self.filters, *self.facets) if f not in FACETS and f != "kind"]
        if unknown:
            raise ValueError(f"unknown facets {unknown}: search.query.FACETS names what the index holds")
        outside = [r for r in self.ranges if r not in ("trl", "price", "published_at", "updated_at")]
        if outside:
            raise ValueError(f"no range on {outside}")
        if self.ordering not in ORDERINGS:
            raise ValueError(f"no ordering {self.ordering!r}: one of {ORDERINGS}")
        if self.page < 1 or self.page_size < 1:
            raise ValueError("page and page_size begin at 1")
        if len(self.excluding) > EXCLUDING_LIMIT:
            raise ValueError(f"at most {EXCLUDING_LIMIT} ids can be left out of one answer")

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size


@dataclass(frozen=True, slots=True)
class Hit:
    """One document that was found. The title and all else are read from the database."""

    id: str
    kind: str
    score: float


@dataclass(frozen=True)
class Results:
    """One page of hits with what a person would count.

    `total` counts all hits of the question; `facets` maps each asked facet to {value: number of documents}. `relaxed`
    says that nothing contained all the words and the hits contain only some of them: the page must say so.
    `index_time` is when the index last took in a change.
    """

    hits: tuple[Hit, ...] = ()
    total: int = 0
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=_frozen)
    relaxed: bool = False
    engine: str = ""
    index_time: datetime | None = None

    @property
    def ids(self) -> list[str]:
        return [hit.id for hit in self.hits]
