"""What a bench says: the keys that others read, and percentiles."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from search.evaluation import percentile


@dataclass
class Reference:
    """What the product is compared with, measured in the same run."""

    name: str
    p50_ms: float | None = None
    p95_ms: float | None = None
    per_s: float | None = None


@dataclass
class Figures:
    """One bench's result; what does not apply is None. `ratio`: engine_p95_ms to the reference's p95 for search and
    match, the reference's per_s to per_s for index. `more` holds what this bench alone measures.
    """

    name: str
    scale: int
    engine: str
    reference: Reference
    p50_ms: float | None = None
    p95_ms: float | None = None
    per_s: float | None = None
    rss_mb: float | None = None
    engine_p95_ms: float | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        if self.engine_p95_ms is not None:
            return _share(self.engine_p95_ms, self.reference.p95_ms)
        return _share(self.reference.per_s, self.per_s)

    def as_json(self) -> dict[str, Any]:
        """Rounded to what a clock can tell."""
        found = asdict(self)
        more = found.pop("more")
        return _rounded({**found, "ratio": self.ratio, **more})


def _share(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 3) if isinstance(value, float) else value


@dataclass(frozen=True)
class Taken:
    """What one call took, in seconds: by the clock, and of this thread's processor alone, which a busy machine does
    not change (a server's work is not in it).
    """

    wall: float = 0.0
    cpu: float = 0.0

    @classmethod
    def of(cls, ask: Callable[[], Any]) -> Taken:
        wall, cpu = time.perf_counter(), time.thread_time()
        ask()
        return cls(time.perf_counter() - wall, time.thread_time() - cpu)

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: Taken) -> Taken:
        return Taken(self.wall - other.wall, self.cpu - other.cpu)


def middle_and_slow(taken: Sequence[Taken]) -> tuple[float, float]:
    """p50 and p95 by the clock, in milliseconds."""
    wall = [one.wall for one in taken]
    return percentile(wall, 0.5) * 1000, percentile(wall, 0.95) * 1000


def slow_cpu(taken: Sequence[Taken]) -> float:
    """p95 of the processor's time, in milliseconds."""
    return percentile([one.cpu for one in taken], 0.95) * 1000
