"""15 search-death: hostile questions over every surface; none is an error of ours, none is slow, none gets through."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from . import hostile, judge
from .gate import Gate, Run
from .prober import Answer, Visitor, quantile
from .world import World, market

QUESTIONS = 5000
LISTINGS = 1500
CANARIES = 30
CLIENTS = 3


def run(run: Run) -> None:
    with market(run) as world:
        world.act("base", run.count(LISTINGS, 120), run.seed)
        canaries = json.loads(world.act("canaries", run.count(CANARIES, 6)))
        world.site()
        run.say(f"{run.count(LISTINGS, 120)} 条内容、{len(canaries)} 条不公开的内容就绪")
        asked = list(hostile.questions(run.chance("questions"), run.count(QUESTIONS, 60)))
        asked += [hostile.Question(f"/api/v1/search/?q={quote(word)}", "nothing") for word in canaries]
        answers = ask_all(world, asked)
        _judge(run, world, asked, answers)
        run.none("答复里没有不公开的内容", _leaks(asked, answers))
        if world.elastic is not None:
            _breakers(run, world)


def ask_all(world: World, asked: list[hostile.Question]) -> list[Answer]:
    """Ask all of them from a few clients at once; the answers in the same order."""
    local, visitors = threading.local(), []

    def ask(place: int) -> Answer:
        if not hasattr(local, "visitor"):
            local.visitor = Visitor(world.port, timeout=60)
            visitors.append(local.visitor)
        return local.visitor.get(asked[place].path, f"127.1.{place // 250 % 250}.{place % 250}")

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(ask, range(len(asked))))
    for visitor in visitors:
        visitor.close()
    return answers


def _judge(run: Run, world: World, asked: list[hostile.Question], answers: list[Answer]) -> None:
    statuses = Counter(answer.status for answer in answers)
    run.say(f"{len(answers)} 次查询，状态码 {dict(sorted(statuses.items()))}")
    run.none("没有 5xx", [f"{a.status} {a.path[:120]}" for a in answers if a.status >= 500])
    run.none("没有断开的连接", [f"{a.error} {a.path[:120]}" for a in answers if a.status == 0])
    run.none("没有被当作访问太频繁", [a.path[:80] for a in answers if a.status == 429])
    run.check("多数查询确实得到了答复", statuses[200] >= len(answers) * 0.4, f"{statuses[200]} 次 200")
    p99 = quantile((a.seconds for a in answers), 0.99)
    slowest = max(answers, key=lambda a: a.seconds)
    run.check("p99 ≤ 1 秒", p99 <= 1, f"{p99 * 1000:.0f} ms，最慢 {slowest.seconds:.2f} 秒 {slowest.path[:80]}")
    run.none("检索引擎没有停止应答", [a.path[:80] for a in answers if a.fallback])
    run.none("没有条件被注入", list(_injected(world, asked, answers)))


def _injected(world: World, asked: list[hostile.Question], answers: list[Answer]):
    """Answers in which something typed worked as more than a text, or a parameter that means nothing worked."""
    rows = {number: (kind, region) for kind in judge.TABLES for number, region in world.sql(
        f"SELECT r.number, l.region_id FROM cms_{kind} l JOIN cms_listingrecord r ON r.id = l.record_id"
    )}  # fmt: skip
    totals: dict[str, int] = {}
    for question, answer in zip(asked, answers, strict=True):
        if answer.status != 200 or not question.judged:
            continue
        body = json.loads(answer.body)
        if question.judged == "nothing" and body["count"]:
            yield f"{body['count']} 条 {question.path}"
        elif question.judged == "same":
            if question.like not in totals:
                with Visitor(world.port) as visitor:
                    totals[question.like] = json.loads(visitor.get(question.like, "127.2.0.1").body)["count"]
            if body["count"] != totals[question.like]:
                yield f"{body['count']} 条而不是 {totals[question.like]} 条 {question.path}"
        elif question.judged == "kind":
            wrong = [r["number"] for r in body["results"] if rows[r["number"]] != (question.kind, question.region)]
            if wrong:
                yield f"{wrong[:3]} {question.path}"


def _leaks(asked: list[hostile.Question], answers: list[Answer]) -> list[str]:
    """Answers with a word that nobody outside may read and that was not typed."""
    return [
        f"{answer.path[:100]}"
        for question, answer in zip(asked, answers, strict=True)
        if "金丝雀".encode() in answer.body or (b"canary" in answer.body and "canary" not in question.path)
    ]


def _breakers(run: Run, world: World) -> None:
    assert world.elastic is not None
    nodes = judge.ask_elastic(world.elastic.url, "GET", "/_nodes/stats/breaker")["nodes"]
    tripped = {
        name: breaker["tripped"]
        for node in nodes.values()
        for name, breaker in node["breakers"].items()
        if breaker["tripped"]
    }
    run.none("Elasticsearch 的断路器没有跳过", tripped)


GATE = Gate(
    name="search-death",
    number=15,
    about="恶意的查询不出错、不拖慢、不越过条件",
    run=run,
    engines=("embedded", "elasticsearch"),
    sabotages={
        engine: {
            "parsed-query": "把输入的文字交给引擎自己的查询语言",
            "forgotten-filters": "有文字的查询不带条件",
        }
        for engine in ("embedded", "elasticsearch")
    },
    limit=(240, 900),
)
