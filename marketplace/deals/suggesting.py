"""Matches are computed when listing and index have settled, and kept: a page reads rows, never the engine.

What is due is a row (`MatchDue`), written with the listing's change. Working it off may happen twice and by two
workers at once: a row is claimed by compare-and-set, its matches are written by upsert, and it goes only where
nothing newer came.

A demand asks for achievements; that direction gives score, band and reasons. An achievement asks for demands to learn
where it stands (`rank_for_supply`), and the demands it comes close to are computed again. Imported achievements come by
the thousand and ask for nothing: all open demands are computed once when the last of them is in the index.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone

from cms.models import Demand, ListingRecord
from search import changes, checked, matching
from search.engines import EngineDown
from search.matching import AVAILABLE, COUNTERPARTS, Candidate
from search.models import SearchChange
from search.query import Query

from . import telling
from .models import Comparison, Match, MatchDue

logger = logging.getLogger(__name__)

# One round of the site's own thread also drains the index: it must not be held up for long.
ROUND_ROWS, ROUND_SECONDS = 100, 2.0
# A worker that died leaves its claim; others take the row over after this long.
LEASE = dt.timedelta(seconds=30)
TRIES = 5
# Seconds to the next try, doubled each time: 10, 20, 40, 80.
FIRST_WAIT = 10
# So many demands are computed again for one achievement: where it may be among the first that are shown.
TOUCHED = 20
# Imports that wait longer than this for the last of their kind to be indexed go ahead.
PATIENCE = dt.timedelta(minutes=5)

IMPORTED = {"is_quiet": True, "record__kind": "achievement"}

FOUND = [
    "demand_revision", "supply_revision", "demand_version", "supply_version", "score", "parts", "band", "reasons",
    "statistics", "versions", "is_current", "computed_at",
]  # fmt: skip


class Unsettled(Exception):
    """The listing changed while its matches were computed: they are computed again."""


def suggest(record: ListingRecord, *, quiet: bool = False) -> int:
    """Compute and keep the matches of one demand or achievement; how many hold now. Other kinds have none.

    quiet: nobody is told (imports). Raises EngineDown, Unsettled.
    """
    record = ListingRecord.objects.get(pk=record.pk)
    if record.kind not in ("demand", "achievement"):
        return 0
    listing = record.listing
    if not listing.live or record.availability not in AVAILABLE:
        retire(record)
        return 0
    found = [c for c in matching.candidates(listing) if c.band]
    compared = checked.find(Query(kinds=COUNTERPARTS[record.kind], page_size=1), checked.NOBODY, place="matching")
    with transaction.atomic():
        if not ListingRecord.objects.filter(pk=record.pk, search_version=record.search_version).exists():
            raise Unsettled(record.number)
        keep = _keep_for_demand if record.kind == "demand" else _keep_for_supply
        keep(record, listing, found)
        Comparison.objects.update_or_create(
            record=record,
            defaults={
                "search_version": record.search_version,
                "compared_with": compared.total,
                "index_time": compared.index_time,
                "computed_at": timezone.now(),
            },
        )
        if quiet:
            telling.pass_over(record)
    if not quiet:
        telling.tell(record)
    return len(found)


def retire(record: ListingRecord) -> None:
    """What cannot be had or is not public has no matches; the rows stay for the deals that came of them."""
    rows = Match.objects.filter(Q(demand=record) | Q(supply=record), is_current=True)
    if record.kind == "achievement":
        ask_again(rows.filter(rank_for_demand__isnull=False).values_list("demand", flat=True), quiet=True)
    rows.update(is_current=False, rank_for_demand=None, rank_for_supply=None)


def _row(demand: Any, supply: Any, candidate: Candidate, **ranks: Any) -> Match:
    return Match(
        demand=demand.record,
        supply=supply.record,
        demand_revision_id=demand.live_revision_id,
        supply_revision_id=supply.live_revision_id,
        demand_version=demand.record.search_version,
        supply_version=supply.record.search_version,
        score=candidate.score,
        parts=candidate.parts,
        band=candidate.band,
        reasons=candidate.reasons.as_json(),
        statistics={
            "coverage": candidate.reasons.coverage,
            "asked": "demand" if "rank_for_demand" in ranks else "supply",
        },
        versions=candidate.versions,
        is_current=True,
        computed_at=timezone.now(),
        **ranks,
    )


def _upsert(rows: Sequence[Match], rank: str) -> None:
    Match.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["demand", "supply"], update_fields=[*FOUND, rank]
    )


def _keep_for_demand(record: ListingRecord, listing: Any, found: Sequence[Candidate]) -> None:
    """The rows that this demand's list consists of now; the others lose their place in it."""
    _upsert([_row(listing, c.listing, c, rank_for_demand=c.rank) for c in found], "rank_for_demand")
    gone = Match.objects.filter(demand=record, rank_for_demand__isnull=False)
    gone.exclude(supply__in=[c.record.pk for c in found]).update(rank_for_demand=None)
    _drop_placeless(Match.objects.filter(demand=record))


