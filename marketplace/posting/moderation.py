"""The moderators' pages in the back office: a paged queue, and one page a listing with what to look at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from wagtail.models import TaskState, WorkflowState

from cms.models import Listing
from cms.models.moderation import is_own
from cms.secrecy import find_mark
from marketplace import money
from marketplace.workflow import MoveNotAllowed

from . import services
from .requirements import lacks
from .selectors import REVIEW_DAYS, duplicates_of, waiting_reviews

PER_PAGE = 20
# Not words of the writer, or shown elsewhere on the page.
HIDDEN = frozenset(
    [
        "id",
        "record",
        "live",
        "has_unpublished_changes",
        "first_published_at",
        "last_published_at",
        "live_revision",
        "go_live_at",
        "expire_at",
        "expired",
        "latest_revision",
        "locked",
        "locked_at",
        "locked_by",
    ]
)


class DecisionForm(forms.Form):
    """Approve, or send back with a reason."""

    note = forms.CharField(
        label=gettext_lazy("审核意见"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("退回时必填：写明原因和怎样修改，提交人会看到。通过时可不填。"),
    )


def _require(user: Any) -> None:
    if not user.is_moderator:
        raise PermissionDenied(_("只有审核员能看审核队列。"))


def queue(request: HttpRequest) -> HttpResponse:
    """Everything that waits, longest first; one's own stands there, too, but cannot be opened for a decision."""
    _require(request.user)
    page = Paginator(waiting_reviews(), PER_PAGE).get_page(request.GET.get("p"))
    today = timezone.localdate()
    rows = []
    listings = listings_of([task_state.workflow_state for task_state in page])
    for task_state in page:
        listing = listings[task_state.workflow_state_id]
        days = (today - timezone.localdate(task_state.started_at)).days
        rows.append(
            {
                "task_state": task_state,
                "listing": listing,
                "title": task_state.revision.object_str,
                "owner": listing.record.owner_name,
                "days": days,
                "is_late": days > REVIEW_DAYS,
                "is_own": is_own(listing, request.user),
                "what": _("修改已公开的内容") if listing.live else _("首次公开"),
            }
        )
    context = {"page_obj": page, "rows": rows, "header_title": _("待审核"), "review_days": REVIEW_DAYS}
    return render(request, "posting/admin/queue.html", context)


def listings_of(states: list[WorkflowState]) -> dict[int, Listing]:
    """The listings of these reviews, keyed by the review: one query a kind, as Wagtail would ask several a row."""
    wanted: dict[Any, dict[str, WorkflowState]] = {}
    for state in states:
        wanted.setdefault(state.base_content_type, {})[state.object_id] = state
    found = {}
    for content_type, by_id in wanted.items():
        rows: Any = content_type.model_class()._base_manager.filter(pk__in=by_id).select_related("record__owner")
        for listing in rows:
            state = by_id[str(listing.pk)]
            # Where Wagtail looks first for the reviews of an object.
            listing._current_workflow_states = [state]
            found[state.pk] = listing
    return found


@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """One listing: what is new against the public version, what the rules say, approve or send back."""
    _require(request.user)
    task_state = get_object_or_404(TaskState.objects.select_related("workflow_state", "revision"), pk=pk)
    listing = task_state.workflow_state.content_object
    if not isinstance(listing, Listing):
        return redirect("posting_moderation")
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = _decide(request, listing, task_state, form)
        if answer is not None:
            return answer
    latest = listing.get_latest_revision_as_object()
    latest.record = listing.record
    context = {
        "task_state": task_state,
        "listing": listing,
        "latest": latest,
        "record": listing.record,
        "form": form,
        "is_own": is_own(listing, request.user),
        "is_open": task_state.status == TaskState.STATUS_IN_PROGRESS,
        "is_newer": listing.latest_revision_id != task_state.revision_id,
        "rows": differences(listing, latest),
        "lacks": lacks(latest),
        "mark": find_mark(_texts(latest)),
        "duplicates": duplicates_of(latest),
        "earlier": task_state.workflow_state.task_states.exclude(comment="").exclude(pk=task_state.pk),
        "header_title": latest.title,
        "edit_url": listing.snippet_viewset.get_url_name("edit"),
    }
    return render(request, "posting/admin/review.html", context)


def _decide(request: HttpRequest, listing: Listing, task_state: TaskState, form: DecisionForm) -> HttpResponse | None:
    """Do what the pressed button says; None where the page must be shown again with the error."""
    if task_state.status != TaskState.STATUS_IN_PROGRESS:
        messages.warning(request, _("这条内容已经处理过了。"))
        return redirect("posting_moderation")
    note = form.cleaned_data["note"]
    try:
        if request.POST.get("act") == "return":
            services.send_back(listing, by=request.user, reason=note)
            messages.success(request, _("已退回，提交人会收到通知。"))
        else:
            services.approve(listing, by=request.user, note=note)
            messages.success(request, _("已通过并公开，提交人会收到通知。"))
    except MoveNotAllowed as error:
        form.add_error("note", str(error))
        return None
    return redirect("posting_moderation")


def _texts(listing: Listing) -> list[str]:
    texts = [str(getattr(listing, field.attname) or "") for field in listing._meta.fields]
    for relation in ("targets", "kpis", "patents"):
        for row in getattr(listing, relation).all() if hasattr(listing, relation) else ():
            texts.append(" ".join(str(getattr(row, f.attname) or "") for f in row._meta.fields))
    return texts


def differences(listing: Listing, latest: Listing) -> list[dict[str, Any]]:
    """Each part of the listing with its words now and, where a public version stands, its words then."""
    rows = []
    for field in (*listing._meta.fields, *listing._meta.many_to_many):
        if field.name in HIDDEN:
            continue
        new, old = _shown(latest, field), _shown(listing, field) if listing.live else ""
        if new or old:
            label = str(field.verbose_name).removesuffix("（元）")
            rows.append({"label": label, "new": new, "old": old, "changed": listing.live and new != old})
    for name, label in (("targets", _("量化指标")), ("kpis", _("技术指标")), ("patents", _("知识产权"))):
        if not hasattr(listing, name):
            continue
        new = "\n".join(str(row) for row in getattr(latest, name).all())
        old = "\n".join(str(row) for row in getattr(listing, name).all()) if listing.live else ""
        if new or old:
            rows.append({"label": label, "new": new, "old": old, "changed": listing.live and new != old})
    return rows


def _shown(listing: Listing, field: Any) -> str:
    if field.many_to_many:
        return "、".join(str(row) for row in getattr(listing, field.name).all())
    display = getattr(listing, f"get_{field.name}_display", None)
    value = display() if display else getattr(listing, field.name)
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    # Amounts are kept in 元 and read in 万元 or 亿元, as on the site.
    return money.auto(value) if isinstance(value, Decimal) else str(value)
