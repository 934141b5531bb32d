"""A person: signs in with an e-mail address, has one name, acts for organisations, may hold platform roles (groups)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

MODERATOR, EDITOR, ADMINISTRATOR = "审核员", "编辑", "管理员"
PLATFORM_GROUPS = (MODERATOR, EDITOR, ADMINISTRATOR)


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        """Make a person; without a password he can only sign in by other means."""
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        return self.create_user(email, password, is_superuser=True, **extra)

    def holding(self, *roles: str) -> models.QuerySet[User]:
        """Who may sign in and holds one of these platform roles. A superuser holds all, as `is_moderator` says: the
        first administrator of a market is one and in no group."""
        held = models.Q(groups__name__in=roles) | models.Q(is_superuser=True)
        return self.filter(held, is_active=True).distinct()


class User(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField("邮箱", unique=True)
    name = models.CharField("姓名", max_length=50)
    phone = models.CharField("电话", max_length=40, blank=True)
    is_active = models.BooleanField("可登录", default=True)
    date_joined = models.DateTimeField("注册时间", default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = verbose_name_plural = "用户"
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def is_staff(self) -> bool:
        """Wagtail and DRF ask for it: who may enter the back office."""
        return self.is_superuser or bool(self.group_names & set(PLATFORM_GROUPS))

    @cached_property
    def group_names(self) -> frozenset[str]:
        return frozenset(self.groups.values_list("name", flat=True)) if self.pk else frozenset()

    @cached_property
    def is_moderator(self) -> bool:
        return self.is_superuser or bool(self.group_names & {MODERATOR, ADMINISTRATOR})

    @cached_property
    def is_administrator(self) -> bool:
        return self.is_superuser or ADMINISTRATOR in self.group_names

    @property
    def sees_all_listings(self) -> bool:
        """Moderators read drafts, returned and restricted texts: they must judge them."""
        return self.is_active and self.is_moderator

    @cached_property
    def approved_memberships(self) -> list[Any]:
        """Approved memberships with their organisations, heads first."""
        return list(
            self.memberships.filter(state="approved", organization__is_active=True)
            .select_related("organization__region")
            .order_by("-role", "organization__name")
        )

    def organization_ids(self) -> list[int]:
        """The organisations this person may act for; cms and search ask it through the user object."""
        return [m.organization_id for m in self.approved_memberships] if self.is_active else []

    @property
    def is_verified_member(self) -> bool:
        return any(m.organization.verified_at for m in self.approved_memberships)

    def is_head_of(self, organization: Any) -> bool:
        return any(m.organization_id == organization.pk and m.role == "head" for m in self.approved_memberships)


def display_name(user: User) -> str:
    """What allauth prints of a person."""
    return str(user)


class ConsentText(models.Model):
    """The wording that people agree to, by kind and version; data that an operator adds to, never edits in place."""

    KINDS = [("terms", "服务协议"), ("privacy", "个人信息处理告知")]

    kind = models.CharField("种类", max_length=12, choices=KINDS)
    version = models.CharField("版本", max_length=20)
    effective_on = models.DateField("生效日期")
    title = models.CharField("标题", max_length=120)
    body = models.TextField("正文")

    class Meta:
        verbose_name = verbose_name_plural = "协议与告知"
        ordering = ["kind", "-effective_on", "-pk"]
        constraints = [models.UniqueConstraint(fields=["kind", "version"], name="one_text_per_kind_and_version")]

    def __str__(self) -> str:
        return f"{self.title}（{self.version}）"


class Consent(models.Model):
    """That a person agreed to one version of one text, by an act, at a moment."""

    user = models.ForeignKey(User, models.CASCADE, related_name="consents")
    text = models.ForeignKey(ConsentText, models.PROTECT, related_name="+")
    given_at = models.DateTimeField("同意时间", auto_now_add=True)
    withdrawn_at = models.DateTimeField("撤回时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "同意记录"
        constraints = [models.UniqueConstraint(fields=["user", "text"], name="one_consent_per_user_and_text")]
