"""Pages where members write: new, edit, preview, state, withdraw, renew, my listings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cms.models import Listing, ListingRecord
from cms.publishing import is_under_review
from cms.secrecy import REFUSAL, find_mark
from marketplace.workflow import Conflict, MoveNotAllowed

from . import services, session
from .forms import FORMS, ListingForm
from .requirements import Lack, lacks
from .sections import tasks
from .selectors import my_records, owned_listing, similar_demands, state_of, title_of

TITLES = {"demand": "发布技术需求", "achievement": "发布科技成果"}


def refused_for_secrecy(request: HttpRequest, kind: str) -> HttpResponse:
    """Says how to file offline; shows and keeps nothing of what was typed."""
    session.take(request, kind)
    return render(
        request, "posting/refused.html", {"kind": kind, "message": REFUSAL, "title": TITLES[kind]}, status=400
    )


def _repaired(data: QueryDict) -> QueryDict:
    """What was posted, with the amount put right by the button 改为…."""
    name, _sign, value = data["fix"].partition("=")
    data = data.copy()
    if name in ("budget_min", "budget_max", "price_min", "price_max"):
        data[name] = value
    del data["fix"]
    return data


def form_page(request: HttpRequest, form: ListingForm, *, status: int = 200, **context: Any) -> HttpResponse:
    """The one page of the form, new or edited, with its task list."""
    listing = form.instance
    found = context.pop("found", None)
    if found is None:
        found = [] if form.is_bound else lacks_of(form)
    return render(
        request,
        "posting/form.html",
        {
            "form": form,
            "kind": listing.KIND,
            "title": TITLES[listing.KIND] if form.is_new else _("修改“%(title)s”") % {"title": title_of(listing)},
            "tasks": tasks(form, found),
            "offers": form.offers() if form.is_bound else {},
            "listing": None if form.is_new else listing,
            "similar": _similar(form),
            "keep": f"listing-{listing.KIND if form.is_new else listing.number}",
            **context,
        },
        status=status,
    )


def _similar(form: ListingForm) -> Any:
    """What others budget in the field that is chosen in a demand's form."""
    code = form["technology_field"].value()
    return similar_demands(str(code)) if code and form.instance.KIND == "demand" else None


def lacks_of(form: ListingForm) -> list[Lack]:
    """What the listing shown by this form still lacks; a new one lacks what it asks for."""
    if form.is_new:
        listing = form.instance
        listing.record = ListingRecord(kind=listing.KIND, valid_until=form.initial.get("valid_until"))
        return lacks(listing)
    return lacks(form.instance)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """A new listing. May be begun without an account: what was typed is kept until its writer has signed in."""
    form_class = FORMS[kind]
    acting = request.acting or None  # type: ignore[attr-defined]
    if request.method == "GET":
        kept = session.peek(request, kind)
        if kept is None:
            return form_page(request, form_class(user=request.user, acting=acting, initial=_suggested(request)))
        return _resume(request, kind, kept, acting)
    if find_mark(value for name in request.POST for value in request.POST.getlist(name)):
        return refused_for_secrecy(request, kind)
    if "fix" in request.POST:
        return form_page(request, form_class(_repaired(request.POST), user=request.user, acting=acting))
    form = form_class(request.POST, user=request.user, acting=acting)
    if not form.is_valid():
        return form_page(request, form)
    if not request.user.is_authenticated or acting is None:
        if not session.keep(request, kind):
            form.add_error(None, _("内容很长，请先登录再填写。您填写的内容还在这一页上，没有丢失。"))
            return form_page(request, form)
        return _sign_in_first(request, kind)
    return _save_new(request, form)


def _suggested(request: HttpRequest) -> dict[str, str]:
    """The title that a search without an answer sends along; it stands in the form, to be changed."""
    title = " ".join(request.GET.get("title", "").split())
    return {"title": title[: Listing._meta.get_field("title").max_length]} if title else {}


def _sign_in_first(request: HttpRequest, kind: str) -> HttpResponse:
    """To the sign-in page, or to the page where one joins an organisation; the text waits in the session."""
    if not request.user.is_authenticated:
        messages.info(request, _("已暂存您填写的内容。登录后自动存为草稿，不用重写。"))
        return redirect(f"{reverse('account_login')}?next={reverse(f'{kind}_new')}")
    messages.info(
        request, _("已暂存您填写的内容。登记单位后自动存为草稿；加入已有单位的，批准后打开发布页面即可继续。")
    )
    return redirect(f"{reverse('organization_new')}?next={reverse(f'{kind}_new')}")


