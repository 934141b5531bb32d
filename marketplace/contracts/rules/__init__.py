"""Every rule of the form, asked in one place: by the applicant's check page, by submitting, and by the registrar's
review."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace import money

from ..models import Contract
from . import compulsory, law, register
from .finding import ERROR, NOTE, WARNING, Finding

__all__ = ["ERROR", "NOTE", "WARNING", "Check", "Finding", "checks", "errors", "findings", "warnings"]

GROUPS = (
    ("complete", gettext_lazy("必填事项")),
    ("amounts", gettext_lazy("金额相加")),
    ("payment", gettext_lazy("支付方式")),
    ("dates", gettext_lazy("日期先后")),
    ("type", gettext_lazy("类别用语")),
    ("rights", gettext_lazy("知识产权与类别")),
    ("territory", gettext_lazy("登记地域")),
    ("notice", gettext_lazy("定价公示")),
    ("duplicates", gettext_lazy("重复登记")),
    ("glyphs", gettext_lazy("证明可打印")),
    ("secrets", gettext_lazy("涉密标志")),
)


@dataclass(frozen=True)
class Check:
    """One group of rules as the review shows it: state ok, bad (does not hold) or wait (a person must look)."""

    key: str
    name: str
    state: str
    detail: str
    clause: str = ""


def findings(contract: Contract) -> list[Finding]:
    """Everything the rules find, errors and doubts alike, in the order of the form. An empty list: all is well.

    Judged on the contract as loaded; related rows are read through its managers, so prefetch where many are asked.
    """
    found = list(compulsory.find(contract))
    for rule in (*law.RULES, *register.RULES):
        found += rule(contract)
    return found


def errors(contract: Contract) -> list[Finding]:
    """What must be mended before the form can be submitted."""
    return [f for f in findings(contract) if f.is_error]


def warnings(contract: Contract) -> list[Finding]:
    """What does not stop the form but must be answered by the registrar."""
    return [f for f in findings(contract) if f.is_warning]


def checks(contract: Contract, found: list[Finding] | None = None) -> list[Check]:
    """The groups of rules, each with what was found or with the figures that hold."""
    found = findings(contract) if found is None else found
    out = []
    for key, name in GROUPS:
        mine = [f for f in found if f.group == key]
        if not mine:
            out.append(Check(key, str(name), "ok", _holds(contract, key)))
            continue
        state = "bad" if any(f.is_error for f in mine) else "wait"
        sources = "；".join(dict.fromkeys(f.source for f in mine))
        out.append(Check(key, str(name), state, "".join(f.message for f in mine), sources))
    return out


def _holds(contract: Contract, key: str) -> str:
    """What a group that holds has to say, with its figures."""
    if key == "amounts" and contract.amount_total is not None and contract.amount_tech is not None:
        deducted = sum((line.amount for line in contract.deductions.all()), Decimal(0))
        return _("扣除 %(d)s ＋ 技术 %(a)s ＝ %(t)s") % {
            "d": money.auto(deducted),
            "a": money.auto(contract.amount_tech),
            "t": money.auto(contract.amount_total),
        }
    if key == "type" and contract.contract_type_id:
        text = f"{contract.project_name}\n{contract.summary}\n{contract.novelty_points}"
        n = law.count_words(text).get(contract.contract_type.group5, 0)
        return _("有 %(n)d 处指向“%(group)s”") % {"n": n, "group": contract.contract_type.group5}
    if key == "dates":
        return _("签订 %(a)s ≤ 生效 %(b)s ≤ 有效期止 %(c)s") % {
            "a": contract.signed_on,
            "b": contract.effective_on,
            "c": contract.valid_to,
        }
    if key == "notice":
        needed = contract.seller_is_state_institution and (contract.contract_type_id or "")[:2] in ("TT", "TL")
        return _("定价方式与公示符合规定") if needed else _("不属于须公示的情形")
    return {
        "complete": _("登记表必填事项齐全"),
        "payment": _("支付方式与金额相容"),
        "rights": _("知识产权种类与合同类别相符"),
        "territory": _("申请单位和登记机构相符"),
        "duplicates": _("未发现相同的申请或文件"),
        "glyphs": _("名称中的每个字都能印出"),
        "secrets": _("文字不带密级标志"),
    }.get(key, "")
