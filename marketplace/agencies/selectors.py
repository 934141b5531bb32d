"""Who is a broker, and for whom he may act today. Every act asks again: a mandate ends on its day, by itself."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from cms.models import ListingRecord
from marketplace.accounts.models import Organization
from marketplace.desk import Waiting

from .models import Broker, Mandate, MandateQuerySet


def broker_of(user: Any) -> Broker | None:
    """The broker that this person is registered as, if his registration holds today."""
    if not getattr(user, "is_authenticated", False):
        return None
    return Broker.objects.active().filter(user=user).first()


def mandates_of(user: Any) -> MandateQuerySet:
    """The mandates under which this person may act today, with client and listing."""
    rows = Mandate.objects.select_related("broker__user", "client__region", "record")
    if not getattr(user, "is_authenticated", False):
        return rows.none()
    return rows.in_force().filter(broker__user=user, broker__in=Broker.objects.active()).order_by("ends_on", "pk")


def clients_of(user: Any) -> list[Organization]:
    """The organisations for which this person may act as broker today, each once."""
    return list({mandate.client_id: mandate.client for mandate in mandates_of(user)}.values())


def is_broker_for(user: Any, record: ListingRecord) -> bool:
    """True where this person is the broker, with a mandate in force, of the listing's owner for this listing."""
    return bool(record.owner_id) and mandates_of(user).covering(record).exists()


def in_force_for(record: ListingRecord | None) -> Mandate | None:
    """The mandate that counts for a listing today: one that names it before a general one, then the oldest."""
    if record is None or not record.owner_id:
        return None
    rows = Mandate.objects.in_force().covering(record).filter(broker__in=Broker.objects.active())
    found = list(rows.select_related("broker__user", "client").order_by("accepted_at", "pk"))
    return min(found, key=lambda mandate: mandate.record_id is None, default=None)


def waiting_for(user: Any, acting: Organization | None) -> list[Waiting]:
    """Mandates that a broker has been offered and has not answered."""
    if broker_of(user) is None:
        return []
    today = timezone.localdate()
    rows = Mandate.objects.filter(broker__user=user, revoked_on__isnull=True, ends_on__gte=today)
    return [
        Waiting(
            title=f"答复委托：{mandate.client.label}",
            url="/deals/mandates/",
            detail=mandate.commission,
            group="委托",
            since=timezone.localtime(mandate.created_at).date(),
        )
        for mandate in rows.filter(accepted_at__isnull=True).select_related("client")
    ]
