"""The office: its queue, and the review of one application."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.workflow import Conflict, MoveNotAllowed

from .. import items, rules, selectors, services
from ..forms import OpinionForm
from ..models import Officer, RefusalReason, Registration
from ..models.registration import is_concerned
from .common import document_facts, log_entries, state_mark, state_steps

PAGE = 25
TABS = (
    ("mine", "需我办理"),
    ("submitted", "待受理"),
    ("accepted", "初审"),
    ("supplement", "待补正"),
    ("expert_review", "专家评议"),
    ("second_review", "复审"),
    ("registered", "已登记"),
    ("refused", "不予登记"),
)
VERDICTS = {"pass": "pass", "fail": "return"}


def _posts(request: HttpRequest) -> list[Officer]:
    posts = list(Officer.objects.of(request.user).select_related("office"))
    if not posts:
        raise Http404
    return posts


@login_required
def queue(request: HttpRequest) -> HttpResponse:
    """The offices' applications by state, with counts, days left and what is late."""
    posts = _posts(request)
    rows = Registration.objects.visible_to(request.user).queue_of(request.user).exclude(source="imported")
    mine = selectors.needing(request.user)
    chosen = request.GET.get("state") or "mine"
    states = list(rows.order_by().values_list("pk", "state").distinct())
    counts = {key: sum(state == key for _pk, state in states) for key, _label in TABS}
    counts["mine"] = mine.count()
    shown = mine if chosen == "mine" else rows.filter(state=chosen).distinct()
    shown = shown.select_related("contract__applicant", "contract__contract_type", "office", "rule_set")
    page = Paginator(shown.prefetch_related("contract__parties"), PAGE).get_page(request.GET.get("page"))
    context = {
        "offices": [post.office for post in posts],
        "tabs": [
            {"label": _(label), "href": f"?state={key}", "current": key == chosen, "count": counts[key]}
            for key, label in TABS
        ],
        "rows": [_row(r) for r in page.object_list],
        "late": mine.filter(state__in=selectors.RUNNING, due_on__lt=timezone.localdate()).count(),
        "page_obj": page,
        "query": f"state={chosen}",
        "chosen": chosen,
        "nav_current": "registry",
    }
    return render(request, "contracts/registrar.html", context)


def _row(registration: Registration) -> dict[str, Any]:
    left = selectors.days_left(registration)
    return {
        "registration": registration,
        "contract": registration.contract,
        "mark": state_mark(registration),
        "left": left[0] if left else None,
        "working": left[1] if left else False,
        "late": selectors.is_late(registration),
        "open": registration.state in selectors.RUNNING,
    }


def _registration(request: HttpRequest, form_number: str) -> Registration:
    found = Registration.objects.visible_to(request.user).queue_of(request.user).distinct()
    registration = get_object_or_404(found, form_number=form_number)
    # The loaded contract brings its registration with office, rule set and reviewers.
    contract = services.loaded(registration.contract_id)
    contract.registration.contract = contract
    return contract.registration


@login_required
def review(request: HttpRequest, form_number: str) -> HttpResponse:
    """One application: document, items, rule checks, history; every act of the office is posted here."""
    registration = _registration(request, form_number)
    if request.method == "POST":
        return _act(request, registration)
    return _page(request, registration)


def _act(request: HttpRequest, registration: Registration) -> HttpResponse:
    act = request.POST.get("act", "")
    if act not in ACTS:
        raise Http404
    opinion = OpinionForm(request.POST, request.FILES) if act == "conclude" else None
    if opinion is not None and not opinion.is_valid():
        return _page(request, registration, opinion=opinion, status=422)
    try:
        said = ACTS[act](request, registration, opinion)
    except Conflict:
        raise
    except ValidationError as error:
        return _page(request, _registration(request, registration.form_number), opinion, error.messages, 422)
    except MoveNotAllowed as error:
        texts = [f.message for f in error.findings] if isinstance(error, services.FormIncomplete) else [str(error)]
        return _page(request, _registration(request, registration.form_number), opinion, texts, 422)
    messages.success(request, said)
    return redirect("registrar_review", registration.form_number)


