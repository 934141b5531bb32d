"""What the system decides about a listing, kept apart from the words that people write.

Publishing an older Wagtail revision writes back every field of the listing's row. Whatever must not travel back in time
with it (owner, availability, validity, number, search version) therefore lies here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..numbers import NumberField

if TYPE_CHECKING:
    from .listings import Listing


class Availability(models.TextChoices):
    OPEN = "open", "可对接"
    NEGOTIATING = "negotiating", "洽谈中"
    CONTRACTED = "contracted", "已签约"
    TRANSFERRED = "transferred", "已转让"
    SOLVED = "solved", "已解决"
    SUSPENDED = "suspended", "暂停"


class Source(models.TextChoices):
    OWN = "own", "本站发布"
    IMPORTED = "imported", "批量导入"


class ListingRecord(models.Model):
    """One to one with a listing; everything that points to a listing points here."""

    PREFIX = {"achievement": "CG", "demand": "XQ", "expert": "ZJ", "project": "XM"}

    kind = models.CharField(
        "种类",
        max_length=12,
        choices=[("achievement", "成果"), ("demand", "需求"), ("expert", "专家"), ("project", "项目")],
        editable=False,
    )
    number = NumberField("编号")
    # A natural person who holds a right has no organisation: then `holder_name` says who (imports only).
    owner = models.ForeignKey(
        "accounts.Organization",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="listing_records",
        verbose_name="单位",
    )
    holder_name = models.CharField("权利人（自然人）", max_length=60, blank=True)
    availability = models.CharField(
        "对接状态", max_length=12, choices=Availability.choices, default=Availability.OPEN, editable=False
    )
    availability_reference = models.CharField("状态依据", max_length=40, blank=True, editable=False)
    valid_until = models.DateField("有效期至", null=True, blank=True)
    search_version = models.PositiveBigIntegerField("索引版本", default=1, editable=False)
    source = models.CharField("来源", max_length=8, choices=Source.choices, default=Source.OWN, editable=False)
    external_id = models.CharField("来源编号", max_length=120, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField("建立时间", auto_now_add=True)
    submitted_at = models.DateTimeField("提交时间", null=True, editable=False)
    first_published_at = models.DateTimeField("首次发布", null=True, editable=False)
    changed_at = models.DateTimeField("更新时间", default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField("撤回时间", null=True, editable=False)
    withdrawn_reason = models.CharField("撤回原因", max_length=200, blank=True, editable=False)
    expired_at = models.DateTimeField("到期时间", null=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = "条目"
        # The home page lists the newest of a kind, and the needs that have waited longest.
        indexes = [
            models.Index(fields=["kind", "first_published_at", "availability"], name="record_kind_published_idx")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "kind", "external_id"],
                condition=~Q(external_id="") & Q(owner__isnull=False),
                name="one_listing_per_owner_and_source_id",
            ),
            models.UniqueConstraint(
                fields=["holder_name", "kind", "external_id"],
                condition=~Q(external_id="") & Q(owner__isnull=True),
                name="one_listing_per_holder_and_source_id",
            ),
            models.CheckConstraint(
                condition=Q(owner__isnull=False) | ~Q(holder_name=""), name="listing_has_an_owner_or_a_holder"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return f"/{self.kind}s/{self.number}/"

    @property
    def number_prefix(self) -> str:
        return self.PREFIX[self.kind]

    @property
    def listing(self) -> Listing:
        """The listing's row of words (its live version)."""
        return getattr(self, self.kind)

    @property
    def owner_name(self) -> str:
        return self.owner.name if self.owner else self.holder_name

    def raise_search_version(self) -> None:
        """Count one change, by UPDATE, so that two at once count two; the index refuses older versions."""
        now = timezone.now()
        type(self).objects.filter(pk=self.pk).update(search_version=models.F("search_version") + 1, changed_at=now)
        self.refresh_from_db(fields=["search_version", "changed_at"])

    def is_owned_by(self, user: Any) -> bool:
        """True where this person may act for the owning organisation."""
        return bool(self.owner_id) and self.owner_id in user_organization_ids(user)


def user_organization_ids(user: Any) -> frozenset[int]:
    """The organisations this person may act for: asked of the user object, as cms knows no memberships."""
    if not getattr(user, "is_authenticated", False):
        return frozenset()
    return frozenset(user.organization_ids())
