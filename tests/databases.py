"""A migrated database in a moment: copied from a template that a migrate made once, on SQLite and on PostgreSQL.

Migrating takes 8 s on SQLite and 18 s on PostgreSQL, a copy 0.1 s. The template is keyed by everything that a migrate
writes: a changed migration, code list or guard makes a new one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections
from wagtail.models import Site

ROOT = Path(__file__).resolve().parent.parent


@lru_cache(maxsize=1)
def key() -> str:
    """Changes with everything that a migrate writes."""
    digest = hashlib.sha256((ROOT / "requirements" / "base.txt").read_bytes())
    watched = {
        *ROOT.glob("**/migrations/*.py"),
        *ROOT.glob("*/data/*.json"),
        *ROOT.glob("marketplace/*/data/*.json"),
        *ROOT.glob("marketplace/*/apps.py"),
        *ROOT.glob("marketplace/*/models/*.py"),
        *ROOT.glob("marketplace/*/models.py"),
        ROOT / "marketplace/guards.py",
        ROOT / "marketplace/contracts/children.py",
        ROOT / "marketplace/accounts/roles.py",
        ROOT / "cms/taxonomy.py",
        # Which apps there are.
        ROOT / "marketplace/settings/base.py",
    }
    for path in sorted(p for p in watched if ".venv" not in p.parts and p.is_file()):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def forget_what_was_read() -> None:
    """What Django and Wagtail keep of a database that has just been replaced."""
    ContentType.objects.clear_cache()
    Site.clear_site_root_paths_cache()


# SQLite: a file, copied into the memory of each process


def template_file() -> Path:
    """Where the migrated SQLite file lies (made by the database fixture)."""
    return ROOT / "var" / "test" / f"template-{key()}.sqlite3"


def _make_template_file(template: Path) -> None:
    call_command("migrate", verbosity=0, interactive=False)
    template.parent.mkdir(parents=True, exist_ok=True)
    draft = template.with_suffix(f".{os.getpid()}")
    with closing(sqlite3.connect(draft)) as target:
        connection.connection.backup(target)
    draft.replace(template)
    for old in template.parent.glob("template-*.sqlite3"):
        if old != template:
            old.unlink(missing_ok=True)


def _fill_memory() -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(template_file())) as source:
        source.backup(connection.connection)


# PostgreSQL: a template database, and one for each process of the run


def _server() -> Any:
    """A connection to the server's own database, each statement by itself."""
    about = connection.settings_dict
    return psycopg.connect(
        host=about["HOST"], port=about["PORT"] or 5432, user=about["USER"], password=about["PASSWORD"] or None,
        dbname="postgres", autocommit=True,
    )  # fmt: skip


def _on_server(*statements: str) -> None:
    with _server() as server:
        for statement in statements:
            server.execute(statement)


def _template_name() -> str:
    return f"market_template_{key()}"


def _make_template() -> None:
    """Whichever process comes first migrates; the others wait. Others' templates stay: another run may use them."""
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(hashtext('market templates'))")
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_template_name()]).fetchone():
            return
        draft = f"{_template_name()}_draft"
        server.execute(f'DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{draft}" TEMPLATE template0')
        use(draft)
        call_command("migrate", verbosity=0, interactive=False)
        connection.close()
        server.execute(f'ALTER DATABASE "{draft}" RENAME TO "{_template_name()}"')


# Both


def use(name: str) -> None:
    """Connections that are opened from now on go to the database of this name (a file on SQLite)."""
    connections.close_all()
    connections.settings["default"]["NAME"] = connection.settings_dict["NAME"] = name


@contextmanager
def prepared() -> Iterator[None]:
    """A database for this process of the run, filled from the template; gone at the end."""
    if connection.vendor == "sqlite":
        use(connection.creation._get_test_db_name())
        if not template_file().exists():
            _make_template_file(template_file())
        _fill_memory()
        yield
        return
    _make_template()
    name = run_name(os.environ.get("PYTEST_XDIST_WORKER", "main"))
    copy(name)
    use(name)
    try:
        yield
    finally:
        connections.close_all()
        drop(name)


def refill() -> None:
    """As migrated, after a test that committed: emptying tables would leave neither code lists nor sequences."""
    if connection.vendor == "sqlite":
        _fill_memory()
    else:
        name = connection.settings_dict["NAME"]
        connections.close_all()
        copy(name)
    forget_what_was_read()


@contextmanager
def separate(folder: Path) -> Iterator[str]:
    """Another migrated database, on disk as a site has it, for as long as the block runs; gives its DATABASE_URL."""
    if connection.vendor == "sqlite":
        path = folder / "market.sqlite3"
        shutil.copy(template_file(), path)
        yield f"sqlite:///{path}"
        return
    name = run_name(uuid4().hex[:12])
    copy(name)
    try:
        yield url(name)
    finally:
        drop(name)


def url(name: str) -> str:
    """The DATABASE_URL of a database on the PostgreSQL server of this run."""
    about = connection.settings_dict
    secret = f":{quote(about['PASSWORD'])}" if about["PASSWORD"] else ""
    return f"postgres://{about['USER']}{secret}@{about['HOST']}:{about['PORT'] or 5432}/{name}"


def run_name(what: str) -> str:
    """The name of a PostgreSQL database of this run."""
    return f"market_test_{os.environ['TEST_RUN']}_{what}"


def copy(name: str, template: str = "") -> str:
    """A new PostgreSQL database like another one, or as migrated; its address.

    Nobody may be connected to the other one: who reads it for a moment is waited for.
    """
    template = template or _template_name()
    drop(name)
    for attempt in range(40):
        try:
            _on_server(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            return url(name)
        except psycopg.errors.ObjectInUse:
            if attempt == 39:
                raise
            time.sleep(0.25)
    raise AssertionError


def name_of(address: str) -> str:
    """The NAME that Django knows a database by: its path on SQLite, its name on PostgreSQL."""
    return address.removeprefix("sqlite:///") if address.startswith("sqlite") else address.rsplit("/", 1)[1]


def clear() -> None:
    """Drop what this run made on a PostgreSQL server, if it used one."""
    if connection.vendor != "postgresql":
        return
    with _server() as server:
        like = run_name("").replace("_", "\\_") + "%"
        names = [row[0] for row in server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [like])]
    for name in names:
        drop(name)


def drop(name: str) -> None:
    _on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