def _seen(request: HttpRequest) -> str:
    return request.POST.get("version", "")


def _note(request: HttpRequest) -> str:
    return request.POST.get("note", "").replace("\x00", "")[:2000]


def _marks(request: HttpRequest, registration: Registration) -> dict[str, tuple[str, str]]:
    found = {}
    for item in items.of(registration.contract):
        verdict = VERDICTS.get(request.POST.get(f"verdict-{item.key}", ""))
        if verdict:
            found[item.key] = (verdict, request.POST.get(f"reason-{item.key}", "").replace("\x00", ""))
    return found


def _save(request: HttpRequest, registration: Registration, opinion: Any = None) -> str:
    """Keep the marks as they stand in the page; acts that follow go by what is kept."""
    services.mark(
        registration,
        by=request.user,
        marks=_marks(request, registration),
        warning_answer=request.POST.get("warning_answer", "").replace("\x00", ""),
        seen=_seen(request),
    )
    left = services.unmarked(registration)
    return (
        _("已保存进度，全部事项已通过。") if not left else _("已保存进度，还有 %(n)d 项没有通过。") % {"n": len(left)}
    )


def _accept(request: HttpRequest, registration: Registration, opinion: Any = None) -> str:
    disputed = bool(request.POST.get("disputed"))
    services.accept(registration, by=request.user, disputed=disputed, seen=_seen(request))
    return _("已受理，办理期限 %(day)s。") % {"day": registration.due_on}


def _reject(request: HttpRequest, registration: Registration, opinion: Any = None) -> str:
    services.reject_form(registration, by=request.user, reason=_note(request), seen=_seen(request))
    return _("已退回申请，申请人会收到通知。")


def _ask(request: HttpRequest, registration: Registration, opinion: Any = None) -> str:
    _save(request, registration)
    services.ask_supplement(registration, by=request.user, note=_note(request))
    return _("已退回补正，期限 %(day)s。") % {"day": registration.supplement_due_on}


def _pass(request: HttpRequest, registration: Registration, opinion: Any = None) -> str:
    _save(request, registration)
    services.pass_first(registration, by=request.user)
    return _("已通过初审，送另一名登记员复审。")


def _escalate(request: HttpRequest, registration: Registration, opinion: Any = None) -> str:
    services.escalate(registration, by=request.user, reason=_note(request), seen=_seen(request))
    return _("已送专家评议。")


def _conclude(request: HttpRequest, registration: Registration, opinion: Any) -> str:
    _save(request, registration)
    services.conclude(registration, by=request.user, **opinion.cleaned_data)
    return _("已录入专家意见，送复审。")


def _return(request: HttpRequest, registration: Registration, opinion: Any = None) -> str:
    services.return_to_first(registration, by=request.user, reason=_note(request), seen=_seen(request))
    return _("已退回初审。")


def _recognise(request: HttpRequest, registration: Registration, opinion: Any = None) -> str:
    number = request.POST.get("number", "").replace("\x00", "")
    services.recognise(registration, by=request.user, number=number, note=_note(request), seen=_seen(request))
    return _("已认定登记，编号 %(n)s。") % {"n": registration.registration_number}


def _refuse(request: HttpRequest, registration: Registration, opinion: Any = None) -> str:
    code = request.POST.get("reason_code", "")
    services.refuse(registration, by=request.user, reason_code=code, note=_note(request), seen=_seen(request))
    return _("已作出不予登记的决定，申请人会收到通知。")


ACTS = {
    "save": _save,
    "accept": _accept,
    "reject_form": _reject,
    "ask_supplement": _ask,
    "pass": _pass,
    "escalate": _escalate,
    "conclude": _conclude,
    "return": _return,
    "recognise": _recognise,
    "refuse": _refuse,
}


