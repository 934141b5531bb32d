"""The four kinds of listing: achievement, demand, expert, project. Only words and conditions that their owner writes.

Drafts, revisions, workflow, lock and preview are Wagtail's mixins; what the system decides lies on `ListingRecord`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib.contenttypes.fields import GenericRelation
from django.core.validators import MaxValueValidator, MinLengthValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from modelcluster.fields import ParentalKey, ParentalManyToManyField
from modelcluster.models import ClusterableModel
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    Orderable,
    PreviewableMixin,
    Revision,
    RevisionMixin,
    WorkflowMixin,
    WorkflowState,
)

from .access import AccessGrant
from .record import ListingRecord, user_organization_ids

KINDS = ("achievement", "demand", "expert", "project")


class Disclosure(models.TextChoices):
    """公开程度 (ours): what of a listing outsiders may read. Nothing marked as a state secret is ever stored."""

    L0 = "L0", "公开"
    L1 = "L1", "登录可见（详情限已核实单位）"
    L2 = "L2", "授权可见（详情限获授权者）"
    L3 = "L3", "仅撮合（只公开领域、行业、地区）"


class ListingQuerySet(models.QuerySet["Listing"]):
    """Reading in the words of the business; every page, export, feed and API answer asks `visible_to`."""

    def published(self) -> ListingQuerySet:
        return self.filter(live=True)

    def public(self) -> ListingQuerySet:
        """What a visitor may find: published and not for matchmakers only."""
        return self.published().exclude(disclosure_level=Disclosure.L3)

    def owned_by(self, user: Any) -> ListingQuerySet:
        return self.filter(record__owner__in=user_organization_ids(user))

    def visible_to(self, user: Any) -> ListingQuerySet:
        """Rows this person may know of at all: public ones, those of his organisations, those granted; staff all."""
        if getattr(user, "sees_all_listings", False):
            return self
        seen = Q(live=True) & ~Q(disclosure_level=Disclosure.L3)
        if getattr(user, "is_authenticated", False):
            organizations = user_organization_ids(user)
            granted = AccessGrant.objects.active().filter(Q(user=user) | Q(organization__in=organizations))
            seen |= Q(record__owner__in=organizations) | Q(live=True, record__in=granted.values("record"))
        return self.filter(seen)

    def with_related(self) -> ListingQuerySet:
        """Everything a row of a list shows, in one query."""
        return self.select_related("record__owner__region", "technology_field", "region")


class Listing(WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, PreviewableMixin, ClusterableModel):
    """What the four kinds have in common. A draft needs a title and an owner, publishing on the site more (posting)."""

    KIND: str

    title = models.CharField("名称", max_length=100, validators=[MinLengthValidator(2)])
    summary = models.TextField("公开简介", max_length=1500, blank=True)
    body = models.TextField("详情", max_length=20000, blank=True, help_text="纯文本，空一行分段")
    keywords = models.CharField("关键词", max_length=200, blank=True, help_text="3 到 10 个，用、分开")
    technology_field = models.ForeignKey(
        "cms.TechnologyField", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="技术领域"
    )
    industries = ParentalManyToManyField("cms.Industry", blank=True, related_name="+", verbose_name="应用行业")
    key_technologies = ParentalManyToManyField(
        "cms.KeyTechnology", blank=True, related_name="+", verbose_name="重点产业关键技术"
    )
    region = models.ForeignKey(
        "cms.Region", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所在地区"
    )
    disclosure_level = models.CharField("公开程度", max_length=2, choices=Disclosure.choices, default=Disclosure.L0)
    contact_name = models.CharField("联系人", max_length=50, blank=True)
    contact_phone = models.CharField("联系电话", max_length=40, blank=True)
    contact_email = models.EmailField("联系邮箱", blank=True)
    title_en = models.CharField("英文名称", max_length=200, blank=True)
    summary_en = models.TextField("英文简介", max_length=3000, blank=True)

    # DraftStateMixin's default is True: a listing would be public before anybody had looked at it.
    live = models.BooleanField("已发布", default=False, editable=False)
    _revisions = GenericRelation(
        "wagtailcore.Revision", content_type_field="base_content_type", object_id_field="object_id"
    )
    workflow_states = GenericRelation(
        "wagtailcore.WorkflowState", content_type_field="base_content_type", object_id_field="object_id"
    )

    objects = ListingQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title

    @property
    def revisions(self) -> models.QuerySet[Revision]:
        return self._revisions

    @property
    def number(self) -> str:
        return self.record.number

    @property
    def kind(self) -> str:
        return self.KIND

    @property
    def owner_name_public(self) -> str:
        """The owner's name as outsiders may read it."""
        return self.record.owner_name

    def get_absolute_url(self) -> str:
        return self.record.get_absolute_url()

    def full_clean_draft(self) -> None:
        """A draft needs only its title; lengths and types of what is there are still checked."""
        self.clean_fields(
            exclude=[f.name for f in self._meta.fields if f.name != "title" and not getattr(self, f.attname)]
        )

    def body_visible_to(self, user: Any) -> bool:
        """Whether this person may read more than title and summary (`Disclosure`)."""
        if self.disclosure_level == Disclosure.L0 or getattr(user, "sees_all_listings", False):
            return True
        if not getattr(user, "is_authenticated", False):
            return False
        organizations = user_organization_ids(user)
        if self.record.owner_id in organizations:
            return True
        if self.disclosure_level == Disclosure.L1:
            return user.is_verified_member
        granted = AccessGrant.objects.active().filter(record=self.record)
        return granted.filter(Q(user=user) | Q(organization__in=organizations)).exists()

    # Wagtail publishes and unpublishes without a transaction of its own; the listing, its SearchChange, its MatchDue
    # and its log rows must stand or fall together.
    def publish(self, revision: Revision, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            return super().publish(revision, *args, **kwargs)

    def unpublish(self, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            return super().unpublish(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Only what was never public may be deleted; the record goes with it."""
        if self.record.first_published_at:
            raise models.ProtectedError("公开过的条目只能撤回，不能删除。", {self})
        with transaction.atomic():
            done = super().delete(*args, **kwargs)
            self.record.delete()
        return done

    def get_preview_template(self, request: Any, mode_name: str) -> str:
        return "cms/preview.html"

    def get_preview_context(self, request: Any, mode_name: str) -> dict[str, Any]:
        return {**super().get_preview_context(request, mode_name), "listing": self}

    @property
    def current_review(self) -> WorkflowState | None:
        return self.current_workflow_state


def _money(label: str, **kwargs: Any) -> models.DecimalField:
    return models.DecimalField(
        label,
        max_digits=18,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        **kwargs,
    )


class PriceType(models.TextChoices):
    FIXED = "fixed", "一口价"
    RANGE = "range", "价格区间"
    NEGOTIABLE = "negotiable", "面议"
    ROYALTY = "royalty", "提成"


class PricingMode(models.TextChoices):
    """定价方式, 促进科技成果转化法 art. 18."""

    AGREEMENT = "agreement", "协议定价"
    LISTING = "listing", "技术交易市场挂牌交易"
    AUCTION = "auction", "拍卖"
    VALUATION = "valuation", "评估定价"
    NEGOTIABLE = "negotiable", "面议"


class Achievement(Listing):
    """科技成果: what can be transferred, licensed or developed further. Prices in 元."""

    KIND = "achievement"

    record = models.OneToOneField(ListingRecord, models.PROTECT, related_name="achievement", editable=False)
    achievement_type = models.ForeignKey(
        "cms.AchievementType", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="成果类型"
    )
    inventors = models.CharField("完成人", max_length=400, blank=True, help_text="用、分开，按贡献排列")
    problem = models.TextField("解决的问题", max_length=3000, blank=True)
    trl = models.PositiveSmallIntegerField(
        "技术就绪度", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    transfer_modes = ParentalManyToManyField("cms.TransferMode", blank=True, related_name="+", verbose_name="转化方式")
    price_type = models.CharField("价格形式", max_length=12, choices=PriceType.choices, blank=True)
    price_min = _money("价格下限（元）")
    price_max = _money("价格上限（元）")
    is_state_institution = models.BooleanField("持有单位是国家设立的研究开发机构或高等院校", default=False)
    pricing_mode = models.CharField("定价方式", max_length=12, choices=PricingMode.choices, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "科技成果"
        ordering = ["-record__first_published_at", "-pk"]
        # Counting what is public and looking for a name read this instead of a row with all its texts.
        indexes = [models.Index(fields=["live", "disclosure_level", "inventors"], name="achievement_public_idx")]
        constraints = [
            models.CheckConstraint(
                condition=Q(price_min__isnull=True) | Q(price_max__isnull=True) | Q(price_max__gte=F("price_min")),
                name="achievement_price_range_in_order",
            ),
            models.CheckConstraint(
                condition=Q(trl__isnull=True) | Q(trl__range=(1, 9)), name="achievement_trl_between_1_and_9"
            ),
        ]


class Demand(Listing):
    """技术需求: what a company cannot solve by itself. Budgets in 元."""

    KIND = "demand"

    record = models.OneToOneField(ListingRecord, models.PROTECT, related_name="demand", editable=False)
    demand_type = models.ForeignKey(
        "cms.DemandType", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="需求类型"
    )
    problem = models.TextField("要解决的问题", max_length=3000, blank=True)
    cooperation_modes = ParentalManyToManyField(
        "cms.TransferMode", blank=True, related_name="+", verbose_name="合作方式"
    )
    is_budget_negotiable = models.BooleanField("预算面议", default=False)
    budget_min = _money("最低预算（元）")
    budget_max = _money("最高预算（元）")
    deadline = models.DateField("答复截止日期", null=True, blank=True)
    is_anonymous = models.BooleanField(
        "匿名发布", default=False, help_text="对外任何地方不出现单位名称，只公开行业和地区"
    )

    class Meta:
        verbose_name = verbose_name_plural = "技术需求"
        ordering = ["-record__first_published_at", "-pk"]
        indexes = [models.Index(fields=["live", "disclosure_level", "record"], name="demand_public_idx")]
        constraints = [
            models.CheckConstraint(
                condition=Q(budget_min__isnull=True) | Q(budget_max__isnull=True) | Q(budget_max__gte=F("budget_min")),
                name="demand_budget_range_in_order",
            ),
        ]

    @property
    def owner_name_public(self) -> str:
        return "匿名单位" if self.is_anonymous else self.record.owner_name

    @property
    def days_waiting(self) -> int:
        """Days since the need was published."""
        start = self.record.first_published_at
        return (timezone.localdate() - timezone.localtime(start).date()).days if start else 0


class Expert(Listing):
    """专家: `title` is the name, one field (2–4 characters usual, Mongolian names longer)."""

    KIND = "expert"

    record = models.OneToOneField(ListingRecord, models.PROTECT, related_name="expert", editable=False)
    position = models.CharField("职称、职务", max_length=120, blank=True)
    services = models.CharField("可提供的服务", max_length=200, blank=True, help_text="用、分开")

    class Meta:
        verbose_name = verbose_name_plural = "专家"
        ordering = ["title"]


class Project(Listing):
    """重大项目: its `wanted` part says which technology or partner is sought. Budget in 元."""

    KIND = "project"
    STAGES = [("planned", "拟立项"), ("recruiting", "征集合作"), ("running", "实施中"), ("accepted", "已验收")]

    record = models.OneToOneField(ListingRecord, models.PROTECT, related_name="project", editable=False)
    stage = models.CharField("阶段", max_length=12, choices=STAGES, blank=True)
    wanted = models.TextField("征集的技术或合作方", max_length=2000, blank=True)
    budget = _money("投资规模（元）")
    starts_on = models.DateField("开始", null=True, blank=True)
    ends_on = models.DateField("结束", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "重大项目"
        ordering = ["-record__first_published_at", "-pk"]


class Operator(models.TextChoices):
    GE = "ge", "≥"
    LE = "le", "≤"
    EQ = "eq", "="
    RANGE = "range", "范围"


class Quantity(Orderable):
    """A named figure with its unit: 出水氟离子 ≤ 1.0 mg/L."""

    name = models.CharField("指标", max_length=60)
    operator = models.CharField("关系", max_length=5, choices=Operator.choices, default=Operator.GE)
    value = models.DecimalField("数值", max_digits=16, decimal_places=4)
    value_to = models.DecimalField("至", max_digits=16, decimal_places=4, null=True, blank=True)
    unit = models.CharField("单位", max_length=24, blank=True)

    class Meta(Orderable.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} {self.figure}"

    @property
    def figure(self) -> str:
        """Operator, value and unit with no-break spaces: `≤ 1.0 mg/L`, `35–42 g/L`."""
        number = f"{self.value.normalize():f}"
        if self.operator == Operator.RANGE and self.value_to is not None:
            number = f"{number}–{self.value_to.normalize():f}"
        elif self.operator != Operator.EQ:
            number = f"{Operator(self.operator).label}\u00a0{number}"
        return f"{number}\u00a0{self.unit}" if self.unit else number


class Target(Quantity):
    """量化指标 of a demand; a hard one must be met, a soft one can be discussed."""

    demand = ParentalKey(Demand, on_delete=models.CASCADE, related_name="targets")
    present = models.CharField("现状", max_length=40, blank=True)
    is_hard = models.BooleanField("硬指标", default=True)

    class Meta(Quantity.Meta):
        abstract = False
        verbose_name = verbose_name_plural = "量化指标"


class Kpi(Quantity):
    """技术指标 of an achievement, with the condition under which it was measured."""

    achievement = ParentalKey(Achievement, on_delete=models.CASCADE, related_name="kpis")
    condition = models.CharField("测试条件", max_length=120, blank=True)

    class Meta(Quantity.Meta):
        abstract = False
        verbose_name = verbose_name_plural = "技术指标"


class PatentItem(Orderable):
    """One patent or application that a listing bundles; the number's check character is verified in forms."""

    achievement = ParentalKey(Achievement, on_delete=models.CASCADE, related_name="patents")
    number = models.CharField("申请号/专利号", max_length=24)
    title = models.CharField("名称", max_length=200, blank=True)
    holder = models.CharField("权利人", max_length=120, blank=True)
    is_granted = models.BooleanField("已授权", default=False)

    class Meta(Orderable.Meta):
        verbose_name = verbose_name_plural = "专利"

    def __str__(self) -> str:
        return self.number


def listing_model(kind: str) -> type[Listing]:
    """The model of a kind ("achievement" → Achievement); KeyError for an unknown kind."""
    return {"achievement": Achievement, "demand": Demand, "expert": Expert, "project": Project}[kind]
