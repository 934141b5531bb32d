"""What every form of a contract shares: nothing compulsory when one saves and leaves, and no text with a secrecy
mark."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as gl

from cms.secrecy import find_mark

SECRET = gl("文字带有密级标志，涉密合同不在网上办理。没有保存任何内容，请携带材料到登记机构当面办理。")


def codes(model: Any, label: Any, **kwargs: Any) -> forms.ModelChoiceField:
    """A choice from a code list, shown with its code as the paper form does."""
    field = forms.ModelChoiceField(
        queryset=model.objects.filter(is_active=True), label=label, empty_label=gl("请选择"), **kwargs
    )
    field.label_from_instance = lambda row: row.label  # type: ignore[method-assign]
    return field


class LenientMixin:
    """`lenient=True`: nothing is compulsory (save and leave). Texts with a secrecy mark are refused in either case."""

    def __init__(self, *args: Any, lenient: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lenient = lenient
        if lenient:
            for field in self.fields.values():  # type: ignore[attr-defined]
                field.required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data  # type: ignore[misc]
        for name, value in list(data.items()):
            if isinstance(value, str) and find_mark([value]):
                self.add_error(name, ValidationError(SECRET, code="secret"))  # type: ignore[attr-defined]
        return data

    @property
    def is_secret(self) -> bool:
        """Whether something was refused for a secrecy mark: such a text is not even shown again."""
        return any(error.code == "secret" for errors in self.errors.as_data().values() for error in errors)  # type: ignore[attr-defined]

    def ask(self, name: str, condition: bool, message: str) -> None:
        """A field that is compulsory under a condition; only asked of who goes on."""
        if condition and not self.lenient and not self.cleaned_data.get(name) and name not in self.errors:  # type: ignore[attr-defined]
            self.add_error(name, ValidationError(message, code="required"))  # type: ignore[attr-defined]
