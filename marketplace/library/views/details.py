"""The page of one listing, its 410 where the owner took it back, and its earlier published versions."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cms import numbers
from cms.models import ListingRecord, listing_model
from cms.models.access import log_view
from marketplace import errors
from marketplace.deals.selectors import may_work_on, public_matches

from .. import details, finding, rows, words
from ..filters import FILTERSETS, findable
from .lists import words_of

SIMILAR = 5


def listing_detail(request: HttpRequest, kind: str, number: str) -> HttpResponse:
    """One listing; 404 for a stranger to what is not public, 410 where it had been public and was taken back."""
    canonical = numbers.normalise(number)
    if canonical is None or not canonical.startswith(ListingRecord.PREFIX[kind]):
        raise Http404
    if canonical != number:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return HttpResponsePermanentRedirect(f"/{kind}s/{canonical}/{query}")
    try:
        reading = details.load(kind, number, request.user, request.GET.get("revision", ""))
    except Http404:
        record = details.gone(kind, number)
        if record is None:
            raise
        return _gone(request, record)
    if reading.is_restricted and reading.may_read:
        log_view(reading.record, request.user, getattr(request, "acting", None))
    return render(request, "library/detail.html", _context(request, reading))


def _context(request: HttpRequest, reading: details.Reading) -> dict[str, Any]:
    shown, record = reading.shown, reading.record
    kind = shown.KIND
    return {
        "nav_current": f"{kind}s",
        "kind": kind,
        "words": words_of(kind),
        "reading": reading,
        "listing": shown,
        "record": record,
        "crumbs": _crumbs(reading),
        "org_items": _org_items(reading),
        "owner_href": _owner_href(reading),
        "state_kind": words.STATE_KINDS.get(record.availability, ""),
        "sections": details.sections(reading),
        "who_may_read": "" if reading.may_read else details.who_may_read(shown),
        "amount": details.amount(reading),
        "conditions": details.conditions(reading),
        "steps": details.state_line(reading) if kind == "demand" and record.first_published_at else [],
        "kpis": _figures(shown.kpis.all()) if kind == "achievement" and reading.may_read else [],
        "targets": _figures(shown.targets.all()) if kind == "demand" and reading.may_read else [],
        "patents": list(shown.patents.all()) if kind == "achievement" and reading.may_read else [],
        "contact": _contact(request, reading),
        "act": _act(reading),
        **_matches(request, reading),
        "printed_at": timezone.now(),
    }


def _figures(rows_: Any) -> list[dict[str, Any]]:
    """Rows of a table of figures, the number apart from the unit that has a column of its own."""

    def grouped(found: re.Match[str]) -> str:
        return f"{int(found[0]):,}"

    return [
        {"row": row, "number": re.sub(r"(?<![.\d])\d{5,}", grouped, row.figure.removesuffix(row.unit).rstrip())}
        for row in rows_
    ]


def _crumbs(reading: details.Reading) -> list[dict[str, str]]:
    kind = reading.shown.KIND
    found = [{"label": words_of(kind)["nav"], "href": f"/{kind}s/"}]
    field = reading.shown.technology_field
    if field is not None:
        found.append({"label": str(field), "href": f"/{kind}s/?technology_field={field.pk}"})
    return [*found, {"label": reading.record.number}]


def _org_items(reading: details.Reading) -> list[str]:
    shown = reading.shown
    items = [shown.region.full_name or shown.region.name if shown.region else "", str(shown.technology_field or "")]
    return [*items, *(f"{key.pk} {key}" for key in list(shown.key_technologies.all())[:2])]


def _owner_href(reading: details.Reading) -> str:
    owner = reading.record.owner
    return owner.get_absolute_url() if owner is not None and not reading.hides_owner else ""


def _contact(request: HttpRequest, reading: details.Reading) -> list[dict[str, str]]:
    """Contacts for signed-in people only, and never those of an anonymous need."""
    shown = reading.shown
    if not request.user.is_authenticated or not reading.may_read or reading.hides_owner:
        return []
    rows_ = [
        (_("联系人"), shown.contact_name),
        (_("电话"), shown.contact_phone),
        (_("邮箱"), shown.contact_email),
    ]
    return [{"label": label, "value": value} for label, value in rows_ if value]


def _matches(request: HttpRequest, reading: details.Reading) -> dict[str, Any]:
    """The ten best public matches of what is public now, and for its owner the way to all of them."""
    kind, record = reading.shown.KIND, reading.record
    if kind not in ("demand", "achievement") or reading.revision or not reading.listing.live:
        return {}
    url = reverse(f"{kind}_matches", args=[record.number]) if may_work_on(record, request.user) else ""
    found: dict[str, Any] = {"matches_url": url, "matches_link": _("查看全部匹配")}
    if reading.listing.disclosure_level != "L3":
        matches = public_matches(record, request.user, limit=10)
        # Before the first comparison there is nothing to say: neither that there are none, nor where they stop.
        if matches.cards or matches.comparison or matches.is_due:
            found["matches"] = matches
    return found


def _act(reading: details.Reading) -> dict[str, str]:
    """The page's first act, or why there is none: {"label", "why"}."""
    record, kind = reading.record, reading.shown.KIND
    if reading.is_own or kind not in ("achievement", "demand"):
        return {"label": "", "why": ""}
    if not reading.listing.live or reading.is_expired:
        return {"label": "", "why": _("这条内容已过有效期，不能再申请对接。")}
    if record.owner_id is None:
        return {"label": "", "why": _("权利人是自然人，本站暂不代为联系。")}
    if record.availability in ("contracted", "transferred", "solved"):
        return {
            "label": "",
            "why": _("这条内容%(state)s，不再接受对接。") % {"state": record.get_availability_display()},
        }
    label = _("申请对接") if kind == "achievement" else _("我能解决，提交响应")
    other = _("成果方") if kind == "achievement" else _("需求方")
    why = _("提交后，%(other)s和经纪人能看到您的单位、联系人和来意，其他人看不到。") % {"other": other}
    return {"label": label, "why": why}


def _gone(request: HttpRequest, record: ListingRecord) -> HttpResponse:
    """410: who took it back, when and why, and what is like it."""
    listing = record.listing
    if record.withdrawn_at:
        day = timezone.localtime(record.withdrawn_at).date().isoformat()
        detail = _("发布方已于 %(day)s 撤回这条内容。") % {"day": day}
    else:
        day = timezone.localtime(record.expired_at).date().isoformat()
        detail = _("这条内容的有效期已过，%(day)s 到期下架。") % {"day": day}
    similar = [rows.row(found) for found in _similar(record.kind, listing, request.user)]
    return errors.page(request, 410, detail, reason=record.withdrawn_reason, similar=similar)


def _similar(kind: str, listing: Any, user: Any) -> list[Any]:
    """Others of the same field, newest first: what the reader may have come for."""
    others = findable(listing_model(kind), user).exclude(pk=listing.pk).exclude(disclosure_level="L3")
    if listing.technology_field_id:
        others = others.filter(technology_field__code__startswith=listing.technology_field_id[:2])
    return list(finding.with_parts(others.order_by("-record__first_published_at"), kind)[:SIMILAR])


KINDS = tuple(FILTERSETS)
