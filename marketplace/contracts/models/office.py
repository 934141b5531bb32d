"""登记机构: which office may register whose contracts, who reviews there, and how numbers are given out."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from marketplace.accounts.models import User


class Office(models.Model):
    """One registration body. Numbers by our 16-digit layout (`own`) or typed in as the national system gave them."""

    NUMBERING = [("own", "本站按规则编号"), ("national", "填写全国系统编号")]

    name = models.CharField("登记机构", max_length=120, unique=True)
    authority = models.CharField("主管部门", max_length=120, blank=True)
    region = models.ForeignKey("cms.Region", models.PROTECT, related_name="+", verbose_name="所在地区")
    point = models.CharField("登记点号", max_length=2, default="01")
    address = models.CharField("地址", max_length=200, blank=True)
    phone = models.CharField("电话", max_length=40, blank=True)
    numbering = models.CharField("编号方式", max_length=8, choices=NUMBERING, default="own")
    is_active = models.BooleanField("受理登记", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "登记机构"
        constraints = [
            models.UniqueConstraint(fields=["region", "point"], name="one_office_per_point"),
            models.CheckConstraint(condition=Q(point__regex=r"^\d{2}$"), name="office_point_has_two_digits"),
        ]

    def __str__(self) -> str:
        return self.name


class OfficeTerritory(models.Model):
    """A code prefix whose sellers register here: 1506 holds all of Ordos. The longest prefix decides."""

    office = models.ForeignKey(Office, models.CASCADE, related_name="territories", verbose_name="登记机构")
    prefix = models.CharField("区划前缀", max_length=6, unique=True)

    class Meta:
        verbose_name = verbose_name_plural = "登记地域"

    def __str__(self) -> str:
        return self.prefix


class NumberCounter(models.Model):
    """The last serial of an office's year: raised in the transaction that uses it, so numbers have no gaps."""

    office = models.ForeignKey(Office, models.PROTECT, related_name="counters")
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["office", "year"], name="one_counter_per_office_and_year")]


class OfficerQuerySet(models.QuerySet["Officer"]):
    def of(self, user: Any) -> OfficerQuerySet:
        """The active posts of a person."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        return self.filter(user=user, is_active=True, user__is_active=True, office__is_active=True)


class Officer(models.Model):
    """登记员: a person's post in an office; nobody reviews one contract twice."""

    user = models.ForeignKey(User, models.PROTECT, related_name="officer_posts", verbose_name="登记员")
    office = models.ForeignKey(Office, models.CASCADE, related_name="officers", verbose_name="登记机构")
    first_review = models.BooleanField("可初审", default=True)
    second_review = models.BooleanField("可复审", default=False)
    is_active = models.BooleanField("在岗", default=True)

    objects = OfficerQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "登记员"
        constraints = [models.UniqueConstraint(fields=["user", "office"], name="one_post_per_person_and_office")]

    def __str__(self) -> str:
        return f"{self.user}（{self.office}）"
