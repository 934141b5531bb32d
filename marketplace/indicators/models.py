"""Targets and figures that were published elsewhere: data that an operator types in, with their source."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class TargetSet(models.Model):
    """A plan's target for one indicator and area: from a base year's value to an end year's. Values in 元."""

    indicator = models.CharField("指标", max_length=40, default="turnover")
    area = models.CharField("地区代码", max_length=6)
    plan = models.CharField("规划", max_length=120)
    source = models.CharField("来源", max_length=200, blank=True)
    basis = models.CharField("口径", max_length=16, default="output")
    base_year = models.PositiveSmallIntegerField("基年")
    base_value = models.DecimalField("基年值（元）", max_digits=18, decimal_places=2)
    end_year = models.PositiveSmallIntegerField("目标年")
    end_value = models.DecimalField("目标值（元）", max_digits=18, decimal_places=2)
    path = models.JSONField(
        "各年路径（元）", default=dict, blank=True, help_text='{"2021": "457000000.00", …}；空则按直线'
    )
    is_active = models.BooleanField("使用中", default=True)

    class Meta:
        verbose_name = verbose_name_plural = "目标"
        ordering = ["indicator", "area", "base_year"]
        constraints = [
            models.CheckConstraint(condition=Q(end_year__gt=F("base_year")), name="target_ends_after_its_base"),
            models.UniqueConstraint(
                fields=["indicator", "area", "base_year", "end_year"], name="one_target_per_indicator_area_and_years"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.base_year}–{self.end_year}"


class PublishedFigure(models.Model):
    """A year's figure from before this market kept a ledger, or published by an authority. Value in 元."""

    indicator = models.CharField("指标", max_length=40, default="turnover")
    area = models.CharField("地区代码", max_length=6)
    year = models.PositiveSmallIntegerField("年度")
    value = models.DecimalField("数值（元）", max_digits=18, decimal_places=2)
    source = models.CharField("来源", max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = "外部公布数"
        ordering = ["indicator", "area", "year"]
        constraints = [
            models.UniqueConstraint(fields=["indicator", "area", "year"], name="one_published_figure_per_year")
        ]

    def __str__(self) -> str:
        return f"{self.area} {self.year} {self.value}"
