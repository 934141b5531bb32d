"""What the pages of contracts share."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from marketplace import workflow
from marketplace.templatetags import text

from .. import services
from ..models import Contract, Registration

STATE_KINDS = {
    "draft": "",
    "submitted": "wait",
    "accepted": "act",
    "supplement": "bad",
    "expert_review": "act",
    "second_review": "act",
    "registered": "ok",
    "refused": "bad",
}


def visible_contract(user: Any, number: str) -> Contract:
    """The contract with everything a page shows, or 404 for who may not see it."""
    found = get_object_or_404(Contract.objects.visible_to(user).distinct(), number=number)
    return services.loaded(found)


def state_mark(registration: Registration) -> dict[str, str]:
    return {"label": registration.get_state_display(), "kind": STATE_KINDS.get(registration.state, "")}


def state_steps(registration: Registration) -> list[dict[str, Any]]:
    """The way of an application for `state_line`: 填表 → 受理 → 初审 → (专家) → 复审 → 登记."""
    state = registration.state
    names = [("draft", _("填表")), ("submitted", _("受理")), ("accepted", _("初审"))]
    if state == "expert_review" or registration.opinions.all():
        names.append(("expert_review", _("专家评议")))
    names += [("second_review", _("复审")), ("registered", _("登记"))]
    order = [key for key, _label in names]
    days = {
        "draft": registration.contract.created_at,
        "submitted": registration.submitted_at,
        "accepted": registration.accepted_on,
        "second_review": registration.first_reviewed_at,
        "registered": registration.registered_on,
    }
    if state == "refused":
        place = "second_review" if registration.second_reviewer_id else "accepted"
    else:
        place = "accepted" if state == "supplement" else state
    here = order.index(place)
    steps = []
    for n, (key, label) in enumerate(names):
        step: dict[str, Any] = {"label": label, "date": days.get(key), "state": "done" if n < here else "todo"}
        if n == here:
            step["state"] = "done" if state == "registered" else "now"
            if state in ("refused", "supplement"):
                step |= {"state": "stopped", "note": registration.get_state_display()}
        elif n > here:
            step["date"] = None
        steps.append(step)
    return steps


# What is said within the office: experts' words, and what one reviewer asks of the other.
INSIDE = {"registration.escalate", "registration.conclude", "registration.return"}


def log_entries(registration: Registration, *, inside: bool) -> list[dict[str, Any]]:
    """The history for `log`, newest first; the remarks of INSIDE acts only for who reviews (`inside`)."""
    rows = []
    for entry in workflow.history(registration)[:60]:
        data = entry.data or {}
        rows.append(
            {
                "at": entry.timestamp,
                "who": str(entry.user) if entry.user_id else _("系统"),
                "for": (data.get("on_behalf_of") or {}).get("name", ""),
                "what": entry.message,
                "note": data.get("note", "") if inside or entry.action not in INSIDE else "",
            }
        )
    return rows


def document_facts(contract: Contract, bad: set[str], numbers: dict[str, Any]) -> dict[str, Any]:
    """The form's facts as a document sheet; each carries the number of the item that judges it."""

    def part(key: str, words: str = "") -> dict[str, Any]:
        item = numbers[key]
        return {"text": words or item.value or _("未填写"), "number": item.number, "bad": key in bad}

    def plain(words: str) -> dict[str, Any]:
        return {"text": words}

    facts = [
        {"label": _("项目名称"), **part("project_name")},
        {"label": _("卖方"), **part("sellers")},
        {"label": _("买方"), **part("buyers")},
        {"label": _("签订日期"), **part("signed_on", text.day_long(contract.signed_on))},
        {"label": _("生效日期"), "text": text.day_long(contract.effective_on) or _("未填写")},
    ]
    total, tech = numbers["amount_total"], numbers["amount_tech"]
    clauses = [
        {"title": _("标的"), "parts": [part("contract_type"), plain("。"), part("subject"), plain("。")]},
        {"title": _("技术内容"), "parts": [part("summary")]},
        {
            "title": _("价款与支付"),
            "parts": [
                plain(_("合同总价 ")),
                part("amount_total", f"{total.note}（{total.value}）" if total.value else ""),
                plain(_("，其中技术交易额 ")),
                part("amount_tech"),
                plain(f"；{tech.note}。"),
                part("payment"),
                plain("。"),
            ],
        },
        {"title": _("期限"), "parts": [part("validity"), plain("。")]},
        {"title": _("知识产权"), "parts": [part("rights"), plain("。")]},
        {"title": _("计划来源"), "parts": [part("plan"), plain("。")]},
    ]
    if contract.novelty_points:
        clauses.insert(2, {"title": _("创新点、技术指标"), "parts": [plain(contract.novelty_points)]})
    if "notice" in numbers:
        clauses.append({"title": _("定价与公示"), "parts": [part("notice"), plain("。")]})
    clauses.append({"title": _("附件"), "parts": [part("files")]})
    title = contract.contract_type.name if contract.contract_type_id else ""
    return {
        "title": _("技术合同登记表（%(t)s）") % {"t": title} if title else _("技术合同登记表"),
        "facts": facts,
        "clauses": clauses,
    }
