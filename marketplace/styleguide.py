"""/styleguide/: every component in every state, with invented content that stands nowhere else."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.templatetags.charts import Month, Point, Series, column_chart, line_chart

HERE = "#content"


class SampleForm(forms.Form):
    """One field of each kind that the field component draws."""

    total = forms.CharField(label=gettext_lazy("合同成交总额"), help_text=gettext_lazy("按合同约定填，单位万元"))
    deadline = forms.CharField(label=gettext_lazy("答复截止日期"), help_text=gettext_lazy("写成 2026-12-31"))
    tech = forms.CharField(label=gettext_lazy("技术交易额"))
    budget_kind = forms.ChoiceField(
        label=gettext_lazy("预算写法"),
        widget=forms.RadioSelect,
        choices=[("range", gettext_lazy("给出范围")), ("open", gettext_lazy("面议"))],
    )
    sources = forms.MultipleChoiceField(
        label=gettext_lazy("资金来源"),
        help_text=gettext_lazy("可多选"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[
            ("own", gettext_lazy("自有资金")),
            ("loan", gettext_lazy("银行贷款")),
            ("voucher", gettext_lazy("创新券")),
            ("grant", gettext_lazy("财政项目")),
        ],
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("合同类别"),
        choices=[("", gettext_lazy("请选择")), ("dev", gettext_lazy("技术开发")), ("lic", gettext_lazy("技术许可"))],
    )
    problem = forms.CharField(
        label=gettext_lazy("要解决的问题"),
        help_text=gettext_lazy("写清工况、数值和已试过的办法，20 字以上"),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    contract = forms.FileField(
        label=gettext_lazy("合同文本"), help_text=gettext_lazy("PDF，不超过 20 MB"), required=False
    )
    agree = forms.BooleanField(
        label=gettext_lazy("我确认所填内容真实，合同已由双方签字盖章"),
        help_text=gettext_lazy("提交后由登记机构核对原件"),
    )


def _forms() -> dict[str, Any]:
    good = SampleForm(
        auto_id="good_%s",
        initial={"total": "286.00", "deadline": "2026-12-31", "budget_kind": "range", "sources": ["own", "voucher"]},
    )
    bad = SampleForm({"tech": "2980000"}, auto_id="bad_%s")
    bad.full_clean()
    bad.errors["tech"] = bad.error_class([_("不能大于成交总额 286.00 万元。您填的是 2,980,000 万元，是 298 万元吗？")])
    return {
        "form": good,
        "bad": bad,
        "offer": {"name": "tech", "value": "298", "label": _("改为 298 万元")},
        "budget_hints": {"range": _("写明范围，更容易得到对口的答复"), "open": _("公开页面写“预算面议”")},
        "errors": [
            {"label": _("最高预算"), "text": _("您填的是 1,800,000 万元，像是按“元”填的"), "href": "#bad_tech"},
            {"label": _("答复截止日期"), "text": _("2026-11-12 已经过去"), "href": "#good_deadline"},
        ],
        "tasks": [
            {"label": _("要解决的问题"), "href": HERE, "state": "done"},
            {"label": _("量化指标"), "href": HERE, "state": "done"},
            {"label": _("现状与已有条件"), "href": HERE, "state": "optional"},
            {"label": _("预算与期限"), "href": HERE, "state": "error", "current": True},
            {"label": _("合作方式"), "href": HERE, "state": "todo"},
        ],
    }


def _small(today: date) -> dict[str, Any]:
    """Swatches, chips, tabs, pages, empty state, facets, search."""
    return {
        "swatches": [
            ("ink", _("正文、粗线")),
            ("ink-2", _("次要文字")),
            ("ink-3", _("说明、单位")),
            ("act", _("可以点的")),
            ("sand", _("数：柱、点、刻度")),
            ("sand-ink", _("赭色文字")),
            ("sand-tint", _("命中词")),
            ("ok", _("通过")),
            ("bad", _("退回、逾期")),
            ("tint", _("衬底")),
            ("line", _("细线")),
            ("line-ctl", _("控件边")),
        ],
        "day": today,
        "amount": Decimal("2860000.00"),
        "years": [{"label": str(y), "href": HERE, "current": y == 2026} for y in (2026, 2025, 2024)],
        "tabs": [
            {"label": _("本地登记"), "count": "12.46", "href": HERE, "current": True},
            {"label": _("输出"), "count": "12.21", "href": HERE},
            {"label": _("吸纳"), "count": "18.73", "href": HERE},
        ],
        "page_obj": Paginator(range(128), 6).page(1),
        "drops": [
            {"label": _("不限 TRL 7–9"), "href": HERE, "count": 6},
            {"label": _("不限 鄂尔多斯市"), "href": HERE, "count": 3},
        ],
        "empty_acts": [
            {"label": _("用这个题目发布需求"), "kind": "act", "href": HERE},
            {"label": _("查看全部成果"), "href": HERE},
        ],
        "facet": [
            {"value": "6", "label": _("环境保护与资源综合利用"), "count": 128, "checked": True},
            {"value": "5", "label": _("新能源与高效节能"), "count": 31},
            {"value": "4", "label": _("新材料及其应用"), "count": 22},
            {"value": "3", "label": _("先进制造技术"), "count": 9},
            {"value": "1", "label": _("电子信息技术"), "count": 7},
            {"value": "8", "label": _("农业技术"), "count": 2},
        ],
        "scopes": [
            {"value": "achievement", "label": _("成果"), "count": 3486, "current": True},
            {"value": "demand", "label": _("需求"), "count": 412},
            {"value": "expert", "label": _("专家"), "count": 268},
        ],
        "tries": [{"label": _("粉煤灰制肥"), "href": HERE}, {"label": _("氢电解槽隔膜"), "href": HERE}],
        "org_items": [_("准格尔旗"), _("水污染控制与水资源利用")],
    }


def _way(today: date, now: datetime) -> dict[str, Any]:
    """State line, log, facts."""
    return {
        "steps": [
            {"label": _("征集"), "date": today - timedelta(days=30), "state": "done"},
            {"label": _("受理"), "date": today - timedelta(days=28), "state": "done"},
            {"label": _("发布"), "date": today - timedelta(days=20), "state": "done"},
            {"label": _("对接"), "note": _("进行中 20 天"), "state": "now"},
            {"label": _("签约"), "state": "todo"},
            {"label": _("登记"), "state": "todo"},
        ],
        "log": [
            {"at": now - timedelta(hours=3), "who": _("周明远"), "what": _("受理，自补交日重新计时")},
            {
                "at": now - timedelta(days=2),
                "who": _("韩雪"),
                "for": _("朔方理工大学"),
                "what": _("补交附件二（设备清单）"),
                "note": _("核对后继续初审"),
            },
        ],
        "facts": [
            {"label": _("答复截止"), "value": "2026-12-31", "note": _("还有 39 天")},
            {"label": _("合作方式"), "value": _("合作开发、技术许可")},
            {"label": _("经纪人"), "value": _("王晓棠（东岭技术转移）"), "href": HERE},
            {"label": _("知识产权"), "value": ""},
        ],
    }


def _rows(today: date) -> dict[str, Any]:
    title = _("煤化工高盐废水分质结晶与除氟耦合工艺")
    achievement = {
        "href": HERE,
        "title": title,
        "title_spans": [(0, 3), (3, 7), (12, 14)],
        "text": _(
            "先以改性铝基吸附把氟离子降到 0.8 mg/L，再分质结晶出工业级氯化钠、硫酸钠，杂盐率由 18% 降到 4% 以下。"
        ),
        "text_spans": [(9, 12)],
        "owner": _("河套能源化工研究院"),
        "region": _("鄂尔多斯"),
        "field": _("环境保护"),
        "verified": True,
        "verified_on": today - timedelta(days=8),
        "rights": _("授权有效 3 件"),
        "modes": _("许可 · 合作开发"),
        "price": Decimal("2600000"),
        "price_kind": _("许可"),
        "trl": 7,
        "date": today - timedelta(days=8),
        "date_word": _("核实"),
        "number": "CG-2026-7K3QX9",
    }
    open_price = {**achievement, "title_spans": [], "price": None, "price_word": _("面议"), "trl": 6, "verified": False}
    demand = {
        "href": HERE,
        "title": _("高盐废水中氟离子深度去除（≤ 1 mg/L）"),
        "text": _("膜浓缩后氟离子富集到 6–12 mg/L，带入结晶单元后腐蚀钛材换热管。"),
        "owner": "",
        "region": _("准格尔旗"),
        "field": _("环境保护与资源综合利用"),
        "budget": _("150–200 万元"),
        "deadline": today + timedelta(days=39),
        "state": _("对接中"),
        "state_kind": "act",
        "days": 20,
        "number": "XQ-2026-4M8TD2",
    }
    return {"achievements": [achievement, open_price], "demands": [demand]}


def _matches() -> dict[str, Any]:
    need = _("…高盐废水，膜浓缩后氟离子富集到 6–12 mg/L…现用铝基吸附剂两级串联，再生 3–5 次…")
    strong = {
        "band": "strong",
        "title": _("煤化工高盐废水分质结晶与除氟耦合工艺"),
        "owner": _("河套能源化工研究院"),
        "verified": True,
        "trl": 7,
        "price": Decimal("2600000"),
        "price_kind": _("许可"),
        "state": _("已发起对接 11-16，等待答复"),
        "state_kind": "wait",
        "left": {"label": _("需求原文"), "text": need, "spans": [(1, 5), (10, 13), (30, 34)]},
        "right": {
            "label": _("成果原文"),
            "text": _("…以改性铝基吸附填料对高盐废水中氟离子深度去除，出水 0.8 mg/L，再生 18 次后容量保持 88%…"),
            "spans": [(4, 8), (11, 15), (16, 19)],
        },
        "conditions": [
            {"state": "met", "name": _("出水氟离子 ≤ 1.0 mg/L"), "detail": _("成果 0.8 mg/L，第三方检测 2026-06")},
            {"state": "not_met", "name": _("吨水成本 ≤ 4.0 元"), "detail": _("成果 4.6 元，高 0.6 元")},
            {"state": "not_stated", "name": _("污泥产量 ≤ 1.0 kg/t"), "detail": _("成果未说明")},
        ],
        "against": [_("许可费 260 万元，高于预算上限 200 万元"), _("示范水质 TDS 28 g/L，需求为 35–42 g/L")],
        "acts": [{"label": _("查看对接进展"), "kind": "act", "href": HERE}, {"label": _("不合适"), "href": HERE}],
    }
    possible = {
        **strong,
        "band": "possible",
        "title": _("羟基磷灰石/生物炭复合除氟填料及再生方法"),
        "state": _("可对接"),
        "state_kind": "open",
        "conditions": [],
        "against": [],
        "acts": [{"label": _("发起对接"), "kind": "fill", "href": HERE}, {"label": _("不合适"), "href": HERE}],
    }
    return {"matches": [strong, possible]}


def _charts() -> dict[str, Any]:
    now = [0, 0.41, 0.79, 1.66, 2.58, 3.64, 4.88, 5.86, 6.99, 8.70, 10.25]
    before = [0, 0.36, 0.65, 1.29, 2.05, 2.88, 3.91, 4.68, 5.60, 6.88, 8.09, 10.28, 12.08]
    points: list[Point | None] = [Point(i, v) for i, v in enumerate(now)]
    points.append(Point(10.67, 12.46, mark=True))
    goal = [Point(0, 0)]
    goal += [Point(at, value, mark=True) for at, value in ((3, 2.10), (6, 4.90), (9, 8.40), (12, 14.00))]
    line = line_chart(
        [
            Series("now", _("2026 年累计"), points, end=_("11-20　12.46")),
            Series("goal", _("目标路径（季末 15%、35%、60%、100%）"), goal, end=_("目标 14.00")),
            Series("prev", _("2025 年"), [Point(i, v) for i, v in enumerate(before)], end=_("2025 年 12.08")),
        ],
        label=_("2026 年累计成交额，亿元：到 11-20 为 12.46，高于目标路径的 11.50"),
        say=_("8 月末以前慢于路径；9 月末多 0.30，11 月登记集中，现多 0.96 亿元。"),
        table={
            "columns": [{"label": _("月份")}, {"label": _("2026 年"), "unit": _("亿元"), "num": True}],
            "rows": [[_("%(n)d 月末") % {"n": i}, f"{v:.2f}"] for i, v in enumerate(now) if i],
        },
    )
    this = [0.41, 0.38, 0.87, 0.92, 1.06, 1.24, 0.98, None, 1.71, 1.55, 2.21, None]
    last = [0.36, 0.29, 0.64, 0.76, 0.83, 1.03, 0.77, 0.92, 1.28, 1.21, 2.19, 1.80]
    months = [
        Month(str(i + 1), value, prev, part=i == 10, show=i in (8, 10))
        for i, (value, prev) in enumerate(zip(this, last, strict=True))
    ]
    columns = column_chart(
        months,
        label=_("2026 年各月成交额与上年同月，亿元"),
        say=_("11 月只到 20 日，已高于去年全月；8 月没有数据，留空。"),
        key=[
            {"kind": "col", "label": "2026"},
            {"kind": "part", "label": _("未满月")},
            {"kind": "outline", "label": "2025"},
        ],
    )
    return {"line": line, "columns": columns}


def _figures() -> dict[str, Any]:
    """Facts strip, table and tiles."""
    places = [
        (_("杭锦旗"), None, 0, 0),
        (_("达拉特旗"), "0.83", 58, 2),
        (_("准格尔旗"), "1.68", 129, 3),
        (_("鄂托克旗"), "0.29", 17, 1),
        (_("康巴什区"), "2.87", 316, 4),
        (_("东胜区"), "3.92", 397, 5),
        (_("鄂托克前旗"), None, 0, 0),
        (_("乌审旗"), "0.52", 27, 2),
        (_("伊金霍洛旗"), "2.14", 171, 4),
    ]
    rows = [
        (_("技术开发"), 312, "5.61", "45.0"),
        (_("技术服务"), 543, "4.26", "34.2"),
        (_("技术转让"), 46, "1.27", "10.2"),
    ]
    return {
        "goal": {
            "note": _("同比增长 26.2%，比本日路径多 0.96 亿元"),
            "text": _("全年目标 14.00 亿元，已完成 89.0%"),
            "label": _("已完成全年目标的 89.0%"),
        },
        "strip": [
            {"label": _("同比"), "value": "+26.2", "unit": "%", "note": _("上年同期 9.87 亿元")},
            {"label": _("完成全年目标"), "value": "89.0", "unit": "%", "note": _("目标 14.00，差 1.54 亿元")},
            {"label": _("比本日路径"), "value": "+0.96", "unit": _("亿元"), "note": _("路径 11.50 亿元")},
            {"label": _("其中技术交易额"), "value": "9.31", "unit": _("亿元"), "note": _("占成交额 74.7%")},
        ],
        "table": {
            "columns": [
                {"label": _("类别"), "cls": "c-title"},
                {"label": _("合同数"), "unit": _("项"), "num": True, "cls": "c-meta"},
                {"label": _("成交额"), "unit": _("亿元"), "num": True, "cls": "c-figure"},
                {"label": _("占比"), "unit": "%", "num": True},
            ],
            "rows": [
                [a, {"text": n, "phone_unit": _("项")}, {"text": v, "href": HERE, "phone_unit": _("亿元")}, s]
                for a, n, v, s in rows
            ],
            "foot": [
                _("合计"),
                {"text": 901, "phone_unit": _("项")},
                {"text": "11.14", "href": HERE, "phone_unit": _("亿元")},
                "89.4",
            ],
        },
        "tiles": [
            {"name": n, "value": v, "count": c, "step": s, "href": HERE, "suppressed": v is None, "why": _("少于 3 项")}
            for n, v, c, s in places
        ],
        "bounds": [_("0.5 以下"), _("0.5–1"), _("1–2"), _("2–3"), _("3 以上")],
    }


def _review() -> dict[str, Any]:
    """Document, matters under review, rule checks, dock."""
    return {
        "doc_links": [{"label": _("下一页"), "href": HERE}, {"label": _("印章页"), "href": HERE}],
        "doc": {
            "facts": [{"label": _("项目名称"), "text": _("煤矿井下乳化液浓度在线监测与自动配比系统开发"), "number": 1}],
            "clauses": [
                {
                    "title": _("第四条　价款与支付"),
                    "parts": [
                        {"text": _("合同总价为人民币")},
                        {"text": _("贰佰捌拾陆万元整（¥2,860,000.00）"), "number": 2},
                        {"text": _("，其中")},
                        {"text": _("设备及材料费 545,000.00 元，详见附件二"), "number": 3, "bad": True},
                        {"text": _("。其余为研究开发经费和报酬。")},
                    ],
                }
            ],
        },
        "items": [
            {
                "number": 2,
                "label": _("合同成交总额"),
                "clause": _("第 4 条"),
                "clause_href": "#evidence-2",
                "value": _("286.00 万元"),
                "note": _("贰佰捌拾陆万元整"),
                "name": "verdict-2",
                "verdict": "pass",
                "reason_name": "reason-2",
            },
            {
                "number": 3,
                "label": _("技术交易额"),
                "clause": _("第 4 条"),
                "clause_href": "#evidence-3",
                "value": _("240.50 万元"),
                "name": "verdict-3",
                "verdict": "fail",
                "reason_name": "reason-3",
                "reason": _("控制柜合计 54.50 万元，应为 231.50 万元。请核对扣除明细。"),
            },
            {
                "number": 9,
                "label": _("知识产权"),
                "value": _("新申请专利双方共有"),
                "name": "verdict-9",
                "reason_name": "r-9",
            },
        ],
        "checks": [
            {"state": "ok", "name": _("金额相加"), "detail": _("设备 54.50 ＋ 技术 231.50 ＝ 286.00 万元")},
            {
                "state": "bad",
                "name": _("技术交易额 ≤ 成交额 − 扣除"),
                "detail": _("申报 240.50 > 231.50 万元，多 9.00 万元"),
            },
            {
                "state": "wait",
                "name": _("重复登记"),
                "detail": _("同一双方 2025 年有 1 项，标的不同"),
                "clause": "2025-0846",
            },
        ],
        "dock_acts": [
            {"label": _("保存进度"), "name": "act", "value": "save"},
            {"label": _("退回补正（1 处）"), "kind": "bad", "icon": "undo", "name": "act", "value": "return"},
            {"label": _("通过初审，送复审"), "disabled": True, "why_id": "dock-why"},
        ],
    }


def styleguide(request: HttpRequest) -> HttpResponse:
    """The page; read-only, its forms lead nowhere."""
    now = timezone.localtime()
    today = now.date()
    context = {**_forms(), **_small(today), **_way(today, now), **_rows(today), **_matches(), **_charts(), **_figures()}
    return render(request, "styleguide.html", {**context, **_review()})
