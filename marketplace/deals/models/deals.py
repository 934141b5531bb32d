"""A deal: two sides, optionally a broker with a dated mandate, offers, and the day it was won or lost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from cms.numbers import NumberField
from marketplace.accounts.models import Organization, User
from marketplace.workflow import Flow, FlowMixin, Move

from .inquiries import DECLINE_REASONS


def side_ids(deal: Deal) -> tuple[int, int]:
    return deal.buyer_id, deal.seller_id


def is_side(deal: Deal, user: Any) -> bool:
    """A person of one of the two sides: agreeing and ending are theirs alone, no broker's."""
    return bool(set(side_ids(deal)) & set(user.organization_ids()))


class DealQuerySet(models.QuerySet["Deal"]):
    def visible_to(self, user: Any) -> DealQuerySet:
        """The two sides, the brokers named in it, the administrator."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_administrator:
            return self
        mine = user.organization_ids()
        brokered = Q(mandate__broker__user=user) | Q(second_mandate__broker__user=user)
        return self.filter(Q(buyer__in=mine) | Q(seller__in=mine) | brokered)

    def open(self) -> DealQuerySet:
        return self.exclude(state__in=["won", "lost"])


class Deal(FlowMixin):
    STATES = [
        ("contacted", "已接洽"),
        ("terms", "条件谈定"),
        ("signed", "已签合同"),
        ("registered", "已登记"),
        ("won", "成交"),
        ("lost", "终止"),
    ]
    FLOW = Flow(
        "deal",
        {
            "agree": Move("接受报价", ("contacted",), "terms", is_side),
            "sign": Move("签订合同", ("terms",), "signed"),
            "register": Move("合同登记", ("signed",), "registered"),
            "win": Move("成交办结", ("registered",), "won", is_side),
            "lose": Move("终止洽谈", ("contacted", "terms", "signed"), "lost", is_side),
        },
        initial=("contacted",),
    )
    LOST_REASONS = DECLINE_REASONS

    number = NumberField("编号", prefix="DJ")
    inquiry = models.OneToOneField("deals.Inquiry", models.PROTECT, null=True, blank=True, related_name="deal")
    match = models.ForeignKey("deals.Match", models.PROTECT, null=True, blank=True, related_name="deals")
    demand = models.ForeignKey(
        "cms.ListingRecord", models.PROTECT, null=True, blank=True, related_name="deals_as_demand"
    )
    supply = models.ForeignKey(
        "cms.ListingRecord", models.PROTECT, null=True, blank=True, related_name="deals_as_supply"
    )
    demand_revision = models.ForeignKey("wagtailcore.Revision", models.PROTECT, null=True, blank=True, related_name="+")
    supply_revision = models.ForeignKey("wagtailcore.Revision", models.PROTECT, null=True, blank=True, related_name="+")
    buyer = models.ForeignKey(Organization, models.PROTECT, related_name="deals_as_buyer", verbose_name="需求方")
    seller = models.ForeignKey(Organization, models.PROTECT, related_name="deals_as_seller", verbose_name="供给方")
    mandate = models.ForeignKey(
        "agencies.Mandate", models.PROTECT, null=True, blank=True, related_name="deals", verbose_name="经纪委托"
    )
    # The other side's broker, where both sides have one: neither is cut out.
    second_mandate = models.ForeignKey(
        "agencies.Mandate", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="另一方经纪委托"
    )
    title = models.CharField("项目名称", max_length=200)
    lost_reason = models.CharField("终止原因", max_length=16, choices=LOST_REASONS, blank=True)
    lost_note = models.CharField("终止说明", max_length=500, blank=True)
    next_step = models.CharField("下一步", max_length=120, blank=True)
    next_step_on = models.DateField("下一步日期", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DealQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "对接项目"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(buyer=F("seller")), name="deal_has_two_sides"),
            models.CheckConstraint(condition=~Q(state="lost") | ~Q(lost_reason=""), name="a_lost_deal_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return f"/deals/{self.number}/"

    @property
    def mandates(self) -> list[Any]:
        """The brokers' mandates under which the deal came about, for attribution; kept whatever their dates."""
        return [mandate for mandate in (self.mandate, self.second_mandate) if mandate is not None]

    @property
    def is_open(self) -> bool:
        return self.state not in ("won", "lost")

    def other_side(self, organization: Organization) -> Organization:
        """The side opposite; ValueError for one that is neither."""
        if organization.pk == self.buyer_id:
            return self.seller
        if organization.pk == self.seller_id:
            return self.buyer
        raise ValueError(f"{organization} is no side of {self.number}")


def may_answer(offer: Offer, user: Any) -> bool:
    """The side that did not make the offer; a broker passes answers on for nobody."""
    return offer.to_organization_id in user.organization_ids()


class Offer(FlowMixin):
    """Price, way, contract type and terms from one side to the other; accepted once, then copied into the contract."""

    STATES = [("made", "等待答复"), ("accepted", "已接受"), ("declined", "未接受"), ("replaced", "已被新报价代替")]
    FLOW = Flow(
        "offer",
        {
            "accept": Move("接受报价", ("made",), "accepted", may_answer),
            "decline": Move("不接受", ("made",), "declined", may_answer),
            "replace": Move("由新报价代替", ("made",), "replaced"),
        },
        initial=("made",),
    )

    deal = models.ForeignKey(Deal, models.PROTECT, related_name="offers")
    from_organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    to_organization = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    contract_type_code = models.CharField("合同类别", max_length=4)
    transfer_mode = models.ForeignKey(
        "cms.TransferMode", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="合作方式"
    )
    amount_total = models.DecimalField(
        "合同成交额（元）", max_digits=18, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    amount_tech = models.DecimalField(
        "其中技术交易额（元）", max_digits=18, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    payment_code = models.CharField("支付方式", max_length=4, default="P1")
    terms = models.TextField("主要条款", max_length=5000)
    starts_on = models.DateField("拟开始")
    ends_on = models.DateField("拟完成")
    answer_note = models.CharField("答复说明", max_length=500, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "报价"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_tech__gt=0, amount_tech__lte=F("amount_total")), name="offer_amounts_in_order"
            ),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="offer_ends_after_start"),
            models.UniqueConstraint(fields=["deal"], condition=Q(state="accepted"), name="one_accepted_offer_per_deal"),
            models.UniqueConstraint(fields=["deal"], condition=Q(state="made"), name="one_open_offer_per_deal"),
        ]

    def __str__(self) -> str:
        return f"{self.deal_id} {self.amount_total}"
