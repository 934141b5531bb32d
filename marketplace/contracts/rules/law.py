"""Rules on amounts, dates, types, rights and prices. Each yields what it found; nothing found means that it holds."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace import money

from ..models import Contract
from ..territory import is_import
from .finding import (
    CIVIL_CODE,
    DRAFT_12,
    ERROR,
    FORM_GUIDE,
    NOTE,
    NOTICE_RULE,
    OURS,
    RULES_2001_52,
    WARNING,
    Finding,
)

NOTICE_DAYS = 15
# Which right a type deals in (domain notes 2 and 4.3): a patent cannot be assigned without a patent.
RIGHT_OF_TYPE = {
    "TT1": ("K2",),
    "TT2": ("K2",),
    "TT3": ("K1",),
    "TT4": ("K3",),
    "TT5": ("K4",),
    "TT6": ("K5",),
    "TT7": ("K6",),
    "TL1": ("K2",),
    "TL2": ("K1",),
    "TL3": ("K3",),
    "TL4": ("K4",),
    "TL5": ("K5",),
    "TL6": ("K6",),
}
# Words that speak for a group of types (认定规则 arts. 19–50); a machine counts them, a person decides.
WORDS = {
    "技术开发": ("研究开发", "研制", "开发", "攻关", "小试", "中试", "样机", "新工艺", "新产品", "新材料", "技术方案"),
    "技术转让": ("转让", "专利权", "专利申请权", "作价入股", "所有权", "让与"),
    "技术许可": ("许可", "实施许可", "使用权", "独占", "普通许可", "被许可"),
    "技术咨询": ("咨询", "可行性", "论证", "评估", "预测", "技术调查", "查新", "分析报告", "方案比选"),
    "技术服务": ("服务", "调试", "检测", "测试", "诊断", "优化", "培训", "技术指导", "解决", "中介", "改进"),
}


def amounts(contract: Contract) -> Iterator[Finding]:
    """0 < technology amount ≤ total; the deductions are exactly the difference (认定规则 art. 52)."""
    total, tech = contract.amount_total, contract.amount_tech
    if total is None or tech is None:
        return
    if tech <= 0 or tech > total:
        yield Finding(
            "tech_over_total",
            "amount_tech",
            ERROR,
            _("技术交易额 %(tech)s 应大于 0 且不超过成交总额 %(total)s。")
            % {"tech": money.auto(tech), "total": money.auto(total)},
            RULES_2001_52,
            "amounts",
        )
        return
    deducted = sum((line.amount for line in contract.deductions.all()), Decimal(0))
    if deducted != total - tech:
        off = total - tech - deducted
        yield Finding(
            "deductions_do_not_add_up",
            "deductions",
            ERROR,
            _("扣除明细合计 %(sum)s，成交总额减技术交易额是 %(diff)s，%(way)s %(off)s。")
            % {
                "sum": money.auto(deducted),
                "diff": money.auto(total - tech),
                "way": _("少") if off > 0 else _("多"),
                "off": money.auto(abs(off)),
            },
            RULES_2001_52,
            "amounts",
        )
    for line in contract.deductions.all():
        if not line.clause.strip():
            yield Finding(
                "deduction_without_clause",
                "deductions",
                WARNING,
                _("扣除“%(kind)s %(amount)s”没有写明合同条款。")
                % {"kind": line.get_kind_display(), "amount": money.auto(line.amount)},
                RULES_2001_52,
                "amounts",
            )


def payment(contract: Contract) -> Iterator[Finding]:
    """Royalties and equity: what may be counted at registration (2001 rules arts. 6 and 51)."""
    if contract.payment_method_id == "P3":
        yield Finding(
            "pure_royalty",
            "payment_method",
            WARNING,
            _("纯提成合同须有约定的最低额或经核定的估算额，否则应按 R03 不予登记。"),
            "《技术合同认定规则》（国科发政字〔2001〕253号）第 51 条",
            "payment",
        )
    if contract.payment_method_id in ("P3", "P4") and not contract.is_amount_uncertain:
        yield Finding(
            "royalty_not_marked",
            "is_amount_uncertain",
            ERROR,
            _("含提成的合同请勾选“金额待定”，确定后再补充登记。"),
            "《技术合同认定规则》（国科发政字〔2001〕253号）第 51 条",
            "payment",
        )
    if contract.payment_method_id == "P5" and not any(f.kind == "proof" for f in contract.files.all()):
        yield Finding(
            "equity_without_proof",
            "files",
            WARNING,
            _("作价入股未附评估报告或协议作价证明。"),
            "《技术合同认定规则》（国科发政字〔2001〕253号）第 6 条",
            "payment",
        )


def dates(contract: Contract) -> Iterator[Finding]:
    """Signed not in the future, effective not before signing, applied for while it is valid (征求意见稿 art. 12)."""
    today = timezone.localdate()
    signed, effective = contract.signed_on, contract.effective_on
    if signed and signed > today:
        yield Finding(
            "signed_in_future",
            "signed_on",
            ERROR,
            _("签订日期 %(day)s 还没有到，请核对。") % {"day": signed},
            FORM_GUIDE,
            "dates",
        )
    if signed and effective and effective < signed:
        yield Finding(
            "effective_before_signing",
            "effective_on",
            ERROR,
            _("生效日期 %(a)s 早于签订日期 %(b)s。") % {"a": effective, "b": signed},
            FORM_GUIDE,
            "dates",
        )
    if effective and effective > today:
        yield Finding(
            "not_yet_effective",
            "effective_on",
            ERROR,
            _("合同 %(day)s 才生效，生效后方可申请登记。") % {"day": effective},
            DRAFT_12,
            "dates",
        )
    if contract.valid_from and contract.valid_to and contract.valid_to < contract.valid_from:
        yield Finding("validity_reversed", "valid_to", ERROR, _("有效期的止日早于起日。"), FORM_GUIDE, "dates")
    if contract.valid_to and contract.valid_to < today and not was_submitted(contract):
        yield Finding(
            "validity_over",
            "valid_to",
            ERROR,
            _("合同有效期已于 %(day)s 届满，有效期内才能申请登记。") % {"day": contract.valid_to},
            DRAFT_12,
            "dates",
        )


def was_submitted(contract: Contract) -> bool:
    """Whether the application has been made: what is judged then is the day of the application, not today."""
    registration = getattr(contract, "registration", None)
    return registration is not None and registration.submitted_at is not None


def rights(contract: Contract) -> Iterator[Finding]:
    """An assignment or licence names the right that it deals in, of a kind that fits its type (Civil Code 862–876)."""
    wanted = RIGHT_OF_TYPE.get(contract.contract_type_id or "")
    kind = contract.ip_type_id or ""
    if wanted and kind and not kind.startswith(wanted):
        yield Finding(
            "right_does_not_fit_type",
            "ip_type",
            ERROR,
            _("合同类别是“%(type)s”，知识产权却填了“%(right)s”，两者不符。")
            % {"type": contract.contract_type, "right": contract.ip_type},
            CIVIL_CODE,
            "rights",
        )


def type_words(contract: Contract) -> Iterator[Finding]:
    """类别用语: no word of the chosen group stands in title and summary, but words of others do."""
    group = contract.contract_type.group5 if contract.contract_type_id else ""
    text = f"{contract.project_name}\n{contract.summary}\n{contract.novelty_points}"
    counts = count_words(text)
    if not group or counts.get(group):
        return
    others = [name for name, n in counts.items() if n and name != group]
    if others:
        yield Finding(
            "type_words",
            "contract_type",
            WARNING,
            _("项目名称和摘要里没有指向“%(group)s”的用语，却有指向“%(others)s”的，请核对合同类别。")
            % {"group": group, "others": "、".join(others)},
            "《技术合同认定规则》（国科发政字〔2001〕253号）第 19–50 条",
            "type",
        )


def count_words(text: str) -> dict[str, int]:
    """How often words of each group of types stand in a text."""
    return {group: sum(text.count(word) for word in words) for group, words in WORDS.items()}


def price_notice(contract: Contract) -> Iterator[Finding]:
    """A state institution that assigns or licenses by agreement publishes name and price inside for at least 15 days
    before it signs; the day of publication is not counted (ours)."""
    kind = contract.contract_type_id or ""
    if not (contract.seller_is_state_institution and kind[:2] in ("TT", "TL")):
        return
    if not contract.pricing_mode:
        yield Finding(
            "no_pricing_mode",
            "pricing_mode",
            ERROR,
            _("国家设立的研究开发机构、高等院校转让或许可成果，请填写定价方式。"),
            NOTICE_RULE,
            "notice",
        )
    elif contract.pricing_mode == "negotiable":
        yield Finding(
            "not_a_pricing_mode", "pricing_mode", WARNING, _("“面议”不是法定的定价方式。"), NOTICE_RULE, "notice"
        )
    elif contract.pricing_mode == "agreement":
        yield from _agreed_price(contract)


def _agreed_price(contract: Contract) -> Iterator[Finding]:
    starts, ends, signed = contract.notice_starts_on, contract.notice_ends_on, contract.signed_on
    if not starts or not ends:
        yield Finding(
            "no_notice",
            "notice_starts_on",
            WARNING,
            _("协议定价没有公示起止日期，应在单位内公示不少于 15 日。"),
            NOTICE_RULE,
            "notice",
        )
        return
    days = (ends - starts).days
    if days < NOTICE_DAYS:
        yield Finding(
            "notice_too_short",
            "notice_ends_on",
            WARNING,
            _("公示 %(days)d 日，少于 15 日（公示当日不计）。") % {"days": max(days, 0)},
            NOTICE_RULE,
            "notice",
        )
    if signed and signed <= ends:
        yield Finding(
            "signed_before_notice_ended",
            "notice_ends_on",
            WARNING,
            _("合同 %(signed)s 签订，公示 %(ends)s 才结束。") % {"signed": signed, "ends": ends},
            NOTICE_RULE,
            "notice",
        )
    if not any(f.kind == "notice" and not f.is_removed for f in contract.files.all()):
        yield Finding("no_notice_proof", "files", NOTE, _("未附公示证明。"), NOTICE_RULE, "notice")


def places(contract: Contract) -> Iterator[Finding]:
    """技术进口 has a foreign seller, 技术出口 a foreign buyer (征求意见稿 art. 11)."""
    seller, buyer = contract.lead_seller, contract.lead_buyer
    if seller and is_import(contract) != (seller.kind == "foreign" and seller.country != "CHN"):
        text = (
            _("技术进口合同的卖方应是境外机构。") if is_import(contract) else _("卖方在境外，合同性质应选“技术进口”。")
        )
        yield Finding("import_without_foreign_seller", "natures", ERROR, text, OURS, "territory")
    if buyer and buyer.kind == "foreign" and not {"export", "hkmt"} & set(contract.natures):
        yield Finding(
            "export_not_named", "natures", ERROR, _("买方在境外，合同性质应选“技术出口”或“港澳台”。"), OURS, "territory"
        )


RULES = (amounts, payment, dates, rights, type_words, price_notice, places)
