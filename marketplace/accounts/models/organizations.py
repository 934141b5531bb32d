"""Organisations: one credit code, names in time, members, and what staff has verified."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from cms.models import Achievement, Demand
from cms.numbers import NumberField
from marketplace.files import private_storage
from marketplace.workflow import Flow, FlowMixin, Move

from .people import User


def fold(name: str) -> str:
    """A name for comparison: NFKC (also brackets), no spaces or invisible characters, lower case."""
    kept = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) not in ("Cf", "Cc", "Zs"))
    return "".join(kept).lower()


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def visible_to(self, user: Any) -> OrganizationQuerySet:
        """Verified organisations and those with something public are known to all; one's own always; staff all."""
        if getattr(user, "sees_all_listings", False):
            return self
        seen: Any = Q(verified_at__isnull=False) | Exists(
            Achievement.objects.public().filter(record__owner=OuterRef("pk"))
        )
        # An anonymous demand must not make its owner's page appear.
        seen |= Exists(Demand.objects.public().filter(record__owner=OuterRef("pk"), is_anonymous=False))
        if getattr(user, "is_authenticated", False):
            seen |= Q(pk__in=user.organization_ids())
        return self.filter(seen, is_active=True)

    def named(self, name: str) -> Organization | None:
        """The organisation that has, or had, this name; None where there is none or more than one."""
        found = self.filter(names__folded=fold(name)).distinct()[:2]
        return found[0] if len(found) == 1 else None


