"""What has changed and is not yet in the index, and what the index said that it should not have."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class SearchChangeQuerySet(models.QuerySet["SearchChange"]):
    def waiting(self) -> SearchChangeQuerySet:
        """What is not in the index yet and will be taken in, oldest first; also what a drain has in its hands now."""
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
    # Not before then: it failed and rests, or a drain has taken it (a lease: a drain that died lets go by itself).
    not_before = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    parked_reason = models.CharField(max_length=300, blank=True)

    objects = SearchChangeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "待更新索引"

    def __str__(self) -> str:
        return f"{self.kind} {self.key} v{self.version}"


class SearchAlarm(models.Model):
    """Something that must not happen did: a hit that its reader may not see, an index that differs from the database.

    What the same thing does again before anybody has looked is counted in the same row. Nothing of the reader is kept.
    """

    KINDS = [
        ("hidden_hit", "检索结果中有不应显示的内容"),
        ("drift", "索引与数据库不一致"),
    ]

    kind = models.CharField("种类", max_length=16, choices=KINDS)
    key = models.CharField("编号", max_length=24)
    place = models.CharField("位置", max_length=40)
    engine = models.CharField("引擎", max_length=20, blank=True)
    detail = models.CharField("说明", max_length=300, blank=True)
    # A change of the listing was waiting for the index: late, not wrong.
    is_lag = models.BooleanField("索引滞后所致", default=False)
    count = models.PositiveIntegerField("次数", default=1)
    first_at = models.DateTimeField("首次", default=timezone.now)
    last_at = models.DateTimeField("最近", default=timezone.now)
    handled_at = models.DateTimeField("处理时间", null=True, blank=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="处理人"
    )

    class Meta:
        verbose_name = verbose_name_plural = "检索告警"
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key", "place"], condition=models.Q(handled_at=None), name="search_alarm_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}"
