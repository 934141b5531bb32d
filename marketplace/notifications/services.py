"""Tell people: a row now, in the caller's transaction; a mail after commit, tried again by the clock until it left."""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from .models import Notice

log = logging.getLogger(__name__)

# After a failure the next try is this many minutes later; after the last one the mail is given up and staff see it.
WAITS = (1, 5, 30, 120, 720)
# A process that died while sending leaves its claim; others may take the mail over after this many minutes.
CLAIM_MINUTES = 5


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
        transaction.on_commit(lambda: send_waiting(only=waiting), robust=True)
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


def send_waiting(*, only: list[int] | None = None, limit: int = 200) -> dict[str, int]:
    """Send the mails that are due (of `only` these notices where given): {"mails", "failed"}, for the clock's report.

    Each is claimed by compare-and-set before it is sent. The first failure of the connection ends the round: a dead
    mail server must not cost a row of time-outs; the rest stays due.
    """
    rows = Notice.objects.filter(mail_state="pending", mail_after__lte=timezone.now(), recipient__is_active=True)
    if only is not None:
        rows = rows.filter(pk__in=only)
    done = {"mails": 0, "failed": 0}
    for notice in rows.select_related("recipient").order_by("pk")[:limit]:
        if not _claim(notice):
            continue
        error = _send(notice)
        if not error:
            Notice.objects.filter(pk=notice.pk).update(mail_state="sent", mail_error="")
            done["mails"] += 1
            continue
        done["failed"] += 1
        _put_off(notice, error)
        break
    return done


def _claim(notice: Notice) -> bool:
    until = timezone.now() + dt.timedelta(minutes=CLAIM_MINUTES)
    return bool(
        Notice.objects.filter(pk=notice.pk, mail_state="pending", mail_tries=notice.mail_tries).update(
            mail_tries=F("mail_tries") + 1, mail_after=until
        )
    )


def _send(notice: Notice) -> str:
    """Send one mail; the error's text, or nothing."""
    body = get_template("notifications/mail.txt").template.render(
        Context(
            {
                "notice": notice,
                "site_name": settings.WAGTAIL_SITE_NAME,
                "address": f"{settings.SITE_URL}{notice.url}" if notice.url else "",
                "inbox": f"{settings.SITE_URL}/notices/",
            },
            autoescape=False,
        )
    )
    try:
        EmailMessage(
            subject=_("【%(site)s】%(title)s") % {"site": settings.WAGTAIL_SITE_NAME, "title": notice.title},
            body=body,
            to=[notice.recipient.email],
            connection=get_connection(),
        ).send()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        log.warning("mail of notice %s failed: %s", notice.pk, error)
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def _put_off(notice: Notice, error: str) -> None:
    tries = notice.mail_tries + 1
    given_up = tries > len(WAITS)
    wait = WAITS[min(tries, len(WAITS)) - 1]
    Notice.objects.filter(pk=notice.pk).update(
        mail_state="failed" if given_up else "pending",
        mail_error=error,
        mail_after=timezone.now() + dt.timedelta(minutes=wait),
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
