"""Mails of notices: claimed one by one, sent outside any transaction, tried again by the clock until they left."""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import F
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone
from django.utils.translation import gettext as _

from .models import Notice

log = logging.getLogger(__name__)

# After a failure the next try is this many minutes later; after the last one the mail is given up and staff see it.
WAITS = (1, 5, 30, 120, 720)
# A process that died while sending leaves its claim; others may take the mail over after this many minutes.
CLAIM_MINUTES = 5
# What a mail server says of one mail. Anything else (no connection, not signed in) it would say of the next one too.
OF_ONE_MAIL = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError, ValueError)


def send_waiting(*, only: list[int] | None = None, limit: int = 200) -> dict[str, int]:
    """Send the mails that are due (of `only` these notices where given): {"mails", "failed"}, for the clock's report.

    Each is claimed by compare-and-set before it is sent. The first failure of the connection ends the round: a dead
    mail server must not cost a row of time-outs; the rest stays due. A mail that only itself is refused stops nobody.
    """
    rows = Notice.objects.filter(mail_state="pending", mail_after__lte=timezone.now(), recipient__is_active=True)
    if only is not None:
        rows = rows.filter(pk__in=only)
    done = {"mails": 0, "failed": 0}
    for notice in rows.select_related("recipient").order_by("pk")[:limit]:
        if not _claim(notice):
            continue
        error = _worn_out(notice) or _send(notice)
        if error is None:
            Notice.objects.filter(pk=notice.pk).update(mail_state="sent", mail_error="")
            done["mails"] += 1
            continue
        done["failed"] += 1
        _put_off(notice, f"{type(error).__name__}: {error}"[:200])
        if isinstance(error, OSError) and not isinstance(error, OF_ONE_MAIL):
            break
    return done


def _worn_out(notice: Notice) -> Exception | None:
    """Claimed again and again without an outcome: what takes its process down each time is not tried for ever."""
    if notice.mail_tries > len(WAITS):
        return RuntimeError("the process ended each time while sending")
    return None


def _claim(notice: Notice) -> bool:
    until = timezone.now() + dt.timedelta(minutes=CLAIM_MINUTES)
    return bool(
        Notice.objects.filter(pk=notice.pk, mail_state="pending", mail_tries=notice.mail_tries).update(
            mail_tries=F("mail_tries") + 1, mail_after=until
        )
    )


def _send(notice: Notice) -> Exception | None:
    """Send one mail; what went wrong, or nothing."""
    try:
        _message(notice).send()
    except Exception as error:
        # Whatever it is, it is this mail's: it is put off with its reason, and the others leave.
        log.warning("mail of notice %s failed: %s", notice.pk, error)
        return error
    return None


def _message(notice: Notice) -> EmailMessage:
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
    return EmailMessage(
        subject=_("【%(site)s】%(title)s") % {"site": settings.WAGTAIL_SITE_NAME, "title": notice.title},
        body=body,
        to=[notice.recipient.email],
        # Always the same: where the process died after the server took the mail, its second copy shows as one.
        headers={"Message-ID": f"<notice-{notice.pk}-{notice.recipient_id}@{urlsplit(settings.SITE_URL).hostname}>"},
        connection=get_connection(),
    )


def _put_off(notice: Notice, error: str) -> None:
    tries = notice.mail_tries + 1
    given_up = tries > len(WAITS)
    wait = WAITS[min(tries, len(WAITS)) - 1]
    Notice.objects.filter(pk=notice.pk).update(
        mail_state="failed" if given_up else "pending",
        mail_error=error,
        mail_after=timezone.now() + dt.timedelta(minutes=wait),
    )
