"""The deals of a person by state, and the page of one deal with its offers, next step and timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from marketplace import errors
from marketplace.accounts import kept
from marketplace.accounts.acting import may_act_for
from marketplace.deals import codes, selectors, services, timeline
from marketplace.deals.cards import card
from marketplace.deals.forms import NoteForm, OfferForm, PlanForm, ReasonForm
from marketplace.deals.inquiring import receiver_name
from marketplace.deals.models import Deal, Offer
from marketplace.deals.permissions import organizations_in
from marketplace.workflow import Conflict, MoveNotAllowed, check_version

from .inquiries import KINDS, contacts

STEPS = (("contacted", "deal.open"), ("terms", "deal.agree"), ("signed", "deal.sign"), ("registered", "deal.register"),
         ("won", "deal.win"))  # fmt: skip


@login_required
def deals(request: HttpRequest) -> HttpResponse:
    """All deals this person may see, by state with count and sum; ?state= shows one state whole."""
    only = request.GET.get("state", "")
    if only and only not in dict(Deal.STATES):
        raise Http404
    columns = selectors.columns(request.user, only)
    open_columns = [c for c in columns if c.state not in ("won", "lost")]
    tabs = [{"label": _("全部"), "href": "?", "current": not only, "count": sum(c.count for c in columns)}]
    tabs += [
        {"label": c.label, "href": f"?state={c.state}", "current": c.state == only, "count": c.count} for c in columns
    ]
    return render(
        request,
        "deals/deals.html",
        {
            "columns": columns,
            "only": next((c for c in columns if c.state == only), None),
            "tabs": tabs,
            "open_count": sum(c.count for c in open_columns),
            "open_sum": sum(c.total for c in open_columns),
            "inquiries": [_line(row, request.user) for row in selectors.open_inquiries(request.user)[:50]],
            "today": timezone.localdate(),
            "has_any": any(c.count for c in columns),
            "empty_acts": [
                {"label": _("看需求"), "href": reverse("demands")},
                {"label": _("找成果"), "href": reverse("achievements")},
            ],
        },
    )


def _line(row: Any, user: Any) -> dict[str, Any]:
    """One waiting inquiry: to answer, or waiting for the other side (whose name may still be hidden)."""
    is_mine = row.to_organization_id in user.organization_ids()
    return {
        "row": row,
        "title": row.about.listing.title,
        "is_mine": is_mine,
        "other": row.from_organization.name if is_mine else receiver_name(row),
        "is_late": row.respond_by < timezone.localdate(),
    }


def _deal(number: str, user: Any) -> Deal:
    rows = Deal.objects.visible_to(user).select_related(
        "buyer__region",
        "seller__region",
        "inquiry__by",
        "inquiry__answered_by",
        "inquiry__from_organization",
        "inquiry__to_organization",
        "inquiry__mandate__broker__user",
        "match",
        "demand__owner",
        "demand__demand__region",
        "supply__owner",
        "supply__achievement__region",
        "mandate__broker__user",
        "mandate__broker__organization",
        "mandate__client",
        "second_mandate__broker__user",
        "second_mandate__broker__organization",
        "second_mandate__client",
        *(f"demand__{kind}" for kind in KINDS),
        *(f"supply__{kind}" for kind in KINDS),
    )
    return get_object_or_404(rows, number=number)


@login_required
def deal(request: HttpRequest, number: str) -> HttpResponse:
    """One deal, for its two sides and the brokers named in it; an offer that was typed while the sign-in ran out is
    shown again."""
    row = _deal(number, request.user)
    typed = kept.take(request)
    if typed is not None and "amount_total" in typed and (sides := organizations_in(row, request.user)):
        return _page(request, row, offer_form=OfferForm(typed, deal=row, sides=sides), opened="offer")
    return _page(request, row)


def _page(request: HttpRequest, row: Deal, **forms: Any) -> HttpResponse:
    user = request.user
    sides = organizations_in(row, user)
    own_sides = [side for side in sides if may_act_for(user, side)]
    offers = list(row.offers.select_related("from_organization", "to_organization", "by", "transfer_mode"))
    current = next((o for o in offers if o.state in ("accepted", "made")), None)
    may_answer = current is not None and row.state == "contacted" and current.may("accept", user)
    entries = timeline.entries(inquiry=row.inquiry, deal=row)
    can_offer = bool(sides) and row.state == "contacted"
    return render(
        request,
        "deals/deal.html",
        {
            "deal": row,
            "steps": _steps(row, entries),
            "offer": current,
            "offer_facts": _offer_facts(current) if current else [],
            "past": [o for o in offers if o is not current],
            "may_answer": may_answer,
            "note_form": forms.get("note_form") or NoteForm(prefix="no"),
            "offer_form": (forms.get("offer_form") or OfferForm(deal=row, sides=sides)) if can_offer else None,
            "plan_form": _plan_form(row, forms) if sides and row.is_open else None,
            "lose_form": (forms.get("lose_form") or ReasonForm(prefix="lose")) if row.may("lose", user) else None,
            "may_win": row.may("win", user),
            "acting_side": (own_sides or sides or [None])[0],
            # The seller applies for registration, as contracts demands.
            "can_draft": row.seller in own_sides and row.state == "terms",
            "opened": forms.get("opened", ""),
            "contacts": contacts(row.inquiry, user) if row.inquiry else [],
            "match": _match(row),
            "mandates": row.mandates,
            "listings": _listings(row, user),
            "entries": entries,
            "is_late": bool(row.is_open and row.next_step_on and row.next_step_on < timezone.localdate()),
        },
    )


def _match(row: Deal) -> dict[str, Any] | None:
    """The suggestion that led to the deal, with the reasons kept then, whether or not it still holds."""
    match = row.match
    if match is None or (match.demand_id, match.supply_id) != (row.demand_id, row.supply_id):
        return None
    match.demand, match.supply = row.demand, row.supply  # already loaded with all that a card shows
    return card(match, side="demand", acts=[], in_talks=True)


def _plan_form(row: Deal, forms: dict[str, Any]) -> PlanForm:
    return forms.get("plan_form") or PlanForm(
        prefix="plan", initial={"next_step": row.next_step, "next_step_on": row.next_step_on}
    )


def _steps(row: Deal, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The deal's way for components/state_line.html; an ended one stops where it stood."""
    when: dict[str, Any] = {}
    for entry in entries:
        when.setdefault(entry["action"], entry["at"])
    labels = dict(Deal.STATES)
    order = [state for state, _action in STEPS]
    reached = (
        order.index(row.state)
        if row.state in order
        else max((n for n, (_state, action) in enumerate(STEPS) if action in when), default=0)
    )
    steps: list[dict[str, Any]] = []
    for n, (state, action) in enumerate(STEPS):
        is_done = n < reached or row.state == "won" or (row.state == "lost" and n == reached)
        word = "done" if is_done else "now" if n == reached else "todo"
        steps.append({"label": labels[state], "date": when.get(action) if n <= reached else None, "state": word})
    if row.state == "lost":
        steps = [*steps[: reached + 1], {"label": labels["lost"], "date": when.get("deal.lose"), "state": "stopped"}]
    return steps


