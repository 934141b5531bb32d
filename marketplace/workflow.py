"""The only code that sets a business status.

A flow is a table that one can read at a glance::

    FLOW = Flow("registration", {
        "submit": Move("提交登记", (DRAFT, SUPPLEMENT), SUBMITTED, is_applicant),
        "accept": Move("受理", (SUBMITTED,), ACCEPTED, is_officer),
    })

Buttons (`open_moves`), checks, log labels and the database trigger (`marketplace.guards`) are read from it: they
cannot disagree. A move checks, then changes by compare-and-set on `version`, then logs; the caller holds the
transaction. SQLite ignores `select_for_update` without a word: the version is what stops a race, on both databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from wagtail.log_actions import log


class MoveNotAllowed(Exception):
    """The act does not fit the record's state, the person, or what the record still lacks. Its text is for people."""


class Conflict(MoveNotAllowed):
    """Somebody else changed the record since it was read: shown as 409 with the present state."""

    def __init__(self, record: models.Model, message: str = "") -> None:
        super().__init__(message or _("这条记录刚刚被别人改过，请看过最新状态再办理。"))
        self.record = record


def anyone(record: Any, user: Any) -> bool:
    """For moves that only the system makes (`by=None`): no signed-in person is ever allowed."""
    return False


@dataclass(frozen=True)
class Move:
    """One allowed change of state: its button's label, from which states, to which, and who may make it."""

    label: str
    sources: tuple[str, ...]
    target: str
    allowed: Callable[[Any, Any], bool] = anyone


@dataclass(frozen=True)
class Flow:
    """A named table of moves. `key` prefixes the log actions: `registration.accept`."""

    key: str
    moves: Mapping[str, Move]
    initial: tuple[str, ...] = ()
    extra_pairs: tuple[tuple[str, str], ...] = field(default=())

    def pairs(self) -> set[tuple[str, str]]:
        """Every (from, to) that the table allows: what the database trigger lets pass."""
        return {(s, move.target) for move in self.moves.values() for s in move.sources} | set(self.extra_pairs)

    def register_log_actions(self, actions: Any) -> None:
        """Tell Wagtail's log the labels of these moves; it raises on an action that nobody registered."""
        for name, move in self.moves.items():
            actions.register_action(f"{self.key}.{name}", move.label, move.label)


@dataclass(frozen=True)
class OpenMove:
    """What a template needs of a move that this person may make now."""

    name: str
    label: str
    target: str


class FlowMixin(models.Model):
    """A record with a `state` that only `move` sets, and a `version` that every change raises."""

    FLOW: Flow

    state = models.CharField("状态", max_length=24, editable=False, db_index=True)
    state_since = models.DateTimeField("进入此状态的时间", auto_now_add=True, editable=False)
    version = models.PositiveIntegerField("版本", default=1, editable=False)

    class Meta:
        abstract = True

    def open_moves(self, user: Any) -> list[OpenMove]:
        """The moves that this user may make from the present state, in the table's order."""
        return [
            OpenMove(name, move.label, move.target)
            for name, move in self.FLOW.moves.items()
            if self.state in move.sources and move.allowed(self, user)
        ]

    def may(self, name: str, user: Any) -> bool:
        """True where `move(name, by=user)` would be allowed now."""
        move = self.FLOW.moves[name]
        return self.state in move.sources and move.allowed(self, user)

    def move(
        self, name: str, *, by: Any, on_behalf_of: Any = None, note: str = "", data: dict | None = None, **changes: Any
    ) -> None:
        """Check, change and log in the caller's transaction. `by=None` is the system itself.

        `changes` are further fields set in the same UPDATE. Raises MoveNotAllowed (wrong state or person) and Conflict
        (the row's version is no longer the one that was read); then nothing has changed.
        """
        move = self.FLOW.moves[name]
        if self.state not in move.sources:
            raise MoveNotAllowed(
                _("现在的状态是“%(state)s”，不能%(act)s。") % {"state": self.get_state_display(), "act": move.label}
            )
        if by is not None and not move.allowed(self, by):
            raise MoveNotAllowed(_("您没有“%(act)s”这一步的权限，或不能由您本人办理。") % {"act": move.label})
        before = self.state
        self.change(state=move.target, state_since=_now(), **changes)
        record_act(
            self,
            f"{self.FLOW.key}.{name}",
            by=by,
            on_behalf_of=on_behalf_of,
            note=note,
            data={"from": before, "to": move.target, **(data or {})},
        )

    def change(self, **changes: Any) -> None:
        """Set fields by compare-and-set on `version`, raising it by one; Conflict where another was first."""
        with transaction.atomic():
            done = (
                type(self)
                ._base_manager.filter(pk=self.pk, version=self.version)
                .update(version=F("version") + 1, **changes)
            )
            if not done:
                raise Conflict(self)
        for name, value in changes.items():
            setattr(self, name, value)
        self.version += 1

    def get_state_display(self) -> str:  # replaced by Django where the field has choices
        return str(dict(getattr(self, "STATES", ())).get(self.state, self.state))


def record_act(
    record: models.Model, action: str, *, by: Any, on_behalf_of: Any = None, note: str = "", data: dict | None = None
) -> None:
    """Write one row of Wagtail's log: who did what to which record, for which organisation, with what remark."""
    extra: dict[str, Any] = dict(data or {})
    if on_behalf_of is not None:
        extra["on_behalf_of"] = {"id": on_behalf_of.pk, "name": str(on_behalf_of)}
    if note:
        extra["note"] = note
    log(instance=record, action=action, user=by, data=extra)


def check_version(record: FlowMixin, seen: int | str | None) -> None:
    """Raise Conflict when the form was made from another version than the row has now."""
    if seen is not None and str(seen) != str(record.version):
        raise Conflict(record)


def history(record: models.Model) -> Iterable[Any]:
    """The log rows of one record, newest first, each with its user loaded (`entry.data['on_behalf_of']` if any)."""
    from wagtail.models import ModelLogEntry

    return (
        ModelLogEntry.objects.for_instance(record).select_related("user", "content_type").order_by("-timestamp", "-pk")
    )


def _now() -> Any:
    from django.utils import timezone

    return timezone.now()
