"""allauth's own forms where they must say more. Apart from `forms`, which allauth itself imports for sign-up."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import AddEmailForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class NewEmailForm(AddEmailForm):
    """Another address; not for an account of the demo, which everybody shares."""

    def clean(self) -> dict[str, Any]:
        if getattr(self.user, "demo_account", None) is not None:
            raise ValidationError(_("演示账户供所有来访者使用，不能改邮箱。"))
        return super().clean() or self.cleaned_data
