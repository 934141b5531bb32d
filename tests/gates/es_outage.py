"""13 es-outage: the search servers fail in every way while people work; on the embedded engine the process dies."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from . import judge, load, outage_embedded
from .gate import Gate, Run
from .prober import Prober, quantile
from .proxy import FaultProxy
from .world import PREFIX, Child, World, market

RATE = 20
LISTINGS = 200
# Seconds that each fault lasts at scale 1, and the longest that all may take to be whole again.
FAULTS = {"kill": 60, "freeze": 60, "read_only": 40, "closed": 40, "busy": 30, "items": 30, "cut": 30}
RECOVERY = 60


def run(run: Run) -> None:
    if run.engine == "embedded":
        outage_embedded.run(run)
        return
    with market(run) as world, _proxied(world) as proxy:
        world.act("base", run.count(LISTINGS, 60), run.seed)
        site = world.site()
        with Prober(world.port) as prober:
            time.sleep(run.seconds(10))
            for name, seconds in FAULTS.items():
                _one(run, world, prober, proxy, name, run.seconds(seconds, 4))
        _judge_answers(run, prober)
        run.check("网站没有退出过", site.is_running)


@contextmanager
def _proxied(world: World) -> Any:
    """The market reaches its engine through the faulty network."""
    from tests.servers import free_port

    assert world.elastic is not None
    with FaultProxy(free_port(), world.elastic.port) as proxy:
        world.environment["SEARCH_URL"] = proxy.url
        yield proxy


def _one(run: Run, world: World, prober: Prober, proxy: FaultProxy, name: str, seconds: float) -> None:
    """One fault under load: no save fails, and all is whole within a minute of its end."""
    journal = run.folder / f"journal-{name}"
    worker = begin_work(run, world, journal)
    with _fault(world, proxy, name):
        prober.phase = name
        time.sleep(seconds)
    ended = time.monotonic()
    prober.phase = "recovering"
    time.sleep(min(2.0, seconds))
    worker.stop()
    said = load.read(journal)
    took, difference = judge.settle(world, RECOVERY, said.undone)
    prober.phase = "sound"
    run.say(f"{name} {seconds:.0f} 秒：{told(said)}；代理 {dict(proxy.done)}")
    run.none(f"{name}：没有保存失败", [line["error"] for line in said.failed])
    run.check(f"{name}：一直有人保存", len(said.done) >= 1)
    whole = "" if took is None else f"恢复后 {time.monotonic() - ended:.1f} 秒，"
    run.check(f"{name}：恢复后 {RECOVERY} 秒内没有差异", took is not None, f"{whole}{difference}")


def begin_work(run: Run, world: World, journal: Any) -> Child:
    """Start somebody who works in a process of his own; returns when the first act is done."""
    worker = world.start("load", str(journal), str(RATE), str(run.seed))
    end = time.monotonic() + 60
    while not any(line["state"] != "begun" for line in load.lines(journal)):
        if not worker.is_running or time.monotonic() > end:
            raise RuntimeError(f"nobody works\n{worker.tail()}")
        time.sleep(0.1)
    return worker


def told(said: load.Journal) -> str:
    """A journal in one line."""
    seconds = said.seconds()
    rate = ""
    if len(said.done) > 1:
        rate = f"，每秒 {len(said.done) / max(0.1, said.done[-1]['at'] - said.done[0]['at']):.1f} 次"
    return (
        f"{len(said.done)} 次保存{rate}，{len(said.failed)} 次失败，"
        f"p50 {quantile(seconds, 0.5) * 1000:.0f} ms，p99 {quantile(seconds, 0.99) * 1000:.0f} ms"
    )


@contextmanager
def _fault(world: World, proxy: FaultProxy, name: str) -> Any:
    begin, end = _FAULTS[name](world, proxy)
    begin()
    try:
        yield
    finally:
        end()


Ends = tuple[Callable[[], Any], Callable[[], Any]]


def _kill(world: World, proxy: FaultProxy) -> Ends:
    assert world.elastic is not None
    return world.elastic.kill, world.elastic.start


def _freeze(world: World, proxy: FaultProxy) -> Ends:
    assert world.elastic is not None
    return world.elastic.freeze, world.elastic.thaw


def _settings(world: World, name: str) -> Callable[[Any], Any]:
    def put(value: Any) -> Any:
        assert world.elastic is not None
        return judge.ask_elastic(world.elastic.url, "PUT", f"/{PREFIX}/_settings", {name: value})

    return put


def _read_only(world: World, proxy: FaultProxy) -> Ends:
    """The block that a node sets by itself at 95 % of its disk."""
    put = _settings(world, "index.blocks.read_only_allow_delete")
    return lambda: put(True), lambda: put(None)


def _closed(world: World, proxy: FaultProxy) -> Ends:
    assert world.elastic is not None
    url = world.elastic.url
    # The name behind the alias: an alias cannot be opened again once its index is closed.
    index = next(iter(judge.ask_elastic(url, "GET", f"/_alias/{PREFIX}")))
    return (
        lambda: judge.ask_elastic(url, "POST", f"/{index}/_close"),
        lambda: judge.ask_elastic(url, "POST", f"/{index}/_open?wait_for_active_shards=1"),
    )


def _mode(name: str) -> Callable[[World, FaultProxy], Ends]:
    def ends(world: World, proxy: FaultProxy) -> Ends:
        return lambda: setattr(proxy, "mode", name), lambda: setattr(proxy, "mode", "pass")

    return ends


_FAULTS: dict[str, Callable[[World, FaultProxy], Ends]] = {
    "kill": _kill,
    "freeze": _freeze,
    "read_only": _read_only,
    "closed": _closed,
    "busy": _mode("busy"),
    "items": _mode("items"),
    "cut": _mode("cut"),
}


def _judge_answers(run: Run, prober: Prober) -> None:
    sound, recovering = "sound", "recovering"
    for name in FAULTS:
        answers = prober.of(name)
        run.none(f"{name}：查找都有答复", prober.wrong(name))
        p99 = prober.p99(name)
        said = f"{p99 * 1000:.0f} ms，{len(answers)} 次，其中 {prober.fallbacks(name)} 次由数据库答复"
        run.check(f"{name}：查找 p99 ≤ 2 秒", bool(answers) and p99 <= 2, said)
    run.none("平时和恢复时查找都有答复", prober.wrong(sound, recovering))
    for name in ("kill", "freeze", "closed"):
        run.check(f"{name}：确实由数据库答复过", prober.fallbacks(name) > 0, prober.fallbacks(name))


GATE = Gate(
    name="es-outage",
    number=13,
    about="检索服务故障时不丢改动、照常保存和查找；内嵌引擎则杀进程、损坏文件",
    run=run,
    engines=("elasticsearch", "embedded"),
    sabotages={
        "elasticsearch": {
            "lose-on-error": "写入失败的当作成功",
            "no-fallback": "引擎不可用时不改用数据库",
        },
        "embedded": {
            "ack-early": "先答应，半秒后才写",
            "never-rebuild": "损坏的索引不重建",
        },
    },
    limit=(420, 900),
)
