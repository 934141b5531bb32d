"""申请对接: one side writes to the other; silence is an end too (lapsed), and a refusal has a reason that teaches."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from marketplace.accounts.models import Organization, User
from marketplace.agencies.models import Mandate
from marketplace.workflow import Flow, FlowMixin, Move

DECLINE_REASONS = [
    ("not_fit", "技术方向不合适"),
    ("not_mature", "成熟度不够"),
    ("target_unmet", "关键指标达不到"),
    ("price", "价格或预算不合适"),
    ("timing", "时间不合适"),
    ("taken", "已与他方洽谈或签约"),
    ("no_capacity", "暂无力量承接"),
    ("other", "其他（请说明）"),
]

# What the sender ticks to be given with the acceptance, never before. Name, region and message go at once.
SHARES = [
    ("contact_name", "联系人姓名"),
    ("phone", "联系电话"),
    ("email", "联系邮箱"),
    ("body", "本方条目的详情全文"),
]


def is_receiver(inquiry: Inquiry, user: Any) -> bool:
    return inquiry.to_organization_id in user.organization_ids()


def is_sender(inquiry: Inquiry, user: Any) -> bool:
    """A person of the sending side, or the broker who sent it while his mandate is in force."""
    if inquiry.from_organization_id in user.organization_ids():
        return True
    mandate = inquiry.mandate
    return mandate is not None and mandate.broker.user_id == user.pk and mandate.is_in_force()


class InquiryQuerySet(models.QuerySet["Inquiry"]):
    def visible_to(self, user: Any) -> InquiryQuerySet:
        """The two sides, the broker named in it, the receiver's broker while his mandate lasts; the administrator."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_administrator:
            return self
        mine = user.organization_ids()
        receivers_broker = Mandate.objects.in_force().filter(
            Q(record=OuterRef("about")) | Q(record__isnull=True), broker__user=user, client=OuterRef("to_organization")
        )
        return self.filter(
            Q(from_organization__in=mine)
            | Q(to_organization__in=mine)
            | Q(mandate__broker__user=user)
            | Exists(receivers_broker)
        )


class Inquiry(FlowMixin):
    """From one organisation to the owner of `about`; `own` is the sender's listing that it is about, if any."""

    STATES = [
        ("sent", "等待答复"),
        ("accepted", "已接受"),
        ("declined", "已婉拒"),
        ("lapsed", "逾期未复"),
        ("recalled", "已收回"),
    ]
    FLOW = Flow(
        "inquiry",
        {
            "accept": Move("接受对接", ("sent",), "accepted", is_receiver),
            "decline": Move("婉拒", ("sent",), "declined", is_receiver),
            "recall": Move("收回申请", ("sent",), "recalled", is_sender),
            "lapse": Move("逾期未复", ("sent",), "lapsed"),
        },
        initial=("sent",),
    )

    about = models.ForeignKey("cms.ListingRecord", models.PROTECT, related_name="inquiries")
    own = models.ForeignKey("cms.ListingRecord", models.PROTECT, null=True, blank=True, related_name="+")
    match = models.ForeignKey("deals.Match", models.PROTECT, null=True, blank=True, related_name="inquiries")
    from_organization = models.ForeignKey(Organization, models.PROTECT, related_name="inquiries_sent")
    to_organization = models.ForeignKey(Organization, models.PROTECT, related_name="inquiries_received")
    mandate = models.ForeignKey("agencies.Mandate", models.PROTECT, null=True, blank=True, related_name="inquiries")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    message = models.TextField("来意", max_length=2000)
    shares = models.JSONField("将提供给对方的信息", default=list, blank=True)
    answer_shares = models.JSONField("接受时提供给对方的信息", default=list, blank=True)
    respond_by = models.DateField("请于此日前答复")
    # The year's days off were not announced yet when the day was counted (marketplace.workdays.Deadline).
    is_respond_by_provisional = models.BooleanField("日期为暂定", default=False)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    decline_reason = models.CharField("原因", max_length=16, choices=DECLINE_REASONS, blank=True)
    decline_note = models.CharField("说明", max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InquiryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "对接申请"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_organization=F("to_organization")), name="inquiry_is_between_two_organizations"
            ),
            models.CheckConstraint(
                condition=~Q(state="declined") | ~Q(decline_reason=""), name="a_declined_inquiry_has_a_reason"
            ),
            models.UniqueConstraint(
                fields=["from_organization", "about"], condition=Q(state="sent"), name="one_open_inquiry_per_listing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_organization} → {self.about}"
