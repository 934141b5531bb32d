"""What is held about one person, in one structure that another program can read."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from wagtail.models import ModelLogEntry

from .models import User


def of(user: User) -> dict[str, Any]:
    """Profile, organisations, consents, notices and acts of this person; of others only names that stand in them."""
    return {
        "exported_at": timezone.localtime().isoformat(timespec="seconds"),
        "profile": {
            "name": user.name,
            "email": user.email,
            "phone": user.phone,
            "registered_at": _moment(user.date_joined),
            "last_login": _moment(user.last_login),
            "platform_roles": sorted(user.group_names),
        },
        "organizations": [
            {
                "number": m.organization.number,
                "name": m.organization.name,
                "role": m.get_role_display(),
                "state": m.get_state_display(),
                "since": _moment(m.state_since),
            }
            for m in user.memberships.select_related("organization").order_by("pk")
        ],
        "verification_requests": [
            {
                "organization": v.organization.name,
                "credit_code": v.credit_code,
                "state": v.get_state_display(),
                "asked_at": _moment(v.created_at),
                "file": v.evidence_name,
            }
            for v in user.verifications.select_related("organization").order_by("pk")
        ],
        "consents": [
            {
                "text": c.text.title,
                "version": c.text.version,
                "given_at": _moment(c.given_at),
                "withdrawn_at": _moment(c.withdrawn_at),
            }
            for c in user.consents.select_related("text").order_by("pk")
        ],
        "notices": [
            {"at": _moment(n.created_at), "title": n.title, "text": n.text, "read_at": _moment(n.read_at)}
            for n in user.notices.order_by("pk")
        ],
        "acts": [
            {"at": _moment(e.timestamp), "act": e.message, "record": e.label}
            for e in ModelLogEntry.objects.filter(user=user).order_by("timestamp", "pk")
        ],
    }


def _moment(value: Any) -> str | None:
    return timezone.localtime(value).isoformat(timespec="seconds") if value else None
