"""The mark of a demo account: written by the demo's loader alone, asked for by the one-click entry."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class DemoAccount(models.Model):
    role = models.SlugField(primary_key=True)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="demo_account")
    title = models.CharField(max_length=60)
    hint = models.CharField(max_length=200)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order"]


class DemoLoad(models.Model):
    """That the demo was loaded, with its seed and day: a second start neither reloads nor rebuilds."""

    seed = models.PositiveIntegerField()
    day = models.DateField()
    loaded_at = models.DateTimeField(auto_now_add=True)
