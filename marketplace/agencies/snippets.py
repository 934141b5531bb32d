"""Technology brokers in Wagtail: an administrator enters who is registered, and until when. Mandates are given and
ended by their two sides, on the site."""

from __future__ import annotations

from typing import Any

from django import forms
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn
from wagtail.snippets.views.snippets import SnippetViewSet

from marketplace.accounts.models import User
from marketplace.accounts.selectors import find_exact

from .models import Broker


class BrokerForm(WagtailAdminModelForm):
    """A person is named by his address, his agency by its exact name, code or number: no list of everybody is shown."""

    email = forms.EmailField(label="登录邮箱", help_text="须已在本站注册；登记后不能换人")
    agency = forms.CharField(
        label="所在机构", required=False, help_text="单位全称、统一社会信用代码或编号；独立执业的不填"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["email"]
            self.initial["agency"] = self.instance.organization.name if self.instance.organization else ""

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].strip().lower()
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            raise forms.ValidationError("没有用这个邮箱注册的人，请先请他注册。")
        if Broker.objects.filter(user=user).exists():
            raise forms.ValidationError("这个人已登记为技术经理人，请修改原有的登记。")
        self.instance.user = user
        return email

    def clean_agency(self) -> str:
        name = self.cleaned_data["agency"].strip()
        found = find_exact(name) if name else None
        if name and found is None:
            raise forms.ValidationError("没有找到这个单位，请核对全称、代码或编号。")
        self.instance.organization = found
        return name


class BrokerViewSet(SnippetViewSet):
    """Entered and changed, never copied or deleted: mandates and registered contracts point to them."""

    model = Broker
    icon = "user"
    menu_label = "技术经理人"
    menu_order = 330
    add_to_admin_menu = True
    copy_view_enabled = False
    list_per_page = 50
    list_display = [
        Column("user", label="姓名"),
        Column("number", label="编号"),
        Column("organization", label="所在机构"),
        Column("get_level_display", label="等级"),
        DateColumn("valid_until", label="资质有效期至"),
        BooleanColumn("is_active", label="在册"),
    ]
    list_filter = ["level", "is_active"]
    search_fields = ["number", "user__name", "user__email", "certificate_number"]

    def get_edit_handler(self) -> Any:
        names = ("email", "agency", "level", "certificate_number", "fields", "introduction", "valid_until", "is_active")
        handler = ObjectList([FieldPanel(name) for name in names], base_form_class=BrokerForm)
        return handler.bind_to_model(self.model)

    def get_queryset(self, request: Any) -> Any:
        return Broker.objects.select_related("user", "organization").order_by("user__name", "pk")
