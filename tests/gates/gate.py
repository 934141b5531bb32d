"""What a gate is, and what a run of one keeps: its numbers, its checks, its folder."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO


class CannotRun(Exception):
    """Something that the gate needs is not here; the text is Chinese and says the cure. Exit code 2."""


class Caught(Exception):
    """A sabotage was noticed: the rest of the run could only notice it again."""


class TimeUp(Exception):
    """The gate did not end within its time."""


@dataclass
class Run:
    """One run of one gate: what was asked for, and what was found so far.

    `scale` 1 means the figures of the design; `count` and `seconds` scale one of them down, and the scale is printed
    with every result, so that a small run never passes for a full one.
    """

    gate: str
    seed: int
    scale: float
    db: str
    engine: str
    folder: Path
    sabotage: str = ""
    only: str = ""
    out: TextIO = field(default_factory=lambda: sys.stdout)
    passed: int = 0
    failed: int = 0
    began: float = field(default_factory=time.monotonic)

    def count(self, full: int, least: int = 1) -> int:
        """`full` things at scale 1, fewer below, at least `least`."""
        return max(least, round(full * self.scale))

    def seconds(self, full: float, least: float = 2.0) -> float:
        """`full` seconds at scale 1, fewer below, at least `least`."""
        return max(least, full * self.scale)

    def chance(self, name: str) -> random.Random:
        """A source of chance of its own for each purpose, the same for the same seed."""
        return random.Random(f"{self.seed} {name}")

    def say(self, text: str) -> None:
        """A line for whoever waits, with the seconds since the start, at once."""
        self.out.write(f"[{time.monotonic() - self.began:6.1f}] {text}\n")
        self.out.flush()

    def check(self, what: str, good: bool, measured: object = "") -> bool:
        """Count one thing that must be so; says what was measured either way. Returns `good`; under a sabotage raises
        Caught instead of False."""
        if good:
            self.passed += 1
        else:
            self.failed += 1
        self.say(f"{'通过' if good else '未通过'}  {what}" + (f"：{measured}" if measured != "" else ""))
        if self.sabotage and not good:
            raise Caught(what)
        return good

    def none(self, what: str, found: Sequence[object] | Mapping[object, object]) -> bool:
        """Check that there is none of something; names the first few where there are."""
        some = list(found)[:5]
        return self.check(what, not found, f"{len(found)}" + (f" {some}" if some else ""))


@dataclass(frozen=True)
class Gate:
    """One acceptance gate. `run` judges through `Run.check`; it raises only CannotRun.

    `sabotages` maps a name to what is broken by it, for each engine on which it applies; `limit` is the longest that a
    run may take, in seconds: `limit[0]` whatever the scale and `limit[1]` times the scale.
    """

    name: str
    number: int
    about: str
    run: Callable[[Run], None]
    engines: tuple[str, ...]
    sabotages: Mapping[str, Mapping[str, str]]
    limit: tuple[float, float]
    parts: tuple[str, ...] = ()
    # Until `shim.PARTS` knows better: a sabotage of a gate with parts is tried in the part named here.
    part_of: Mapping[str, str] = field(default_factory=dict)

    def sabotages_on(self, engine: str) -> dict[str, str]:
        return dict(self.sabotages.get(engine, {}))
