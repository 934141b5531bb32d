from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class SignupDetails(forms.Form):
    """What allauth's sign-up asks besides e-mail and password."""

    name = forms.CharField(label=_("姓名"), max_length=50, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    consent = forms.BooleanField(
        label=_("我已阅读并同意服务协议和个人信息处理告知"),
        error_messages={"required": _("请先阅读服务协议和个人信息处理告知，同意后才能注册。")},
    )

    field_order = ["name", "email", "password1", "password2", "consent"]

    def signup(self, request: HttpRequest, user: Any) -> None:
        """Called by allauth once the user row exists: the name, and a consent row for each text in force."""
        from . import services

        user.name = self.cleaned_data["name"].strip()
        user.save(update_fields=["name"])
        services.consent(user=user)
