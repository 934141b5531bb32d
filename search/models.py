"""What the index still has to learn: a row written with the listing, in the same transaction."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class SearchChange(models.Model):
    """One document to bring up to date. Coalesced by key; removed only when its version was what was indexed."""

    key = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=16)
    version = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    parked_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "待更新索引"
