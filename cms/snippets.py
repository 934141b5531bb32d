"""Listings and code lists in Wagtail's back office: lists, filters, editors with Chinese labels and help."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel, ObjectList, Panel
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.models import WorkflowState
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.snippets.views.chooser import SnippetChooserViewSet
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from .forms import CodeForm, ListingAdminForm
from .models import (
    Achievement,
    AchievementType,
    Demand,
    DemandType,
    Expert,
    Industry,
    KeyTechnology,
    Listing,
    Project,
    Region,
    TechnologyField,
    TransferMode,
)


def status_word(listing: Listing) -> str:
    """Where a listing stands, for the list."""
    review = listing.current_workflow_state
    if review is not None:
        return "审核中" if review.status == WorkflowState.STATUS_IN_PROGRESS else "已退回"
    if listing.live:
        return "已公开（有新草稿）" if listing.has_unpublished_changes else "已公开"
    if listing.record.expired_at:
        return "已到期"
    return "已撤回" if listing.record.withdrawn_at else "草稿"


class RecordPanel(Panel):
    """What the system holds beside the words: number, owner, availability, validity. Read only."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "cms/admin/record_panel.html"

        def is_shown(self) -> bool:
            return self.instance.pk is not None

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            context.update(record=self.instance.record, status=status_word(self.instance))
            return context


def _handler(*groups: Panel) -> ObjectList:
    head = MultiFieldPanel(
        [FieldPanel("owner"), FieldPanel("valid_until")], heading="单位与有效期", help_text="建立后由系统记录保存。"
    )
    contact = MultiFieldPanel(
        [FieldPanel("contact_name"), FieldPanel("contact_phone"), FieldPanel("contact_email")],
        heading="联系人",
        help_text="只有登录用户能看到。",
    )
    english = MultiFieldPanel(
        [FieldPanel("title_en"), FieldPanel("summary_en")], heading="英文介绍", classname="collapsed"
    )
    panels = [RecordPanel(heading="记录"), head, *groups, contact, english]
    return ObjectList(panels, base_form_class=ListingAdminForm)


def _words(*more: str) -> MultiFieldPanel:
    summary = FieldPanel("summary", help_text="列表里显示的一段话，所有人可见，20 到 1500 字")
    return MultiFieldPanel([FieldPanel("title"), summary, FieldPanel("body"), *map(FieldPanel, more)], heading="内容")


def _classes() -> MultiFieldPanel:
    names = ("technology_field", "key_technologies", "industries", "keywords", "region", "disclosure_level")
    return MultiFieldPanel([FieldPanel(name) for name in names], heading="分类与公开程度")


class ListingChooserViewSet(SnippetChooserViewSet):
    """Wagtail's chooser lists every row, drafts too, to all of the back office: ours to those who may open the list."""

    def construct_view(self, view_class: Any, **kwargs: Any) -> Any:
        view = super().construct_view(view_class, **kwargs)

        def guarded(request: HttpRequest, *args: Any, **given: Any) -> Any:
            policy = ModelPermissionPolicy(self.model)
            if not policy.user_has_any_permission(request.user, ("add", "change", "delete", "view")):
                raise PermissionDenied
            return view(request, *args, **given)

        return guarded


