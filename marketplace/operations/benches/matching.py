"""`bench match`: one whole demand against all achievements, as the product matches it, and the bare engine's part."""

from __future__ import annotations

from random import Random

from cms.models import Demand
from search import listings, matching
from search.engines import get_engine
from search.scoring import FIRST

from .bare import bare
from .figures import Figures, Reference, Taken, middle_and_slow, slow_cpu
from .searching import Clock

LIMITS = {"p95_ms": 300.0}


def measure(*, scale: int, seed: int, count: int) -> Figures:
    """Match `count` demands; each is matched once before anything is timed."""
    engine = get_engine()
    keys = list(Demand.objects.public().order_by("pk").values_list("pk", flat=True))
    chosen = Random(f"demands-{seed}").sample(keys, min(count, len(keys)))  # noqa: S311 (no secret)
    demands = list(listings.with_parts(Demand.objects.filter(pk__in=chosen).order_by("pk"), "demand"))
    reference = bare(engine)
    total, inside, plain = [], [], []
    for demand in demands:
        matching.candidates(demand)
        document, owner = listings.asking_document(demand), str(demand.record.owner_id or "")
        ask = reference.similar(document, matching.COUNTERPARTS["demand"], FIRST, owner)
        ask()
        with Clock(engine, "similar") as clock:
            total.append(Taken.of(lambda: matching.candidates(demand)))  # noqa: B023 (called at once)
        inside.append(clock.taken)
        plain.append(Taken.of(ask))
    p50, p95 = middle_and_slow(total)
    return Figures(
        "match",
        scale,
        engine.name,
        Reference(reference.name, *middle_and_slow(plain)),
        p50_ms=p50,
        p95_ms=p95,
        per_s=len(total) / sum(one.wall for one in total) if total else None,
        engine_p95_ms=middle_and_slow(inside)[1],
        more={
            "demands": len(total),
            "engine_p50_ms": middle_and_slow(inside)[0],
            "cpu_p95_ms": slow_cpu(total),
            "engine_cpu_p95_ms": slow_cpu(inside),
            "reference_cpu_p95_ms": slow_cpu(plain),
        },
    )
