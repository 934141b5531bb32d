"""allauth's own forms where they must say more. Apart from `forms`, which allauth itself imports for sign-up."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import AddEmailForm, ConfirmEmailVerificationCodeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class NewEmailForm(AddEmailForm):
    """Another address; not for an account of the demo, which everybody shares."""

    def clean(self) -> dict[str, Any]:
        if getattr(self.user, "demo_account", None) is not None:
            raise ValidationError(_("演示账户供所有来访者使用，不能改邮箱。"))
        return super().clean() or self.cleaned_data


class EmailCodeForm(ConfirmEmailVerificationCodeForm):
    """The code that was mailed, called the same in its label and in the summary of errors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = gettext_lazy("验证码")
        self.fields["code"].widget.attrs.pop("placeholder", None)
