"""What an administrator sets up in Wagtail: offices, their territories and officers, rule sets, the form's code
lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from cms.models import Region
from cms.snippets import CodeViewSet
from cms.taxonomy import area_prefix
from marketplace.accounts.models import User
from marketplace.posting.fields import RegionChoice

from .models import (
    ContractType,
    IPType,
    Office,
    Officer,
    OfficeTerritory,
    PartyNature,
    PaymentMethod,
    PlanSource,
    RefusalReason,
    RuleSet,
    SocialObjective,
)


class OfficeForm(WagtailAdminModelForm):
    """An office's place and point make its numbers: two offices of one city need two points."""

    region = RegionChoice(label="所在地区", required=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Any city may have an office here, not only those whose people post here often.
        cities = Region.objects.filter(is_active=True, code__endswith="00").values_list("code", flat=True)
        field = self.fields["region"]
        field.choices = field.grouped(*cities, self.instance.region_id)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        region, point = data.get("region"), data.get("point")
        if region is not None and point:
            city = area_prefix(region.code)[:4]
            others = Office.objects.filter(point=point, region__code__startswith=city).exclude(pk=self.instance.pk)
            if others.exists():
                self.add_error("point", f"同一城市的“{others[0]}”已用登记点号 {point}，编号会重复，请换一个。")
        return data


class OfficerForm(WagtailAdminModelForm):
    """A post is given by the person's address: no list of everybody is shown."""

    email = forms.EmailField(label="登记员的登录邮箱", help_text="须已在本站注册")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["email"] = self.instance.user.email

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        email = data.get("email", "").strip().lower()
        user = User.objects.filter(email__iexact=email, is_active=True).first() if email else None
        if email and user is None:
            self.add_error("email", "没有用这个邮箱注册的人，请先请他注册。")
        elif user is not None:
            taken = Officer.objects.filter(user=user, office=data.get("office")).exclude(pk=self.instance.pk)
            if taken.exists():
                self.add_error("email", "这个人在该机构已有岗位，请修改原有的岗位。")
            self.instance.user = user
        if not data.get("first_review") and not data.get("second_review"):
            raise ValidationError("初审、复审至少选一项。")
        return data


class TerritoryForm(WagtailAdminModelForm):
    """A prefix of area codes: two, four or six digits."""

    def clean_prefix(self) -> str:
        prefix = self.cleaned_data["prefix"].strip()
        if not prefix.isdecimal() or len(prefix) not in (2, 4, 6):
            raise ValidationError("请填行政区划代码的前 2、4 或 6 位，例如 1506 表示鄂尔多斯全市。")
        return prefix


class ContractsViewSet(SnippetViewSet):
    """Set up and changed, never copied or deleted: registered contracts point to them."""

    copy_view_enabled = False
    list_per_page = 50
    FORM: Any = WagtailAdminModelForm
    PANELS: tuple[str, ...] = ()

    def get_edit_handler(self) -> Any:
        handler = ObjectList([FieldPanel(name) for name in self.PANELS], base_form_class=self.FORM)
        return handler.bind_to_model(self.model)


class OfficeViewSet(ContractsViewSet):
    model = Office
    menu_label = "登记机构"
    icon = "home"
    FORM = OfficeForm
    PANELS = ("name", "authority", "region", "point", "numbering", "address", "phone", "is_active")
    list_display = ["name", "region", "point", "numbering", "is_active"]
    search_fields = ["name"]


class TerritoryViewSet(ContractsViewSet):
    model = OfficeTerritory
    menu_label = "登记地域"
    icon = "site"
    FORM = TerritoryForm
    PANELS = ("office", "prefix")
    list_display = ["prefix", "office"]


class OfficerViewSet(ContractsViewSet):
    model = Officer
    menu_label = "登记员"
    icon = "user"
    FORM = OfficerForm
    PANELS = ("email", "office", "first_review", "second_review", "is_active")
    list_display = ["user", "office", "first_review", "second_review", "is_active"]
    list_filter = ["office", "is_active"]


class RuleSetViewSet(ContractsViewSet):
    model = RuleSet
    menu_label = "登记规则"
    icon = "doc-full"
    PANELS = (
        "title",
        "instrument",
        "effective_on",
        "normal_days",
        "large_days",
        "are_working_days",
        "large_amount",
        "supplement_days",
    )
    list_display = ["title", "effective_on", "normal_days", "large_days", "large_amount"]


def _codes(model: Any, *extra: str) -> type[CodeViewSet]:
    label = str(model._meta.verbose_name)
    return type(f"{model.__name__}ViewSet", (CodeViewSet,), {"model": model, "menu_label": label, "EXTRA": extra})


class RegistrationGroup(SnippetViewSetGroup):
    items = (
        OfficeViewSet,
        TerritoryViewSet,
        OfficerViewSet,
        RuleSetViewSet,
        _codes(ContractType, "group5", "group4"),
        _codes(PaymentMethod),
        _codes(IPType),
        _codes(PartyNature),
        _codes(PlanSource),
        _codes(SocialObjective),
        _codes(RefusalReason),
    )
    menu_label = "合同登记"
    menu_name = "contracts"
    menu_icon = "doc-full-inverse"
    menu_order = 700
