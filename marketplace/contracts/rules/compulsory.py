"""Compulsory fields of the registration form (技术合同登记表), and the well-formedness of what stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from cms.identifiers import check_credit_code, check_patent_number

from ..models import Contract, Party
from ..steps import PLACES
from .finding import ERROR, FORM_GUIDE, OURS, Finding

GROUP = "complete"
# Field, its label on the page. Nullable in the database while a draft, compulsory when submitted.
REQUIRED = (
    ("contract_type", "合同类别"),
    ("signed_on", "合同签订日期"),
    ("effective_on", "生效日期"),
    ("valid_from", "有效期自"),
    ("valid_to", "有效期至"),
    ("amount_total", "合同成交总额"),
    ("amount_tech", "技术交易额"),
    ("payment_method", "支付方式"),
    ("plan_source", "项目计划来源"),
    ("ip_type", "知识产权"),
    ("technology_field", "技术领域"),
    ("social_objective", "社会—经济目标"),
    ("served_industry", "技术服务的国民经济行业"),
    ("filler", "填报人"),
    ("responsible", "负责人"),
)
PARTY_REQUIRED = (
    ("name", "名称"),
    ("nature_id", "性质"),
    ("industry_id", "所属国民经济行业"),
    ("contact_name", "联系人"),
    ("contact_phone", "联系电话"),
    ("address", "地址"),
)
IP_WITHOUT_ITEMS = {"K0", "K1"}


def _error(code: str, field: str, message: str, source: str = FORM_GUIDE) -> Finding:
    return Finding(code, field, ERROR, message, source, GROUP)


def find(contract: Contract) -> Iterator[Finding]:
    """Everything missing or malformed, in the order of the form."""
    if len(contract.project_name.strip()) < 2:
        yield _error("missing", "project_name", _("请填写项目名称，2 到 200 字。"))
    for name, label in REQUIRED:
        field = contract._meta.get_field(name)
        if getattr(contract, field.attname) in (None, ""):
            yield _error("missing", name, _("请填写%(label)s。") % {"label": label})
    yield from _conditional(contract)
    for side in ("seller", "buyer"):
        yield from _parties(contract, side)
    yield from _rights(contract)
    yield from _papers(contract)


def _conditional(contract: Contract) -> Iterator[Finding]:
    kind = contract.contract_type_id or ""
    if kind.startswith("TL") and not contract.licence_mode:
        yield _error("missing", "licence_mode", _("许可合同请选择许可方式。"))
    if not PLACES & set(contract.natures):
        yield _error("missing", "natures", _("请选择合同性质：境内、技术进口、技术出口或港澳台。"))
    if not 20 <= len(contract.summary.strip()) <= 2000:
        yield _error("summary_length", "summary", _("技术内容摘要请写 20 到 2000 字，让登记人员看懂技术内容。"), OURS)
    if kind.startswith("TD") and not contract.novelty_points.strip():
        yield _error("missing", "novelty_points", _("技术开发合同请写明创新点或技术指标。"))
    if contract.plan_source_id not in (None, "9") and not contract.plan_project_number.strip():
        yield _error("missing", "plan_project_number", _("计划内项目请填写计划项目编号。"))
    if contract.is_related and not contract.related_note.strip():
        yield _error("missing", "related_note", _("关联交易请说明关联关系和持股比例。"))
    if contract.currency != "CNY" and not (contract.exchange_rate and contract.exchange_rate_on):
        yield _error("missing", "exchange_rate", _("外币合同请填写折算汇率和汇率日期（签订日人民银行中间价）。"), OURS)


def _parties(contract: Contract, side: str) -> Iterator[Finding]:
    field, word = (f"{side}s", _("卖方") if side == "seller" else _("买方"))
    rows = [party for party in contract.parties.all() if party.side == side]
    if not rows:
        yield _error("missing", field, _("请填写%(side)s。") % {"side": word})
        return
    if sum(party.is_lead for party in rows) != 1:
        yield _error("one_lead", field, _("%(side)s有且只有一个主要一方。") % {"side": word})
    total = sum(party.share for party in rows)
    if total != 100:
        yield _error(
            "shares",
            field,
            _("%(side)s份额合计 %(total)s%%，应为 100%%。") % {"side": word, "total": f"{total:f}"},
            OURS,
        )
    for party in rows:
        yield from _party(party, field, word)


def _party(party: Party, field: str, word: str) -> Iterator[Finding]:
    name = party.name or word
    for attribute, label in PARTY_REQUIRED:
        if party.kind != "organization" and attribute == "industry_id":
            continue
        if not getattr(party, attribute):
            yield _error("missing", field, _("%(name)s：请填写%(label)s。") % {"name": name, "label": label})
    if party.country == "CHN" and not party.region_id:
        yield _error("missing", field, _("%(name)s：请填写行政区划。") % {"name": name})
    if party.kind == "organization":
        if not party.legal_representative:
            yield _error("missing", field, _("%(name)s：请填写法定代表人。") % {"name": name})
        try:
            check_credit_code(party.credit_code)
        except ValidationError as error:
            yield _error("credit_code", field, f"{name}：{error.messages[0]}", "GB 32100-2015")
    if party.kind == "person" and not party.id_hash:
        yield _error("missing", field, _("%(name)s：请填写居民身份证号。") % {"name": name}, "GB 11643-1999")
    if party.kind == "foreign" and party.country == "CHN":
        yield _error("country", field, _("%(name)s：境外机构请填写国别（地区）。") % {"name": name})


def _rights(contract: Contract) -> Iterator[Finding]:
    items = list(contract.ip_items.all())
    kind = contract.ip_type_id or ""
    if kind and kind not in IP_WITHOUT_ITEMS and not items:
        yield _error("missing", "ip_items", _("请填写涉及的知识产权：编号、名称、权利人。"))
    if kind.startswith("K2"):
        for item in items:
            try:
                check_patent_number(item.number)
            except ValidationError as error:
                yield _error("patent_number", "ip_items", str(error.messages[0]), "ZC 0006-2003")


def _papers(contract: Contract) -> Iterator[Finding]:
    files: list[Any] = [f for f in contract.files.all() if not f.is_removed]
    if not any(f.kind == "contract" for f in files):
        yield _error("no_contract_file", "files", _("请上传合同文本（PDF，已签字盖章）。"), ANNEX_FILES)
    if not contract.is_declared_signed:
        yield _error("not_declared", "is_declared_signed", _("请声明所附合同文本已签字盖章、与原件一致。"), ANNEX_FILES)


ANNEX_FILES = "《技术合同认定登记规则》征求意见稿第 39 条（R05、R06）"
