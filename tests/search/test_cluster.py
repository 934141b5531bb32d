"""Three nodes, three shards, one copy of each: a node dies under load, nobody notices, nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from search.engines import EngineDown
from search.engines.elastic import ElasticEngine
from search.query import Query
from tests.servers import ElasticCluster

from .factories import document

pytestmark = [pytest.mark.full, pytest.mark.slow]

NUMBER = 3_000


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ElasticCluster]:
    with ElasticCluster(tmp_path_factory.mktemp("cluster")) as three:
        yield three


def green(engine: ElasticEngine, nodes: int) -> None:
    """Wait until every copy of every shard is whole on this many nodes; fails after a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            health = engine.line.ask(5, lambda client: client.cluster.health(index=engine.indexes.prefix))
            if (health["status"], health["number_of_nodes"]) == ("green", nodes):
                return
        except EngineDown:
            pass
        time.sleep(0.5)
    pytest.fail("the cluster does not heal")


class Load:
    """Searches and writes from threads of their own until told to end, each from a client of its own."""

    def __init__(self, cluster: ElasticCluster) -> None:
        self.ended = threading.Event()
        self.failed: list[str] = []
        self.short: list[int] = []
        self.written: dict[str, int] = {}
        self.searches = 0
        self.longest = 0.0
        self.cluster = cluster
        self.threads = [threading.Thread(target=self._run, args=(step,)) for step in (self._search, self._write)]

    def _run(self, step: Callable[[ElasticEngine, int], None]) -> None:
        engine = ElasticEngine(self.cluster.url.split(","), prefix="market", shards=3, replicas=1)
        number = 0
        while not self.ended.is_set():
            step(engine, number)
            number += 1
        engine.close()

    def _search(self, engine: ElasticEngine, number: int) -> None:
        began = time.monotonic()
        try:
            found = engine.find(Query(text="除氟", kinds=["achievement"], facets=["kind"]))
            if found.total != NUMBER or found.facets["kind"] != {"achievement": NUMBER}:
                self.short.append(found.total)
        except EngineDown as error:
            self.failed.append(f"search: {error}")
        self.searches += 1
        self.longest = max(self.longest, time.monotonic() - began)

    def _write(self, engine: ElasticEngine, number: int) -> None:
        """As the drain does: what could not be written is written again, what was is never lost."""
        given = [document("羊绒分梳", kind="demand", id=f"XQ-{n:05d}") for n in range(number * 20, number * 20 + 20)]
        while True:
            try:
                engine.put(given)
                break
            except EngineDown:
                if self.ended.wait(0.2):
                    return
        self.written |= {each.id: 1 for each in given}

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()


def test_the_master_dies_under_load_and_nothing_is_lost(cluster: ElasticCluster) -> None:
    engine = ElasticEngine(cluster.url.split(","), prefix="market", shards=3, replicas=1)
    engine.rebuild(document("矿井水除氟填料", id=f"CG-{n:05d}") for n in range(NUMBER))
    green(engine, 3)
    master = engine.line.client.cat.master(format="json")[0]["node"]
    node = next(one for one in cluster.nodes if one.settings["node.name"] == master)
    with Load(cluster) as load:
        time.sleep(2)
        node.kill()
        time.sleep(8)
        node.start()
        green(engine, 3)
    assert load.failed == []
    assert load.short == []
    assert load.searches > 50
    assert len(load.written) > 100
    held = engine.versions()
    assert {name for name in load.written if name not in held} == set()
    assert sum(name.startswith("CG-") for name in held) == NUMBER
    print(f"{load.searches} searches, longest {load.longest:.2f} s; {len(load.written)} written")  # noqa: T201
    engine.indexes.remove_all()
    engine.close()
