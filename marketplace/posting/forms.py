"""What a member fills in to offer an achievement or to ask for a solution. A draft may lack nearly everything; what is
there must be readable. Whether it suffices for publication is asked in `requirements`."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from modelcluster.forms import BaseChildFormSet, ClusterForm

from cms.models import Achievement, Demand, Kpi, PatentItem, PriceType, PricingMode, Target, TransferMode
from cms.publishing import DEFAULT_VALIDITY, LONGEST
from marketplace.accounts.models import Organization

from .fields import DayField, FieldChoice, NumberField, PatentNumberField, RegionChoice, WanField
from .sections import SECTIONS

MOST_ROWS = 30
BLANK_ROWS = 2


class QuantityForm(ClusterForm):
    """One measured or wanted figure."""

    value = NumberField(label=gettext_lazy("数值"), max_digits=16, decimal_places=4)
    value_to = NumberField(label=gettext_lazy("至"), max_digits=16, decimal_places=4, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("operator") == "range":
            low, high = data.get("value"), data.get("value_to")
            if high is None and "value_to" not in self.errors:
                self.add_error("value_to", _("选了“范围”，请填写上限。"))
            elif low is not None and high is not None and high < low:
                self.add_error("value_to", _("上限不能小于下限。"))
        else:
            data["value_to"] = None
        return data


class TargetForm(QuantityForm):
    class Meta:
        model = Target
        fields = ["name", "operator", "value", "value_to", "unit", "present", "is_hard"]


class KpiForm(QuantityForm):
    class Meta:
        model = Kpi
        fields = ["name", "operator", "value", "value_to", "unit", "condition"]


class PatentForm(ClusterForm):
    number = PatentNumberField(label=gettext_lazy("申请号/专利号"), max_length=24)

    class Meta:
        model = PatentItem
        fields = ["number", "title", "holder", "is_granted"]


class Rows(BaseChildFormSet):
    """A formset whose rows have no order box: they stand as they were typed."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields.pop("ORDER", None)
        if "DELETE" in form.fields:
            form.fields["DELETE"].label = _("删除这一行")

    @property
    def ordered_forms(self) -> list[Any]:
        return [form for form in self.forms if form not in self.deleted_forms and form.has_changed()]


def _rows(form: type[ClusterForm]) -> dict[str, Any]:
    return {"form": form, "formset": Rows, "extra": BLANK_ROWS, "max_num": MOST_ROWS, "validate_max": True}


