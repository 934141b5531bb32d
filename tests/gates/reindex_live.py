"""14 reindex-live: the index is made anew while people work and search; injected differences are found and mended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.servers import free_port

from . import drift, judge, load
from .es_outage import begin_work, told
from .gate import Gate, Run
from .prober import Prober
from .world import Child, World, market, wait_until

LISTINGS = 3000
FAULTS = 200
RECOVERY = 60
# So much longer each document takes in a rebuild, in milliseconds: there must be a half-way at which to kill it.
SLOW_MS = 3
# A rebuild that died is taken over after this many seconds instead of sixty.
LEASES = 10


class Stage:
    """One market through several rebuilds: who works, who searches, which site answers."""

    def __init__(self, run: Run, world: World, prober: Prober, site: Child) -> None:
        self.run, self.world, self.prober, self.site = run, world, prober, site
        self.schema = 0
        self.undone: list[str] = []

    def phase(self, name: str, during: Callable[[Path], None], seconds: float = RECOVERY) -> None:
        """Let people work during `during`, then stop and compare."""
        journal = self.run.folder / f"journal-{name}"
        worker = begin_work(self.run, self.world, journal)
        self.prober.phase = name
        time.sleep(self.run.seconds(5, 1))
        during(journal)
        time.sleep(self.run.seconds(5, 1))
        self.prober.phase = "between"
        for child in self.world.children:
            if child.log.name == "load.log" and child.is_running:
                child.stop()
        worker.stop()
        said = load.read(journal)
        self.undone += said.undone
        took, difference = judge.settle(self.world, seconds, self.undone)
        run, prober = self.run, self.prober
        run.say(f"{name}：{told(said)}；{len(prober.of(name))} 次查找，{prober.fallbacks(name)} 次由数据库答复")
        run.none(f"{name}：没有保存失败", [line["error"] for line in said.failed])
        run.none(f"{name}：查找没有出错", prober.wrong(name))
        whole = "" if took is None else f"{took:.1f} 秒，"
        run.check(f"{name}：没有缺、多、旧、重", took is not None, f"{whole}{difference}")

    def schema_environment(self) -> dict[str, str]:
        return {"GATE_SCHEMA": str(self.schema)} if self.schema else {}


def run(run: Run) -> None:
    with market(run) as world:
        world.environment |= {"GATE_LEASES": str(LEASES), "GATE_SLOW_ROWS": str(SLOW_MS)}
        world.act("base", run.count(LISTINGS, 300), run.seed)
        # Something withdrawn, so that it can wrongly be shown later.
        site = world.site(ready=False)
        world.wait_ready(180)
        with Prober(world.port) as prober:
            stage = Stage(run, world, prober, site)
            steps = _on_elastic if run.engine == "elasticsearch" else _on_embedded
            steps(stage)
            run.none("平时查找没有出错", prober.wrong("between", "sound"))
        _reconcile(stage)


def _on_elastic(stage: Stage) -> None:
    stage.phase("same", lambda _: _rebuild(stage.world))
    stage.run.check("same：一直由引擎答复", stage.prober.fallbacks("same") == 0, stage.prober.fallbacks("same"))
    stage.phase("schema", lambda journal: _deploy(stage, journal))
    stage.phase("killed", lambda _: _killed(stage))
    stage.phase("rolled-back", lambda _: _rolled_back(stage))
    stage.run.check(
        "killed、rolled-back：一直由引擎答复",
        stage.prober.fallbacks("killed", "rolled-back") == 0,
        stage.prober.fallbacks("killed", "rolled-back"),
    )


def _rebuild(world: World, **environment: str) -> None:
    world.manage("search_rebuild", timeout=120, **environment)


def _deploy(stage: Stage, journal: Path) -> None:
    """The next version makes its index while the old one serves; then a new site takes over from the old."""
    stage.schema = 101
    environment = stage.schema_environment()
    _rebuild(stage.world, **environment)
    old = stage.site
    stage.world.environment |= environment
    stage.site = stage.world.site(ready=False, port=free_port())
    stage.prober.port = stage.world.port
    # Who asked the old site last gets his answer.
    time.sleep(1)
    old.stop()
    # Who works is of the old version and goes with it.
    for child in stage.world.children:
        if child.log.name == "load.log" and child.is_running:
            child.stop()
    begin_work(stage.run, stage.world, journal)


def _killed(stage: Stage) -> None:
    """A rebuild dies half-way; the old index goes on, and the next rebuild ends."""
    child = stage.world.start("manage", "search_rebuild", log="rebuild")
    _half_way(stage, lambda: child.is_running)
    stage.run.check("killed：重建中途被杀", child.is_running)
    child.kill()
    _rebuild_done(stage)


def _half_way(stage: Stage, goes_on: Callable[[], bool]) -> None:
    begun = wait_until(lambda: _runs(stage.world, "running") or not goes_on(), 60, 0.05)
    if begun is None:
        raise RuntimeError("no rebuild began")
    time.sleep(stage.run.count(LISTINGS, 300) * SLOW_MS / 1000 / 2)


def _runs(world: World, outcome: str) -> int:
    return world.sql("SELECT count(*) FROM search_searchrun WHERE kind = 'rebuild' AND outcome = ?", outcome)[0][0]


def _rebuild_done(stage: Stage) -> None:
    """Wait for whoever takes the dead rebuild over: the site by itself, after the lease."""
    done = _runs(stage.world, "done")
    took = wait_until(lambda: _runs(stage.world, "done") > done, LEASES + 60)
    stage.run.check("killed：网站自己重新做完", took is not None, "" if took is None else f"{took:.1f} 秒")


def _rolled_back(stage: Stage) -> None:
    _rebuild(stage.world)
    time.sleep(stage.run.seconds(5, 1))
    stage.world.manage("search_rebuild", "--rollback")


def _on_embedded(stage: Stage) -> None:
    world = stage.world
    stage.phase("same", lambda _: _rebuild(world))
    stage.run.check("same：一直由引擎答复", stage.prober.fallbacks("same") == 0, stage.prober.fallbacks("same"))

    def restarted(_journal: Path) -> None:
        # One process owns the embedded index: the new version starts after the old one has stopped.
        stage.prober.phase = "between-sites"
        stage.site.stop()
        stage.schema = 101
        world.environment |= stage.schema_environment()
        done = _runs(world, "done")
        stage.site = world.site(ready=False)
        stage.prober.phase = "schema"
        took = wait_until(lambda: _runs(world, "done") > done, 120)
        stage.run.check("schema：新版本自己重建", took is not None, "" if took is None else f"{took:.1f} 秒")

    stage.phase("schema", restarted)

    def killed(_journal: Path) -> None:
        child = world.start("manage", "search_rebuild", log="rebuild")
        _half_way(stage, lambda: child.is_running)
        stage.prober.phase = "between-sites"
        stage.site.kill()
        stage.run.check("killed：重建中途被杀", child.is_running)
        stage.site = world.site(ready=False)
        stage.prober.phase = "killed"
        _rebuild_done(stage)
        child.stop()

    stage.phase("killed", killed)


def _reconcile(stage: Stage) -> None:
    """Faults past the product, as many as at scale; the command finds and mends all of them."""
    run, world = stage.run, stage.world
    if world.elastic is None:
        stage.site.stop()
    count = run.count(FAULTS, 20)
    faults = drift.inject(world, count, run.chance("drift"))
    put = sum(map(len, faults.values()))
    before = judge.compare(world, stage.undone)
    run.check("差异确实存在", put == count == before.count, f"放入 {put} 处，可见 {before}")
    done = world.call("manage", "search_reconcile", "--repair", "--json", timeout=180)
    said = json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}
    run.check(f"{count} 处差异都被找到", said.get("drift") == count, said or done.stderr[-400:])
    if world.elastic is None:
        stage.site = world.site(ready=False)
    took, after = judge.settle(world, RECOVERY, stage.undone)
    run.check(f"{count} 处差异都已补正", took is not None, after)
    again = world.call("manage", "search_reconcile", "--json", timeout=180)
    run.check("再次核对没有差异", again.returncode == 0, again.stdout[-200:].strip())


GATE = Gate(
    name="reindex-live",
    number=14,
    about="边用边重建索引：不缺、不多、不旧、不重，查找不出错；放入的差异都被找到并补正",
    run=run,
    engines=("elasticsearch", "embedded"),
    sabotages={
        "elasticsearch": {
            "two-steps": "先撤下旧索引，再换上新索引",
            "deaf-rebuild": "重建期间的改动没有写入",
            "no-repair": "核对只看不改",
        },
        "embedded": {
            "deaf-rebuild": "重建期间的改动没有写入",
            "no-repair": "核对只看不改",
        },
    },
    limit=(480, 600),
)