def _resume(request: HttpRequest, kind: str, kept: QueryDict, acting: Any) -> HttpResponse:
    """After signing in: what was typed before becomes a draft at once, or is shown with what is wrong in it."""
    if not request.user.is_authenticated or acting is None:
        return form_page(request, FORMS[kind](kept, user=request.user, acting=acting), resumed=True)
    kept["owner"] = str(acting.pk)
    form = FORMS[kind](kept, user=request.user, acting=acting)
    if not form.is_valid():
        return form_page(request, form, resumed=True)
    session.take(request, kind)
    return _save_new(request, form)


def _save_new(request: HttpRequest, form: ListingForm) -> HttpResponse:
    owner, kind, key = form.cleaned_data["owner"], form.instance.KIND, form.cleaned_data.get("key")
    again = _sent_before(owner, kind, key)
    if again is None:
        try:
            listing = _create(request, form)
        except IntegrityError:
            # Of two clicks at the same moment the constraint lets one through.
            again = _sent_before(owner, kind, key)
            if again is None:
                raise
    if again is not None:
        return redirect("listing_state", number=again.number)
    session.take(request, kind)
    return _after_saving(request, listing, owner)


def _sent_before(owner: Any, kind: str, key: Any) -> ListingRecord | None:
    """What the same form has made already; None for a form without a key."""
    return ListingRecord.objects.filter(owner=owner, kind=kind, external_id=f"form:{key}").first() if key else None


@transaction.atomic
def _create(request: HttpRequest, form: ListingForm) -> Listing:
    data, listing = form.cleaned_data, form.save(commit=False)
    listing.record = ListingRecord(
        kind=listing.KIND,
        owner=data["owner"],
        created_by=request.user,
        external_id=f"form:{data['key']}" if data.get("key") else "",
        valid_until=data.get("valid_until"),
    )
    return services.save_draft(listing, by=request.user, on_behalf_of=data["owner"])


def _after_saving(request: HttpRequest, listing: Listing, owner: Any) -> HttpResponse:
    """On to where the pressed button leads: submit (or what is lacking), preview, or the form again."""
    act = request.POST.get("act", "draft")
    if act == "submit":
        try:
            services.submit(listing, by=request.user, on_behalf_of=owner)
        except services.Incomplete:
            messages.warning(request, _("已存为草稿，还没有提交：下面标出的内容要先补上。"))
            return redirect(f"{reverse('listing_edit', args=[listing.number])}?check=1")
        except MoveNotAllowed as error:
            messages.warning(request, str(error))
        return redirect("listing_state", number=listing.number)
    if act == "preview":
        return redirect("listing_preview", number=listing.number)
    messages.success(request, _("草稿已保存，只有本单位能看到。"))
    return redirect("listing_edit", number=listing.number)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, number: str) -> HttpResponse:
    """Change a listing; what is public stays until a moderator has seen the change. A session that ended meanwhile
    costs nothing: what was typed is shown again after signing in."""
    if not request.user.is_authenticated:
        return _sign_in_again(request, number)
    stored = owned_listing(request.user, number)
    if stored.kind not in FORMS:
        return redirect("listing_state", number=number)
    latest = stored.get_latest_revision_as_object()
    latest.record = stored.record
    owner = stored.record.owner
    form_class = FORMS[stored.kind]
    if request.method == "GET":
        if is_under_review(stored):
            messages.info(request, _("正在审核，暂时不能修改。要修改请先撤回送审。"))
            return redirect("listing_state", number=number)
        kept = session.take(request, number)
        if kept is not None:
            form = form_class(kept, instance=latest, user=request.user, acting=owner)
            form.is_valid()
            return form_page(request, form, resumed=True)
        form = form_class(instance=latest, user=request.user, acting=owner)
        found = lacks(latest)
        if "check" in request.GET:
            form.show_lacks(found)
        return form_page(request, form, found=found)
    if find_mark(value for name in request.POST for value in request.POST.getlist(name)):
        return refused_for_secrecy(request, stored.kind)
    data = _repaired(request.POST) if "fix" in request.POST else request.POST
    form = form_class(data, instance=latest, user=request.user, acting=owner)
    valid = form.is_valid()
    if not valid or "fix" in request.POST:
        return form_page(request, form)
    try:
        return _save_edit(request, form, stored)
    except Conflict as conflict:
        return _conflict(request, form, stored, conflict)


def _sign_in_again(request: HttpRequest, number: str) -> HttpResponse:
    """The session is over: keep what was posted (unless it is marked or too long) and ask to sign in."""
    if request.method == "POST":
        if find_mark(value for name in request.POST for value in request.POST.getlist(name)):
            return refused_for_secrecy(request, "demand" if number.startswith("XQ") else "achievement")
        if session.keep(request, number, forget=()):
            messages.info(request, _("登录已过期，您填写的内容已暂存，登录后接着改。"))
    return redirect_to_login(request.path)