class Organization(models.Model):
    """单位. `credit_code` is set once staff (or the holder of an office) has checked it; imports make rows without."""

    KINDS = [
        ("company", "企业"),
        ("university", "高等院校"),
        ("institute", "科研机构"),
        ("agency", "技术转移服务机构"),
        ("government", "机关"),
        ("other", "其他组织"),
    ]

    number = NumberField("编号", prefix="DW")
    name = models.CharField("名称", max_length=120)
    short_name = models.CharField("简称", max_length=40, blank=True)
    kind = models.CharField("类别", max_length=12, choices=KINDS, default="company")
    credit_code = models.CharField("统一社会信用代码", max_length=18, null=True, blank=True, unique=True)
    # What the founder says, unchecked; verification starts from it.
    declared_code = models.CharField("填报的统一社会信用代码", max_length=18, blank=True, editable=False)
    region = models.ForeignKey(
        "cms.Region", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="所在地区"
    )
    address = models.CharField("地址", max_length=200, blank=True)
    legal_representative = models.CharField("法定代表人", max_length=50, blank=True)
    introduction = models.TextField("简介", max_length=3000, blank=True)
    is_state_institution = models.BooleanField("国家设立的研究开发机构或高等院校", default=False)
    is_active = models.BooleanField("有效", default=True)
    is_imported = models.BooleanField("由导入建立", default=False, editable=False)
    verified_at = models.DateTimeField("核实时间", null=True, blank=True, editable=False)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField("建立时间", auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "单位"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(verified_at__isnull=True) | Q(credit_code__isnull=False),
                name="a_verified_organization_has_a_code",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/organizations/{self.number}/"

    @property
    def is_verified(self) -> bool:
        return self.verified_at is not None

    @property
    def label(self) -> str:
        return self.short_name or self.name

    def name_on(self, day: Any) -> str:
        """The name that the organisation bore on a date: a certificate keeps the name of then."""
        for row in self.names.all():
            if (row.from_on is None or row.from_on <= day) and (row.until_on is None or day <= row.until_on):
                return row.name
        return self.name

    def heads(self) -> models.QuerySet[User]:
        return User.objects.filter(
            is_active=True, memberships__organization=self, memberships__state="approved", memberships__role="head"
        )

    def people(self) -> models.QuerySet[User]:
        """Everyone who may act for it."""
        return User.objects.filter(is_active=True, memberships__organization=self, memberships__state="approved")


class OrganizationName(models.Model):
    """A name and the days it was borne; `folded` finds confusable spellings. The current one has no end."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="names")
    name = models.CharField("名称", max_length=120)
    folded = models.CharField(max_length=120, db_index=True, editable=False)
    from_on = models.DateField("自", null=True, blank=True)
    until_on = models.DateField("至", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "单位名称"
        ordering = [models.F("from_on").desc(nulls_last=True), "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=Q(until_on__isnull=True), name="one_current_name_per_organization"
            ),
            models.UniqueConstraint(
                fields=["folded"], condition=Q(until_on__isnull=True), name="one_organization_per_current_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.folded = fold(self.name)
        super().save(*args, **kwargs)


def is_head_or_administrator(membership: Membership, user: Any) -> bool:
    """A head decides for his organisation, the platform's administrator too; neither about himself."""
    return membership.user_id != user.pk and (user.is_administrator or user.is_head_of(membership.organization))


def is_oneself(membership: Membership, user: Any) -> bool:
    return bool(membership.user_id == user.pk)


def is_member_or_head(membership: Membership, user: Any) -> bool:
    return is_oneself(membership, user) or is_head_or_administrator(membership, user)


def is_moderator_for_another(membership: Membership, user: Any) -> bool:
    return user.is_moderator and membership.user_id != user.pk


class Membership(FlowMixin):
    """A person asks to join an organisation and a head approves; leaving ends his acting for it at the next request."""

    STATES = [("requested", "待批准"), ("approved", "成员"), ("declined", "未加入"), ("left", "已离开")]
    ROLES = [("head", "负责人"), ("member", "成员")]
    FLOW = Flow(
        "membership",
        {
            "approve": Move("批准加入", ("requested",), "approved", is_head_or_administrator),
            "decline": Move("不批准", ("requested",), "declined", is_head_or_administrator),
            "leave": Move("离开单位", ("approved",), "left", is_member_or_head),
            "withdraw": Move("撤回加入申请", ("requested",), "declined", is_oneself),
            "ask_again": Move("重新申请", ("declined", "left"), "requested", is_oneself),
            # What verify does for the applicant: staff has seen that he speaks for the organisation.
            "appoint": Move(
                "核实后成为负责人", ("requested", "declined", "left"), "approved", is_moderator_for_another
            ),
        },
        initial=("requested", "approved"),
    )

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    role = models.CharField("角色", max_length=8, choices=ROLES, default="member")
    message = models.CharField("申请说明", max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "单位成员"
        constraints = [
            models.UniqueConstraint(fields=["user", "organization"], name="one_membership_per_person_and_organization")
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.organization}"


def is_platform_staff(record: Any, user: Any) -> bool:
    """Staff verifies, but never his own request nor his own organisation."""
    return (
        user.is_moderator and record.applicant_id != user.pk and record.organization_id not in user.organization_ids()
    )


class VerificationRequest(FlowMixin):
    """Somebody shows who an organisation is and that he speaks for it: a new one, or one that an import made (认领).

    On approval the organisation gets its checked credit code and day of verification, and the applicant is its head.
    """

    STATES = [("submitted", "待核实"), ("verified", "已核实"), ("returned", "已退回")]
    FLOW = Flow(
        "verification",
        {
            "verify": Move("核实通过", ("submitted",), "verified", is_platform_staff),
            "return": Move("退回", ("submitted",), "returned", is_platform_staff),
            "resubmit": Move(
                "重新提交", ("returned",), "submitted", lambda record, user: record.applicant_id == user.pk
            ),
        },
        initial=("submitted",),
    )

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="verifications")
    applicant = models.ForeignKey(User, models.CASCADE, related_name="verifications")
    credit_code = models.CharField("统一社会信用代码", max_length=18)
    legal_representative = models.CharField("法定代表人", max_length=50)
    region = models.ForeignKey("cms.Region", models.PROTECT, related_name="+", verbose_name="所在地区")
    kind = models.CharField("类别", max_length=12, choices=Organization.KINDS)
    is_state_institution = models.BooleanField("国家设立的研究开发机构或高等院校", default=False)
    is_claim = models.BooleanField("认领已有单位", default=False)
    evidence = models.FileField(
        "证明材料", upload_to="verification/", storage=private_storage, blank=True, max_length=200
    )
    evidence_name = models.CharField("文件名", max_length=200, blank=True)
    note = models.CharField("说明", max_length=500, blank=True)
    decision_note = models.CharField("核实意见", max_length=500, blank=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = verbose_name_plural = "单位核实"
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=Q(state="submitted"), name="one_open_verification_per_organization"
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization} {self.credit_code}"

    @property
    def act(self) -> str:
        """What is asked for, in a word."""
        return "认领" if self.is_claim else "核实"

    @property
    def days_open(self) -> int:
        return (timezone.now() - self.created_at).days
