"""A market of its own for a bench: a folder, a migrated database, synthetic listings, an index; gone at the end.

The calling process's settings name some market or none: nothing here touches it. All work is done by child processes
whose environment names the scratch folder alone.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

ENGINES = ("embedded", "elasticsearch")
# Stands in the folder once it is whole: what it was made with. Without it no bench works in a market.
MARKER = "bench.json"
DAY = "2026-01-01"
_TAKEN = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SEARCH_SHARDS", "SEARCH_REPLICAS", "SITE_URL", "ALLOWED_HOSTS")


class NotRun(Exception):
    """The bench could not run; the text is Chinese and says the cure. Exit code 2."""


class Failed(Exception):
    """A child failed: its last lines."""


def is_scratch(folder: Path, scale: int, seed: int) -> bool:
    """True where a market of this scale and seed was made whole."""
    try:
        known = json.loads((folder / MARKER).read_text())
    except (OSError, ValueError):
        return False
    return bool(known == {"scale": scale, "seed": seed})


@contextmanager
def market(*, scale: int, seed: int, engine: str, keep: Path | None) -> Iterator[Market]:
    """A market ready to be measured. `keep`: a folder in which it stays, by scale and seed, for the next bench.

    Raises NotRun where the engine cannot be had, Failed where it could not be filled.
    """
    with ExitStack() as stack:
        if keep is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="market-bench-")))
        else:
            folder = keep.resolve() / f"{scale}-{seed}"
            folder.mkdir(parents=True, exist_ok=True)
        url = "embedded:" if engine == "embedded" else stack.enter_context(_elasticsearch(folder))
        made = Market(folder, url)
        if not is_scratch(folder, scale, seed):
            if any(folder.glob("*.sqlite3")):
                raise NotRun(f"{folder} 里是没有装完的市场。请删掉这个文件夹再试。")
            made.run("migrate", "-v0")
            made.run("load_synthetic", "--listings", str(scale), "--seed", str(seed), "--day", DAY, "--no-index")
            (folder / MARKER).write_text(json.dumps({"scale": scale, "seed": seed}))
        else:
            made.run("migrate", "-v0")
        yield made


@contextmanager
def _elasticsearch(folder: Path) -> Iterator[str]:
    """SEARCH_URL's servers, or one of our own in the folder. Raises NotRun."""
    if settings.SEARCH_URL.rstrip(":") != "embedded":
        yield settings.SEARCH_URL
        return
    # The launchers lie with the tests and are not shipped: nothing of the product may depend on them.
    sys.path.insert(0, str(settings.BASE_DIR))
    try:
        servers = import_module("tests.servers")
    except ImportError as error:
        raise NotRun(
            "没有 Elasticsearch：请设 SEARCH_URL=http://主机:9200，或在带 tests/servers 的源代码里运行。"
        ) from error
    try:
        with servers.Elasticsearch(folder / "elasticsearch") as running:
            yield running.url
    except servers.Unavailable as error:
        raise NotRun(str(error)) from error


class Market:
    """Commands in the scratch market."""

    def __init__(self, folder: Path, search_url: str) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if name not in _TAKEN}
        self.environment = {
            **kept,
            "DJANGO_SETTINGS_MODULE": "marketplace.settings.base",
            "DATA_DIR": str(folder),
            "DEMO": "0",
            "SEARCH_URL": search_url,
            "SEARCH_PREFIX": f"bench-{secrets.token_hex(6)}",
            "SECRET_KEY": secrets.token_urlsafe(48),
        }

    def run(self, *arguments: str) -> str:
        """Run one management command to its end; returns what it printed. Raises Failed."""
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
        with subprocess.Popen(  # noqa: S603 (our own command)
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as child:
            try:
                printed, said = child.communicate()
            except BaseException:
                # Ctrl-C has reached it too; it is not to outlive the folder that it writes into.
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(5)
                except subprocess.TimeoutExpired:
                    child.kill()
                raise
        if child.returncode:
            raise Failed(f"{arguments[0]}: {(said or printed).strip()[-2000:]}")
        return printed

    def measure(self, name: str, **options: Any) -> dict[str, Any]:
        """Measure in a child of its own, so that its memory is the bench's alone."""
        given = [part for key, value in options.items() for part in (f"--{key}", str(value))]
        lines = self.run("bench", name, "--in-place", *given).strip().splitlines()
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer
