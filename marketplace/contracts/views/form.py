"""The registration form as a task list: any step can be opened, each saves, the last one checks and hands in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms import BoundField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cms.secrecy import find_mark
from marketplace import errors, money
from marketplace.accounts import acting, kept
from marketplace.deals.models import Deal
from marketplace.workflow import Conflict, MoveNotAllowed

from .. import items, rules, services, territory
from ..form_base import SECRET
from ..forms import FORMS, FileForm, NewContractForm
from ..models import Contract
from ..models.registration import EDITABLE_STATES, is_applicant
from ..row_forms import DeductionSet, IPItemSet, PartySet
from ..steps import BY_SLUG, CHECK, STEPS
from .common import visible_contract

PARTY_FIELDS = [
    "id",
    "kind",
    "name",
    "is_lead",
    "share",
    "credit_code",
    "country",
    "scale",
    "legal_representative",
    "contact_name",
    "contact_phone",
    "address",
    "postcode",
    "is_rd_organization",
    "is_transfer_organization",
    "is_converted_institute",
    "is_in_hightech_zone",
    "is_hightech_enterprise",
    "is_listed",
]
MOST_PARTIES = 20
BLANK_PARTY = {"kind": "organization", "country": "CHN", "scale": "none"}
# Steps that hold nothing compulsory by themselves are called done only once something stands in them.
OPTIONAL = {"pricing"}


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Two ways in: from an agreed deal, or by hand. Nothing is kept of a contract that is named secret."""
    if request.acting is None:
        return render(request, "contracts/no_organization.html", {"nav_current": "registry"})
    form = NewContractForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        contract = services.draft_by_hand(
            by=request.user, on_behalf_of=request.acting, project_name=form.cleaned_data["project_name"]
        )
        return redirect("contract_step", contract.number, STEPS[0].slug)
    context = {"form": form, "deals": _ready_deals(request), "nav_current": "registry"}
    return render(request, "contracts/new.html", context)


def _ready_deals(request: HttpRequest) -> QuerySet[Deal]:
    return Deal.objects.visible_to(request.user).filter(
        seller=request.acting, state__in=("terms", "signed"), contract__isnull=True
    )[:20]


@login_required
@require_POST
def from_deal(request: HttpRequest, number: str) -> HttpResponse:
    """Copy an agreed deal into a form; twice gives the same one."""
    deal = get_object_or_404(Deal.objects.visible_to(request.user).distinct(), number=number)
    try:
        contract = services.draft(deal, by=request.user, on_behalf_of=deal.seller)
    except PermissionDenied as error:
        raise MoveNotAllowed(_("技术合同由卖方申请登记，请由“%(name)s”的人员办理。") % {"name": deal.seller}) from error
    return redirect("contract_step", contract.number, STEPS[0].slug)


def from_deal_page(request: HttpRequest, number: str) -> HttpResponse:
    """Posting begins the form; a plain visit asks first."""
    if request.method == "POST":
        return from_deal(request, number)
    return _ask_from_deal(request, number)


@login_required
def _ask_from_deal(request: HttpRequest, number: str) -> HttpResponse:
    deal = get_object_or_404(Deal.objects.visible_to(request.user).distinct(), number=number)
    begun = Contract.objects.visible_to(request.user).filter(deal=deal).first()
    if begun is not None:
        return redirect(begun)
    offer = deal.offers.filter(state="accepted").first()
    context = {
        "deal": deal,
        "offer": offer,
        "may_begin": offer is not None and acting.may_act_for(request.user, deal.seller),
        "nav_current": "registry",
    }
    return render(request, "contracts/from_deal.html", context)


def task_items(contract: Contract, found: list[rules.Finding], current: str = "") -> list[dict[str, Any]]:
    """The steps for `task_list`: 已完成, 有误, 未填完 or 未开始, by what the rules find in each."""
    faults: dict[str, list[rules.Finding]] = {}
    for finding in found:
        if finding.is_error:
            faults.setdefault(finding.step, []).append(finding)
    tasks = []
    for step in STEPS:
        mine = faults.get(step.slug, [])
        state, word = "done", None
        if any(f.code not in ("missing", "no_contract_file", "not_declared", "summary_length") for f in mine):
            state = "error"
        elif mine:
            state, word = "todo", _("未填完") if _begun(contract, step.slug) else None
        elif step.slug in OPTIONAL and not contract.pricing_mode:
            state = "optional"
        tasks.append(
            {
                "label": step.title,
                "href": f"/contracts/{contract.number}/{step.slug}/",
                "state": state,
                "state_label": word,
                "current": step.slug == current,
            }
        )
    tasks.append(
        {
            "label": _("核对提交"),
            "href": f"/contracts/{contract.number}/{CHECK}/",
            "state": "todo",
            "current": current == CHECK,
        }
    )
    return tasks


def _begun(contract: Contract, slug: str) -> bool:
    """Whether something was entered in a step (party rows may come from the organisation's own data)."""
    probe = {
        "basics": contract.contract_type_id,
        "subject": contract.technology_field_id or contract.summary,
        "amounts": contract.amount_total,
        "payment": contract.payment_method_id,
        "rights": contract.ip_type_id,
        "declaration": contract.responsible,
        "seller": contract.lead_seller,
        "buyer": contract.lead_buyer,
    }
    return bool(probe.get(slug))


def _editable(request: HttpRequest, number: str) -> Contract:
    contract = visible_contract(request.user, number)
    if not is_applicant(contract.registration, request.user):
        raise Http404
    return contract


@kept.signed_in
def step(request: HttpRequest, number: str, step: str) -> HttpResponse:
    """One step: shows, saves, goes on. A form that somebody saved in between answers 409 with both versions; what was
    typed while the sign-in ran out is shown again, to be saved."""
    contract = _editable(request, number)
    if step != CHECK and step not in BY_SLUG:
        raise Http404
    if contract.registration.state not in EDITABLE_STATES:
        messages.info(request, _("登记表已提交，现在不能修改。"))
        return redirect(contract)
    if step == CHECK:
        return check(request, contract)
    if step == "files":
        return files(request, contract)
    if request.method == "POST":
        return StepPage(request, contract, step).post()
    return StepPage(request, contract, step, typed=kept.take(request)).show()


class StepPage:
    """A step's form and its rows, bound or not. typed: what was kept while its writer signed in again."""

    def __init__(self, request: HttpRequest, contract: Contract, slug: str, typed: QueryDict | None = None) -> None:
        self.request, self.contract, self.step = request, contract, BY_SLUG[slug]
        self.data = self._repaired() if request.method == "POST" else typed
        self.is_resumed = typed is not None
        self.lenient = self.data is not None and "leave" in self.data
        kind = FORMS.get(slug)
        self.form = kind(self.data, contract=contract, lenient=self.lenient) if kind else None
        self.rows = self._rows(slug)

    def _repaired(self) -> Any:
        """What was posted, with the amounts that a button offered to repair, and one more party where it was asked
        for."""
        data = self.request.POST.copy()
        for name in list(data):
            if name.startswith("repair-"):
                data[name.removeprefix("repair-")] = data[name]
        return data

    def _rows(self, slug: str) -> Any:
        contract = self.contract
        if slug in ("seller", "buyer"):
            known = {p.pk: p for p in contract.parties.all() if p.side == slug}
            initial = [self._party(p) for p in known.values()] or [{**BLANK_PARTY, "share": 100, "is_lead": True}]
            kwargs = {"known": known, "lenient": self.lenient}
            if self.data is not None and "add" in self.data:
                # One more row, shown with what was typed so far and without complaints about what is not yet there.
                return PartySet(initial=[*self._typed(), BLANK_PARTY], prefix="row", form_kwargs=kwargs)
            rows = PartySet(self.data, initial=initial, prefix="row", form_kwargs=kwargs)
            rows.lenient = self.lenient
            return rows
        if slug == "amounts":
            lines = [{"kind": d.kind, "amount": d.amount, "clause": d.clause} for d in contract.deductions.all()]
            return DeductionSet(self.data, initial=lines, prefix="row")
        if slug == "rights":
            lines = [
                {"number": i.number, "title": i.title, "holder": i.holder, "legal_status": i.legal_status}
                for i in contract.ip_items.all()
            ]
            return IPItemSet(self.data, initial=lines, prefix="row")
        return None

    def _typed(self) -> list[dict[str, Any]]:
        """The party rows as posted, unchecked."""
        assert self.data is not None
        total = self.data.get("row-TOTAL_FORMS", "")
        count = min(int(total), MOST_PARTIES - 1) if total.isdecimal() else 0
        names = (*PARTY_FIELDS, "region", "nature", "industry", "id_number")
        return [{name: self.data.get(f"row-{n}-{name}") for name in names} for n in range(count)]

    @staticmethod
    def _party(party: Any) -> dict[str, Any]:
        values = {name: getattr(party, name) for name in PARTY_FIELDS}
        return {
            **values,
            "region": party.region_id,
            "nature": party.nature_id,
            "industry": party.industry_id,
        }

    def post(self) -> HttpResponse:
        assert self.data is not None
        # Before anything else is judged: a text that is also too short or too long is not cleaned, and would be shown.
        if find_mark(value for name in self.data for value in self.data.getlist(name)):
            return self._forget()
        if "add" in self.data:
            return self.show()
        form_ok = self.form is None or self.form.is_valid()
        rows_ok = self.rows is None or self.rows.is_valid()
        if self._is_secret():
            return self._forget()
        if not (form_ok and rows_ok):
            return self.show(status=422)
        try:
            services.fill(
                self.contract,
                by=self.request.user,
                on_behalf_of=self.contract.applicant,
                seen=self.data.get("version", ""),
                **self.values(),
            )
        except Conflict as error:
            return self.conflict(error)
        except (MoveNotAllowed, ValidationError) as error:
            return self.show(status=422, refused=" ".join(getattr(error, "messages", [str(error)])))
        if self.lenient:
            messages.success(self.request, _("已保存“%(step)s”。") % {"step": self.step.title})
            return redirect(self.contract)
        return redirect("contract_step", self.contract.number, self.next_slug())

    def _is_secret(self) -> bool:
        rows = list(self.rows.forms) if self.rows is not None else []
        return any(form.is_secret for form in ([self.form] if self.form is not None else []) + rows)

    def _forget(self) -> HttpResponse:
        """A text with a secrecy mark is refused and not shown again: the page has what stood there before."""
        kind = FORMS.get(self.step.slug)
        self.data, self.lenient = None, False
        self.form = kind(None, contract=self.contract) if kind else None
        self.rows = self._rows(self.step.slug)
        return self.show(status=422, refused=str(SECRET), forget=True)

    def next_slug(self) -> str:
        slugs = [s.slug for s in STEPS] + [CHECK]
        return slugs[slugs.index(self.step.slug) + 1]

    def values(self) -> dict[str, Any]:
        """What `services.fill` takes of this step."""
        out: dict[str, Any] = {"fields": self.form.values()} if self.form is not None else {}
        if self.rows is None:
            return out
        kept = [f for f in self.rows.forms if f.has_changed() or f.initial]
        kept = [f for f in kept if not f.cleaned_data.get("DELETE")]
        if self.step.slug in ("seller", "buyer"):
            return out | {f"{self.step.slug}s": [f.row() for f in kept]}
        plain = [{k: v for k, v in f.cleaned_data.items() if k != "DELETE"} for f in kept]
        return out | {"deductions" if self.step.slug == "amounts" else "ip_items": [p for p in plain if p]}

    def conflict(self, error: Conflict) -> HttpResponse:
        """409: what was typed beside what stands now; nothing of either is lost."""
        stands = StepPage.__new__(StepPage)
        stands.request, stands.contract, stands.step = self.request, error.record, self.step
        stands.data, stands.lenient, stands.is_resumed = None, False, False
        kind = FORMS.get(self.step.slug)
        stands.form = kind(None, contract=error.record) if kind else None
        stands.rows = stands._rows(self.step.slug)
        return errors.conflict(
            self.request,
            error,
            mine=self._words(typed=True),
            theirs=stands._words(typed=False),
            retry_url=self.request.path,
        )

    def _words(self, *, typed: bool) -> dict[str, str]:
        forms = ([self.form] if self.form is not None else []) + (
            list(self.rows.forms) if self.rows is not None else []
        )
        out: dict[str, str] = {}
        for n, form in enumerate(forms):
            for bound in form:
                # A resident number is never shown again, not even to the one who typed it.
                if bound.name in ("id", "DELETE", "id_number", "confidential"):
                    continue
                value = self._named(bound)
                label = (
                    str(bound.label) if n == 0 or (self.form is None and len(forms) == 1) else f"{bound.label}（{n}）"
                )
                shown = (
                    "、".join(map(str, value)) if isinstance(value, list) else str(value if value is not None else "")
                )
                if shown:
                    out[label] = shown
        return out

    @staticmethod
    def _named(bound: BoundField) -> Any:
        """A field's value as people read it: the name of a choice, not its code."""
        value = bound.value()
        if not isinstance(value, str) or not hasattr(bound.field, "choices"):
            return value
        groups = [rows if isinstance(rows, list | tuple) else [(key, rows)] for key, rows in bound.field.choices]
        return next((str(label) for rows in groups for key, label in rows if str(key) == value), value)

    def show(self, status: int = 200, refused: str = "", forget: bool = False) -> HttpResponse:
        contract = self.contract
        found = rules.findings(contract)
        mine = [f for f in found if f.step == self.step.slug and f.code != "missing"]
        context = {
            "contract": contract,
            "registration": contract.registration,
            "step": self.step,
            "number_of_step": [s.slug for s in STEPS].index(self.step.slug) + 1,
            "steps": len(STEPS) + 1,
            "tasks": task_items(contract, found, self.step.slug),
            "form": self.form,
            "rows": self.rows,
            "offers": self.form.offers() if self.form is not None and hasattr(self.form, "offers") else {},
            "findings": mine,
            "refused": refused,
            "forget": forget,
            "is_resumed": self.is_resumed,
            # Saving what was typed before an interruption must still notice who saved meanwhile.
            "version": self.data.get("version", "") if self.is_resumed and self.data is not None else contract.version,
            "has_errors": status != 200,
            "returned": returned_lines(contract),
            "nav_current": "registry",
        }
        return render(self.request, f"contracts/steps/{self.step.slug}.html", context, status=status)


