"""`bench search`: the whole service call of a list page, its engine part, and the bare engine on the same questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser

from marketplace.library import finding, rows
from marketplace.library.filters import FILTERSETS
from marketplace.library.views.lists import PAGE_SIZE
from search.engines import Engine, get_engine
from search.query import Query

from .bare import bare
from .figures import Figures, Reference, Taken, middle_and_slow, slow_cpu
from .questions import Asker, Question

LIMITS = {"p95_ms": 20.0, "ratio": 1.3, "rest_p95_ms": 8.0}


class Clock:
    """Counts what one method of an engine takes, until it is given back."""

    def __init__(self, engine: Engine, method: str) -> None:
        self.engine, self.method = engine, method
        self.taken = Taken()
        self.asked: Any = None

    def __enter__(self) -> Clock:
        plain: Callable[..., Any] = getattr(self.engine, self.method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            self.asked = args[0]
            found: list[Any] = []
            self.taken += Taken.of(lambda: found.append(plain(*args, **kwargs)))
            return found[0]

        setattr(self.engine, self.method, timed)
        return self

    def __exit__(self, *_: object) -> None:
        delattr(self.engine, self.method)


def whole(question: Question) -> finding.Found:
    """What the page of a list does: parse, ask, check what is visible, make its rows."""
    visitor = AnonymousUser()
    filters = FILTERSETS[question.kind](question.data, user=visitor)
    found = finding.find(
        filters, visitor, page=question.page, page_size=PAGE_SIZE, facets=filters.SHOWN, parts=finding.for_rows
    )
    typed = filters.values.get("q", "")
    for listing in found.rows:
        rows.row(listing, typed)
    return found


def _usable(engine: Engine, asker: Asker, count: int) -> list[tuple[Question, Query]]:
    """Questions that need one answer: not relaxed, not beyond the last page (both ask more than once)."""
    chosen: list[tuple[Question, Query]] = []
    tries = 0
    while len(chosen) < count and tries < 20 * count:
        tries += 1
        question = asker.one()
        with Clock(engine, "find") as clock:
            found = whole(question)
            if not found.is_fallback and not found.relaxed and found.page.number == question.page and found.total:
                chosen.append((question, clock.asked))
    return chosen


def measure(*, scale: int, seed: int, count: int) -> Figures:
    """Ask each question once of ours and once of the bare engine, in turn; both have seen it once before."""
    engine = get_engine()
    chosen = _usable(engine, Asker(seed), count)
    reference = bare(engine)
    prepared = [(question, reference.find(query)) for question, query in chosen]
    total, inside, rest, plain = [], [], [], []
    for number, (question, ask) in enumerate(prepared):
        if number % 2:
            plain.append(Taken.of(ask))
        with Clock(engine, "find") as clock:
            taken = Taken.of(lambda: whole(question))  # noqa: B023 (called at once)
        total.append(taken)
        inside.append(clock.taken)
        rest.append(taken - clock.taken)
        if not number % 2:
            plain.append(Taken.of(ask))
    p50, p95 = middle_and_slow(total)
    bare_p50, bare_p95 = middle_and_slow(plain)
    return Figures(
        "search",
        scale,
        engine.name,
        Reference(reference.name, bare_p50, bare_p95),
        p50_ms=p50,
        p95_ms=p95,
        per_s=len(total) / sum(one.wall for one in total) if total else None,
        engine_p95_ms=middle_and_slow(inside)[1],
        more={
            "questions": len(total),
            "engine_p50_ms": middle_and_slow(inside)[0],
            "rest_p50_ms": middle_and_slow(rest)[0],
            "rest_p95_ms": middle_and_slow(rest)[1],
            "cpu_p95_ms": slow_cpu(total),
            "engine_cpu_p95_ms": slow_cpu(inside),
            "rest_cpu_p95_ms": slow_cpu(rest),
            "reference_cpu_p95_ms": slow_cpu(plain),
        },
    )
