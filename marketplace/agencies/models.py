"""Technology brokers (技术经理人) and the mandates under which they act."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from cms.numbers import NumberField


class BrokerQuerySet(models.QuerySet["Broker"]):
    def active(self) -> BrokerQuerySet:
        return self.filter(is_active=True).filter(
            Q(valid_until__isnull=True) | Q(valid_until__gte=timezone.localdate())
        )


class Broker(models.Model):
    """A person registered as technology broker, with the agency he works for."""

    LEVELS = [("junior", "初级技术经纪人"), ("middle", "中级技术经纪人"), ("senior", "高级技术经理人")]

    number = NumberField("编号", prefix="JJ")
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="broker", verbose_name="用户")
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, null=True, blank=True, related_name="brokers", verbose_name="所在机构"
    )
    level = models.CharField("等级", max_length=8, choices=LEVELS, default="junior")
    certificate_number = models.CharField("证书编号", max_length=60, blank=True)
    fields = models.CharField("擅长领域", max_length=200, blank=True)
    introduction = models.TextField("简介", max_length=2000, blank=True)
    valid_until = models.DateField("资质有效期至", null=True, blank=True)
    is_active = models.BooleanField("在册", default=True)

    objects = BrokerQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "技术经理人"

    def __str__(self) -> str:
        return self.user.name

    @property
    def is_current(self) -> bool:
        return self.is_active and (self.valid_until is None or self.valid_until >= timezone.localdate())


class MandateQuerySet(models.QuerySet["Mandate"]):
    def in_force(self, on: Any = None) -> MandateQuerySet:
        """Mandates that hold on a local date (default today): accepted, begun, not ended, not revoked."""
        day = on or timezone.localdate()
        return self.filter(
            Q(revoked_on__isnull=True) | Q(revoked_on__gt=day),
            accepted_at__isnull=False,
            starts_on__lte=day,
            ends_on__gte=day,
        )

    def covering(self, record: Any) -> MandateQuerySet:
        """Mandates of a listing's owner that name the listing or all of them."""
        return self.filter(Q(record=record) | Q(record__isnull=True), client=record.owner_id)

    def visible_to(self, user: Any) -> MandateQuerySet:
        """Broker and client; the administrator."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_administrator:
            return self
        return self.filter(Q(broker__user=user) | Q(client__in=user.organization_ids()))


class Mandate(models.Model):
    """委托: a client lets a broker act for one listing (or for all it has), from a day to a day, for a fee agreed."""

    broker = models.ForeignKey(Broker, models.PROTECT, related_name="mandates")
    client = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="mandates")
    record = models.ForeignKey("cms.ListingRecord", models.PROTECT, null=True, blank=True, related_name="mandates")
    starts_on = models.DateField("自", default=timezone.localdate)
    ends_on = models.DateField("至")
    commission = models.CharField("佣金约定", max_length=200, blank=True)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField("接受时间", null=True, blank=True)
    revoked_on = models.DateField("终止日期", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MandateQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "委托"
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="mandate_ends_after_start")
        ]

    def __str__(self) -> str:
        return f"{self.client} → {self.broker}"

    @property
    def state(self) -> str:
        """offered, waiting (accepted, not begun), in_force, ended or revoked: read off the dates, never kept."""
        day = timezone.localdate()
        if self.revoked_on is not None and self.revoked_on <= day:
            return "revoked"
        if day > self.ends_on:
            return "ended"
        if self.accepted_at is None:
            return "offered"
        return "in_force" if self.starts_on <= day else "waiting"

    def covers(self, record: Any) -> bool:
        """True where this listing of the client, or all it has, is meant; for None only a general mandate."""
        return self.record_id is None or (record is not None and record.pk == self.record_id)

    def is_in_force(self, on: Any = None) -> bool:
        day = on or timezone.localdate()
        return (
            self.accepted_at is not None
            and self.starts_on <= day <= self.ends_on
            and (self.revoked_on is None or day < self.revoked_on)
        )