def _save_edit(request: HttpRequest, form: ListingForm, stored: Listing) -> HttpResponse:
    owner = stored.record.owner
    with transaction.atomic():
        listing = services.save_draft(
            form.save(commit=False), by=request.user, on_behalf_of=owner, seen=form.cleaned_data["version"] or 0
        )
        if form.can_set_validity and form.cleaned_data.get("valid_until"):
            ListingRecord.objects.filter(pk=stored.record.pk).update(valid_until=form.cleaned_data["valid_until"])
    return _after_saving(request, listing, owner)


def _conflict(request: HttpRequest, form: ListingForm, stored: Listing, conflict: Conflict) -> HttpResponse:
    """409: what was typed stays in the form, beside it what stands now; saving again is a decision, not an accident."""
    stored = owned_listing(request.user, stored.number)
    theirs_form = type(form)(
        instance=stored.get_latest_revision_as_object(), user=request.user, acting=stored.record.owner
    )
    differing = []
    for name in form.Meta.fields:
        mine, theirs = _shown(form, name), _shown(theirs_form, name)
        if mine != theirs:
            differing.append({"label": form.fields[name].label, "mine": mine, "theirs": theirs})
    data = form.data.copy()
    data["version"] = str(stored.latest_revision_id)
    fresh = type(form)(
        data, instance=stored.get_latest_revision_as_object(), user=request.user, acting=stored.record.owner
    )
    return form_page(
        request,
        fresh,
        status=409,
        conflict=str(conflict),
        differing=differing,
        is_locked=is_under_review(stored),
        changed_by=stored.latest_revision.user if stored.latest_revision else None,
        changed_at=stored.latest_revision.created_at if stored.latest_revision else None,
    )


def _shown(form: ListingForm, name: str) -> str:
    """A field's value as a reader sees it: names of choices, not codes."""
    value = form[name].value()
    field: Any = form.fields[name]
    values = value if isinstance(value, list | tuple) else [value]
    if getattr(field, "queryset", None) is not None:
        keys = [str(getattr(v, "pk", v)) for v in values if v not in (None, "")]
        return "、".join(str(row) for row in field.queryset.filter(pk__in=keys)) if keys else ""
    choices = {str(k): str(v) for k, v in getattr(field, "choices", []) if not isinstance(v, list | tuple)}
    return "、".join(choices.get(str(v), str(v)) for v in values if v not in (None, ""))


@login_required
def preview(request: HttpRequest, number: str) -> HttpResponse:
    """The latest draft as readers would see it, for its owner only."""
    stored = owned_listing(request.user, number)
    latest = stored.get_latest_revision_as_object()
    latest.record = stored.record
    return render(request, "cms/preview.html", {"listing": latest, "is_owner_preview": True, "state": state_of(stored)})


def new_demand(request: HttpRequest) -> HttpResponse:
    return new(request, "demand")


def new_achievement(request: HttpRequest) -> HttpResponse:
    return new(request, "achievement")


@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """Everything of the organisation for which I act."""
    acting = request.acting or None  # type: ignore[attr-defined]
    rows = my_records(acting) if acting else ListingRecord.objects.none()
    kind = request.GET.get("kind", "")
    counts = {name: rows.filter(kind=name).count() for name in FORMS}
    if kind in FORMS:
        rows = rows.filter(kind=kind)
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    found = [
        {"record": r, "title": title_of(r.listing), "state": state_of(r.listing), "kind": r.get_kind_display()}
        for r in page
    ]
    context = {"page_obj": page, "rows": found, "kind": kind, "counts": counts, "total": sum(counts.values())}
    return render(request, "posting/mine.html", context)


@require_POST
@login_required
def submit(request: HttpRequest, number: str) -> HttpResponse:
    stored = owned_listing(request.user, number)
    try:
        services.submit(stored, by=request.user, on_behalf_of=stored.record.owner)
    except services.Incomplete:
        messages.warning(request, _("还不能提交：下面标出的内容要先补上。"))
        return redirect(f"{reverse('listing_edit', args=[number])}?check=1")
    except MoveNotAllowed as error:
        messages.warning(request, str(error))
    return redirect("listing_state", number=number)


@require_POST
@login_required
def delete(request: HttpRequest, number: str) -> HttpResponse:
    stored = owned_listing(request.user, number)
    services.delete_draft(stored, by=request.user)
    messages.success(request, _("草稿已删除。"))
    return redirect("my_listings")
