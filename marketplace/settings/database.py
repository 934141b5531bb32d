"""How the market talks to its database: one file of SQLite, or a PostgreSQL server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .environment import env

# SQLite as a server: one writer at a time that waits, a write-ahead log, full sync. With Django's defaults 70 % of
# concurrent transactions failed with "database is locked". IMMEDIATE takes the write lock at BEGIN, hence never
# ATOMIC_REQUESTS and no mail or HTTP inside a transaction.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;PRAGMA busy_timeout=20000;"
    ),
}
# PostgreSQL: seconds that a connection may wait to be made, a statement of a page may run, a row may be waited for, and
# a transaction may lie idle. A row is never held for longer than its transaction writes: who waits ten seconds for one
# waits for something that hangs. Commands (migrate, backup, a rebuild) may run statements of any length.
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
LOCK_SECONDS = 10
IDLE_SECONDS = 300
# Connections are kept between requests by each thread, asked whether they still live before the next one.
KEPT_SECONDS = 600


def databases(folder: Path) -> dict[str, dict[str, Any]]:
    """DATABASES from DATABASE_URL, or the SQLite file in `folder`. MARKET_ROLE=web (set by marketplace.wsgi) bounds
    each statement, too."""
    default: dict[str, Any] = env.db("DATABASE_URL", default=f"sqlite:///{folder / 'market.sqlite3'}")
    if default["ENGINE"].endswith("sqlite3"):
        default["OPTIONS"] = SQLITE_OPTIONS
        return {"default": default}
    default["CONN_MAX_AGE"] = KEPT_SECONDS
    default["CONN_HEALTH_CHECKS"] = True
    given = default.setdefault("OPTIONS", {})
    given.setdefault("connect_timeout", CONNECT_SECONDS)
    # What the address itself says (?options=…) comes last and so prevails.
    given["options"] = f"{_bounds()} {given.get('options', '')}".strip()
    return {"default": default}


def _bounds() -> str:
    bounds = {"lock_timeout": LOCK_SECONDS, "idle_in_transaction_session_timeout": IDLE_SECONDS}
    if os.environ.get("MARKET_ROLE") == "web":
        bounds["statement_timeout"] = STATEMENT_SECONDS
    return " ".join(f"-c {name}={seconds}s" for name, seconds in bounds.items())
