"""Who else may see a listing whose text is not public, and who did."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class AccessGrantQuerySet(models.QuerySet["AccessGrant"]):
    def active(self, on=None) -> AccessGrantQuerySet:  # type: ignore[no-untyped-def]
        """Grants in force on a local date (default today)."""
        day = on or timezone.localdate()
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day)


class AccessGrant(models.Model):
    """Written downward by deals (an accepted inquiry, an NDA) and agencies (a mandate); read by `.visible_to`."""

    record = models.ForeignKey("cms.ListingRecord", models.CASCADE, related_name="grants")
    organization = models.ForeignKey("accounts.Organization", models.CASCADE, null=True, blank=True, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    starts_on = models.DateField("自", default=timezone.localdate)
    ends_on = models.DateField("至", null=True, blank=True)
    reason = models.CharField("依据", max_length=120)

    objects = AccessGrantQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "查看授权"
        constraints = [
            models.CheckConstraint(
                condition=Q(organization__isnull=False) ^ Q(user__isnull=False), name="grant_names_one_grantee"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=models.F("starts_on")), name="grant_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} → {self.organization or self.user}"


class AccessLog(models.Model):
    """One view of a text that is not public: every look at L1 and above is written down."""

    record = models.ForeignKey("cms.ListingRecord", models.CASCADE, related_name="access_log")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    on_behalf_of = models.ForeignKey("accounts.Organization", models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "查看记录"


def log_view(record, user, organization=None) -> AccessLog | None:  # type: ignore[no-untyped-def]
    """Write down that this person saw the restricted text of a record, acting for an organisation or for himself.

    Called by the view that shows it, for L1 and above; one row a person, organisation and hour, as a page that is
    loaded again tells nothing new. Nothing is written for visitors: they see no such text.
    """
    if not getattr(user, "is_authenticated", False):
        return None
    since = timezone.now() - dt.timedelta(hours=1)
    if AccessLog.objects.filter(record=record, user=user, on_behalf_of=organization, at__gte=since).exists():
        return None
    return AccessLog.objects.create(record=record, user=user, on_behalf_of=organization)
