"""Demand ↔ supply: which listings answer a listing, how close they are, and why.

    for candidate in matching.candidates(demand):      # achievements, best first, at most 30
        candidate.record, candidate.rank, candidate.score, candidate.parts, candidate.band
        candidate.reasons.as_json()                    # as kept on a Match row and given by the API

The text of the asking listing may be restricted: it asks with all of its words, but a reason points only at phrases
that stand in what any visitor may read of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from cms.models import Availability, Listing, ListingRecord

from . import checked, listings, reasons
from .engines import Engine, get_engine
from .query import Document, Hit
from .reasons import REASONS_VERSION, Rarity, Reasons, Side
from .scoring import FIRST, WEIGHTS_VERSION
from .text import ANALYZER_VERSION, normalize

# Whom a listing of one kind is matched with. A project's wanted part is matched like a demand.
COUNTERPARTS = {"demand": ("achievement",), "achievement": ("demand",), "project": ("achievement",)}
# Ours: how many are explained and kept. Further down nothing was strong or possible on the demo; explaining costs most.
KEPT = 30
# What can still be had. Talks under way are said in the reasons; a transferred achievement is no answer.
AVAILABLE = (Availability.OPEN, Availability.NEGOTIATING)


@dataclass(frozen=True)
class Candidate:
    """One listing that may answer. `parts` add up to `score`; `versions` say what would have to be the same again."""

    record: ListingRecord
    listing: Listing
    rank: int
    score: float
    parts: dict[str, float]
    band: str
    reasons: Reasons
    versions: dict[str, Any]


def rank_by_text(
    engine: Engine, document: Document, *, kinds: Sequence[str], limit: int = FIRST, exclude_owner: str = ""
) -> list[Hit]:
    """Order the documents of some kinds by closeness to a text: what `rank` measures and what matches listings."""
    return engine.similar(document, kinds=kinds, limit=limit, exclude_owner=exclude_owner)


def candidates(listing: Listing, *, limit: int = FIRST) -> list[Candidate]:
    """Return what answers a listing, best first: at most `limit` hits of the index, of these the first fifty that
    stand.

    Left out: the same owner's, what is no longer public, what is transferred, solved or paused, and a second listing
    of one owner with the same title. Raises EngineDown.
    """
    kinds = COUNTERPARTS.get(listing.KIND, ())
    if not kinds:
        return []
    engine = get_engine()
    owner = str(listing.record.owner_id or "")
    asking = listings.asking_document(listing)
    hits = rank_by_text(engine, asking, kinds=kinds, limit=limit, exclude_owner=owner)
    found = _standing(listing, hits)
    if not found:
        return []
    asked = Side(listing.KIND, listings.public_texts(listing), listings.facts(listing))
    # What is weighed: the pairs of the public texts, and of the title, which decides the band.
    rarity = Rarity(engine, {**asked.texts, "asking title": listing.title})
    return [
        _candidate(listing, other, rank, hit, asked, rarity, engine.name) for rank, (hit, other) in enumerate(found, 1)
    ]


def _candidate(
    listing: Listing, other: Listing, rank: int, hit: Hit, asked: Side, rarity: Rarity, engine: str
) -> Candidate:
    offered = Side(other.KIND, listings.public_texts(other), listings.facts(other))
    why = reasons.explain(asked, offered, listing.title, rarity)
    return Candidate(
        record=other.record,
        listing=other,
        rank=rank,
        score=hit.score,
        parts={"lexical": hit.score},
        band=reasons.band(rank, why.coverage, why.phrases),
        reasons=why,
        versions={
            "engine": engine,
            "mode": "lexical",
            "analyzer": ANALYZER_VERSION,
            "weights": WEIGHTS_VERSION,
            "reasons": REASONS_VERSION,
            listing.record.number: listing.record.search_version,
            other.record.number: other.record.search_version,
        },
    )


def _standing(listing: Listing, hits: list[Hit]) -> list[tuple[Hit, Listing]]:
    """Ask the database once more, for the index may be a moment behind: only what any visitor may see, in the hits'
    order; and nothing whose words may have become less public since the index read them.
    """
    hidden = set(checked.hiding(COUNTERPARTS[listing.KIND]))
    hits = [hit for hit in hits if hit.id not in hidden]
    rows = checked.visible(hits, checked.NOBODY, place="matching", parts=_brief)
    kept: list[Hit] = []
    titles: set[tuple[Any, str, str]] = set()
    mine = _whose(listing.record)
    for hit in hits:
        row = rows.get(hit.id)
        if row is None or hit.id == listing.record.number or row.record.availability not in AVAILABLE:
            continue
        whose = _whose(row.record)
        same = (*whose, normalize(row.title))
        if whose == mine or same in titles:
            continue
        titles.add(same)
        kept.append(hit)
        if len(kept) == KEPT:
            break
    return _with_listings(kept)


def _whose(record: ListingRecord) -> tuple[Any, str]:
    return (record.owner_id, "" if record.owner_id else record.holder_name)


def _brief(rows: QuerySet[Any], kind: str) -> QuerySet[Any]:
    """What decides whether a hit stands; its texts are read only of what is kept."""
    record = ("number", "owner_id", "holder_name", "availability", "kind")
    return rows.select_related("record").only("title", *(f"record__{name}" for name in record))


def _with_listings(hits: list[Hit]) -> list[tuple[Hit, Listing]]:
    """The whole rows of what is kept, in a fixed number of queries."""
    known: dict[str, Listing] = {}
    for kind in {hit.kind for hit in hits}:
        rows = listings.public_rows(kind).filter(record__number__in=[hit.id for hit in hits if hit.kind == kind])
        known.update({row.record.number: row for row in rows})
    return [(hit, known[hit.id]) for hit in hits if hit.id in known]