def _offer_facts(offer: Offer) -> list[dict[str, Any]]:
    return [
        {
            "label": _("合同类别"),
            "value": codes.contract_types().get(offer.contract_type_code, offer.contract_type_code),
        },
        {"label": _("合作方式"), "value": str(offer.transfer_mode or "")},
        {"label": _("支付方式"), "value": codes.payment_methods().get(offer.payment_code, offer.payment_code)},
        {"label": _("期限"), "value": _("%(a)s 至 %(b)s") % {"a": offer.starts_on, "b": offer.ends_on}},
    ]


def _listings(row: Deal, user: Any) -> list[dict[str, Any]]:
    """Both listings at the revision that the deal saw; without a link where the reader may not open it."""
    found = []
    for record, revision, label in (
        (row.demand, row.demand_revision_id, _("需求")),
        (row.supply, row.supply_revision_id, _("成果")),
    ):
        if record is None:
            continue
        listing = record.listing
        may = type(listing).objects.visible_to(user).filter(pk=listing.pk).exists()
        stale = revision is not None and listing.live_revision_id != revision
        url = f"{record.get_absolute_url()}?revision={revision}" if stale else record.get_absolute_url()
        found.append({"label": label, "number": record.number, "title": listing.title, "href": url if may else "",
                      "stale": stale})  # fmt: skip
    return found


# Acts

Handler = Callable[[HttpRequest, Deal], HttpResponse | None]


@kept.posted_from(lambda number, act: reverse("deal", args=[number]))
@require_POST
def deal_act(request: HttpRequest, number: str, act: str) -> HttpResponse:
    """offer, accept-offer, decline-offer, plan, lose, win. Stale or raced: 409 with what was typed and what stands
    now."""
    row = _deal(number, request.user)
    handler = ACTS.get(act)
    if handler is None:
        raise Http404
    try:
        if "fix" not in request.POST:
            check_version(row, request.POST.get("version"))
        answer = handler(request, row)
    except (Conflict, MoveNotAllowed) as error:
        return _refused(request, row, error)
    return answer if answer is not None else redirect(row)