class ListingForm(ClusterForm):
    """Common to both kinds.

    user: who writes (anonymous while a draft is begun before signing in); the owner is one of his organisations, also
    in what is posted. key: makes a form that is sent twice one listing. version: the revision that the form shows.
    """

    COMMON = [
        "title", "summary", "body", "keywords", "technology_field", "industries", "key_technologies", "region",
        "disclosure_level", "contact_name", "contact_phone", "contact_email", "title_en", "summary_en",
    ]  # fmt: skip

    # What a publication asks for besides the title (requirements.py): their labels must not say 可不填.
    NEEDED = frozenset({
        "summary", "technology_field", "region", "contact_name", "contact_phone", "valid_until", "demand_type",
        "problem", "cooperation_modes", "is_budget_negotiable", "deadline", "achievement_type", "trl",
        "transfer_modes", "price_type",
    })  # fmt: skip

    technology_field = FieldChoice(label=gettext_lazy("技术领域"), required=False)
    region = RegionChoice(label=gettext_lazy("所在地区"), required=False)
    owner = forms.ModelChoiceField(
        queryset=Organization.objects.none(),
        label=gettext_lazy("发布单位"),
        required=False,
        empty_label=None,
        error_messages={"invalid_choice": gettext_lazy("您现在不能代表这个单位发布，请选择您所在的单位。")},
    )
    valid_until = DayField(label=gettext_lazy("有效期至"))
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: Any, acting: Any = None, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)
        record = getattr(self.instance, "record", None) if self.instance.pk else None
        self.is_new = record is None
        self.can_set_validity = record is None or record.first_published_at is None
        ours = [m.organization for m in user.approved_memberships] if user.is_authenticated else []
        if record is None:
            self.fields["owner"].queryset = Organization.objects.filter(pk__in=[o.pk for o in ours])
            self.fields["owner"].initial = acting.pk if acting else None
            self.fields["key"].initial = uuid.uuid4()
            self._prefill(acting)
        else:
            del self.fields["owner"], self.fields["key"]
            self.initial["version"] = self.instance.latest_revision_id
        if not self.can_set_validity:
            # Published: its validity is the record's, changed by renewing, not by a draft.
            del self.fields["valid_until"]
        else:
            default = timezone.localdate() + DEFAULT_VALIDITY
            self.initial["valid_until"] = record.valid_until if record else default
        owner = record.owner if record else acting
        self.fields["technology_field"].choices = self.fields["technology_field"].grouped()
        present = self.instance.region_id or self.data.get("region")
        self.fields["region"].choices = self.fields["region"].grouped(present, owner.region_id if owner else None)
        self.fields["summary"].widget.attrs["rows"] = 4
        for name in self.needed:
            self.fields[name].is_needed = True
        self.order_fields([name for section in SECTIONS[self.instance.KIND] for name in section.fields])
        for name in ("industries", "key_technologies"):
            self.fields[name].widget = forms.CheckboxSelectMultiple()
            self.fields[name].queryset = self.fields[name].queryset.filter(is_active=True)

    @property
    def needed(self) -> set[str]:
        """`problem` is asked of a demand only."""
        return (self.NEEDED & set(self.fields)) - ({"problem"} if self.instance.KIND == "achievement" else set())

    def _prefill(self, acting: Any) -> None:
        if acting is not None:
            self.initial.setdefault("region", acting.region_id)
        if self.user.is_authenticated:
            self.initial.setdefault("contact_name", self.user.name)
            self.initial.setdefault("contact_phone", self.user.phone)
            self.initial.setdefault("contact_email", self.user.email)

    def clean_valid_until(self) -> Any:
        day = self.cleaned_data["valid_until"]
        today = timezone.localdate()
        if day is not None and day <= today:
            raise forms.ValidationError(_("%(day)s 已经过去，有效期要在今天之后。") % {"day": day.isoformat()})
        if day is not None and day > today + LONGEST:
            latest = (today + LONGEST).isoformat()
            raise forms.ValidationError(_("有效期最长两年，最晚可填 %(day)s。") % {"day": latest})
        return day

    def clean_owner(self) -> Any:
        owner = self.cleaned_data.get("owner")
        if owner is None and self.user.is_authenticated and self.user.approved_memberships:
            raise forms.ValidationError(_("请选择发布单位。"))
        return owner

    def clean_contact_phone(self) -> str:
        """Full-width digits and dashes become those that a telephone dials."""
        return unicodedata.normalize("NFKC", self.cleaned_data["contact_phone"]).strip()

    def clean_keywords(self) -> str:
        words = self.cleaned_data["keywords"].replace("，", "、").replace(",", "、").replace("；", "、").split("、")
        return "、".join(dict.fromkeys(word.strip() for word in words if word.strip()))

    def _in_order(self, low: str, high: str) -> None:
        data = self.cleaned_data
        if data.get(low) is not None and data.get(high) is not None and data[high] < data[low]:
            self.add_error(high, _("上限不能小于下限。"))

    @property
    def disclosure_hints(self) -> dict[str, str]:
        """What each level means, below its radio."""
        return {
            "L0": _("全文公开"),
            "L1": _("简介公开；详情只给已核实单位的登录用户"),
            "L2": _("简介公开；详情只给您接受对接或签了保密协议的人"),
            "L3": _("名称和简介也不公开，只按领域、行业、地区撮合"),
        }

    @property
    def budget_hints(self) -> dict[str, str]:
        return {"0": _("写明范围，更容易得到对口的答复"), "1": _("公开页面写“预算面议”")}

    def offers(self) -> dict[str, dict[str, str]]:
        """For each amount that was probably typed in 元: the button that puts it right."""
        found = {}
        for name, errors in self.errors.as_data().items():
            for error in errors:
                if error.code == "unit":
                    meant = error.params["meant"]
                    value = f"{name}={meant.removesuffix(' 万元').replace(',', '')}"
                    found[name] = {"name": "fix", "value": value, "label": _("改为 %(meant)s") % {"meant": meant}}
        return found

    def show_lacks(self, lacks: list[Any]) -> None:
        """Put what a publication lacks beside the fields, also on a form that shows what is stored."""
        if self._errors is None:
            self._errors = ErrorDict()
        for lack in lacks:
            name = lack.field if lack.field in self.fields else None
            self._errors.setdefault(name or "__all__", self.error_class()).append(lack.message)

    def texts(self) -> Iterator[str]:
        """Every text that was posted, known field or not: none of it may carry a mark of secrecy."""
        for name in self.data:
            yield from self.data.getlist(name)