def _keep_for_supply(record: ListingRecord, listing: Any, found: Sequence[Candidate]) -> None:
    """Where this achievement stands with the demands. A row whose demand ranks it keeps the demand's own score; the
    demands near to it are computed again, for it may have moved up or down in theirs."""
    ranked = set(
        Match.objects.filter(supply=record, is_current=True, rank_for_demand__isnull=False).values_list(
            "demand", flat=True
        )
    )
    for candidate in found:
        if candidate.record.pk in ranked:
            Match.objects.filter(demand=candidate.record, supply=record).update(rank_for_supply=candidate.rank)
    fresh = [c for c in found if c.record.pk not in ranked]
    _upsert([_row(c.listing, listing, c, rank_for_supply=c.rank) for c in fresh], "rank_for_supply")
    gone = Match.objects.filter(supply=record, rank_for_supply__isnull=False)
    gone.exclude(demand__in=[c.record.pk for c in found]).update(rank_for_supply=None)
    _drop_placeless(Match.objects.filter(supply=record))
    near = [c.record.pk for c in found if c.band != "weak"]
    ask_again(near[:TOUCHED] + sorted(ranked)[:TOUCHED])


def _drop_placeless(rows: Any) -> None:
    rows.filter(is_current=True, rank_for_demand__isnull=True, rank_for_supply__isnull=True).update(is_current=False)


def ask_again(pks: Iterable[int], *, quiet: bool = False) -> None:
    """Make the matches of these demands due again. A row that is due already counts as new, and stays loud if it
    was."""
    now = timezone.now()
    wanted = list(dict.fromkeys(pks))
    # Also free to be taken: where a worker has it in its hands, the new wish would else wait for the end of that lease.
    MatchDue.objects.filter(record__in=wanted).update(created_at=now, not_before=now, tries=0, error="")
    rows = ListingRecord.objects.filter(pk__in=wanted)
    MatchDue.objects.bulk_create(
        [
            MatchDue(record=r, search_version=r.search_version, created_at=now, not_before=now, is_quiet=quiet)
            for r in rows
        ],
        ignore_conflicts=True,
    )


# Working off


def work_off_due(limit: int = ROUND_ROWS, seconds: float = ROUND_SECONDS) -> dict[str, int]:
    """Compute what is due and settled, until `limit` rows or `seconds` are used up: {"matched", "waiting", "failed"}.

    A row whose listing the index has not taken in yet waits without counting a try. A failing row is tried again after
    10, 20, 40 and 80 seconds and then parked with its error; an engine that is down ends the round.
    """
    done = {"matched": 0, "waiting": 0, "failed": 0}
    until = time.monotonic() + seconds
    done["matched"] += _gather_imports()
    for due in _open_rows()[:limit]:
        if time.monotonic() > until:
            break
        if not changes.is_settled(due.record.number):
            done["waiting"] += 1
        elif _claim(due):
            done[_work_off(due)] += 1
    return done


def _open_rows() -> Any:
    """Hand-published listings first: somebody is looking at the page."""
    rows = MatchDue.objects.filter(not_before__lte=timezone.now(), tries__lt=TRIES).select_related("record")
    return rows.exclude(**IMPORTED).order_by("is_quiet", "created_at")


def _gather_imports() -> int:
    """Imported achievements: once all of them are in the index, every open demand is due, and they are done."""
    rows = MatchDue.objects.filter(**IMPORTED, tries__lt=TRIES)
    oldest, latest, count = rows.aggregate(a=Min("created_at"), b=Max("created_at"), c=Count("pk")).values()
    if not count:
        return 0
    if oldest > timezone.now() - PATIENCE and SearchChange.objects.waiting().filter(kind="achievement").exists():
        return 0
    with transaction.atomic():
        demands = Demand.objects.published().filter(record__availability__in=AVAILABLE).values_list("record", flat=True)
        ask_again(demands, quiet=True)
        # What came in since the look above stays for the next round.
        rows.filter(created_at__lte=latest).delete()
    return count


def _claim(due: MatchDue) -> bool:
    """True for one worker alone: the row's time is set ahead where it is still what was read.

    The try is counted now and taken back where it was none: a listing that takes its process down each time would
    never come to be counted afterwards.
    """
    mine = timezone.now() + LEASE
    unchanged = MatchDue.objects.filter(pk=due.pk, not_before=due.not_before, created_at=due.created_at)
    return bool(unchanged.update(not_before=mine, tries=F("tries") + 1, error="the process ended while matching"))


def _work_off(due: MatchDue) -> str:
    try:
        suggest(due.record, quiet=due.is_quiet)
    except EngineDown:
        _take_back(due)
        raise
    except Unsettled:
        _take_back(due)
        return "waiting"
    except Exception as error:
        logger.exception("matches of %s failed", due.record.number)
        _put_off(due, error)
        return "failed"
    MatchDue.objects.filter(pk=due.pk, created_at=due.created_at).delete()
    return "matched"


def _take_back(due: MatchDue) -> None:
    """As if it had not been tried; a row that was asked for anew meanwhile is left as it is."""
    unchanged = MatchDue.objects.filter(pk=due.pk, created_at=due.created_at)
    unchanged.update(not_before=due.not_before, tries=due.tries, error=due.error)


def _put_off(due: MatchDue, error: Exception) -> None:
    wait = dt.timedelta(seconds=FIRST_WAIT * 2**due.tries)
    MatchDue.objects.filter(pk=due.pk, created_at=due.created_at).update(
        not_before=timezone.now() + wait, error=f"{type(error).__name__}: {error}"[:300]
    )
