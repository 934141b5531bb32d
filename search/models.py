"""What has changed and is not yet in the index, and what the index said that it should not have."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class SearchChangeQuerySet(models.QuerySet["SearchChange"]):
    def waiting(self) -> SearchChangeQuerySet:
        """What is not in the index yet and will be taken in, oldest first; also what a drain has in its hands now."""
        return self.filter(parked_reason="").order_by("created_at", "pk")

    def rested(self) -> SearchChangeQuerySet:
        """Of what waits: what has not failed a moment ago."""
        return self.waiting().filter(not_before__lte=timezone.now())

    def ready(self) -> SearchChangeQuerySet:
        """What a drain may take now: rested, and in no other drain's hands."""
        return self.rested().filter(models.Q(leased_until=None) | models.Q(leased_until__lt=timezone.now()))

    def leased(self) -> SearchChangeQuerySet:
        """What a drain (or a rebuild) has in its hands now."""
        return self.waiting().filter(leased_until__gte=timezone.now())

    def parked(self) -> SearchChangeQuerySet:
        """What failed too often: out of the way of the others until its listing changes again or staff retry it."""
        return self.exclude(parked_reason="").order_by("created_at", "pk")

    def retry(self) -> int:
        """Take parked rows up again at once, as if they had never failed; how many."""
        return self.exclude(parked_reason="").update(
            parked_reason="", tries=0, not_before=timezone.now(), leased_until=None
        )


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
    # It failed and rests until then.
    not_before = models.DateTimeField(default=timezone.now)
    # A drain has it in its hands until then: one that died lets go by itself.
    leased_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    parked_reason = models.CharField(max_length=300, blank=True)

    objects = SearchChangeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "待更新索引"

    def __str__(self) -> str:
        return f"{self.kind} {self.key} v{self.version}"


class SearchRun(models.Model):
    """A rebuild of the index, or a comparison of index and database: when, by which engine, and what came of it."""

    KINDS = [("rebuild", "重建索引"), ("rollback", "退回旧索引"), ("reconcile", "核对索引")]
    OUTCOMES = [("running", "进行中"), ("done", "完成"), ("cancelled", "已取消"), ("failed", "没有完成")]

    kind = models.CharField("种类", max_length=16, choices=KINDS)
    engine = models.CharField("引擎", max_length=20)
    # The night that a comparison is for: one row a night, whichever process comes first.
    period = models.CharField(max_length=10, null=True, blank=True, unique=True)
    reason = models.CharField("起因", max_length=300, blank=True)
    outcome = models.CharField("结果", max_length=10, choices=OUTCOMES, default="running")
    documents = models.PositiveIntegerField("条数", default=0)
    missing = models.PositiveIntegerField("缺少", default=0)
    extra = models.PositiveIntegerField("多余", default=0)
    stale = models.PositiveIntegerField("过时", default=0)
    detail = models.CharField("说明", max_length=300, blank=True)
    started_at = models.DateTimeField("开始", default=timezone.now)
    finished_at = models.DateTimeField("结束", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "检索核对与重建"
        ordering = ["-started_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.started_at:%Y-%m-%d %H:%M}"

    def end(self, outcome: str, **found: Any) -> None:
        """Write how it ended, with what else is known of it."""
        values = {"outcome": outcome, "finished_at": timezone.now(), **found}
        values["detail"] = str(values.get("detail", self.detail))[:300]
        type(self).objects.filter(pk=self.pk).update(**values)
        for name, value in values.items():
            setattr(self, name, value)


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
