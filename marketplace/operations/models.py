"""纠错/举报: anyone says what is wrong with a page, staff answers. And when the workers were last heard of."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from marketplace.workflow import Flow, FlowMixin, Move


def is_staff(report: Report, user: Any) -> bool:
    return user.is_moderator


class ReportQuerySet(models.QuerySet["Report"]):
    def visible_to(self, user: Any) -> ReportQuerySet:
        """Moderators see all; what somebody says of others is nobody else's to read."""
        return self if getattr(user, "is_authenticated", False) and user.is_moderator else self.none()


class Report(FlowMixin):
    KINDS = [
        ("error", "内容有误"),
        ("expired", "信息过期"),
        ("rights", "侵犯权利"),
        ("illegal", "违法或不当信息"),
        ("other", "其他"),
    ]
    STATES = [("open", "待处理"), ("handled", "已处理"), ("dismissed", "不予处理")]
    FLOW = Flow(
        "report",
        {
            "handle": Move("处理完毕", ("open",), "handled", is_staff),
            "dismiss": Move("不予处理", ("open",), "dismissed", is_staff),
        },
        initial=("open",),
    )

    about = models.CharField("涉及编号", max_length=32, db_index=True)
    about_title = models.CharField("涉及内容", max_length=200, blank=True)
    kind = models.CharField("类别", max_length=10, choices=KINDS)
    text = models.TextField("说明", max_length=2000)
    contact = models.CharField("联系方式", max_length=120, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    answer = models.CharField("处理结果", max_length=500, blank=True)
    handled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "纠错与举报"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.about} {self.get_kind_display()}"


class Heartbeat(models.Model):
    """When something that works unseen last proved that it does (`heartbeat`); one row a name."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = "心跳"

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"
