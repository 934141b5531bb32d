"""Markets in folders of their own, for what only the real command line shows."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.conftest import ROOT, _template


class Market:
    """A DATA_DIR with a migrated database, and the commands run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def database(self) -> Path:
        return self.folder / "market.sqlite3"

    def migrated(self) -> Market:
        shutil.copy(_template(), self.database)
        return self

    def run(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """manage.py in this market; environment variables of a real one do not reach it."""
        ours = {"PATH": os.environ["PATH"], "DATA_DIR": str(self.folder), "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *map(str, arguments)],
            env={**ours, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def sql(self, text: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect(self.database)) as database, database:
            return database.execute(text, values).fetchall()

    def add_person(self, email: str) -> None:
        self.sql(
            "INSERT INTO accounts_user (password, is_superuser, email, name, phone, is_active, date_joined) "
            "VALUES ('!', 0, ?, '某人', '', 1, '2026-01-01')",
            email,
        )

    def people(self) -> list[str]:
        return [row[0] for row in self.sql("SELECT email FROM accounts_user ORDER BY email")]

    def state(self) -> dict[str, bytes | list[tuple]]:
        """Everything that a person would miss: the rows of every table, and the files."""
        found: dict[str, bytes | list[tuple]] = {}
        for (table,) in self.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"):
            found[table] = sorted(self.sql(f'SELECT * FROM "{table}"'), key=repr)
        for name in ("media", "private"):
            for path in (self.folder / name).rglob("*"):
                if path.is_file():
                    found[str(path.relative_to(self.folder))] = path.read_bytes()
        return found
