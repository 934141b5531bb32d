"""The way of a contract through the registration office: 《技术合同认定登记管理办法》 and the regional second
review."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q

from cms.numbers import NumberField
from marketplace.accounts.models import User
from marketplace.workflow import Flow, FlowMixin, Move

DRAFT, SUBMITTED, ACCEPTED, SUPPLEMENT = "draft", "submitted", "accepted", "supplement"
EXPERT_REVIEW, SECOND_REVIEW, REGISTERED, REFUSED = "expert_review", "second_review", "registered", "refused"
OPEN_STATES = (SUBMITTED, ACCEPTED, SUPPLEMENT, EXPERT_REVIEW, SECOND_REVIEW)
EDITABLE_STATES = (DRAFT, SUPPLEMENT)


class RuleSet(models.Model):
    """Time limits and thresholds by date of acceptance; an operator can change a value, the code has none of its
    own."""

    key = models.CharField("规则", max_length=12, primary_key=True)
    title = models.CharField("名称", max_length=120)
    instrument = models.CharField("依据", max_length=300)
    effective_on = models.DateField("自")
    normal_days = models.PositiveSmallIntegerField("一般办理时限")
    large_days = models.PositiveSmallIntegerField("大额或争议办理时限")
    are_working_days = models.BooleanField("按工作日", default=True)
    large_amount = models.DecimalField(
        "大额起点（技术交易额，元）", max_digits=18, decimal_places=2, default=Decimal(5_000_000)
    )
    supplement_days = models.PositiveSmallIntegerField("补正期限（日）", default=30)

    class Meta:
        verbose_name = verbose_name_plural = "规则"
        ordering = ["effective_on"]

    def __str__(self) -> str:
        return self.title


def is_applicant(registration: Registration, user: Any) -> bool:
    return registration.contract.applicant_id in user.organization_ids()


def is_concerned(registration: Registration, user: Any) -> bool:
    """True where this person acts for the applicant or for a party of the contract: he reviews nothing of it."""
    mine = set(user.organization_ids())
    if not mine:
        return False
    contract = registration.contract
    return contract.applicant_id in mine or any(party.organization_id in mine for party in contract.parties.all())


def _has_post(registration: Registration, user: Any, **post: bool) -> bool:
    if is_concerned(registration, user):
        return False
    posts = user.officer_posts.filter(office=registration.office_id, is_active=True, office__is_active=True, **post)
    return bool(posts.exists())


def is_first_reviewer(registration: Registration, user: Any) -> bool:
    return _has_post(registration, user, first_review=True)


def is_second_reviewer(registration: Registration, user: Any) -> bool:
    """Another person than the first reviewer (local 二次审核): the database holds it too."""
    return registration.first_reviewer_id != user.pk and _has_post(registration, user, second_review=True)


def is_officer(registration: Registration, user: Any) -> bool:
    return _has_post(registration, user)


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def public(self) -> RegistrationQuerySet:
        """The public register: registered contracts, ours and imported ones."""
        return self.filter(state=REGISTERED)

    def visible_to(self, user: Any) -> RegistrationQuerySet:
        """Applications as far as the contract is visible (`Contract.objects.visible_to`); a draft to its applicant."""
        from .contract import Contract

        return self.filter(contract__in=Contract.objects.visible_to(user))

    def queue_of(self, user: Any) -> RegistrationQuerySet:
        """What the offices of this officer have on the table."""
        offices = user.officer_posts.filter(is_active=True, office__is_active=True).values("office")
        return self.filter(office__in=offices).exclude(state=DRAFT)


class Registration(FlowMixin):
    STATES = [
        (DRAFT, "草稿"),
        (SUBMITTED, "待受理"),
        (ACCEPTED, "初审"),
        (SUPPLEMENT, "待补正"),
        (EXPERT_REVIEW, "专家评议"),
        (SECOND_REVIEW, "复审"),
        (REGISTERED, "已登记"),
        (REFUSED, "不予登记"),
    ]
    FLOW = Flow(
        "registration",
        {
            "submit": Move("提交登记", (DRAFT,), SUBMITTED, is_applicant),
            "accept": Move("受理", (SUBMITTED,), ACCEPTED, is_first_reviewer),
            "reject_form": Move("退回申请", (SUBMITTED,), DRAFT, is_first_reviewer),
            "ask_supplement": Move("退回补正", (ACCEPTED,), SUPPLEMENT, is_first_reviewer),
            "supply": Move("提交补正", (SUPPLEMENT,), ACCEPTED, is_applicant),
            "pass": Move("通过初审，送复审", (ACCEPTED,), SECOND_REVIEW, is_first_reviewer),
            "escalate": Move("送专家评议", (ACCEPTED, SECOND_REVIEW), EXPERT_REVIEW, is_officer),
            "conclude": Move("录入专家意见", (EXPERT_REVIEW,), SECOND_REVIEW, is_first_reviewer),
            "return": Move("退回初审", (SECOND_REVIEW,), ACCEPTED, is_second_reviewer),
            "recognise": Move("认定登记", (SECOND_REVIEW,), REGISTERED, is_second_reviewer),
            "refuse": Move("不予登记", (ACCEPTED,), REFUSED, is_first_reviewer),
            "refuse_second": Move("不予登记", (SECOND_REVIEW,), REFUSED, is_second_reviewer),
            "lapse": Move("逾期未补正，不予登记", (SUPPLEMENT,), REFUSED),
        },
        # An imported row of the register begins registered.
        initial=(DRAFT, REGISTERED),
    )

    contract = models.OneToOneField("contracts.Contract", models.PROTECT, related_name="registration")
    source = models.CharField("来源", max_length=8, choices=[("own", "本站登记"), ("imported", "导入")], default="own")
    form_number = NumberField("受理号", prefix="ZC")
    office = models.ForeignKey("contracts.Office", models.PROTECT, null=True, blank=True, related_name="registrations")
    rule_set = models.ForeignKey(RuleSet, models.PROTECT, null=True, blank=True, related_name="+")
    submitted_at = models.DateTimeField("提交时间", null=True, blank=True)
    accepted_on = models.DateField("受理日期", null=True, blank=True)
    due_on = models.DateField("办理期限", null=True, blank=True)
    # The calendar of that year was not published when the limit was set: counted in calendar days, and said so.
    is_due_estimated = models.BooleanField("办理期限为估算", default=False)
    review_round = models.PositiveSmallIntegerField("审查轮次", default=1)
    is_disputed = models.BooleanField("有争议", default=False)
    supplement_note = models.TextField("补正内容", max_length=2000, blank=True)
    supplement_due_on = models.DateField("补正期限", null=True, blank=True)
    first_reviewer = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    first_reviewed_at = models.DateTimeField(null=True, blank=True)
    second_reviewer = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    warning_answer = models.TextField("对规则提示的答复", max_length=2000, blank=True)
    refusal_reason = models.ForeignKey(
        "contracts.RefusalReason", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="不予登记原因"
    )
    refusal_note = models.TextField("说明", max_length=2000, blank=True)
    registration_number = models.CharField("合同登记编号", max_length=32, null=True, blank=True, unique=True)
    registered_on = models.DateField("认定登记日期", null=True, blank=True)
    # Normalised seller + buyer + project + day + amount: one contract is registered once.
    dedupe_key = models.CharField(max_length=64, blank=True, default="")

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "认定登记"
        ordering = ["-submitted_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=REGISTERED) | Q(registration_number__isnull=False, registered_on__isnull=False),
                name="a_registered_contract_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(state=REGISTERED) | Q(registration_number__isnull=True),
                name="no_number_without_recognition",
            ),
            models.CheckConstraint(
                condition=Q(second_reviewer__isnull=True) | ~Q(first_reviewer=F("second_reviewer")),
                name="two_reviewers_are_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(state=REGISTERED)
                | Q(source="imported")
                | Q(first_reviewer__isnull=False, second_reviewer__isnull=False, office__isnull=False),
                name="an_own_registration_was_reviewed_twice",
            ),
            models.CheckConstraint(
                condition=~Q(state=REFUSED) | Q(refusal_reason__isnull=False), name="a_refusal_has_a_code"
            ),
            models.UniqueConstraint(
                fields=["dedupe_key"],
                condition=~Q(dedupe_key="") & ~Q(state__in=[DRAFT, REFUSED]),
                name="one_registration_per_contract_content",
            ),
        ]
        indexes = [models.Index(fields=["state", "registered_on"])]

    def __str__(self) -> str:
        return self.registration_number or self.form_number

    def get_absolute_url(self) -> str:
        return (
            f"/registry/{self.registration_number}/" if self.registration_number else self.contract.get_absolute_url()
        )


class ReviewMark(models.Model):
    """What a reviewer said of one item of the form in one round: 通过 or 退回 with the reason the applicant will
    read."""

    VERDICTS = [("pass", "通过"), ("return", "退回")]

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="marks")
    round = models.PositiveSmallIntegerField()
    item = models.CharField("事项", max_length=40)
    verdict = models.CharField("结论", max_length=6, choices=VERDICTS)
    reason = models.CharField("退回理由", max_length=500, blank=True)
    # What stood in the form when it was judged: a pass is carried into the next round only while that is unchanged.
    value = models.TextField("所审内容", blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registration", "round", "item"], name="one_mark_per_item_and_round"),
            models.CheckConstraint(condition=~Q(verdict="return") | ~Q(reason=""), name="a_returned_item_has_a_reason"),
        ]


class ExpertOpinion(models.Model):
    """What an expert found, entered by an officer with the expert's name and paper; needed from the large amount on."""

    CONCLUSIONS = [
        ("technology", "属于技术合同"),
        ("adjust", "属于技术合同，但类别或金额应调整"),
        ("not_technology", "不属于技术合同"),
    ]

    registration = models.ForeignKey(Registration, models.PROTECT, related_name="opinions")
    expert_name = models.CharField("专家姓名", max_length=50)
    expert_title = models.CharField("职称、单位", max_length=120)
    conclusion = models.CharField("结论", max_length=16, choices=CONCLUSIONS)
    opinion = models.TextField("意见", max_length=3000)
    file = models.ForeignKey("contracts.ContractFile", models.PROTECT, related_name="+")
    given_on = models.DateField("评议日期")
    entered_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "专家意见"
