"""Load the demo: deterministic for a seed and a day, nothing in the future, everything through the services."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from django.db.models import F

from cms.models import ListingRecord
from marketplace.notifications.models import Notice

from . import clock, contracts, deals, listings, news, people, register
from .models import DemoLoad
from .world import World


def tidy(world: World) -> None:
    """The demo's past notices send no mail now; what is older than three weeks counts as read."""
    Notice.objects.update(mail_state="none")
    # A default bound to the real clock: drafts that nobody has touched since were last changed when they were made.
    ListingRecord.objects.filter(first_published_at=None).update(changed_at=F("created_at"))
    Notice.objects.filter(created_at__lt=clock.moment(world.ago(21))).update(read_at=clock.moment(world.ago(20)))


STEPS: list[tuple[str, Callable[[World], None]]] = [
    ("单位、人员、登记机构", people.load),
    ("成果、需求、专家、项目", listings.load),
    ("通知与政策", news.load),
    ("历史登记册", register.load),
    ("索引与匹配", deals.index_and_match),
    ("对接与成交", deals.load),
    ("合同与登记", contracts.load),
    ("收尾", tidy),
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