def returned_lines(contract: Contract) -> list[str]:
    """What the office asked to mend, line by line."""
    registration = contract.registration
    return registration.supplement_note.splitlines() if registration.state in EDITABLE_STATES else []


def files(request: HttpRequest, contract: Contract) -> HttpResponse:
    """Attach and take off; a refused file says which and why, nothing else changes."""
    form, status = FileForm(), 200
    if request.method == "POST" and "remove" in request.POST:
        file = get_object_or_404(
            contract.files.all(), pk=request.POST["remove"] if request.POST["remove"].isdecimal() else 0
        )
        services.remove_file(contract, file, by=request.user, on_behalf_of=contract.applicant)
        messages.success(request, _("已移除“%(name)s”。") % {"name": file.name})
        return redirect(request.path)
    if request.method == "POST":
        form = FileForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                row, elsewhere = services.attach(
                    contract,
                    form.cleaned_data["file"],
                    kind=form.cleaned_data["kind"],
                    by=request.user,
                    on_behalf_of=contract.applicant,
                )
            except ValidationError as error:
                form.add_error("file", error)
            except MoveNotAllowed as error:
                form.add_error("file", str(error))
            else:
                if elsewhere:
                    messages.warning(
                        request, _("同一个文件也附在另一份合同里，请确认没有传错：%(n)s") % {"n": row.name}
                    )
                else:
                    messages.success(request, _("已上传“%(name)s”。") % {"name": row.name})
                return redirect(request.path)
        status = 422
    found = rules.findings(contract)
    context = {
        "contract": contract,
        "registration": contract.registration,
        "step": BY_SLUG["files"],
        "number_of_step": [s.slug for s in STEPS].index("files") + 1,
        "steps": len(STEPS) + 1,
        "tasks": task_items(contract, found, "files"),
        "form": form,
        "files": [f for f in contract.files.all() if not f.is_removed],
        "has_errors": status != 200,
        "returned": returned_lines(contract),
        "nav_current": "registry",
    }
    return render(request, "contracts/steps/files.html", context, status=status)


def check(request: HttpRequest, contract: Contract) -> HttpResponse:
    """核对提交: every rule at once, then the office that will have it; posting hands in (or supplies)."""
    registration = contract.registration
    found = rules.findings(contract)
    refused = ""
    if request.method == "POST":
        act = services.supply if registration.state == "supplement" else services.submit
        try:
            act(registration, by=request.user, on_behalf_of=contract.applicant, seen=request.POST.get("version", ""))
        except Conflict:
            raise
        except MoveNotAllowed as error:
            refused = str(error)
        else:
            messages.success(
                request,
                _("已提交，受理号 %(n)s，由%(office)s办理。")
                % {"n": registration.form_number, "office": registration.office},
            )
            return redirect(contract)
    context = {
        "contract": contract,
        "registration": registration,
        "tasks": task_items(contract, found, CHECK),
        "number_of_step": len(STEPS) + 1,
        "steps": len(STEPS) + 1,
        "errors": [{"label": "", "text": f.message, "href": _link(contract, f)} for f in found if f.is_error],
        "doubts": [f for f in found if not f.is_error],
        "items": items.of(contract),
        "office": territory.office_for(contract),
        "capital": money.capital(contract.amount_total) if contract.amount_total else "",
        "refused": refused,
        "returned": returned_lines(contract),
        "nav_current": "registry",
    }
    return render(request, "contracts/steps/check.html", context, status=422 if refused else 200)


def _link(contract: Contract, finding: rules.Finding) -> str:
    return f"/contracts/{contract.number}/{finding.step}/"


@login_required
def discard(request: HttpRequest, number: str) -> HttpResponse:
    """Delete a draft that no office has seen."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    contract = _editable(request, number)
    services.discard(contract, by=request.user, on_behalf_of=contract.applicant)
    messages.success(request, _("已删除草稿“%(name)s”。") % {"name": contract.project_name})
    return redirect("contracts")
