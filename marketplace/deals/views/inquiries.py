"""申请对接: the page that says what will be shared before anything is sent, and the page of one inquiry."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cms.models import ListingRecord
from marketplace import errors, workdays
from marketplace.accounts import kept
from marketplace.deals import inquiring, services, timeline
from marketplace.deals.forms import AcceptForm, InquiryForm, ReasonForm
from marketplace.deals.models import DECLINE_REASONS, SHARES, Deal, Inquiry, Match
from marketplace.workflow import Conflict, MoveNotAllowed, check_version

KINDS = ("achievement", "demand", "expert", "project")


def _record(number: str, user: Any) -> ListingRecord:
    """The record of a listing that this person may know of and that is public; 404 otherwise."""
    record = get_object_or_404(ListingRecord.objects.select_related("owner__region", *KINDS), number=number)
    listing = record.listing
    if not type(listing).objects.published().visible_to(user).filter(pk=listing.pk).exists():
        raise Http404
    return record


@kept.signed_in
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, number: str) -> HttpResponse:
    """Write to the owner of a listing. ?own=<number>&match=<pk> come from a match."""
    about = _record(number, request.user)
    typed = request.POST if request.method == "POST" else kept.take(request)
    match = _match(about, (typed or request.GET).get("match"), request.user)
    form = InquiryForm(
        typed,
        initial={"own": request.GET.get("own", "")},
        about=about,
        user=request.user,
        acting=request.acting or None,  # type: ignore[attr-defined]
    )
    if request.method == "POST" and form.may_send and form.is_valid():
        answer = _send(request, form, about, match)
        if answer is not None:
            return answer
    listing = about.listing
    return render(
        request,
        "deals/inquiry_new.html",
        {
            "form": form,
            "about": about,
            "listing": listing,
            "match": match,
            "is_own": not form.may_send and about.is_owned_by(request.user),
            "is_anonymous": getattr(listing, "is_anonymous", False),
            "has_people": about.owner is not None and about.owner.people().exists(),
            "due": workdays.deadline(timezone.localdate(), inquiring.RESPONSE_DAYS),
            "nav_current": f"{about.kind}s",
        },
    )


def _match(about: ListingRecord, pk: str | None, user: Any) -> Match | None:
    if not pk or not pk.isdecimal() or len(pk) > 18:
        return None
    rows = Match.objects.visible_to(user).select_related("demand", "supply")
    match = rows.filter(pk=int(pk)).first()
    return match if match is not None and about.pk in (match.demand_id, match.supply_id) else None


def _send(request: HttpRequest, form: InquiryForm, about: ListingRecord, match: Match | None) -> HttpResponse | None:
    """The answer to a sent form, or None where it is shown again with its errors."""
    given = form.act()
    own = given["own"]
    if match is not None and (own is None or own.pk not in (match.demand_id, match.supply_id)):
        match = None
    try:
        inquiry = services.inquire(about, by=request.user, match=match, **given)
    except services.AlreadyOpen as error:
        messages.info(request, str(error))
        return redirect("inquiry", error.inquiry.pk)
    except ValidationError as error:
        form.add_error(None, error)
        return None
    except MoveNotAllowed as error:
        form.add_error(None, str(error))
        return None
    messages.success(request, _("对接申请已送出，对方会收到通知。"))
    return redirect("inquiry", inquiry.pk)


def _inquiry(pk: int, user: Any) -> Inquiry:
    rows = Inquiry.objects.visible_to(user).select_related(
        "from_organization__region",
        "to_organization__region",
        "by",
        "answered_by",
        "mandate__broker__user",
        "mandate__broker__organization",
        *(f"about__{kind}" for kind in KINDS),
        *(f"own__{kind}" for kind in KINDS),
    )
    return get_object_or_404(rows, pk=pk)


def _page(request: HttpRequest, inquiry: Inquiry, *, status: int = 200, **forms: Any) -> HttpResponse:
    user = request.user
    is_receiver = inquiry.to_organization_id in user.organization_ids()
    hides = "" if is_receiver or user.is_administrator else _hidden_name(inquiry)
    deal = Deal.objects.visible_to(user).filter(inquiry=inquiry).first()
    return render(
        request,
        "deals/inquiry.html",
        {
            "inquiry": inquiry,
            "is_receiver": is_receiver,
            "receiver": hides or inquiry.to_organization.name,
            "hides": hides,
            "own_visible": _own_visible(inquiry, user),
            "deal": deal,
            "may_answer": inquiry.may("accept", user),
            "may_recall": inquiry.may("recall", user),
            "accept_form": forms.get("accept_form") or AcceptForm(initial={"shares": list(inquiring.ANSWER_SHARES)}),
            "decline_form": forms.get("decline_form") or ReasonForm(),
            "shares": [label for key, label in SHARES if key in inquiry.shares],
            "contacts": contacts(inquiry, user),
            "entries": timeline.entries(
                inquiry=inquiry, hides=hides, hides_sender=is_receiver and inquiry.state != "accepted"
            ),
            "is_late": inquiry.state == "sent" and inquiry.respond_by < timezone.localdate(),
        },
        status=status,
    )


def _hidden_name(inquiry: Inquiry) -> str:
    name = inquiring.receiver_name(inquiry)
    return "" if name == inquiry.to_organization.name else name


def _own_visible(inquiry: Inquiry, user: Any) -> bool:
    """Whether the sender's listing can be opened by this reader (a match-only one cannot before acceptance)."""
    if inquiry.own is None:
        return False
    listing = inquiry.own.listing
    return type(listing).objects.visible_to(user).filter(pk=listing.pk).exists()


