"""The turnover ledger: append-only, one writer, every breakdown copied into the entry. A figure is the sum of entries.

Registering adds, a supplement adds, a change writes minus the old (`change_out`) and plus the new (`change_in`),
cancelling and revoking write minus what is left. The past keeps its figure; there is no filter by today's state.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q

from cms.taxonomy import area_prefix
from marketplace.accounts.models import User

BASES = {"output": "seller_region", "absorbed": "buyer_region", "registered_here": "office_region"}


class TurnoverEntryQuerySet(models.QuerySet["TurnoverEntry"]):
    def within(self, *, area: str, start: Any, end: Any, basis: str = "output") -> TurnoverEntryQuerySet:
        """Entries of an area (code; trailing 00 pairs dropped) between two local dates, both inclusive.

        basis: output (seller in the area), absorbed (buyer in the area), registered_here (office in the area).
        """
        prefix = area_prefix(area)
        return self.filter(**{f"{BASES[basis]}__startswith": prefix}, entered_on__gte=start, entered_on__lte=end)


class TurnoverEntry(models.Model):
    """One posting of the ledger, in 元. Triggers refuse every UPDATE and DELETE on both databases."""

    KINDS = [
        ("initial", "首次登记"),
        ("supplement", "金额补充"),
        ("change_out", "变更（调出）"),
        ("change_in", "变更（调入）"),
        ("cancel", "注销"),
        ("revoke", "撤销登记"),
    ]

    # Contiguous from 1: a gap or a cut tail can be seen.
    sequence = models.PositiveBigIntegerField("序号", unique=True)
    registration = models.ForeignKey("contracts.Registration", models.PROTECT, related_name="entries")
    contract_version = models.PositiveIntegerField("合同版本", default=1)
    kind = models.CharField("事项", max_length=12, choices=KINDS)
    entered_on = models.DateField("入账日", db_index=True)
    amount_total = models.DecimalField("成交额（元）", max_digits=18, decimal_places=2)
    amount_tech = models.DecimalField("其中技术交易额（元）", max_digits=18, decimal_places=2)
    contract_type = models.CharField("合同类别", max_length=4)
    technology_field = models.CharField("技术领域", max_length=4)
    seller_region = models.CharField("卖方地区", max_length=6, db_index=True)
    buyer_region = models.CharField("买方地区", max_length=6, db_index=True)
    seller_nature = models.CharField("卖方性质", max_length=4, blank=True)
    buyer_nature = models.CharField("买方性质", max_length=4, blank=True)
    office_region = models.CharField("登记机构地区", max_length=6, blank=True, db_index=True)
    # Who the lead seller is, as a salted hash: counts distinct sellers for suppression, names nobody.
    seller_key = models.CharField(max_length=32)
    reference = models.CharField("依据", max_length=120, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField("记账时间", auto_now_add=True)

    objects = TurnoverEntryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "成交额台账"
        ordering = ["sequence"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration"], condition=Q(kind="initial"), name="one_initial_entry_per_registration"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["initial", "supplement", "change_in"], amount_total__gt=0, amount_tech__gte=0)
                | Q(kind__in=["change_out", "cancel", "revoke"], amount_total__lt=0, amount_tech__lte=0),
                name="ledger_entry_sign_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(amount_total__gt=0, amount_tech__lte=F("amount_total"))
                | Q(amount_total__lt=0, amount_tech__gte=F("amount_total")),
                name="ledger_tech_amount_within_total",
            ),
        ]
        indexes = [models.Index(fields=["entered_on", "seller_region"])]

    def __str__(self) -> str:
        return f"{self.sequence} {self.kind} {self.amount_total}"


class Attribution(models.Model):
    """Which broker brought a registered contract about: copied from the deal's mandates, so that nobody is cut out
    later."""

    registration = models.ForeignKey("contracts.Registration", models.PROTECT, related_name="attributions")
    broker = models.ForeignKey("agencies.Broker", models.PROTECT, related_name="attributions")
    mandate = models.ForeignKey("agencies.Mandate", models.PROTECT, related_name="attributions")
    broker_name = models.CharField("技术经理人", max_length=50)
    agency_name = models.CharField("所在机构", max_length=120, blank=True)
    amount_total = models.DecimalField("合同成交额（元）", max_digits=18, decimal_places=2)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "经纪归属"
        # Both sides may have had a broker; each is named once.
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "broker"], name="one_attribution_per_registration_and_broker"
            )
        ]


class Certificate(models.Model):
    """技术合同认定登记证明: what the paper says, kept as printed; `code` is on the paper and in its QR."""

    registration = models.OneToOneField("contracts.Registration", models.PROTECT, related_name="certificate")
    code = models.CharField("查验码", max_length=20, unique=True)
    issued_on = models.DateField("发证日期")
    facts = models.JSONField("所载内容", default=dict)
    facts_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "登记证明"

    def __str__(self) -> str:
        return self.code
