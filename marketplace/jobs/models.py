"""Work that takes longer than two seconds: its progress can be watched, left and cancelled."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from marketplace.files import private_storage


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Any) -> JobQuerySet:
        """One's own jobs; an administrator sees all."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        return self if user.is_administrator else self.filter(by=user)


class Job(models.Model):
    """One piece of long work. The row is the truth; the thread that does it may die and another takes it up."""

    STATES = [
        ("queued", "等待"),
        ("running", "进行中"),
        ("done", "已完成"),
        ("failed", "失败"),
        ("cancelled", "已取消"),
    ]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("种类", max_length=60)
    title = models.CharField("名称", max_length=120)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs")
    on_behalf_of = models.ForeignKey("accounts.Organization", models.SET_NULL, null=True, blank=True, related_name="+")
    parameters = models.JSONField(default=dict)
    state = models.CharField("状态", max_length=10, choices=STATES, default="queued")
    stage = models.CharField("步骤", max_length=80, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    log = models.TextField(blank=True)
    error = models.CharField(max_length=500, blank=True)
    result = models.FileField(storage=private_storage, upload_to="jobs/", blank=True, max_length=200)
    result_name = models.CharField(max_length=120, blank=True)
    is_cancel_asked = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # The lease of the process that does it; silent for too long, the job is taken up again.
    beat_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "任务"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Waiting or being done: something may still change by itself."""
        return self.state in ("queued", "running")
