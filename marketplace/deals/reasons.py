"""Why somebody said no, or a deal ended: a code from which the market learns, and words where the code says nothing."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .models import DECLINE_REASONS


def check(reason: str, note: str) -> None:
    """Raise ValidationError by field for a reason that is not on the list, or 其他 without words."""
    if reason not in dict(DECLINE_REASONS):
        raise ValidationError({"reason": _("请选择一个原因。")})
    if reason == "other" and not note.strip():
        raise ValidationError({"note": _("选“其他”时请写明原因。")})