class ListingViewSet(SnippetViewSet):
    """No copying (a copy would share its record); deleting and unpublishing pass through our hooks."""

    chooser_viewset_class = ListingChooserViewSet
    copy_view_enabled = False
    inspect_view_enabled = False
    list_per_page = 30
    list_display = [
        "title",
        Column("number", label="编号", accessor="record.number"),
        Column("owner", label="单位", accessor="record.owner_name"),
        Column("status", label="状态", accessor=status_word),
        DateColumn("changed", label="更新", accessor="record.changed_at", width="12%"),
    ]
    list_filter = {"live": ["exact"], "disclosure_level": ["exact"], "technology_field": ["exact"]}
    list_export = ["record.number", "title", "record.owner_name", "live"]
    search_fields = ["title", "record__number", "record__owner__name", "summary"]
    ordering = ["-record__changed_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.model._default_manager.select_related("record__owner", "latest_revision")


class AchievementViewSet(ListingViewSet):
    model = Achievement
    icon = "pick"
    menu_label = "科技成果"
    edit_handler = _handler(
        _words("problem", "inventors"),
        _classes(),
        MultiFieldPanel(
            [
                FieldPanel(n)
                for n in ("achievement_type", "trl", "transfer_modes", "is_state_institution", "pricing_mode")
            ],
            heading="类型、成熟度与转化方式",
        ),
        MultiFieldPanel(
            [FieldPanel("price_type"), FieldPanel("price_min"), FieldPanel("price_max")],
            heading="价格",
            help_text="这里的金额单位是元；网站页面按万元填写和显示。",
        ),
        InlinePanel("kpis", heading="技术指标", label="指标"),
        InlinePanel("patents", heading="知识产权", label="专利"),
    )


class DemandViewSet(ListingViewSet):
    model = Demand
    icon = "help"
    menu_label = "技术需求"
    edit_handler = _handler(
        _words("problem"),
        _classes(),
        MultiFieldPanel(
            [FieldPanel(n) for n in ("demand_type", "cooperation_modes", "deadline", "is_anonymous")],
            heading="类型、合作方式与期限",
        ),
        MultiFieldPanel(
            [FieldPanel("is_budget_negotiable"), FieldPanel("budget_min"), FieldPanel("budget_max")],
            heading="预算",
            help_text="这里的金额单位是元；网站页面按万元填写和显示。",
        ),
        InlinePanel("targets", heading="量化指标", label="指标"),
    )


class ExpertViewSet(ListingViewSet):
    model = Expert
    icon = "user"
    menu_label = "专家"
    edit_handler = _handler(_words("position", "services"), _classes())


class ProjectViewSet(ListingViewSet):
    model = Project
    icon = "site"
    menu_label = "重大项目"
    edit_handler = _handler(
        _words("wanted"),
        _classes(),
        MultiFieldPanel(
            [FieldPanel(n) for n in ("stage", "starts_on", "ends_on", "budget")],
            heading="阶段与规模",
            help_text="投资规模的单位是元。",
        ),
    )


class ListingGroup(SnippetViewSetGroup):
    items = (AchievementViewSet, DemandViewSet, ExpertViewSet, ProjectViewSet)
    menu_label = "条目"
    menu_name = "listings"
    menu_icon = "list-ul"
    menu_order = 150


class CodeViewSet(SnippetViewSet):
    """Code lists: changed or deactivated, never deleted, as old records point to them."""

    copy_view_enabled = False
    list_per_page = 50
    list_display = ["name", "code", "is_active", "is_edited"]
    list_filter = ["is_active", "is_edited"]
    search_fields = ["name", "code"]
    icon = "tag"
    EXTRA: tuple[str, ...] = ()

    def get_edit_handler(self) -> Any:
        names = ("code", "name", "name_en", *self.EXTRA, "order", "is_active")
        handler = ObjectList([FieldPanel(name) for name in names], base_form_class=CodeForm)
        return handler.bind_to_model(self.model)


def _codes(model: Any, *extra: str) -> type[CodeViewSet]:
    label = str(model._meta.verbose_name)
    return type(f"{model.__name__}ViewSet", (CodeViewSet,), {"model": model, "menu_label": label, "EXTRA": extra})


class CodeGroup(SnippetViewSetGroup):
    items = (
        _codes(TechnologyField),
        _codes(Industry, "section"),
        _codes(KeyTechnology, "industry"),
        _codes(Region, "full_name"),
        _codes(AchievementType),
        _codes(TransferMode, "contract_types"),
        _codes(DemandType),
    )
    menu_label = "代码表"
    menu_name = "codes"
    menu_icon = "tag"
    menu_order = 800
