"""Load the demo: deterministic for a seed and a day, nothing in the future, everything through the services."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from . import listings, news, people
from .models import DemoLoad
from .world import World

STEPS: list[tuple[str, Callable[[World], None]]] = [
    ("单位、人员、登记机构", people.load),
    ("成果、需求、专家、项目", listings.load),
    ("通知与政策", news.load),
]


def load(*, seed: int, day: dt.date, say: Callable[[str], None]) -> World:
    """Fill an empty market. `say` gets a line a step with its seconds. A half-loaded demo has no DemoLoad row."""
    world = World(seed=seed, day=day)
    for title, step in STEPS:
        begun = time.monotonic()
        step(world)
        say(f"  {title}  {time.monotonic() - begun:.1f} 秒")
    DemoLoad.objects.create(seed=seed, day=day)
    return world
