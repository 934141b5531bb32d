"""What was signed. A contract has no state; its registration has. Parties and terms are copied, never looked up
later."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from cms.numbers import NumberField
from marketplace.accounts.models import Organization, User
from marketplace.files import private_storage


class ContractQuerySet(models.QuerySet["Contract"]):
    def visible_to(self, user: Any) -> ContractQuerySet:
        """The applicant's organisation, organisations that are a party, officers of its office, the deal's broker."""
        if not getattr(user, "is_authenticated", False):
            return self.none()
        if user.is_administrator:
            return self
        mine = user.organization_ids()
        offices = user.officer_posts.filter(is_active=True, office__is_active=True).values("office")
        return self.filter(
            Q(applicant__in=mine)
            # A draft is the applicant's alone; the other side sees what was submitted.
            | Q(pk__in=Party.objects.filter(organization__in=mine).values("contract")) & ~Q(registration__state="draft")
            | Q(registration__office__in=offices) & ~Q(registration__state="draft")
            | (Q(deal__mandate__broker__user=user) | Q(deal__second_mandate__broker__user=user))
            & ~Q(registration__state="draft")
        )


def _amount(label: str, **kwargs: Any) -> models.DecimalField:
    kwargs = {"null": True, "blank": True, **kwargs}
    return models.DecimalField(
        label, max_digits=18, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))], **kwargs
    )


class Contract(models.Model):
    """The registration form's facts (技术合同登记表). All amounts in 元. Nullable while a draft; `rules` says what is
    missing, and a database trigger freezes the row once it has been submitted (see `apps`)."""

    SOURCES = [("own", "本站登记"), ("imported", "导入")]
    LICENCE_MODES = [
        ("exclusive", "独占许可"),
        ("sole", "排他许可"),
        ("ordinary", "普通许可"),
        ("cross", "交叉许可"),
        ("sub", "分许可"),
        ("open", "开放许可"),
    ]

    number = NumberField("编号", prefix="HT")
    source = models.CharField("来源", max_length=8, choices=SOURCES, default="own", editable=False)
    import_source = models.CharField("来源文件", max_length=200, blank=True, editable=False)
    deal = models.OneToOneField(
        "deals.Deal", models.PROTECT, null=True, blank=True, related_name="contract", editable=False
    )
    applicant = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contracts",
        editable=False,
        verbose_name="申请单位",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    version = models.PositiveIntegerField("版本", default=1, editable=False)

    project_name = models.CharField("项目名称", max_length=200)
    contract_type = models.ForeignKey(
        "contracts.ContractType", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="合同类别"
    )
    licence_mode = models.CharField("许可方式", max_length=12, choices=LICENCE_MODES, blank=True)
    signed_on = models.DateField("合同签订日期", null=True, blank=True)
    effective_on = models.DateField("生效日期", null=True, blank=True)
    valid_from = models.DateField("有效期自", null=True, blank=True)
    valid_to = models.DateField("有效期至", null=True, blank=True)
    amount_total = _amount("合同成交总额（元）")
    amount_tech = _amount("技术交易额（元）")
    is_amount_uncertain = models.BooleanField("金额待定（含提成部分）", default=False)
    payment_method = models.ForeignKey(
        "contracts.PaymentMethod", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="支付方式"
    )
    currency = models.CharField("币种", max_length=3, default="CNY")
    exchange_rate = models.DecimalField("汇率", max_digits=12, decimal_places=6, null=True, blank=True)
    exchange_rate_on = models.DateField("汇率日期", null=True, blank=True)
    is_related = models.BooleanField("关联交易", default=False)
    related_note = models.CharField("关联关系说明", max_length=200, blank=True)
    plan_source = models.ForeignKey(
        "contracts.PlanSource", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="项目计划来源"
    )
    plan_project_number = models.CharField("计划项目编号", max_length=60, blank=True)
    ip_type = models.ForeignKey(
        "contracts.IPType", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="知识产权"
    )
    technology_field = models.ForeignKey(
        "cms.TechnologyField", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="技术领域"
    )
    social_objective = models.ForeignKey(
        "contracts.SocialObjective",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="社会—经济目标",
    )
    served_industry = models.ForeignKey(
        "cms.Industry", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="技术服务的国民经济行业"
    )
    natures = models.JSONField("合同性质", default=list, blank=True)
    expected_new_input = _amount("预计新增投入（元）")
    expected_new_output = _amount("预计新增产值（元）")
    summary = models.TextField("技术内容摘要", max_length=2000, blank=True)
    novelty_points = models.TextField("创新点、技术指标", max_length=2000, blank=True)
    filler = models.CharField("填报人", max_length=50, blank=True)
    responsible = models.CharField("负责人", max_length=50, blank=True)
    # Price notice of a state institution, 促进科技成果转化法 art. 18 and 国发〔2016〕16号: facts, not the notice
    # itself.
    seller_is_state_institution = models.BooleanField("卖方是国家设立的研究开发机构或高等院校", default=False)
    pricing_mode = models.CharField("定价方式", max_length=12, blank=True)
    notice_starts_on = models.DateField("公示开始", null=True, blank=True)
    notice_ends_on = models.DateField("公示结束", null=True, blank=True)
    notice_channel = models.CharField("公示渠道", max_length=200, blank=True)
    is_declared_signed = models.BooleanField("申请人声明所附合同文本已签字盖章、与原件一致", default=False)
    # Asked separately, not pre-ticked: what outsiders may read in the public register.
    consents_to_name = models.BooleanField("同意公开项目名称和双方名称", default=False)
    consents_to_amount = models.BooleanField("同意公开金额", default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = ContractQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "技术合同"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_total__isnull=True) | Q(amount_total__gt=0), name="contract_total_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(amount_tech__isnull=True)
                | Q(amount_total__isnull=True)
                | Q(amount_tech__gt=0, amount_tech__lte=F("amount_total")),
                name="contract_tech_amount_within_total",
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="contract_validity_in_order",
            ),
            models.CheckConstraint(
                condition=Q(source="own") | ~Q(import_source=""), name="imported_contract_names_its_file"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.project_name}"

    def get_absolute_url(self) -> str:
        return f"/contracts/{self.number}/"

    @property
    def lead_seller(self) -> Party | None:
        return next((p for p in self.parties.all() if p.side == "seller" and p.is_lead), None)

    @property
    def lead_buyer(self) -> Party | None:
        return next((p for p in self.parties.all() if p.side == "buyer" and p.is_lead), None)


class Party(models.Model):
    """One side's member as it stands in the contract. A resident number is never kept: only a keyed hash and four
    digits."""

    SIDES = [("seller", "卖方"), ("buyer", "买方")]
    KINDS = [("organization", "境内单位"), ("person", "自然人"), ("foreign", "境外机构")]
    SCALES = [("large", "大型"), ("medium", "中型"), ("small", "小型"), ("micro", "微型"), ("none", "不适用")]

    contract = models.ForeignKey(Contract, models.CASCADE, related_name="parties")
    side = models.CharField("方", max_length=6, choices=SIDES)
    order = models.PositiveSmallIntegerField(default=0)
    is_lead = models.BooleanField("主要一方", default=False)
    share = models.DecimalField("份额（%）", max_digits=5, decimal_places=2, default=Decimal(100))
    kind = models.CharField("种类", max_length=12, choices=KINDS, default="organization")
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="contract_parties", verbose_name="本站单位"
    )
    name = models.CharField("名称", max_length=120)
    credit_code = models.CharField("统一社会信用代码", max_length=18, blank=True)
    id_hash = models.CharField(max_length=64, blank=True, editable=False)
    id_last4 = models.CharField("证件号后四位", max_length=4, blank=True, editable=False)
    country = models.CharField("国别（地区）", max_length=3, default="CHN")
    region = models.ForeignKey(
        "cms.Region", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="行政区划"
    )
    nature = models.ForeignKey(
        "contracts.PartyNature", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="性质"
    )
    industry = models.ForeignKey(
        "cms.Industry", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所属国民经济行业"
    )
    scale = models.CharField("企业规模", max_length=8, choices=SCALES, default="none")
    is_rd_organization = models.BooleanField("研发机构", default=False)
    is_transfer_organization = models.BooleanField("技术转移机构", default=False)
    is_converted_institute = models.BooleanField("转制科研院所", default=False)
    is_in_hightech_zone = models.BooleanField("国家高新区内企业", default=False)
    is_hightech_enterprise = models.BooleanField("高新技术企业", default=False)
    is_listed = models.BooleanField("上市公司", default=False)
    legal_representative = models.CharField("法定代表人", max_length=50, blank=True)
    contact_name = models.CharField("联系人", max_length=50, blank=True)
    contact_phone = models.CharField("联系电话", max_length=40, blank=True)
    address = models.CharField("地址", max_length=200, blank=True)
    postcode = models.CharField("邮编", max_length=6, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "当事人"
        ordering = ["-side", "order", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "side"], condition=Q(is_lead=True), name="one_lead_party_per_side"
            ),
            models.CheckConstraint(condition=Q(share__gt=0, share__lte=100), name="party_share_within_100"),
        ]

    def __str__(self) -> str:
        return self.name


class Deduction(models.Model):
    """非技术性费用: what the total holds that is no price of technology; the lines sum to total − technology amount."""

    KINDS = [
        ("D1", "设备"),
        ("D2", "仪器"),
        ("D3", "零部件"),
        ("D4", "原材料"),
        ("D5", "土建、安装"),
        ("D6", "外购通用软件、硬件"),
        ("D7", "其他非技术性费用"),
    ]

    contract = models.ForeignKey(Contract, models.CASCADE, related_name="deductions")
    kind = models.CharField("类别", max_length=2, choices=KINDS)
    amount = models.DecimalField("金额（元）", max_digits=18, decimal_places=2)
    clause = models.CharField("合同条款", max_length=80, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "扣除明细"
        ordering = ["kind", "pk"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="deduction_above_zero")]


class IPItem(models.Model):
    """涉及的知识产权: copied from the achievement or typed in."""

    contract = models.ForeignKey(Contract, models.CASCADE, related_name="ip_items")
    number = models.CharField("编号", max_length=40)
    title = models.CharField("名称", max_length=200, blank=True)
    holder = models.CharField("权利人", max_length=120, blank=True)
    legal_status = models.CharField("法律状态", max_length=40, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "涉及的知识产权"


class ContractFile(models.Model):
    """A file of a contract: private, under a random name, with its hash. Never replaced: a newer one stands beside
    it."""

    KINDS = [
        ("contract", "合同文本"),
        ("annex", "附件"),
        ("notice", "公示证明"),
        ("expert", "专家意见"),
        ("proof", "其他证明"),
    ]

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="files")
    kind = models.CharField("种类", max_length=10, choices=KINDS, default="contract")
    file = models.FileField(storage=private_storage, upload_to="contracts/%Y/", max_length=200)
    name = models.CharField("文件名", max_length=120)
    size = models.PositiveIntegerField("字节")
    sha256 = models.CharField(max_length=64, db_index=True)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(auto_now_add=True)
    is_removed = models.BooleanField(default=False)

    class Meta:
        verbose_name = verbose_name_plural = "合同文件"
        ordering = ["kind", "uploaded_at"]

    def __str__(self) -> str:
        return self.name
