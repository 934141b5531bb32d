"""16 task-chaos: workers are killed, their broker is killed and emptied; each effect comes, and comes once."""

from __future__ import annotations

import email
import os
import random
import signal
import time
from collections import Counter

from . import acts, judge
from .gate import Gate, Run
from .prober import Prober
from .world import Child, World, market, wait_until

EFFECTS = 3000
POISON = 10
BATCHES = 5
WORKER_KILLS, REDIS_KILLS, SITE_KILLS = 30, 10, 300
DUPLICATES = 20
# What a dead process holds is free again after so many seconds, instead of up to five minutes.
LEASES = 5
DRAINED = 60
DEAF = 75
WORKER = ("celery", "-A", "marketplace", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat")
BEAT = ("celery", "-A", "marketplace", "beat")


def run(run: Run) -> None:
    parts = {"process": _in_process, "celery": _celery}
    for name, part in parts.items():
        if run.only in ("", name):
            part(run)


def _environment(run: Run, world: World) -> None:
    world.environment |= {
        "GATE_LEASES": str(LEASES),
        "GATE_POISON": acts.POISON,
        "GATE_JOBS": str(run.folder / "jobs-run"),
        "WORKER_CONCURRENCY": "2",
    }


class Asked:
    """What was asked for so far; somebody asks while others are killed."""

    def __init__(self, run: Run, world: World) -> None:
        self.run, self.world = run, world
        self.counts: Counter[str] = Counter()
        self.batch = 0
        self._feeding: Child | None = None

    def more(self) -> None:
        """Begin to ask for one more batch; the one before has ended by then."""
        self.wait()
        self.batch += 1
        size = self.run.count(EFFECTS // BATCHES, 15)
        poison = POISON // BATCHES
        self._feeding = self.world.start("act", "feed", str(self.batch), str(size), str(poison), log="feed")
        # It takes a moment to load.
        time.sleep(2)
        self.counts.update({"listings": size // 3, "poison": poison, "jobs": size // 3, "mails": size // 3})

    def wait(self) -> None:
        """Wait for the end of the batch. Raises RuntimeError where it failed."""
        if self._feeding is not None and self._feeding.process.wait(180):
            raise RuntimeError(f"the batch was not asked for\n{self._feeding.tail()}")


# In the site's own process


def _in_process(run: Run) -> None:
    with market(run) as world:
        _environment(run, world)
        site, asked, kills = world.site(ready=False), Asked(run, world), run.count(SITE_KILLS, 20)
        for batch in range(BATCHES):
            asked.more()
            for number in range(kills * batch // BATCHES, kills * (batch + 1) // BATCHES):
                chance = run.chance(f"process {number}")
                time.sleep(chance.uniform(0.05, 0.9))
                for worker in site.children():
                    os.kill(worker, signal.SIGKILL)
                wait_until(site.children, 10, 0.02)
        asked.wait()
        run.say(f"进程内：{dict(asked.counts)}，{kills} 次 kill -9")
        _judge(run, world, asked, "进程内")


# With workers


class Staff:
    """A worker and a beat of one market, each begun again after its death."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.worker = world.start(*WORKER, log="worker")
        self.beat = world.start(*BEAT, log="beat")
        self.beat_deaths = 0

    def kill_worker(self, chance: random.Random) -> None:
        """All of it, or one of its processes alone."""
        children = self.worker.children()
        if chance.random() < 0.5 and children:
            os.kill(chance.choice(children), signal.SIGKILL)
            return
        self.worker.kill()
        self.worker = self.world.start(*WORKER, log="worker")

    def look(self) -> None:
        if not self.beat.is_running:
            self.beat_deaths += 1
            self.beat = self.world.start(*BEAT, log="beat")
        if not self.worker.is_running:
            self.worker = self.world.start(*WORKER, log="worker")


def _celery(run: Run) -> None:
    with market(run, use_redis=True) as world:
        assert world.redis is not None
        _environment(run, world)
        site, staff, asked = world.site(ready=False), Staff(world), Asked(run, world)
        kills, redis_kills = run.count(WORKER_KILLS, 5), run.count(REDIS_KILLS, 2)
        plan = ["worker"] * kills + ["redis"] * redis_kills
        run.chance("plan").shuffle(plan)
        flushed = False
        with Prober(world.port, rate=2) as prober:
            for batch in range(BATCHES):
                asked.more()
                for number in range(len(plan) * batch // BATCHES, len(plan) * (batch + 1) // BATCHES):
                    _trouble(run, world, staff, plan[number], number)
                asked.wait()
                if batch == BATCHES // 2:
                    flushed = _flush(world)
                    world.act("duplicates", run.count(DUPLICATES, 3))
        run.say(
            f"Celery：{dict(asked.counts)}，{kills} 次杀 worker，{redis_kills} 次杀 Redis，FLUSHALL {flushed:d} 次，"
            f"重复投递 {run.count(DUPLICATES, 3)} 轮"
        )
        run.check("Celery：beat 没有因 Redis 中断退出", staff.beat_deaths == 0, staff.beat_deaths)
        run.none("Celery：网站一直有答复", prober.wrong())
        _judge(run, world, asked, "Celery")
        _deaf(run, world, staff, site)


def _trouble(run: Run, world: World, staff: Staff, what: str, number: int) -> None:
    assert world.redis is not None
    chance = run.chance(f"celery {number}")
    time.sleep(chance.uniform(0.5, 4))
    staff.look()
    if what == "worker":
        staff.kill_worker(chance)
        return
    world.redis.kill()
    time.sleep(chance.uniform(0.2, 2))
    world.redis.start()


def _flush(world: World) -> bool:
    """Empty the broker, as one that lost its disk starts."""
    import redis

    assert world.redis is not None
    with redis.Redis.from_url(world.redis.url, socket_timeout=5) as client:
        return bool(client.flushall())


def _deaf(run: Run, world: World, staff: Staff, site: Child) -> None:
    """A worker that lives and does nothing is noticed."""
    heard = wait_until(lambda: "worker" not in world.text("/readyz"), 60)
    run.check("Celery：任务进程正常时 /readyz 不提它", heard is not None)
    staff.worker.signal(signal.SIGSTOP)
    took = wait_until(lambda: "worker" in world.text("/readyz"), DEAF, 0.5)
    staff.worker.signal(signal.SIGCONT)
    run.check("Celery：没有反应的 worker 60 秒内被发现", took is not None and took <= 61, took and f"{took:.0f} 秒")
    run.check("Celery：网站没有退出过", site.is_running)


# What is left


def _judge(run: Run, world: World, asked: Asked, where: str) -> None:
    counts = asked.counts
    took = wait_until(lambda: _backlog(world) == 0, DRAINED + LEASES, 0.5)
    said = f"{took:.1f} 秒" if took is not None else f"还剩 {_backlog(world)}"
    run.check(f"{where}：{DRAINED} 秒内积压办完（另加 {LEASES} 秒租约）", took is not None, said)
    difference = judge.compare(world)
    poisoned = {n for (n,) in world.sql("SELECT key FROM search_searchchange WHERE parked_reason <> ''")}
    lost = [n for n in difference.missing if n not in poisoned]
    run.none(f"{where}：索引没有丢失、多余、过时", [*lost, *difference.extra, *difference.stale, *difference.double])
    _judge_jobs(run, world, counts["jobs"], where)
    _judge_mails(run, world, counts["mails"], where)
    parked = world.sql("SELECT count(*) FROM deals_matchdue WHERE tries >= 5")[0][0]
    run.check(
        f"{where}：{2 * counts['poison']} 件做不成的都搁置在旁",
        len(poisoned) == parked == counts["poison"],
        f"索引 {len(poisoned)}，匹配 {parked}",
    )


def _backlog(world: World) -> int:
    """What is still to be done, without what is parked."""
    return sum(
        world.sql(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0]
        for table, condition in (
            ("search_searchchange", "parked_reason = ''"),
            ("deals_matchdue", "tries < 5"),
            ("jobs_job", "state IN ('queued', 'running')"),
            ("notifications_notice", "mail_state = 'pending'"),
        )
    )


def _judge_jobs(run: Run, world: World, count: int, where: str) -> None:
    states = dict(world.sql("SELECT state, count(*) FROM jobs_job GROUP BY state"))
    run.check(f"{where}：{count} 个任务都已完成", states == {"done": count}, states)
    keys = [k for (k,) in world.sql("SELECT dedupe_key FROM notifications_notice WHERE dedupe_key LIKE 'gate-%'")]
    effects = Counter(key for key in keys if not key.startswith("gate-mail"))
    double = [key for key, times in effects.items() if times > 1]
    lines = (run.folder / "jobs-run").read_text().splitlines() if (run.folder / "jobs-run").exists() else []
    run.check(
        f"{where}：每个任务的结果一次", len(effects) == count and not double, f"{len(effects)}，重复 {double[:3]}"
    )
    run.say(f"{where}：任务运行 {len(lines)} 次，完成 {count} 个")


def _judge_mails(run: Run, world: World, count: int, where: str) -> None:
    """By file: each mail is there; a second copy, sent after a death, has the identity of the first."""
    identities: dict[str, set[str]] = {}
    copies: Counter[str] = Counter()
    for path in (world.folder / "mail").glob("*"):
        for text in path.read_text(errors="replace").split("-" * 79 + "\n"):
            message = email.message_from_string(text)
            if not message["Message-ID"]:
                continue
            body = message.get_payload(decode=True)
            found = [word for word in (body or b"").decode(errors="replace").split("/") if word.startswith("gate-mail")]
            if found:
                identities.setdefault(found[0], set()).add(message["Message-ID"])
                copies[found[0]] += 1
    lost = count - len(identities)
    run.check(f"{where}：{count} 封邮件没有丢失", lost == 0, f"{len(identities)} 封")
    run.none(f"{where}：没有一封以两种身份发出", [key for key, ids in identities.items() if len(ids) > 1])
    run.say(f"{where}：同一身份再次发出 {sum(copies.values()) - len(copies)} 封（收信服务器按 Message-ID 识别）")


GATE = Gate(
    name="task-chaos",
    number=16,
    about="办事的进程和 Redis 反复被杀、清空：每件事都办成，且只办一次",
    run=run,
    engines=("embedded",),
    sabotages={
        "embedded": {
            "forget-first": "先删除待办，再去做",
            "mail-twice": "邮件没有固定身份，发送前不占位",
        }
    },
    limit=(480, 900),
    parts=("process", "celery"),
    part_of={"forget-first": "process", "mail-twice": "process"},
)
