"""`./run check`: all that can be said of the code without running it; every check runs, also after one failed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# A production start with nothing real in it: what the deployment check is asked about.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "marketplace.settings.production",
    "SITE_URL": "https://market.example.org",
    "DATABASE_URL": "postgres://market:market@127.0.0.1/market",
    "EMAIL_URL": "smtp://market:market@127.0.0.1:587",
    "ALLOWED_HOSTS": "market.example.org",
    "TRUSTED_PROXIES": "1",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "DEMO": "0",
}
BASE = {"DJANGO_SETTINGS_MODULE": "marketplace.settings.base"}


@dataclass(frozen=True)
class Check:
    """One check: its name, the command and what its environment has besides ours."""

    name: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


def _manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "manage.py", *arguments)


def checks() -> list[Check]:
    """In the order of printing; the slow one first, so that the others run beside it."""
    return [
        Check("types (mypy)", (str(BIN / "mypy"),)),
        Check("lint (ruff)", (str(BIN / "ruff"), "check")),
        Check("format (ruff)", (str(BIN / "ruff"), "format", "--check")),
        Check("import contract", (str(BIN / "lint-imports"),)),
        Check("migrations", _manage("makemigrations", "--check", "--dry-run"), tuple(BASE.items())),
        Check("system check", _manage("check", "--fail-level", "WARNING"), tuple(BASE.items())),
        Check(
            "deployment check",
            _manage("check", "--deploy", "--fail-level", "WARNING", "--tag", "security"),
            tuple(PRODUCTION.items()),
        ),
        Check("templates (djlint)", (str(BIN / "djlint"), "--lint", "--quiet", "templates")),
        Check("compiled catalogues", _manage("catalogues"), tuple(BASE.items())),
        Check("locks", (sys.executable, "-m", "tests.lock", "--check")),
    ]


def run(check: Check, folder: str) -> tuple[Check, int, str, float]:
    """Run one check in a scratch DATA_DIR; its exit code, output and seconds."""
    began = time.monotonic()
    environment = {**os.environ, "DATA_DIR": folder, **dict(check.environment)}
    done = subprocess.run(check.command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return check, done.returncode, (done.stdout + done.stderr).strip(), time.monotonic() - began


def main() -> int:
    """Run all on two cores, print one line each and what failed in full; 1 where something failed."""

    failed = []
    with tempfile.TemporaryDirectory(prefix="market-check-") as folder, ThreadPoolExecutor(2) as pool:
        for check, code, output, seconds in pool.map(lambda c: run(c, folder), checks()):
            sys.stdout.write(f"{'ok    ' if code == 0 else 'FAILED'} {check.name} ({seconds:.1f} s)\n")
            if code:
                failed.append(check.name)
                sys.stdout.write("    " + output.replace("\n", "\n    ") + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"check: {'all passed' if not failed else 'failed: ' + ', '.join(failed)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
