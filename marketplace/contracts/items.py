"""What a registrar judges: ten to twelve items of the form, each with its words in the contract document.

The same table feeds the review page, the marks, and the list of what is returned to the applicant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from marketplace import money
from marketplace.templatetags import text

from .models import Contract, Party
from .steps import NATURE_LABELS, PRICING_LABELS

LARGE_NATURE = "large"


@dataclass(frozen=True)
class Item:
    """One matter under review. `value` is what is judged (kept with the mark); `note` adds to it on the page."""

    key: str
    number: int
    label: str
    value: str
    step: str
    note: str = ""


def party_line(party: Party) -> str:
    """Name, code and share of a party as one line; a person's number shows its last four characters only."""
    code = party.credit_code or (_("证件尾号 %(n)s") % {"n": party.id_last4} if party.id_last4 else "")
    share = "" if party.share == 100 else f"{party.share.normalize():f}%"
    return " ".join(part for part in (party.name, code, share) if part)


def parties_text(contract: Contract, side: str) -> str:
    """Every party of a side, the lead first."""
    rows = sorted(
        (p for p in contract.parties.all() if p.side == side), key=lambda p: (not p.is_lead, p.order, p.pk or 0)
    )
    return "；".join(party_line(p) for p in rows)


def natures_of(contract: Contract, large_amount: Any = None) -> list[str]:
    """合同性质 as chosen, and those that follow from the form (计划内, 关联交易, 大额合同). large_amount: 元."""
    codes = list(contract.natures)
    if contract.plan_source_id not in (None, "9"):
        codes.append("in_plan")
    if contract.is_related:
        codes.append("related")
    if large_amount is not None and contract.amount_tech is not None and contract.amount_tech >= large_amount:
        codes.append(LARGE_NATURE)
    return [str(NATURE_LABELS.get(code, code)) for code in codes]


def type_text(contract: Contract) -> str:
    """The type with its group and, for a licence, the mode."""
    if not contract.contract_type_id:
        return ""
    words = f"{contract.contract_type.group5} · {contract.contract_type.name}"
    return f"{words}（{contract.get_licence_mode_display()}）" if contract.licence_mode else words


def _amount(value: Any) -> str:
    return "" if value is None else money.auto(value)


def _span(contract: Contract) -> str:
    if not contract.valid_from and not contract.valid_to:
        return ""
    return _("%(a)s 至 %(b)s") % {"a": text.day(contract.valid_from), "b": text.day(contract.valid_to)}


def _rights(contract: Contract) -> str:
    numbers = "、".join(item.number for item in contract.ip_items.all())
    return " ".join(part for part in (str(contract.ip_type or ""), numbers) if part)


def _deductions(contract: Contract) -> str:
    lines = [f"{line.get_kind_display()} {money.auto(line.amount)}" for line in contract.deductions.all()]
    return _("扣除：%(lines)s") % {"lines": "、".join(lines)} if lines else _("没有扣除")


def _subject(contract: Contract) -> str:
    parts = (contract.technology_field, contract.served_industry, contract.social_objective)
    return " · ".join(part.label for part in parts if part is not None)


def _notice(contract: Contract) -> str:
    mode = str(PRICING_LABELS.get(contract.pricing_mode, ""))
    if contract.notice_starts_on or contract.notice_ends_on:
        span = _("公示 %(a)s 至 %(b)s") % {
            "a": text.day(contract.notice_starts_on),
            "b": text.day(contract.notice_ends_on),
        }
        return f"{mode}，{span}" if mode else span
    return mode or _("未填写")


def _files(contract: Contract) -> str:
    return "、".join(
        f"{f.get_kind_display()}：{f.name}" for f in contract.files.all() if not f.is_removed and f.kind != "expert"
    )


def _capital(contract: Contract) -> str:
    return "" if contract.amount_total is None else money.capital(contract.amount_total)


def of(contract: Contract) -> list[Item]:
    """The items of this contract, numbered in the order of the review; 定价公示 only where the law asks for it."""
    rows = [
        ("project_name", _("项目名称"), contract.project_name, "basics", ""),
        ("contract_type", _("合同类别"), type_text(contract), "basics", "、".join(natures_of(contract))),
        ("sellers", _("卖方"), parties_text(contract, "seller"), "seller", ""),
        ("buyers", _("买方"), parties_text(contract, "buyer"), "buyer", ""),
        ("amount_total", _("合同成交总额"), _amount(contract.amount_total), "amounts", _capital(contract)),
        ("amount_tech", _("技术交易额"), _amount(contract.amount_tech), "amounts", _deductions(contract)),
        (
            "signed_on",
            _("签订日期、生效日期"),
            f"{text.day(contract.signed_on)} / {text.day(contract.effective_on)}",
            "basics",
            "",
        ),
        ("validity", _("有效期限"), _span(contract), "payment", ""),
        ("payment", _("支付方式"), str(contract.payment_method or ""), "payment", ""),
        ("rights", _("知识产权"), _rights(contract), "rights", ""),
        ("subject", _("技术领域、服务行业、社会经济目标"), _subject(contract), "subject", ""),
        ("summary", _("技术内容摘要"), contract.summary, "subject", contract.novelty_points),
        ("plan", _("计划来源"), str(contract.plan_source or ""), "rights", contract.plan_project_number),
    ]
    if contract.seller_is_state_institution:
        rows.append(("notice", _("定价与公示"), _notice(contract), "pricing", contract.notice_channel))
    rows.append(("files", _("合同文本与附件"), _files(contract), "files", ""))
    return [Item(key, n, label, value, step, note) for n, (key, label, value, step, note) in enumerate(rows, 1)]


def judged(item: Item) -> str:
    """What a mark keeps of an item: all that was read, so that a later change shows."""
    return f"{item.value}\n{item.note}"
