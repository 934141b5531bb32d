"""A notice is a row now, a mail after commit: what was decided and who was told cannot disagree."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Notice(models.Model):
    """One message to one person. Title, text and address are kept as they were sent; the dedupe key makes it once."""

    MAIL = [("none", "不发"), ("pending", "待发"), ("sent", "已发"), ("failed", "失败")]

    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    kind = models.CharField("种类", max_length=60)
    title = models.CharField("标题", max_length=200)
    text = models.TextField("内容", blank=True)
    url = models.CharField("地址", max_length=300, blank=True)
    dedupe_key = models.CharField(max_length=160)
    created_at = models.DateTimeField("时间", auto_now_add=True)
    read_at = models.DateTimeField("已读", null=True, blank=True)
    mail_state = models.CharField("邮件", max_length=8, choices=MAIL, default="pending")
    mail_tries = models.PositiveSmallIntegerField(default=0)
    # A mail is tried at this moment or later: a claim and a failure both move it on, so that nobody sends it twice.
    mail_after = models.DateTimeField(default=timezone.now)
    mail_error = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "通知"
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["recipient", "dedupe_key"], name="a_notice_is_sent_once")]
        indexes = [
            models.Index(fields=["recipient", "read_at"]),
            models.Index(fields=["mail_after"], condition=models.Q(mail_state="pending"), name="notice_mail_waiting"),
        ]

    def __str__(self) -> str:
        return self.title
