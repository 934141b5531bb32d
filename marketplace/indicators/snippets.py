"""What an administrator types in Wagtail: targets of a plan, and figures that an authority published. Typed in 亿元."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.ui.tables import Column
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from cms.models import Region
from marketplace import money
from marketplace.posting.fields import NumberField

from . import catalogue
from .models import PublishedFigure, TargetSet

YI = Decimal(100_000_000)
YEARS = (2000, 2100)
POINT = re.compile(r"(\d{4})\s*[:：=，,\s]\s*(\d+(?:\.\d+)?)")


class YiField(NumberField):
    """An amount typed in 亿元 (exact to 分), given as Decimal 元. Zero and less are refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=14, decimal_places=10, **kwargs)

    def clean(self, value: Any) -> Decimal | None:
        found = super().clean(value)
        if found is None:
            return None
        if found <= 0:
            raise ValidationError("须大于 0。")
        if found * YI != (found * YI).quantize(Decimal("0.01")):
            raise ValidationError("最多精确到分，也就是亿元的小数点后十位。")
        return (found * YI).quantize(Decimal("0.01"))

    def prepare_value(self, value: Any) -> Any:
        return f"{(value / YI).normalize():f}" if isinstance(value, Decimal) else value


class AreaForm(WagtailAdminModelForm):
    """For rows that name an area by its six-digit code and hold years."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.initial.setdefault("area", catalogue.CITY)

    def clean_area(self) -> str:
        code = unicodedata.normalize("NFKC", self.cleaned_data["area"]).strip()
        if not Region.objects.filter(code=code).exists():
            raise ValidationError("没有这个行政区划代码，请填六位代码，例如 150600 表示鄂尔多斯市。")
        return code

    def year(self, name: str) -> int | None:
        """A year that was typed; refused where it cannot be one."""
        year = self.cleaned_data.get(name)
        if year is not None and not YEARS[0] <= year <= YEARS[1]:
            self.add_error(name, f"请填 {YEARS[0]} 到 {YEARS[1]} 之间的年份。")
            return None
        return year


class TargetForm(AreaForm):
    """A plan's end, its base and, where the plan names them, points between. Two plans in use never share a year."""

    base_value = YiField(label="基年值（亿元）")
    end_value = YiField(label="目标值（亿元）")
    basis = forms.ChoiceField(label="口径", choices=list(catalogue.BASES.items()))
    points = forms.CharField(
        label="各年路径（亿元）",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="每行一年，例如“2027 12.5”。没有写的年份按基年到目标年的直线计算。",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = [f"{year} {Decimal(str(v)) / YI:f}" for year, v in sorted((self.instance.path or {}).items())]
        self.initial["points"] = "\n".join(lines)

    def clean_points(self) -> dict[str, str]:
        """{"2027": "1250000000.00"}, as the model keeps it."""
        path: dict[str, str] = {}
        for line in unicodedata.normalize("NFKC", self.cleaned_data["points"]).splitlines():
            if not line.strip():
                continue
            found = POINT.fullmatch(line.strip())
            if found is None:
                raise ValidationError(f"“{line.strip()[:20]}”看不懂，请写成“2027 12.5”的样子。")
            path[found[1]] = str((Decimal(found[2]) * YI).quantize(Decimal("0.01")))
        return path

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        base, end, area = self.year("base_year"), self.year("end_year"), data.get("area")
        if base is None or end is None:
            return data
        if end <= base:
            self.add_error("end_year", "目标年要晚于基年。")
            return data
        strange = [year for year in data.get("points") or {} if not base < int(year) <= end]
        if strange:
            self.add_error("points", f"{strange[0]} 年不在基年之后、目标年之前，请核对。")
        others = TargetSet.objects.filter(indicator=self.instance.indicator, area=area).exclude(pk=self.instance.pk)
        if others.filter(base_year=base, end_year=end).exists():
            self.add_error("end_year", "这个地区已有起止年份相同的目标，请修改原有的一条。")
        elif data.get("is_active"):
            shared = others.filter(is_active=True, base_year__lt=end, end_year__gt=base).first()
            if shared is not None:
                self.add_error("base_year", f"与使用中的“{shared}”年份重叠，请先停用那一条或改年份。")
        return data

    def save(self, commit: bool = True) -> Any:
        self.instance.path = self.cleaned_data["points"]
        return super().save(commit)


class FigureForm(AreaForm):
    """A year's published figure with its source; one a year and area."""

    value = YiField(label="数值（亿元）")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        year = self.year("year")
        same = PublishedFigure.objects.filter(indicator=self.instance.indicator, area=data.get("area"))
        if year is not None and same.filter(year=year).exclude(pk=self.instance.pk).exists():
            self.add_error("year", "这个地区这一年已有公布数，请修改原有的一条。")
        return data


class YiColumn(Column):
    """An amount of 元 shown in 亿元."""

    def get_value(self, instance: Any) -> str:
        return money.yi(super().get_value(instance))


class IndicatorViewSet(SnippetViewSet):
    copy_view_enabled = False
    FORM: Any = AreaForm
    PANELS: tuple[str, ...] = ()

    def get_edit_handler(self) -> Any:
        handler = ObjectList([FieldPanel(name) for name in self.PANELS], base_form_class=self.FORM)
        return handler.bind_to_model(self.model)


class TargetViewSet(IndicatorViewSet):
    model = TargetSet
    menu_label = "目标"
    icon = "doc-full"
    FORM = TargetForm
    PANELS = (
        "plan",
        "source",
        "area",
        "basis",
        "base_year",
        "base_value",
        "end_year",
        "end_value",
        "points",
        "is_active",
    )
    list_display = [
        "plan",
        "area",
        "base_year",
        YiColumn("base_value", label="基年值（亿元）"),
        "end_year",
        YiColumn("end_value", label="目标值（亿元）"),
        "is_active",
    ]


class FigureViewSet(IndicatorViewSet):
    model = PublishedFigure
    menu_label = "外部公布数"
    icon = "doc-full"
    FORM = FigureForm
    PANELS = ("area", "year", "value", "source")
    list_display = ["area", "year", YiColumn("value", label="数值（亿元）"), "source"]


class IndicatorGroup(SnippetViewSetGroup):
    items = (TargetViewSet, FigureViewSet)
    menu_label = "指标"
    menu_name = "indicators"
    menu_icon = "order"
    menu_order = 750
