"""Is the site alive, is it ready: for scripts, load balancers, and a person who wonders why nothing is found yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from marketplace import guards
from marketplace.deals.models import MatchDue
from marketplace.deals.suggesting import TRIES
from marketplace.demo.models import DemoLoad
from search import changes
from search.engines import EngineUnavailable, get_engine

from .heartbeat import lacks_of_workers


@dataclass(frozen=True)
class Lack:
    """One thing that is not ready: its name for everybody, and what only staff may read.

    `is_degraded`: the site answers all the same, from the database or a moment late.
    """

    name: str
    detail: str
    is_degraded: bool = False


def lacks() -> list[Lack]:
    """What is missing before this market answers as it should; empty when it is ready.

    A change or match that was parked after repeated failures does not count: it waits for a person (`manage.py doctor`
    names it), and a site must not stay unready for ever because of one listing.
    """
    found: list[Lack] = []
    if lost := guards.missing():
        found.append(Lack("guards", "数据库防护不全：" + "、".join(lost)))
    if settings.DEMO and not DemoLoad.objects.exists():
        found.append(Lack("demo", "演示数据还没有装完"))
    found += search_lacks()
    found += [Lack("worker", line, is_degraded=True) for line in lacks_of_workers()]
    if waiting := MatchDue.objects.filter(tries__lt=TRIES).count():
        found.append(Lack("matches", f"{waiting} 条需求或成果等待匹配", is_degraded=True))
    return found


def search_lacks() -> list[Lack]:
    """An index that does not answer, and what it has not taken in. Pages answer from the database meanwhile."""
    found: list[Lack] = []
    try:
        state = get_engine().status()
    except EngineUnavailable as error:
        return [Lack("index", str(error), is_degraded=True)]
    if state.state != "ok":
        found.append(Lack("index", f"检索索引：{state.state} {state.detail}".strip(), is_degraded=True))
    if waiting := changes.waiting():
        found.append(Lack("search_changes", f"{waiting} 条内容等待进入检索索引", is_degraded=True))
    return found