def _items(
    request: HttpRequest, registration: Registration, marks: dict[str, Any], readonly: bool
) -> list[dict[str, Any]]:
    """Items for `review_item`: as kept, or as typed where the page is shown again after a refusal."""
    rows = []
    typed = request.POST if request.method == "POST" else None
    for item in items.of(registration.contract):
        mark = marks.get(item.key)
        verdict = {"pass": "pass", "return": "fail"}.get(mark.verdict, "") if mark else ""
        reason = mark.reason if mark else ""
        if typed is not None and not readonly:
            verdict = typed.get(f"verdict-{item.key}", verdict)
            reason = typed.get(f"reason-{item.key}", reason)
        rows.append(
            {
                "number": item.number,
                "label": item.label,
                "value": item.value or _("未填写"),
                "note": item.note,
                "clause": _("原文") if item.number else "",
                "clause_href": f"#evidence-{item.number}",
                "name": f"verdict-{item.key}",
                "reason_name": f"reason-{item.key}",
                "verdict": verdict,
                "reason": reason,
                "readonly": readonly,
                "key": item.key,
            }
        )
    return rows


def _page(
    request: HttpRequest,
    registration: Registration,
    opinion: OpinionForm | None = None,
    refused: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    contract = registration.contract
    user = request.user
    # An officer of the applicant or of the other side reads no more here than his organisation may.
    inside = not is_concerned(registration, user)
    moves = {move.name for move in registration.open_moves(user)}
    kept = services.marks_of(registration)
    shown = _items(request, registration, kept, readonly=not moves & {"pass", "conclude"})
    found = rules.findings(contract)
    tally = {
        "passed": sum(i["verdict"] == "pass" for i in shown),
        "returned": sum(i["verdict"] == "fail" for i in shown),
    }
    tally["open"] = len(shown) - tally["passed"] - tally["returned"]
    returned = sum(m.verdict == "return" for m in kept.values())
    left = [i for i in shown if i["key"] not in kept]
    doubts = [f for f in found if f.is_warning]
    numbers = {item.key: item for item in items.of(contract)}
    bad = {i["key"] for i in shown if i["verdict"] == "fail"}
    dock = Dock(registration, user, moves, left=len(left), returned=returned, found=found)
    context = {
        "registration": registration,
        "contract": contract,
        "mark": state_mark(registration),
        "state_steps": state_steps(registration),
        "document": document_facts(contract, bad, numbers),
        "files": [f for f in contract.files.all() if not f.is_removed and (inside or f.kind != "expert")],
        "items": shown,
        "tally": tally,
        "checks": [
            {"state": c.state, "name": c.name, "detail": f"{c.detail}（{c.clause}）" if c.clause else c.detail}
            for c in rules.checks(contract, found)
        ],
        "doubts": doubts,
        "warning_answer": request.POST.get("warning_answer", registration.warning_answer),
        "log": log_entries(registration, inside=inside),
        "opinions": list(registration.opinions.all()) if inside else [],
        "opinion": opinion or (OpinionForm() if "conclude" in moves else None),
        "dock": dock,
        "days_left": selectors.days_left(registration),
        "late": selectors.is_late(registration),
        "reasons": RefusalReason.objects.filter(is_active=True),
        "reason_code": request.POST.get("reason_code", ""),
        "note": request.POST.get("note", ""),
        "number": request.POST.get("number", ""),
        "needs_expert": services.needs_expert(registration),
        "refused": [{"label": "", "text": text, "href": ""} for text in refused or ()],
        "has_errors": status != 200,
        "nav_current": "registry",
    }
    return render(request, "contracts/review.html", context, status=status)


class Dock:
    """The bar of acts: what is missing, and the buttons, each off with its reason in the text."""

    def __init__(
        self,
        registration: Registration,
        user: Any,
        moves: set[str],
        *,
        left: int,
        returned: int,
        found: list[rules.Finding],
    ) -> None:
        self.registration, self.user, self.moves = registration, user, moves
        doubts = [f for f in found if f.is_warning]
        faults = sum(f.is_error for f in found)
        self.texts: list[str] = []
        self.acts: list[dict[str, Any]] = []
        if "accept" in self.moves:
            self.texts.append(_("受理以后开始计算办理期限，再逐项审查"))
            self._add("accept", _("受理"), "fill")
        if "pass" in self.moves:
            self._first(left, returned, len(doubts), faults)
        if "conclude" in self.moves:
            self.texts.append(_("录入专家意见后送复审；事项须全部通过。"))
            self._add("save", _("保存进度"))
            self._add("conclude", _("录入意见，送复审"), "fill")
        if "recognise" in self.moves:
            self._second(faults, doubts)
        self._nothing_to_do()

    def _add(self, name: str, label: str, kind: str = "", *, disabled: bool = False, icon: str = "") -> None:
        self.acts.append(
            {
                "label": label,
                "kind": kind,
                "name": "act",
                "value": name,
                "icon": icon,
                "disabled": disabled,
                "why_id": "dock-why" if disabled else "",
            }
        )

    def _first(self, left: int, returned: int, doubts: int, faults: int) -> None:
        if returned:
            self.texts.append(_("%(n)d 处退回") % {"n": returned})
        if left:
            self.texts.append(_("%(n)d 项未看，看完并保存后才能通过初审") % {"n": left})
        if faults:
            self.texts.append(_("规则核对有 %(n)d 处不符") % {"n": faults})
        unanswered = doubts and not self.registration.warning_answer.strip()
        if unanswered:
            self.texts.append(_("%(n)d 处提示要写明核对结果") % {"n": doubts})
        expert = services.needs_expert(self.registration) and not self.registration.opinions.all()
        if expert:
            self.texts.append(_("须先送专家评议"))
        if not self.texts:
            self.texts.append(_("全部事项已通过，可以送复审"))
        self._add("save", _("保存进度"))
        self._add(
            "ask_supplement", _("退回补正（%(n)d 处）") % {"n": returned}, "bad", disabled=not returned, icon="undo"
        )
        if not returned:
            self.texts.append(_("没有退回的事项，不能退回补正"))
        blocked = bool(left or returned or faults or unanswered or expert)
        self._add("pass", _("通过初审，送复审"), "fill", disabled=blocked)

    def _second(self, faults: int, doubts: list[rules.Finding]) -> None:
        missing = services.obstacles(self.registration, doubts, list(self.registration.opinions.all()))
        if faults:
            missing.append(_("规则核对有 %(n)d 处不符") % {"n": faults})
        self.texts += missing or [_("事项和规则核对完毕，可以认定登记")]
        self._add("recognise", _("认定登记"), "fill", disabled=bool(missing))

    def _nothing_to_do(self) -> None:
        if self.acts:
            return
        state = self.registration.state
        if is_concerned(self.registration, self.user):
            self.texts = [_("这是您本单位的合同，由其他登记员办理。")]
        elif state == "second_review" and self.registration.first_reviewer_id == self.user.pk:
            self.texts = [_("初审是您办理的，复审须由另一名登记员办理。")]
        elif state == "supplement":
            self.texts = [_("等待申请人补正，期限 %(day)s。") % {"day": self.registration.supplement_due_on}]
        elif state == "registered":
            self.texts = [_("已登记，编号 %(n)s。") % {"n": self.registration.registration_number}]
        elif state == "refused":
            self.texts = [_("已作出不予登记的决定。")]
        else:
            self.texts = [_("现在由其他登记员办理，您没有这一步的权限。")]

    @property
    def text(self) -> str:
        return "；".join(text.rstrip("。") for text in self.texts) + "。"

    @property
    def other(self) -> dict[str, bool]:
        """Acts that stand apart from the dock, as they need words first."""
        return {
            "reject_form": "reject_form" in self.moves,
            "escalate": "escalate" in self.moves,
            "return": "return" in self.moves,
            "refuse": bool(self.moves & {"refuse", "refuse_second"}),
        }

    @property
    def has_other(self) -> bool:
        return any(self.other.values())
