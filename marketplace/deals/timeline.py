"""Who did what in an inquiry and its deal, newest first, as far as this reader may know the names."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.translation import gettext as _
from wagtail.log_actions import registry
from wagtail.models import ModelLogEntry

from .models import DECLINE_REASONS, Deal, Inquiry, Offer


def entries(
    *, inquiry: Inquiry | None = None, deal: Deal | None = None, hides: str = "", hides_sender: bool = False
) -> list[dict[str, Any]]:
    """Variables of components/log.html. hides: the name shown for a receiver whose own must not be known yet.
    hides_sender: the sender's person stays unnamed, whose name is given with the acceptance."""
    wanted: list[tuple[Any, Any]] = [(type(one), one.pk) for one in (inquiry, deal) if one is not None]
    if deal is not None:
        wanted += [(Offer, pk) for pk in deal.offers.values_list("pk", flat=True)]
    if not wanted:
        return []
    about = Q()
    for model, pk in wanted:
        about |= Q(content_type=ContentType.objects.get_for_model(model), object_id=str(pk))
    # A process that has only read so far has not asked the hooks for the acts' names yet.
    registry.scan_for_actions()
    rows = ModelLogEntry.objects.filter(about).select_related("user", "content_type").order_by("-timestamp", "-pk")
    sender = inquiry.from_organization_id if inquiry is not None else None
    found = [_entry(row, hides, sender) for row in rows]
    for entry in found:
        if hides_sender and entry["side"] == sender:
            entry["who"] = _("经办人")
    return found


def _entry(row: ModelLogEntry, hides: str, sender: int | None) -> dict[str, Any]:
    data = row.data or {}
    side = data.get("on_behalf_of") or {}
    through = data.get("through") or {}
    who = str(row.user) if row.user is not None else through.get("name") or _("系统")
    name = side.get("name", "")
    if hides and side and side.get("id") != sender:
        who, name = _("对方"), hides
    return {
        "at": row.timestamp,
        "who": who,
        "what": str(registry.get_action_label(row.action)),
        "for": name,
        "side": side.get("id"),
        "note": " · ".join(part for part in _notes(row, data) if part),
        "action": row.action,
    }


def _notes(row: ModelLogEntry, data: dict[str, Any]) -> list[str]:
    reason = dict(DECLINE_REASONS).get(data.get("reason", ""), "")
    brokers = _("经纪：%(names)s") % {"names": "、".join(data["brokers"])} if data.get("brokers") else ""
    return [reason, data.get("note", ""), data.get("on", ""), data.get("reference", ""), brokers]
