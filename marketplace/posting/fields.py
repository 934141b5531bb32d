"""Form fields that read what people really type: 万元, full-width digits, dates with 年月日."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from cms.identifiers import check_patent_number
from cms.models import Region, TechnologyField
from marketplace import money


class WanField(forms.CharField):
    """An amount typed in 万元, given as Decimal 元. A bare figure that was rather meant in 元 is an error with code
    "unit"; its params name the amount that was probably meant, for a button that repairs it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            typed = money.parse_wan(text)
        except money.NotAnAmount as error:
            raise ValidationError(str(error)) from error
        if typed.value < 0:
            raise ValidationError(_("金额不能小于 0。"))
        if typed.meant is not None:
            message = _(money.HINT) + _("如果确实是这个数，请连单位一起写成“%(large)s”。")
            raise ValidationError(message % typed.params, code="unit", params=typed.params)
        return typed.value

    def prepare_value(self, value: Any) -> Any:
        return money.plain_wan(value) if isinstance(value, Decimal) else value


class NumberField(forms.DecimalField):
    """A figure with full-width digits, commas and the true minus sign understood."""

    def to_python(self, value: Any) -> Decimal | None:
        if isinstance(value, str):
            value = unicodedata.normalize("NFKC", value).replace(",", "").replace("，", "").replace("−", "-").strip()
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class DayField(forms.DateField):
    """A date in one box: 2026-12-31, 2026/12/31, 2026.12.31 and 2026年12月31日 are all read."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("widget", forms.DateInput(format="%Y-%m-%d", attrs={"inputmode": "numeric"}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> dt.date | None:
        if isinstance(value, str):
            text = unicodedata.normalize("NFKC", value).strip()
            if not text:
                return None
            found = re.fullmatch(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", text)
            try:
                if found is None:
                    raise ValueError(text)
                return dt.date(*(int(part) for part in found.groups()))
            except ValueError as error:
                message = _("“%(text)s”不是日期，请写成 2026-12-31 的样子。") % {"text": text[:20]}
                raise ValidationError(message, code="invalid") from error
        return super().to_python(value)


class PatentNumberField(forms.CharField):
    """An application or patent number whose check character is verified; given as it is printed (201710601862.3)."""

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        return check_patent_number(text).value if text else text


class FieldChoice(forms.ModelChoiceField):
    """A second-level technology field, grouped under the eleven official ones."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("empty_label", _("请选择"))
        super().__init__(queryset=TechnologyField.objects.filter(is_active=True, code__regex=r"^\d{4}$"), **kwargs)

    def grouped(self) -> list[tuple[str, Any]]:
        """Choices for the widget: ("", 请选择), then (field, [(code, name), …])."""
        names = {row.code: str(row) for row in TechnologyField.objects.all()}
        groups: dict[str, list[tuple[str, str]]] = {}
        for row in self.queryset:
            groups.setdefault(names.get(row.parent_code, row.parent_code), []).append((row.code, str(row)))
        return [("", str(self.empty_label)), *groups.items()]


class RegionChoice(forms.ModelChoiceField):
    """Ordos and its banners, the region's leagues and cities, the provinces; of 3,000 others only those in use here."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("empty_label", _("请选择"))
        super().__init__(queryset=Region.objects.all(), **kwargs)

    def grouped(self, *also: str | None) -> list[tuple[str, Any]]:
        """Choices for the widget, with the codes of `also` on top where they are not in the list."""
        wanted = Q(code__startswith="1506") | Q(code__startswith="15", code__endswith="00") | Q(code__endswith="0000")
        rows = {row.code: row for row in Region.objects.filter(wanted | Q(code__in=[code for code in also if code]))}
        groups: dict[str, list[tuple[str, str]]] = {_("鄂尔多斯市"): [], _("内蒙古自治区"): [], _("其他地区"): []}
        ordos, inner, others = groups
        for code in sorted(rows):
            group = ordos if code.startswith("1506") else inner if code.startswith("15") else others
            groups[group].append((code, rows[code].full_name or rows[code].name))
        return [("", str(self.empty_label)), *groups.items()]
