"""Matches between published demands and achievements, kept with everything that explains them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone

from cms.models import Achievement, Demand


class MatchDue(models.Model):
    """A listing whose matches must be computed again once the index has its present version. Coalesced by record."""

    record = models.OneToOneField("cms.ListingRecord", models.CASCADE, related_name="match_due", primary_key=True)
    search_version = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=300, blank=True)
    # Imports tell nobody; a hand-published listing may tell its owner, at most once a day.
    is_quiet = models.BooleanField(default=False)


class Comparison(models.Model):
    """That a listing was compared, with how many and when: "nothing found" is only honest with these beside it."""

    record = models.OneToOneField("cms.ListingRecord", models.CASCADE, related_name="comparison", primary_key=True)
    search_version = models.PositiveBigIntegerField()
    compared_with = models.PositiveIntegerField("比对条数")
    index_time = models.DateTimeField("索引时间", null=True)
    computed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = "比对记录"


class MatchQuerySet(models.QuerySet["Match"]):
    def between_public(self) -> MatchQuerySet:
        """Both sides published and public."""
        return self.filter(
            demand__demand__in=Demand.objects.public(), supply__achievement__in=Achievement.objects.public()
        )

    def visible_to(self, user: Any) -> MatchQuerySet:
        """Matches both of whose sides this person may see; those of a restricted side only the entitled."""
        return self.filter(
            demand__demand__in=Demand.objects.published().visible_to(user),
            supply__achievement__in=Achievement.objects.published().visible_to(user),
        )

    def current(self) -> MatchQuerySet:
        return self.filter(is_current=True)


class Match(models.Model):
    """One demand and one achievement that the texts bring together: the score's parts add up to `score`.

    `reasons` is `search.reasons.Reasons.as_json()`: phrases with their places by kind, conditions, what speaks against,
    coverage. `statistics` keeps what the score was computed from, so that it can be computed again. A row stays when it
    no longer holds (`is_current`): inquiries and deals point to it. `demand_told_at` and
    `supply_told_at`: when that side was told of a strong one, or need not be.
    """

    BANDS = [("strong", "强匹配"), ("possible", "可能匹配"), ("weak", "较弱")]

    demand = models.ForeignKey("cms.ListingRecord", models.PROTECT, related_name="matches_as_demand")
    supply = models.ForeignKey("cms.ListingRecord", models.PROTECT, related_name="matches_as_supply")
    demand_revision = models.ForeignKey("wagtailcore.Revision", models.PROTECT, null=True, related_name="+")
    supply_revision = models.ForeignKey("wagtailcore.Revision", models.PROTECT, null=True, related_name="+")
    demand_version = models.PositiveBigIntegerField()
    supply_version = models.PositiveBigIntegerField()
    score = models.FloatField("分数")
    rank_for_demand = models.PositiveSmallIntegerField("在需求下的名次", null=True)
    rank_for_supply = models.PositiveSmallIntegerField("在成果下的名次", null=True)
    parts = models.JSONField(default=dict)
    band = models.CharField("档次", max_length=10, choices=BANDS)
    reasons = models.JSONField(default=dict)
    statistics = models.JSONField(default=dict)
    versions = models.JSONField(default=dict)
    is_current = models.BooleanField(default=True)
    computed_at = models.DateTimeField(default=timezone.now)
    demand_told_at = models.DateTimeField(null=True)
    supply_told_at = models.DateTimeField(null=True)

    objects = MatchQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "匹配"
        constraints = [models.UniqueConstraint(fields=["demand", "supply"], name="one_match_per_pair")]
        indexes = [
            models.Index(fields=["demand", "is_current", "rank_for_demand"]),
            models.Index(fields=["supply", "is_current", "rank_for_supply"]),
        ]

    def __str__(self) -> str:
        return f"{self.demand_id} ↔ {self.supply_id}"
