"""The code lists of the registration form (技术合同登记表). Evidence stands in the head of each file of data/."""

from __future__ import annotations

from django.db import models

from cms.taxonomy import Code


class ContractType(Code):
    """合同类别: 19 types; `group5` since the 2026 rules, `group4` before (licences inside transfer)."""

    group5 = models.CharField("五类", max_length=8)
    group4 = models.CharField("四类", max_length=8)

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "合同类别"


class PaymentMethod(Code):
    """支付方式, Civil Code art. 846."""

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "支付方式"


class IPType(Code):
    """知识产权."""

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "知识产权类型"


class PartyNature(Code):
    """买方、卖方性质: official three-digit codes."""

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "当事人性质"


class PlanSource(Code):
    """项目计划来源; 9 is outside any plan."""

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "计划来源"


class SocialObjective(Code):
    """社会—经济目标, GB/T 24450-2009."""

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "社会经济目标"


class RefusalReason(Code):
    """不予登记原因 R01…R11."""

    class Meta(Code.Meta):
        verbose_name = verbose_name_plural = "不予登记原因"
