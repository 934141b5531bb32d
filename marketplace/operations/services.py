"""Reports: anyone says what is wrong, a moderator answers once."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cms.models import ListingRecord, listing_model
from marketplace import workflow
from marketplace.accounts.models import Organization
from marketplace.notifications.services import notify

from .models import Report


def title_of(number: str, *, user: Any) -> str:
    """What a number names, as far as this person may see it; nothing for an unknown or a hidden one."""
    record = ListingRecord.objects.filter(number=number).first()
    if record is not None:
        listing = listing_model(record.kind).objects.visible_to(user).filter(record=record).first()
        return listing.title if listing is not None else ""
    organization = Organization.objects.visible_to(user).filter(number=number).first()
    return organization.name if organization is not None else ""


@transaction.atomic
def report(*, about: str, kind: str, text: str, contact: str = "", by: Any = None) -> Report:
    """Keep what somebody says about a page. The same words about the same thing again give back the open row."""
    person = by if by is not None and by.is_authenticated else None
    known = Report.objects.filter(about=about, kind=kind, text=text, by=person, state="open").first()
    if known is not None:
        return known
    made = Report.objects.create(
        about=about,
        about_title=title_of(about, user=by)[:200] if by is not None else "",
        kind=kind,
        text=text,
        contact=contact,
        by=person,
        state="open",
    )
    workflow.record_act(made, "report.new", by=person)
    return made


@transaction.atomic
def handle(record: Report, *, by: Any, answer: str) -> None:
    """Close a report with what was done. Raises MoveNotAllowed or Conflict."""
    _close(record, "handle", by=by, answer=answer)


@transaction.atomic
def dismiss(record: Report, *, by: Any, answer: str) -> None:
    """Close a report without doing anything, with the reason. Raises MoveNotAllowed or Conflict."""
    _close(record, "dismiss", by=by, answer=answer)


def _close(record: Report, move: str, *, by: Any, answer: str) -> None:
    if not answer.strip():
        raise workflow.MoveNotAllowed(_("请写明处理结果或不予处理的理由。"))
    record.move(move, by=by, answer=answer.strip(), handled_by=by)
    notify([record.by], "operations/notices/report_closed", dedupe=f"report-{record.pk}", context={"report": record})
