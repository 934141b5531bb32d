"""The registration form as steps: which field stands where. Pages, rules and the review read this one table."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Step:
    """One page of the form: its address, name, the question it asks, and the fields that it saves."""

    slug: str
    title: str
    question: str
    fields: tuple[str, ...] = ()


STEPS = (
    Step(
        "basics",
        _("合同基本"),
        _("签的是什么合同？"),
        ("project_name", "contract_type", "licence_mode", "signed_on", "natures"),
    ),
    Step("seller", _("卖方"), _("谁提供技术？"), ("sellers",)),
    Step("buyer", _("买方"), _("谁取得技术？"), ("buyers",)),
    Step(
        "subject",
        _("标的与领域"),
        _("合同里的技术是什么？"),
        ("technology_field", "social_objective", "served_industry", "summary", "novelty_points"),
    ),
    Step(
        "amounts",
        _("金额与扣除"),
        _("合同多少钱，其中多少是技术的价款？"),
        (
            "amount_total",
            "amount_tech",
            "deductions",
            "is_amount_uncertain",
            "currency",
            "exchange_rate",
            "exchange_rate_on",
            "is_related",
            "related_note",
            "expected_new_input",
            "expected_new_output",
        ),
    ),
    Step(
        "payment",
        _("支付与期限"),
        _("怎么付款，什么时候有效？"),
        ("payment_method", "effective_on", "valid_from", "valid_to"),
    ),
    Step(
        "rights",
        _("知识产权与计划"),
        _("涉及哪些知识产权，来自什么计划？"),
        ("ip_type", "ip_items", "plan_source", "plan_project_number"),
    ),
    Step(
        "pricing",
        _("定价与公示"),
        _("价格怎么定的，公示过没有？"),
        ("seller_is_state_institution", "pricing_mode", "notice_starts_on", "notice_ends_on", "notice_channel"),
    ),
    Step("files", _("附件"), _("请附上已签字盖章的合同文本"), ("files",)),
    Step(
        "declaration",
        _("声明与公开"),
        _("由谁填报，愿意公开什么？"),
        ("filler", "responsible", "is_declared_signed", "consents_to_name", "consents_to_amount"),
    ),
)
BY_SLUG = {step.slug: step for step in STEPS}
STEP_OF = {name: step.slug for step in STEPS for name in step.fields}
CHECK = "check"

NATURES = [
    ("domestic", _("境内")),
    ("import", _("技术进口")),
    ("export", _("技术出口")),
    ("hkmt", _("港澳台")),
    ("fiscal_funded", _("财政资金支持")),
    ("tax_related", _("涉税合同")),
]
# One of these says between whom; the others may be added.
PLACES = {"domestic", "import", "export", "hkmt"}
PRICING_MODES = [
    ("agreement", _("协议定价")),
    ("listing", _("技术交易市场挂牌交易")),
    ("auction", _("拍卖")),
    ("valuation", _("评估定价")),
]
NATURE_LABELS = {**dict(NATURES), "in_plan": _("计划内"), "related": _("关联交易"), "large": _("大额合同")}
PRICING_LABELS = {**dict(PRICING_MODES), "negotiable": _("面议")}
