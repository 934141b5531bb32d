"""What the loader's steps share: the day, seeded chance, the people and organisations made so far."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from marketplace.accounts.models import Organization, User

DATA = Path(__file__).resolve().parent / "data"


@dataclass
class World:
    """Deterministic for a seed and a day: every random choice comes from `chance`, every date from `day`."""

    seed: int
    day: dt.date
    chance: Random = field(init=False)
    organizations: dict[str, Organization] = field(default_factory=dict)
    heads: dict[str, User] = field(default_factory=dict)
    members: dict[str, list[User]] = field(default_factory=dict)
    staff: dict[str, User] = field(default_factory=dict)
    listings: dict[str, Any] = field(default_factory=dict)
    brokers: dict[str, Any] = field(default_factory=dict)
    deals: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = Random(f"{self.seed}-{self.day.isoformat()}")

    def ago(self, days: int) -> dt.date:
        return self.day - dt.timedelta(days=days)


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a data file, or of its parts `<name>_a`, `<name>_b`, `<name>_c`."""
    paths = sorted(DATA.glob(f"{name}_?.jsonl")) or [DATA / f"{name}.jsonl"]
    return [
        json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
