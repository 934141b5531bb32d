"""The stack of compose.yaml on this machine: shipped commands and nginx.conf on real servers, without containers."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from psycopg import sql

from tests.databases import ROOT
from tests.servers import Elasticsearch, Nginx, Postgres, Redis, Server, free_port
from tests.servers.ports import answers as accepts

from .stack import answers, compose, fill, filled, nginx_configuration
from .web_client import WebClient

HOST = "market.example.org"
BIN = Path(sys.executable).parent


class ShippedRedis(Redis):
    """With the command of compose.yaml, password and all."""

    arguments: list[str] = []

    def command(self) -> list[str]:
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        return [*self.arguments, *where]

    def answers(self) -> bool:
        return accepts(self.port)


class ShippedPostgres(Postgres):
    arguments: list[str] = []

    def command(self) -> list[str]:
        return [*super().command(), *self.arguments]


class SiteProcess(Server):
    """web, worker or beat: the service's command in the project's folder."""

    START_SECONDS = 60.0

    def __init__(self, name: str, folder: Path, environment: dict[str, str], grace: float) -> None:
        self.name = name
        super().__init__(folder, int(environment["PORT"]))
        self.environment = environment
        self.STOP_SECONDS = grace

    def command(self) -> list[str]:
        return compose()["services"][self.name]["command"]

    def options(self) -> dict:
        return {"env": self.environment, "cwd": ROOT}

    def answers(self) -> bool:
        # The others have no port; whether they work, their health check tells.
        return self.name != "web" or accepts(self.port)

    def health(self) -> subprocess.CompletedProcess[str]:
        """The container's own health check."""
        command = compose()["services"][self.name]["healthcheck"]["test"][1:]
        return run(command, self.environment)


def run(command: list[str], environment: dict[str, str], seconds: int = 240) -> subprocess.CompletedProcess[str]:
    """A command in the project's folder with exactly this environment."""
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )


class Stack:
    """All services of compose.yaml, in its order; `client()` is somebody outside."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.data.mkdir()
        self.port = free_port()
        self.values = {**answers(), "EMAIL_URL": f"filemail:///{self.data}/mail"}
        self.services = compose()["services"]
        self.closing = ExitStack()
        self.processes: dict[str, SiteProcess] = {}

    def __enter__(self) -> Self:
        try:
            self._start_servers()
            self.prepared = self._prepare()
            for name in ("web", "worker", "beat"):
                grace = float(self.services[name]["stop_grace_period"].rstrip("s"))
                process = SiteProcess(name, self.folder / name, self.environment_of(name), grace)
                self.processes[name] = self.closing.enter_context(process)
            self._start_nginx()
        except BaseException:
            self.closing.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.closing.close()

    def _start_servers(self) -> None:
        self.postgres = ShippedPostgres(self.folder / "postgres")
        self.postgres.arguments = self.services["postgres"]["command"][1:]
        self.redis = ShippedRedis(self.folder / "redis")
        self.redis.arguments = [fill(word, self.values) for word in self.services["redis"]["command"]]
        self.elasticsearch = Elasticsearch(self.folder / "elasticsearch")
        for server in (self.postgres, self.redis, self.elasticsearch):
            self.closing.enter_context(server)
        with self.postgres._connect() as line:
            line.execute(sql.SQL("CREATE ROLE market LOGIN PASSWORD {}").format(self.values["POSTGRES_PASSWORD"]))
            line.execute("CREATE DATABASE market OWNER market")

    @property
    def environment(self) -> dict[str, str]:
        return self.environment_of("web")

    def environment_of(self, name: str) -> dict[str, str]:
        """What compose gives a process of the site, with the addresses of this machine."""
        given = filled(self.services[name]["environment"], self.values)
        places = {
            "@postgres:5432": f"@127.0.0.1:{self.postgres.port}",
            "@redis:6379": f"@127.0.0.1:{self.redis.port}",
            "//elasticsearch:9200": f"//127.0.0.1:{self.elasticsearch.port}",
        }
        for name in ("DATABASE_URL", "REDIS_URL", "SEARCH_URL"):
            for there, here in places.items():
                given[name] = given[name].replace(there, here)
        ours = {"HOST": "127.0.0.1", "PORT": str(self.port), "DATA_DIR": str(self.data)}
        return {**given, **ours, "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"}

    def _prepare(self) -> str:
        """What the image's build collects, then the service `migrate`; what that said."""
        built = self.folder / "built"
        plain = {"PATH": self.environment["PATH"], "DATA_DIR": str(built), "SECRET_KEY": "x" * 50}
        done = run(["python", "manage.py", "collectstatic", "--noinput", "--verbosity", "0"], plain)
        assert done.returncode == 0, done.stderr
        command = self.services["migrate"]["command"]
        done = run(command, {**self.environment, "BUILT_STATIC": str(built / "static")})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _start_nginx(self) -> None:
        folder = self.folder / "nginx"
        (folder / "certs").mkdir(parents=True)
        self.certificate = folder / "certs/fullchain.pem"
        make_certificate(folder / "certs")
        self.http, self.https = free_port(), free_port()
        text = nginx_configuration(folder, http=self.http, https=self.https, site=self.port, data=self.data)
        self.nginx = self.closing.enter_context(Nginx(folder, self.https, configuration=text))

    def client(self) -> WebClient:
        return WebClient(HOST, self.https, self.certificate)

    def manage(self, *words: str) -> str:
        done = run(["python", "manage.py", *words], self.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def make_certificate(folder: Path) -> None:
    """A certificate for the market that signs itself."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"),
            *("-addext", f"subjectAltName=DNS:{HOST}"),
            *("-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
    )
