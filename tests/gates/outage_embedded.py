"""The outage of an engine that lives in the site's own process: the process dies, or its files are damaged."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from . import judge, load
from .gate import Run
from .prober import Prober, Visitor
from .world import Child, World, market

KILLS = 300
# Of these so many find a damaged file afterwards, and so many take gunicorn's master along.
DAMAGED_EACH = 10
WHOLE_EACH = 50
RATE = 20
LISTINGS = 200
# The longest until a site whose process was killed answers again, and until all is whole at the end.
ANSWER_SECONDS = 15
RECOVERY = 60
DAMAGES = ("truncate", "overwrite", "remove", "current", "about", "half")


def run(run: Run) -> None:
    with market(run) as world:
        world.act("base", run.count(LISTINGS, 60), run.seed)
        journal = run.folder / "journal"
        world.environment["GATE_LOAD"] = f"{journal} {RATE} {run.seed}"
        # Somebody works from the first moment on: it is never without something to do.
        tally = _Tally(world.site(ready=False))
        if reason := _still_broken(world):
            raise RuntimeError(f"the engine never answered: {reason}\n{tally.site.tail()}")
        with Prober(world.port, rate=3) as prober:
            for number in range(1, run.count(KILLS, 12) + 1):
                _once(run, world, tally, number)
            tally.site.stop()
        # Without anybody who works: what was left must be taken in by a fresh process alone.
        world.environment.pop("GATE_LOAD")
        world.site(ready=False)
        said = load.read(journal)
        took, difference = judge.settle(world, RECOVERY, said.undone)
        _judge(run, tally, prober, said, took, difference)


class _Tally:
    """What happened so far; `site` is the one that runs now."""

    def __init__(self, site: Child) -> None:
        self.site = site
        self.kills = self.whole = 0
        self.damaged: dict[str, int] = {}
        self.slow: list[float] = []
        self.silent: list[int] = []
        self.unopened: list[str] = []


def _once(run: Run, world: World, tally: _Tally, number: int) -> None:
    """Kill the process at a moment of chance; the site must answer again, and its index open or be made anew."""
    chance = run.chance(f"kill {number}")
    time.sleep(chance.uniform(0.05, 0.9))
    tally.kills += 1
    is_damaging = number % DAMAGED_EACH == 0
    if is_damaging or number % WHOLE_EACH == 0:
        tally.whole += 1
        tally.site.kill()
        if is_damaging:
            damage = DAMAGES[number // DAMAGED_EACH % len(DAMAGES)]
            tally.damaged[damage] = tally.damaged.get(damage, 0) + 1
            _damage(world.folder / "search", damage, chance)
        tally.site = world.start("site")
    else:
        for worker in tally.site.children():
            os.kill(worker, signal.SIGKILL)
    began = time.monotonic()
    if not _answers(world):
        tally.silent.append(number)
    tally.slow.append(time.monotonic() - began)
    if is_damaging and (reason := _still_broken(world)):
        tally.unopened.append(f"{number} {damage}: {reason}")
    if number % 50 == 0:
        run.say(f"{number} 次")


def _answers(world: World) -> bool:
    """Whether a list answers within its time, by the engine or the database."""
    end = time.monotonic() + ANSWER_SECONDS
    with Visitor(world.port, timeout=ANSWER_SECONDS) as visitor:
        while time.monotonic() < end:
            if visitor.get("/achievements/?q=%E9%99%A4%E6%B0%9F").status == 200:
                return True
            time.sleep(0.05)
    return False


def _still_broken(world: World) -> str:
    """Why the engine does not answer half a minute after its files were damaged; empty where it does."""
    end = time.monotonic() + 30
    with Visitor(world.port) as visitor:
        while time.monotonic() < end:
            answer = visitor.get("/api/v1/achievements/?q=%E8%A3%85%E7%BD%AE")
            if answer.status == 200 and not answer.fallback:
                return ""
            time.sleep(0.2)
    return f"{answer.status} {'database' if answer.fallback else answer.error}"


def _damage(folder: Path, how: str, chance: random.Random) -> None:
    """Do to the index's files what a full disk, a bad sector or a clumsy hand does."""
    generation = folder / (folder / "CURRENT").read_text().strip()
    if how == "current":
        (folder / "CURRENT").write_text("g")
        return
    if how == "about":
        (generation / "about.json").write_text("{")
        return
    if how == "half":
        # A rebuild that died half-way leaves its folder.
        (folder / "g999990").mkdir(exist_ok=True)
        (folder / "g999990" / "meta.json").write_text("{}")
        return
    segments = sorted(p for p in generation.iterdir() if p.is_file() and p.name[:8].strip("0123456789abcdef") == "")
    wanted = chance.choice(segments) if segments else generation / "meta.json"
    if how == "remove":
        wanted.unlink(missing_ok=True)
    elif how == "truncate":
        os.truncate(wanted, wanted.stat().st_size // 2)
    else:
        size = wanted.stat().st_size
        with wanted.open("r+b") as file:
            file.seek(size // 3)
            file.write(bytes(chance.randrange(256) for _ in range(min(200, max(1, size // 3)))))


def _judge(
    run: Run, tally: _Tally, prober: Prober, said: load.Journal, took: float | None, difference: judge.Difference
) -> None:
    run.say(
        f"{tally.kills} 次 kill -9（其中 {tally.whole} 次连同主进程），损坏 {tally.damaged}；"
        f"{said.begun} 次保存开始，{len(said.done)} 次得到确认，{len(said.failed)} 次失败"
    )
    run.none("杀进程之外没有保存失败", [line["error"] for line in said.failed])
    run.check("被杀时确实有人在保存", said.begun > len(said.done) and len(said.done) > 0)
    run.none(f"每次被杀后 {ANSWER_SECONDS} 秒内又有答复", tally.silent)
    run.say(f"再次答复：中位 {sorted(tally.slow)[len(tally.slow) // 2]:.2f} 秒，最慢 {max(tally.slow):.2f} 秒")
    run.none("损坏后索引打开或自行重建", tally.unopened)
    errors = [w for w in prober.wrong() if not w.startswith("0 ")]
    run.none("查找没有出错的答复（断开的连接除外）", errors)
    whole = "" if took is None else f"{took:.1f} 秒，"
    run.check(f"最后 {RECOVERY} 秒内没有差异，没有丢失", took is not None, f"{whole}{difference}")
