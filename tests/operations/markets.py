"""Markets in folders of their own, for what only the real command line shows.

On SQLite a market's database lies in its folder; where the run has a PostgreSQL server (and an Elasticsearch), each
market has a database and indexes of its own there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connection

from tests import databases
from tests.databases import ROOT


class Market:
    """A DATA_DIR with a migrated database, and the commands run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "market.sqlite3"

    @property
    def name(self) -> str:
        """What this market's database and indexes are called on servers that it shares with others."""
        return databases.run_name(hashlib.sha256(str(self.folder).encode()).hexdigest()[:12])

    @property
    def prefix(self) -> str:
        return self.name.replace("_", "-")

    def migrated(self) -> Market:
        if connection.vendor == "sqlite":
            shutil.copy(databases.template_file(), self.database)
        else:
            databases.copy(self.name)
        return self

    def copied_to(self, folder: Path) -> Market:
        """Another market with the same files and rows; nobody may have this one open for long."""
        shutil.copytree(self.folder, folder)
        other = Market(folder)
        if connection.vendor != "sqlite":
            databases.copy(other.name, self.name)
        return other

    def environment(self, **more: str) -> dict[str, str]:
        """What processes of this market are started with; nothing of a real one reaches them."""
        ours = {"PATH": os.environ["PATH"], "DATA_DIR": str(self.folder), "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"}
        if connection.vendor != "sqlite":
            ours["DATABASE_URL"] = databases.url(self.name)
        if settings.SEARCH_URL != "embedded:":
            ours |= {"SEARCH_URL": settings.SEARCH_URL, "SEARCH_PREFIX": self.prefix}
        return {**ours, **more}

    def run(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """manage.py in this market."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *map(str, arguments)],
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def sql(self, text: str, *values: object) -> list[tuple]:
        """Rows as SQLite gives them (moments and days as text, amounts as numbers); `?` stands for a value."""
        if connection.vendor == "sqlite":
            with closing(sqlite3.connect(self.database)) as database, database:
                return database.execute(text, values).fetchall()
        with psycopg.connect(databases.url(self.name)) as server:
            answer = server.execute(text.replace("%", "%%").replace("?", "%s") if values else text, values or None)
            return [tuple(map(_plain, row)) for row in answer.fetchall()] if answer.description else []

    def add_person(self, email: str) -> None:
        self.sql(
            "INSERT INTO accounts_user (password, is_superuser, email, name, phone, is_active, date_joined) "
            "VALUES ('!', '0', ?, '某人', '', '1', '2026-01-01')",
            email,
        )

    def people(self) -> list[str]:
        return [row[0] for row in self.sql("SELECT email FROM accounts_user ORDER BY email")]

    def tables(self) -> list[str]:
        listed = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            if connection.vendor == "sqlite"
            else "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        )
        return [row[0] for row in self.sql(listed)]

    def state(self) -> dict[str, bytes | list[tuple]]:
        """Everything that a person would miss: the rows of every table, and the files."""
        found: dict[str, bytes | list[tuple]] = {}
        for table in self.tables():
            found[table] = sorted(self.sql(f'SELECT * FROM "{table}"'), key=repr)
        for name in ("media", "private"):
            for path in (self.folder / name).rglob("*"):
                if path.is_file():
                    found[str(path.relative_to(self.folder))] = path.read_bytes()
        return found


def _plain(value: object) -> object:
    """A value of PostgreSQL as Django keeps it in SQLite."""
    match value:
        case bool():
            return int(value)
        case dt.datetime():
            return f"{value.astimezone(dt.UTC).replace(tzinfo=None):%Y-%m-%d %H:%M:%S.%f}"
        case dt.date():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
    return value