class DemandForm(ListingForm):
    is_budget_negotiable = forms.TypedChoiceField(
        label=gettext_lazy("预算写法"),
        choices=[("0", gettext_lazy("给出范围")), ("1", gettext_lazy("面议"))],
        coerce=lambda value: value == "1",
        widget=forms.RadioSelect,
        required=False,
        empty_value=False,
    )
    budget_min = WanField(label=gettext_lazy("最低预算"))
    budget_max = WanField(label=gettext_lazy("最高预算"))
    deadline = DayField(label=gettext_lazy("答复截止日期"))

    class Meta:
        model = Demand
        fields = [
            *ListingForm.COMMON, "demand_type", "problem", "cooperation_modes", "is_budget_negotiable", "budget_min",
            "budget_max", "deadline", "is_anonymous",
        ]  # fmt: skip
        widgets = {
            "cooperation_modes": forms.CheckboxSelectMultiple,
            "disclosure_level": forms.RadioSelect,
        }
        formsets = {"targets": _rows(TargetForm)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["is_budget_negotiable"] = "1" if self.instance.is_budget_negotiable else "0"
        self.fields["cooperation_modes"].queryset = TransferMode.objects.filter(is_active=True).exclude(code="M7")
        self.fields["demand_type"].empty_label = _("请选择")
        self.fields["problem"].widget.attrs["rows"] = 6

    def clean_deadline(self) -> Any:
        day = self.cleaned_data["deadline"]
        if day is not None and day <= timezone.localdate() and "deadline" in self.changed_data:
            raise forms.ValidationError(_("%(day)s 已经过去，请填今天之后的日期。") % {"day": day.isoformat()})
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("is_budget_negotiable"):
            data["budget_min"] = data["budget_max"] = None
        self._in_order("budget_min", "budget_max")
        return data


class AchievementForm(ListingForm):
    trl = forms.TypedChoiceField(label=gettext_lazy("技术就绪度"), coerce=int, empty_value=None, required=False)
    price_min = WanField(label=gettext_lazy("价格（区间填下限）"))
    price_max = WanField(label=gettext_lazy("价格上限"))

    LEVELS = [
        (1, gettext_lazy("TRL 1 报告级：有原理报告")), (2, gettext_lazy("TRL 2 方案级：形成技术方案")),
        (3, gettext_lazy("TRL 3 功能级：关键功能经分析或实验证明")), (4, gettext_lazy("TRL 4 仿真级：实验室验证")),
        (5, gettext_lazy("TRL 5 初样级：小试，有功能样品和图纸")),
        (6, gettext_lazy("TRL 6 正样级：中试，样机演示合格")),
        (7, gettext_lazy("TRL 7 环境级：工程样机在实际环境运行")),
        (8, gettext_lazy("TRL 8 产品级：小批合格，生产条件齐备")), (9, gettext_lazy("TRL 9 系统级：已批量应用")),
    ]  # fmt: skip

    class Meta:
        model = Achievement
        fields = [
            *ListingForm.COMMON, "achievement_type", "inventors", "problem", "trl", "transfer_modes", "price_type",
            "price_min", "price_max", "is_state_institution", "pricing_mode",
        ]  # fmt: skip
        widgets = {"transfer_modes": forms.CheckboxSelectMultiple, "disclosure_level": forms.RadioSelect}
        formsets = {"kpis": _rows(KpiForm), "patents": _rows(PatentForm)}

    def __init__(self, *args: Any, acting: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, acting=acting, **kwargs)
        self.fields["trl"].choices = [("", _("请选择")), *self.LEVELS]
        self.fields["price_type"].choices = [("", _("请选择")), *PriceType.choices]
        self.fields["pricing_mode"].choices = [("", _("请选择")), *PricingMode.choices]
        self.fields["transfer_modes"].queryset = TransferMode.objects.filter(is_active=True)
        self.fields["achievement_type"].empty_label = _("请选择")
        self.fields["problem"].widget.attrs["rows"] = 4
        if self.is_new and acting is not None:
            self.initial.setdefault("is_state_institution", acting.is_state_institution)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("price_type") == PriceType.FIXED:
            data["price_max"] = data.get("price_min")
        elif data.get("price_type") in (PriceType.NEGOTIABLE, PriceType.ROYALTY):
            data["price_min"] = data["price_max"] = None
        self._in_order("price_min", "price_max")
        return data


FORMS: dict[str, type[ListingForm]] = {"demand": DemandForm, "achievement": AchievementForm}
