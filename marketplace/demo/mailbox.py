"""The demo's mails, read back from the files that the file backend writes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

# Django writes this line after each message of a file.
END = b"-" * 79
NEWEST = 60


@dataclass(frozen=True)
class Mail:
    at: dt.datetime | None
    to: str
    subject: str
    body: str


def newest(recipient: str = "") -> list[Mail]:
    """The newest mails, latest first, of one recipient where given; a file that cannot be read is passed over."""
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", "") or settings.DATA_DIR / "mail")
    if not folder.is_dir():
        return []
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    found: list[Mail] = []
    for path in files:
        for raw in reversed(path.read_bytes().split(END)):
            mail = _parse(raw.strip())
            if mail is not None and recipient.lower() in mail.to.lower():
                found.append(mail)
        if len(found) >= NEWEST:
            break
    return found[:NEWEST]


def _parse(raw: bytes) -> Mail | None:
    if not raw:
        return None
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("plain",))
    return Mail(
        _moment(message["Date"]),
        str(message["To"] or ""),
        str(message["Subject"] or ""),
        body.get_content() if body else "",
    )


def _moment(text: str | None) -> dt.datetime | None:
    try:
        at = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    # Django writes "-0000", which is read as a time without a zone: it is UTC.
    return timezone.localtime(at if at.tzinfo else at.replace(tzinfo=dt.UTC)) if at else None
