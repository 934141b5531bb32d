"""Elasticsearch 8: one node, or a cluster of several on this machine."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from . import elastic_install
from .ports import free_port
from .process import Server, StartFailed

# As on a distribution, without what its scripts would find out about the machine.
JVM = [
    "-XX:+UseG1GC",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Dlog4j2.disable.jmx=true",
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
]


class Elasticsearch(Server):
    """A single node, or one of a cluster's; `heap` in megabytes, `settings` are the node's own, more or others."""

    name = "elasticsearch"
    START_SECONDS = 120.0  # 3 seconds on an idle machine

    def __init__(
        self,
        folder: Path | str,
        port: int | None = None,
        *,
        heap: int = 512,
        settings: dict[str, str] | None = None,
        transport_port: int | None = None,
    ) -> None:
        super().__init__(folder, port)
        self.heap = heap
        self.settings = dict(settings or {})
        self.transport_port = transport_port or free_port()

    @classmethod
    def install(cls) -> None:
        elastic_install.install()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def was_used(self) -> bool:
        """Whether a node has run in this folder before."""
        return (self.folder / "data").exists()

    def prepare(self) -> None:
        (self.folder / "tmp").mkdir(exist_ok=True)

    def _settings(self) -> dict[str, str]:
        return {
            "path.home": str(self.folder),
            "path.data": str(self.folder / "data"),
            "path.logs": str(self.folder / "logs"),
            "network.host": "127.0.0.1",
            "http.port": str(self.port),
            "transport.port": str(self.transport_port),
            # A full disk of the machine is not what a test is about.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            **({"discovery.type": "single-node"} if "cluster.name" not in self.settings else {}),
            **self.settings,
        }

    def command(self) -> list[str]:
        built = elastic_install.install()
        scratch = self.folder / "tmp"
        return [
            str(elastic_install.jdk() / "bin/java"),
            f"-Xms{self.heap}m",
            f"-Xmx{self.heap}m",
            f"-Djava.io.tmpdir={scratch}",
            f"-Djna.tmpdir={scratch}",
            f"-Dlog4j2.configurationFile={built / 'log4j2.properties'}",
            *JVM,
            "-cp",
            f"{built / 'launcher'}:{built / 'lib'}/*",
            "Launcher",
            str(built / "modules"),
            *(f"{name}={value}" for name, value in self._settings().items()),
        ]

    def get(self, path: str, timeout: float = 2.0) -> dict:
        """Ask the node itself for JSON; raises OSError when it does not answer in `timeout` seconds."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=timeout) as answer:  # noqa: S310 (our own address)
                return json.load(answer)
        except urllib.error.HTTPError as error:
            error.close()
            raise

    def answers(self) -> bool:
        # Its own log first: the port may be another node's that was there before.
        if "Node started" not in self.output():
            return False
        with contextlib.suppress(OSError, ValueError):
            return bool(self.get("/")["version"]["number"])
        return False


class ElasticCluster:
    """Several nodes that find one another; each may be stopped, killed, frozen and started like a single one."""

    def __init__(
        self, folder: Path | str, nodes: int = 3, *, heap: int = 256, settings: dict[str, str] | None = None
    ) -> None:
        folder = Path(folder).absolute()
        ports = [free_port() for _ in range(nodes)]
        shared = {
            "cluster.name": f"market-{ports[0]}",
            "discovery.seed_hosts": ",".join(f"127.0.0.1:{port}" for port in ports),
            **(settings or {}),
        }
        names = [f"node-{number}" for number in range(1, nodes + 1)]
        self.nodes = [
            Elasticsearch(folder / name, heap=heap, transport_port=port, settings={**shared, "node.name": name})
            for name, port in zip(names, ports, strict=True)
        ]
        for node in self.nodes:
            if not node.was_used:
                # Only when the cluster is founded: a later start with it could found a second one.
                node.settings["cluster.initial_master_nodes"] = ",".join(names)

    @property
    def url(self) -> str:
        """All addresses, joined by commas, as SEARCH_URL takes them."""
        return ",".join(node.url for node in self.nodes)

    def start(self) -> Self:
        """Start those that do not run, and wait until all are one cluster; raises StartFailed."""
        waiting = [node for node in self.nodes if not node.is_running]
        try:
            for node in waiting:
                node.launch()
            for node in waiting:
                node.wait()
                node.settings.pop("cluster.initial_master_nodes", None)
            self.wait_for(len(self.nodes))
        except BaseException:
            self.stop()
            raise
        return self

    def health(self, timeout: float = 2.0) -> dict:
        """The cluster's health as the first node that answers tells it; raises StartFailed when none does."""
        for node in self.nodes:
            if node.is_running:
                with contextlib.suppress(OSError, ValueError):
                    return node.get("/_cluster/health", timeout)
        raise StartFailed("集群中没有一个节点应答。")

    def wait_for(self, nodes: int, status: str = "", seconds: float = 60.0) -> float:
        """Wait until it has that many nodes (and that status, such as "green"); gives the seconds it took."""
        began = time.monotonic()
        seen: dict = {}
        while time.monotonic() - began < seconds:
            with contextlib.suppress(StartFailed):
                seen = self.health()
                if seen["number_of_nodes"] == nodes and status in ("", seen["status"]):
                    return time.monotonic() - began
            time.sleep(0.1)
        raise StartFailed(f"集群在 {seconds:.0f} 秒内没有达到 {nodes} 个节点 {status}，最后是 {seen}")

    def master(self) -> Elasticsearch:
        """The node that leads now; raises StartFailed when none answers."""
        for node in self.nodes:
            if node.is_running:
                with contextlib.suppress(OSError, ValueError):
                    state = node.get("/_cluster/state/master_node,nodes")
                    name = state["nodes"][state["master_node"]]["name"]
                    return next(one for one in self.nodes if one.settings["node.name"] == name)
        raise StartFailed("集群中没有主节点。")

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def __enter__(self) -> Self:
        Elasticsearch.install()
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()
