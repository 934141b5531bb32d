"""allauth with our user model, our words and our limits."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

CODE_WRONG = gettext_lazy("验证码不对，请核对后重新输入。")
MISMATCH = gettext_lazy("邮箱或密码不对，请核对后再试，或用“忘记密码”重设。")


class AccountAdapter(DefaultAccountAdapter):
    """One name, no username; sentences that say what to do, and never whether an address is known."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": gettext_lazy("这个账户已停用，请与平台联系。"),
        "cannot_remove_primary_email": gettext_lazy("主要邮箱不能移除，请先把另一个邮箱设为主要邮箱。"),
        "duplicate_email": gettext_lazy("这个邮箱已经在您的账户里。"),
        "email_password_mismatch": MISMATCH,
        "email_taken": gettext_lazy("这个邮箱不能使用，请换一个。"),
        "enter_current_password": gettext_lazy("请填写现在的密码。"),
        "incorrect_code": CODE_WRONG,
        "incorrect_password": gettext_lazy("密码不对，请重新输入。"),
        "invalid_login": MISMATCH,
        "invalid_password_reset": gettext_lazy("重设密码的链接无效或已用过，请重新申请。"),
        "max_email_addresses": gettext_lazy("邮箱最多 %d 个，请先移除一个。"),
        "rate_limited": gettext_lazy("操作太频繁，请过一会儿再试。"),
        "same_as_current": gettext_lazy("新值与现在的相同，不用更改。"),
        "select_only_one": gettext_lazy("只能选一个。"),
        "too_many_login_attempts": gettext_lazy("连续输错次数太多，请 5 分钟后再试，或用“忘记密码”重设。"),
        "unknown_email": MISMATCH,
        "unverified_primary_email": gettext_lazy("主要邮箱必须先通过验证。"),
    }

    def populate_username(self, request: Any, user: Any) -> None:
        """There is none."""

    def format_email_subject(self, subject: str) -> str:
        return _("【%(site)s】%(title)s") % {"site": settings.WAGTAIL_SITE_NAME, "title": subject}

    def get_reset_password_from_key_url(self, key: str) -> str:
        """On the site's own address, whatever host the request named: a forged Host must not lead the link away."""
        return settings.SITE_URL + urlsplit(super().get_reset_password_from_key_url(key)).path

    def set_password(self, user: Any, password: str) -> None:
        """Refused for an account of the demo: everybody shares it, and it is entered without a password."""
        if getattr(user, "demo_account", None) is not None:
            raise PermissionDenied(_("演示账户供所有来访者使用，不能设密码。"))
        super().set_password(user, password)


class MFAAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "add_email_blocked": gettext_lazy("已启用两步验证的账户不能再添加邮箱，请先停用两步验证。"),
        "cannot_delete_authenticator": gettext_lazy("现在不能停用两步验证。"),
        "cannot_generate_recovery_codes": gettext_lazy("启用两步验证后才能生成恢复码。"),
        "incorrect_code": CODE_WRONG,
        "unverified_email": gettext_lazy("邮箱通过验证后才能启用两步验证。"),
    }
