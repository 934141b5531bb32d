"""The code lists of listings. Sources and evidence stand in the head of each file of cms/data/."""

from __future__ import annotations

from django.db import models

from ..taxonomy import Code


class TechnologyField(Code):
    """技术领域: 11 official fields (two digits), second level ours (four digits)."""

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "技术领域"

    @property
    def parent_code(self) -> str:
        return self.code[:2]


class Industry(Code):
    """国民经济行业 (GB/T 4754-2017): sections are letters, divisions two digits."""

    section = models.CharField("门类", max_length=1, blank=True)

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "国民经济行业"


class KeyTechnology(Code):
    """七大产业 28 项重点产业关键技术 (the city plan's annex)."""

    industry = models.CharField("重点产业", max_length=40, blank=True)
    industry_en = models.CharField("重点产业英文", max_length=60, blank=True)

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "重点产业关键技术"


class Region(Code):
    """行政区划 (GB/T 2260), six digits; provinces and cities end in zeros."""

    full_name = models.CharField("全称", max_length=160, blank=True)

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "行政区划"


class AchievementType(Code):
    """成果类型 A01…A15."""

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "成果类型"


class TransferMode(Code):
    """转化方式 / 合作方式 M1…M9, with the contract types that they lead to (prefixes)."""

    contract_types = models.CharField("对应合同类别", max_length=60, blank=True)

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "转化方式"


class DemandType(Code):
    """需求类型."""

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "需求类型"