def contacts(inquiry: Inquiry, user: Any) -> list[dict[str, str]]:
    """The other side's contact as ticked, once accepted: {"label", "value"}; nothing before."""
    if inquiry.state != "accepted":
        return []
    given = []
    is_receiver = inquiry.to_organization_id in user.organization_ids()
    is_sender = inquiry.from_organization_id in user.organization_ids() or (
        inquiry.mandate is not None and inquiry.mandate.broker.user_id == user.pk
    )
    if is_receiver:
        given.append((inquiry.from_organization, inquiry.by, inquiry.shares))
    if is_sender:
        given.append((inquiry.to_organization, inquiry.answered_by, inquiry.answer_shares))
    found = []
    for side, person, shares in given:
        values = {"contact_name": person.name, "phone": person.phone, "email": person.email} if person else {}
        for key, label in SHARES:
            if key in shares and key in values:
                found.append({"label": f"{side.label} {label}", "value": values[key]})
    return found


@login_required
def inquiry(request: HttpRequest, pk: int) -> HttpResponse:
    """One inquiry, for its two sides and their brokers."""
    return _page(request, _inquiry(pk, request.user))


@kept.posted_from(lambda pk, act: reverse("inquiry", args=[pk]))
@require_POST
def inquiry_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """accept, decline or recall; a second person who answers at the same time is told what the first one did."""
    row = _inquiry(pk, request.user)
    if act not in ("accept", "decline", "recall"):
        raise Http404
    by = request.user
    try:
        check_version(row, request.POST.get("version"))
        if act == "accept":
            form = AcceptForm(request.POST)
            if not form.is_valid():
                return _page(request, row, accept_form=form)
            deal = services.accept(row, by=by, shares=form.cleaned_data["shares"])
            messages.success(request, _("已接受对接，双方现在可以看到对方勾选提供的信息。"))
            return redirect(deal)
        if act == "decline":
            reasons = ReasonForm(request.POST)
            if not reasons.is_valid():
                return _page(request, row, decline_form=reasons)
            services.decline(row, by=by, **reasons.cleaned_data)
            messages.success(request, _("已婉拒，对方会看到您选的原因。"))
        else:
            services.recall(row, by=by)
            messages.success(request, _("已收回申请。"))
    except (Conflict, MoveNotAllowed) as error:
        return _refused(request, row, error)
    return redirect("inquiry", row.pk)


def _typed(request: HttpRequest) -> dict[str, str]:
    """The reason that was chosen and the words beside it."""
    reason = dict(DECLINE_REASONS).get(request.POST.get("reason", ""))
    typed = {_("原因"): str(reason)} if reason else {}
    return typed | {_("说明"): request.POST.get("note") or _("（没有文字）")}


def _refused(request: HttpRequest, row: Inquiry, error: MoveNotAllowed) -> HttpResponse:
    """409 with what was typed and what stands now."""
    row.refresh_from_db()
    return errors.conflict(
        request,
        error,
        mine=_typed(request),
        theirs={_("现在的状态"): row.get_state_display()},
        retry_url=f"/deals/inquiries/{row.pk}/",
    )
