"""What the database itself refuses, on SQLite and PostgreSQL alike: edits of append-only rows, moves outside a flow.

Triggers are installed after every migrate, not by a migration: on SQLite any AlterField rebuilds its table and silently
drops the triggers, and a flow's table may change without a migration. `missing()` says at start what is not in place.
Each app registers its guards from `AppConfig.ready()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connections, models

from .workflow import Flow

_registered: list[Guard] = []


@dataclass(frozen=True)
class Guard:
    """One protected table: `name` starts its triggers' names."""

    model: type[models.Model]
    name: str

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    def sqlite(self) -> dict[str, str]:
        raise NotImplementedError(f"{type(self).__name__} writes its own SQLite triggers")

    def postgresql(self) -> dict[str, tuple[str, str]]:
        raise NotImplementedError(f"{type(self).__name__} writes its own PostgreSQL triggers")


class AppendOnly(Guard):
    """Rows are added, never changed or removed (also not by INSERT OR REPLACE, nor by TRUNCATE)."""

    def sqlite(self) -> dict[str, str]:
        say = f"SELECT RAISE(ABORT, '{self.name}: rows are never changed or removed')"
        return {
            f"{self.name}_no_update": f'BEFORE UPDATE ON "{self.table}" BEGIN {say}; END',
            f"{self.name}_no_delete": f'BEFORE DELETE ON "{self.table}" BEGIN {say}; END',
            # INSERT OR REPLACE removes the old row without firing delete triggers.
            f"{self.name}_no_replace": f'BEFORE INSERT ON "{self.table}" WHEN EXISTS '
            f'(SELECT 1 FROM "{self.table}" WHERE id = NEW.id) BEGIN {say}; END',
        }

    def postgresql(self) -> dict[str, tuple[str, str]]:
        body = (
            f"RAISE EXCEPTION '{self.name}: rows are never changed or removed' "
            "USING ERRCODE = 'integrity_constraint_violation';"
        )
        return {
            f"{self.name}_no_change": (f'BEFORE UPDATE OR DELETE ON "{self.table}" FOR EACH ROW', body),
            f"{self.name}_no_truncate": (f'BEFORE TRUNCATE ON "{self.table}" FOR EACH STATEMENT', body),
        }


@dataclass(frozen=True)
class Frozen(Guard):
    """Columns that no UPDATE may change once a condition on the old row holds (SQL over OLD, without user text).

    `held`: where the condition asks another table, a PostgreSQL query whose rows are locked first, so that nobody
    changes the answer meanwhile (SQLite has one writer).
    """

    columns: tuple[str, ...] = ()
    when: str = "1=1"
    held: str = ""

    def _condition(self, differs: str) -> str:
        changed = " OR ".join(f'OLD."{c}" {differs} NEW."{c}"' for c in self.columns)
        return f"({self.when}) AND ({changed})"

    def sqlite(self) -> dict[str, str]:
        return {
            f"{self.name}_frozen": f'BEFORE UPDATE ON "{self.table}" WHEN {self._condition("IS NOT")} '
            f"BEGIN SELECT RAISE(ABORT, '{self.name}: a frozen column was changed'); END"
        }

    def postgresql(self) -> dict[str, tuple[str, str]]:
        body = (f"PERFORM {self.held} FOR SHARE; " if self.held else "") + (
            f"IF {self._condition('IS DISTINCT FROM')} THEN RAISE EXCEPTION '{self.name}: a frozen column was changed' "
            "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW;"
        )
        return {f"{self.name}_frozen": (f'BEFORE UPDATE ON "{self.table}" FOR EACH ROW', body)}


@dataclass(frozen=True)
class FlowGuard(Guard):
    """A state may change only along the pairs of its flow, and a row may begin only in the flow's initial states."""

    flow: Flow | None = None

    def _pairs(self) -> str:
        assert self.flow is not None
        return ", ".join(f"'{a}>{b}'" for a, b in sorted(self.flow.pairs()))

    def _initial(self) -> str:
        assert self.flow is not None
        return ", ".join(f"'{state}'" for state in self.flow.initial)

    def sqlite(self) -> dict[str, str]:
        triggers = {
            f"{self.name}_moves": f'BEFORE UPDATE OF state ON "{self.table}" WHEN OLD.state <> NEW.state AND '
            f"(OLD.state || '>' || NEW.state) NOT IN ({self._pairs()}) "
            f"BEGIN SELECT RAISE(ABORT, '{self.name}: no such move'); END"
        }
        if self._initial():
            triggers[f"{self.name}_starts"] = (
                f'BEFORE INSERT ON "{self.table}" WHEN NEW.state NOT IN ({self._initial()}) '
                f"BEGIN SELECT RAISE(ABORT, '{self.name}: no such first state'); END"
            )
        return triggers

    def postgresql(self) -> dict[str, tuple[str, str]]:
        code = "USING ERRCODE = 'integrity_constraint_violation'"
        triggers = {
            f"{self.name}_moves": (
                f'BEFORE UPDATE ON "{self.table}" FOR EACH ROW',
                f"IF OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ({self._pairs()}) THEN "
                f"RAISE EXCEPTION '{self.name}: no such move' {code}; END IF; RETURN NEW;",
            )
        }
        if self._initial():
            triggers[f"{self.name}_starts"] = (
                f'BEFORE INSERT ON "{self.table}" FOR EACH ROW',
                f"IF NEW.state NOT IN ({self._initial()}) THEN "
                f"RAISE EXCEPTION '{self.name}: no such first state' {code}; END IF; RETURN NEW;",
            )
        return triggers


def register(*guards: Guard) -> None:
    """Add guards; called once an app from its `ready()`."""
    known = {guard.name for guard in _registered}
    _registered.extend(guard for guard in guards if guard.name not in known)


def registered() -> tuple[Guard, ...]:
    return tuple(_registered)


def install(using: str = "default", only: Iterable[Guard] | None = None) -> None:
    """Put every guard whose table exists into the database, replacing older text of the same name."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for guard in only if only is not None else _registered:
            if guard.table not in tables:
                continue
            if connection.vendor == "sqlite":
                for name, text in guard.sqlite().items():
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
                    cursor.execute(f'CREATE TRIGGER "{name}" {text}')
            else:
                for name, (timing, body) in guard.postgresql().items():
                    cursor.execute(
                        f'CREATE OR REPLACE FUNCTION "{name}_fn"() RETURNS trigger AS $guard$ '
                        f"BEGIN {body} END $guard$ LANGUAGE plpgsql".replace("%", "%%")
                    )
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}" ON "{guard.table}"')
                    cursor.execute(f'CREATE TRIGGER "{name}" {timing} EXECUTE FUNCTION "{name}_fn"()')


def remove(using: str = "default", only: Iterable[Guard] | None = None, *, trigger: str = "") -> None:
    """Take guards away (`trigger`: that one alone), for tests and negative controls. Production never calls it."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for guard in only if only is not None else _registered:
            names = guard.sqlite() if connection.vendor == "sqlite" else guard.postgresql()
            for name in names:
                if trigger and name != trigger:
                    continue
                on = "" if connection.vendor == "sqlite" else f' ON "{guard.table}"'
                cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"{on}')


def missing(using: str = "default") -> list[str]:
    """Names of triggers that should be in the database and are not."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        present = {row[0] for row in cursor.fetchall()}
    wanted = [n for g in _registered for n in (g.sqlite() if connection.vendor == "sqlite" else g.postgresql())]
    return [name for name in wanted if name not in present]


def install_after_migrate(using: str, **kwargs: object) -> None:
    """Receiver of `post_migrate` of the last app: see the module's text for why."""
    install(using)