def _side(request: HttpRequest, row: Deal) -> Any:
    """The side that the person acts for here: the one chosen in the session where it is a side, else his only one."""
    sides = organizations_in(row, request.user)
    acting = request.acting or None  # type: ignore[attr-defined]
    return next(
        (side for side in sides if acting is not None and side.pk == acting.pk), sides[0] if sides else row.buyer
    )


def _offer(request: HttpRequest, row: Deal) -> HttpResponse | None:
    sides = organizations_in(row, request.user)
    if not sides:
        raise MoveNotAllowed(_("您现在不能在这个对接项目里报价。"))
    if "fix" in request.POST:
        return _page(request, row, offer_form=OfferForm(_repaired(request.POST), deal=row, sides=sides), opened="offer")
    form = OfferForm(request.POST, deal=row, sides=sides)
    if not form.is_valid():
        return _page(request, row, offer_form=form, opened="offer")
    try:
        services.offer(row, by=request.user, **form.act())
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, row, offer_form=form, opened="offer")
    messages.success(request, _("报价已送出，由对方答复。"))
    return None


def _repaired(data: QueryDict) -> QueryDict:
    """What was posted, with the amount put right by the button 改为…."""
    name, _sign, value = data["fix"].partition("=")
    data = data.copy()
    if name in ("amount_total", "amount_tech"):
        data[name] = value
    del data["fix"]
    return data


def _open_offer(row: Deal, request: HttpRequest) -> Offer:
    """The offer that the form was about; another one is open by now: Conflict."""
    offer = row.offers.filter(pk=request.POST.get("offer") or 0).first() if _digits(request) else None
    if offer is None or offer.state != "made":
        raise Conflict(row, _("这份报价已被答复或被新报价代替，请看最新报价。"))
    return offer


def _digits(request: HttpRequest) -> bool:
    return (request.POST.get("offer") or "").isdecimal()


def _accept_offer(request: HttpRequest, row: Deal) -> HttpResponse | None:
    offer = _open_offer(row, request)
    services.accept_offer(offer, by=request.user)
    messages.success(request, _("已接受报价，可以从这个对接项目起草技术合同。"))
    return None


def _decline_offer(request: HttpRequest, row: Deal) -> HttpResponse | None:
    form = NoteForm(request.POST, prefix="no")
    if not form.is_valid():
        return _page(request, row, note_form=form, opened="no")
    services.decline_offer(_open_offer(row, request), by=request.user, note=form.cleaned_data["note"])
    messages.success(request, _("已答复不接受，洽谈继续。"))
    return None


def _plan(request: HttpRequest, row: Deal) -> HttpResponse | None:
    form = PlanForm(request.POST, prefix="plan")
    if not form.is_valid():
        return _page(request, row, plan_form=form, opened="plan")
    services.plan_next(row, by=request.user, on_behalf_of=_side(request, row), **form.cleaned_data)
    messages.success(request, _("下一步已更新。"))
    return None


def _lose(request: HttpRequest, row: Deal) -> HttpResponse | None:
    form = ReasonForm(request.POST, prefix="lose")
    if not form.is_valid():
        return _page(request, row, lose_form=form, opened="lose")
    services.lose(row, by=request.user, on_behalf_of=_side(request, row), **form.cleaned_data)
    messages.success(request, _("洽谈已终止，双方条目恢复为可对接。"))
    return None


def _win(request: HttpRequest, row: Deal) -> HttpResponse | None:
    services.win(row, by=request.user, on_behalf_of=_side(request, row))
    messages.success(request, _("已办结成交。"))
    return None


ACTS: dict[str, Handler] = {
    "offer": _offer,
    "accept-offer": _accept_offer,
    "decline-offer": _decline_offer,
    "plan": _plan,
    "lose": _lose,
    "win": _win,
}


def _refused(request: HttpRequest, row: Deal, error: MoveNotAllowed) -> HttpResponse:
    row.refresh_from_db()
    hidden = ("csrfmiddlewaretoken", "version", "offer", "side")
    typed = {name: value for name, value in request.POST.items() if name not in hidden and value}
    return errors.conflict(
        request,
        error,
        mine=_in_words(typed) or {_("您填写的"): _("（没有文字）")},
        theirs={_("现在的状态"): row.get_state_display(), _("下一步"): row.next_step or _("（没有）")},
        retry_url=row.get_absolute_url(),
    )


def _in_words(typed: dict[str, str]) -> dict[str, str]:
    """Typed values under the labels of their fields."""
    labels = {name: str(f.label) for form in (OfferForm, PlanForm, ReasonForm, NoteForm)
              for name, f in form.base_fields.items()}  # fmt: skip
    return {labels.get(name.rpartition("-")[2], name): value for name, value in typed.items()}
