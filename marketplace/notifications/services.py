"""Tell people: a row now, in the caller's transaction; a mail after commit (`sending`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation

from . import tasks
from .models import Notice
from .sending import send_waiting


def notify(
    people: Iterable[Any],
    template: str,
    *,
    dedupe: str,
    url: str = "",
    mail: bool = True,
    context: dict[str, Any] | None = None,
) -> list[Notice]:
    """Write one notice to each person and give back the new rows; who already has one with this `dedupe` gets none.

    `template` is "deals/notices/accepted": the title is rendered from `<template>_subject.txt`, the text from
    `<template>.txt`, in Chinese and without HTML escaping, with `context` and `recipient`. `url` is the path on this
    site that the notice opens. Mails leave after the caller's transaction, never inside it (SMTP would hold SQLite's
    write lock). People who are None or may not sign in are left out. Raises TemplateDoesNotExist for a wrong name.
    """
    wanted = {person.pk: person for person in people if person is not None and person.is_active}
    known = Notice.objects.filter(recipient__in=wanted, dedupe_key=dedupe).values_list("recipient_id", flat=True)
    for pk in list(known):
        wanted.pop(pk)
    if not wanted:
        return []
    fresh = [_row(person, template, dedupe, url, mail, context or {}) for person in wanted.values()]
    # Two acts at once may tell the same thing: the unique constraint keeps one, and nobody's act fails for it.
    Notice.objects.bulk_create(fresh, ignore_conflicts=True)
    rows = list(Notice.objects.filter(recipient__in=wanted, dedupe_key=dedupe).select_related("recipient"))
    waiting = [row.pk for row in rows if row.mail_state == "pending"]
    if waiting:
        transaction.on_commit(lambda: tasks.mail.hint(otherwise=lambda: send_waiting(only=waiting)), robust=True)
    return rows


def _row(person: Any, template: str, dedupe: str, url: str, mail: bool, context: dict[str, Any]) -> Notice:
    with translation.override(settings.LANGUAGE_CODE):
        values = {**context, "recipient": person, "url": url, "site_name": settings.WAGTAIL_SITE_NAME}
        title, text = (
            # The engine's own template object takes an unescaped context: these are plain texts, & stays &.
            get_template(name).template.render(Context(values, autoescape=False))
            for name in (f"{template}_subject.txt", f"{template}.txt")
        )
    return Notice(
        recipient=person,
        kind=template[:60],
        # One line: a line break in a subject would be a second mail header.
        title=" ".join(title.split())[:200],
        text=text.strip(),
        url=url[:300],
        dedupe_key=dedupe[:160],
        mail_state="pending" if mail and person.email else "none",
    )


@transaction.atomic
def mark_read(*, user: Any, pks: Iterable[int] | None = None) -> int:
    """Mark this person's unread notices (all, or the given ones) as read; how many changed."""
    rows = Notice.objects.filter(recipient=user, read_at__isnull=True)
    if pks is not None:
        rows = rows.filter(pk__in=list(pks))
    return rows.update(read_at=timezone.now())


@transaction.atomic
def mark_unread(*, user: Any, pk: int) -> int:
    """Take a notice back to the unread ones; 0 where it is not his."""
    return Notice.objects.filter(recipient=user, pk=pk).update(read_at=None)
