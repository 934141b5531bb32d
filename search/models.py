"""What has changed and is not yet in the index."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class SearchChangeQuerySet(models.QuerySet["SearchChange"]):
    def waiting(self) -> SearchChangeQuerySet:
        """What the next drain takes in, oldest first."""
        return self.filter(parked_reason="").order_by("created_at", "pk")

    def parked(self) -> SearchChangeQuerySet:
        """What failed too often: out of the way of the others until its listing changes again or staff look at it."""
        return self.exclude(parked_reason="")


class SearchChange(models.Model):
    """One thing to index again or to remove, written in the transaction that changed it.

    The row is the truth, the drain after commit only a hint: an engine that is down loses nothing. One row a thing: a
    second change before the drain raises `version`, and the drain deletes a row only where the version is still the
    one it took in.
    """

    # A listing's number (or what a higher app's source has for it): no two kinds share one.
    key = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=16)
    version = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    parked_reason = models.CharField(max_length=300, blank=True)

    objects = SearchChangeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "待更新索引"

    def __str__(self) -> str:
        return f"{self.kind} {self.key} v{self.version}"
