"""Organisations, their names, requests and texts in Wagtail's back office, for administrators.

Acts stay where they are checked: names change by `services.rename`, codes by verification; texts are only added.
"""

from __future__ import annotations

from typing import Any

from wagtail.admin.panels import FieldPanel, Panel
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from .models import ConsentText, Organization, OrganizationName, VerificationRequest


class AdministratorsPolicy(ModelPermissionPolicy):
    """Administrators may do the given acts (view, add, change); nobody may do others."""

    def __init__(self, model: Any, *acts: str) -> None:
        super().__init__(model)
        self.acts = frozenset(acts)

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action in self.acts and user.is_active and user.is_administrator

    def user_has_any_permission(self, user: Any, actions: Any) -> bool:
        return any(self.user_has_permission(user, action) for action in actions)


class VerifiedPanel(Panel):
    """What is changed by other acts, read only."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "accounts/admin/verified_panel.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            return {**super().get_context_data(parent_context), "organization": self.instance}


class OrganizationViewSet(SnippetViewSet):
    model = Organization
    icon = "group"
    menu_label = "单位"
    permission_policy = AdministratorsPolicy(Organization, "view", "change")
    list_display = [
        "name",
        Column("number", label="编号"),
        Column("get_kind_display", label="类别"),
        Column("region", label="地区"),
        Column("credit_code", label="统一社会信用代码"),
        DateColumn("verified_at", label="核实时间"),
        BooleanColumn("is_active", label="有效"),
    ]
    list_filter = ["kind", "is_active", "is_state_institution", "is_imported"]
    search_fields = ["name", "short_name", "credit_code", "number"]
    list_per_page = 50
    panels = [
        VerifiedPanel(heading="编号、名称与核实"),
        FieldPanel("short_name"),
        FieldPanel("kind"),
        FieldPanel("region"),
        FieldPanel("address"),
        FieldPanel("legal_representative"),
        FieldPanel("introduction"),
        FieldPanel("is_state_institution", help_text="决定转让职务成果时是否提示协议定价、挂牌和公示的规定。"),
        FieldPanel("is_active", help_text="不再有效的单位不公开显示，成员不能再代表它。"),
    ]

    def get_queryset(self, request: Any) -> Any:
        return Organization.objects.select_related("region").order_by("name")


class OrganizationNameViewSet(SnippetViewSet):
    model = OrganizationName
    icon = "history"
    menu_label = "单位名称沿革"
    permission_policy = AdministratorsPolicy(OrganizationName, "view")
    inspect_view_enabled = True
    list_display = [
        "name",
        Column("organization", label="现在的单位"),
        DateColumn("from_on", label="自"),
        DateColumn("until_on", label="至"),
    ]
    search_fields = ["name"]
    list_per_page = 50

    def get_queryset(self, request: Any) -> Any:
        return OrganizationName.objects.select_related("organization").order_by("organization__name", "-from_on")


class VerificationViewSet(SnippetViewSet):
    model = VerificationRequest
    icon = "clipboard-list"
    menu_label = "核实申请记录"
    permission_policy = AdministratorsPolicy(VerificationRequest, "view")
    inspect_view_enabled = True
    inspect_view_fields = [
        "organization",
        "applicant",
        "credit_code",
        "legal_representative",
        "region",
        "kind",
        "is_claim",
        "note",
        "decision_note",
        "decided_by",
        "decided_at",
    ]
    list_display = [
        Column("organization", label="单位"),
        Column("credit_code", label="代码"),
        Column("applicant", label="申请人"),
        Column("get_state_display", label="状态"),
        BooleanColumn("is_claim", label="认领"),
        DateColumn("created_at", label="提交时间"),
    ]
    list_filter = ["is_claim", "kind"]
    search_fields = ["credit_code", "organization__name"]
    list_per_page = 50

    def get_queryset(self, request: Any) -> Any:
        return VerificationRequest.objects.select_related("organization", "applicant").order_by("-created_at")


class ConsentTextViewSet(SnippetViewSet):
    model = ConsentText
    icon = "doc-full"
    menu_label = "协议与告知"
    permission_policy = AdministratorsPolicy(ConsentText, "view", "add")
    inspect_view_enabled = True
    inspect_view_fields = ["kind", "version", "title", "effective_on", "body"]
    list_display = [
        "title",
        Column("get_kind_display", label="种类"),
        Column("version", label="版本"),
        DateColumn("effective_on", label="生效日期"),
    ]
    panels = [
        FieldPanel("kind"),
        FieldPanel("version", help_text="如 2026-09。同一种类的版本不能重复；已有版本不能修改，只能另加新版本。"),
        FieldPanel("title"),
        FieldPanel("effective_on", help_text="自这一天起，用户登录后会看到新版本并被请求同意。"),
        FieldPanel("body", help_text="空一行分段。写明处理哪些个人信息、做什么、保存多久、怎样查阅和删除。"),
    ]


class PeopleGroup(SnippetViewSetGroup):
    items = (OrganizationViewSet, OrganizationNameViewSet, VerificationViewSet, ConsentTextViewSet)
    menu_label = "单位与协议"
    menu_icon = "group"
    menu_order = 320
