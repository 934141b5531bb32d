"""Where a listing stands and what its owner may do with it now: the state page, withdrawing, renewing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from cms.models import AccessLog, Listing
from cms.publishing import DEFAULT_VALIDITY
from cms.secrecy import REFUSAL, find_mark
from marketplace.workflow import MoveNotAllowed, history

from . import services
from .fields import DayField
from .forms import FORMS
from .requirements import lacks
from .selectors import REVIEW_DAYS, owned_listing, state_of, title_of

# What the owner reads of the log; Wagtail's own rows of the same acts would say everything twice.
SHOWN = (
    "listing.draft", "listing.submit", "listing.return", "listing.publish", "wagtail.publish", "listing.withdraw",
    "listing.expire", "listing.renew", "listing.availability", "listing.grant", "listing.owner",
)  # fmt: skip


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("撤回原因"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("会显示在原页面上，任何人都能看到：请不要写人名、电话和商业秘密。"),
        error_messages={"required": gettext_lazy("请写明撤回的原因。")},
    )

    def clean_reason(self) -> str:
        reason = self.cleaned_data["reason"]
        if find_mark([reason]):
            # Nothing marked is kept, not even for showing the form again.
            self.data = {}
            raise forms.ValidationError(REFUSAL)
        return reason


class RenewForm(forms.Form):
    until = DayField(
        label=gettext_lazy("新的有效期至"),
        required=True,
        help_text=gettext_lazy("写成 2027-12-31；一次最长两年。"),
        error_messages={"required": gettext_lazy("请填写新的有效期。")},
    )


@login_required
def state(request: HttpRequest, number: str, **forms_given: Any) -> HttpResponse:
    """The way of one listing, the reviewer's words, what can be done now, and the log."""
    listing = owned_listing(request.user, number)
    status = forms_given.pop("status", 200)
    now = state_of(listing)
    record = listing.record
    latest = listing.get_latest_revision_as_object()
    latest.record = record
    review = listing.current_workflow_state
    context = {
        "listing": listing,
        "record": record,
        "title": title_of(listing),
        "state": now,
        "steps": steps(listing, now.name),
        "reason": review.current_task_state.comment if now.name == "returned" else "",
        "lacks": lacks(latest) if listing.kind in FORMS and now.name in ("draft", "returned") else [],
        "can_edit": listing.kind in FORMS and now.name != "review",
        "can_submit": now.name in ("draft", "returned", "withdrawn", "expired")
        or (listing.live and listing.has_unpublished_changes and now.name == "public"),
        "can_withdraw": listing.live or now.name == "review",
        "can_renew": bool(record.first_published_at) and not record.withdrawn_at,
        "can_delete": record.first_published_at is None and now.name != "review",
        "renew_form": forms_given.get("renew_form")
        or RenewForm(initial={"until": timezone.localdate() + DEFAULT_VALIDITY}),
        "entries": entries(listing),
        "viewers": AccessLog.objects.filter(record=record).select_related("user", "on_behalf_of").order_by("-at")[:20],
        "review_days": REVIEW_DAYS,
        "submitted_at": record.submitted_at,
    }
    return render(request, "posting/state.html", context, status=status)


def steps(listing: Listing, now: str) -> list[dict[str, Any]]:
    """Draft → review → public → end of validity, with their dates."""
    record = listing.record
    shown = record.first_published_at
    draft = {"label": _("草稿"), "date": record.created_at, "state": "now" if now == "draft" else "done"}
    review = {"label": _("审核"), "date": record.submitted_at, "state": "done" if shown else "todo"}
    public = {"label": _("公开"), "date": shown, "state": "done" if shown else "todo"}
    end = {"label": _("到期"), "date": record.valid_until, "state": "todo"}
    if now == "review":
        days = (timezone.localdate() - timezone.localdate(record.submitted_at)).days if record.submitted_at else 0
        review.update(state="now", note=_("进行中 %(n)d 天") % {"n": days})
    elif now == "returned":
        review.update(label=_("已退回"), state="stopped")
    elif now == "public":
        public.update(state="now")
    elif now == "withdrawn":
        public.update(label=_("已撤回"), date=record.withdrawn_at, state="stopped")
    elif now == "expired":
        end.update(label=_("已到期"), date=record.expired_at, state="stopped")
    return [draft, review, public, end]


def entries(listing: Listing) -> list[dict[str, Any]]:
    """Rows for the log component, newest first."""
    found = []
    for row in history(listing):
        if row.action not in SHOWN:
            continue
        data = row.data or {}
        found.append(
            {
                "at": row.timestamp,
                "who": str(row.user) if row.user_id and row.user else _("系统"),
                "for": (data.get("on_behalf_of") or {}).get("name", ""),
                "what": row.message,
                "note": data.get("note") or data.get("reference") or "",
            }
        )
    return found[:50]


@login_required
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Take the listing off the site, or out of review, with a reason."""
    listing = owned_listing(request.user, number)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.withdraw(
                listing, by=request.user, on_behalf_of=listing.record.owner, reason=form.cleaned_data["reason"]
            )
        except MoveNotAllowed as error:
            messages.warning(request, str(error))
        else:
            messages.success(request, _("已撤回。内容还在，修改后可以再次提交。"))
        return redirect("listing_state", number=number)
    context = {"form": form, "listing": listing, "title": title_of(listing), "state": state_of(listing)}
    return render(request, "posting/withdraw.html", context)


@require_POST
@login_required
def renew(request: HttpRequest, number: str) -> HttpResponse:
    """A later end of validity; an expired listing is public again at once."""
    listing = owned_listing(request.user, number)
    form = RenewForm(request.POST)
    if form.is_valid():
        try:
            services.renew(
                listing.record, by=request.user, on_behalf_of=listing.record.owner, until=form.cleaned_data["until"]
            )
        except MoveNotAllowed as error:
            form.add_error("until", str(error))
        else:
            until = form.cleaned_data["until"].isoformat()
            messages.success(request, _("已续期到 %(day)s。") % {"day": until})
            return redirect("listing_state", number=number)
    return state(request, number, renew_form=form)
