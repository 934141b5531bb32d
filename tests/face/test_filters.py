"""Filters and tags of the `market` library."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.safestring import mark_safe

from marketplace.templatetags import market, text

SHANGHAI = ZoneInfo("Asia/Shanghai")


def render(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


def test_money_keeps_the_exact_yuan_in_its_title():
    assert render("{{ v|money }}", v=Decimal("1245836000.00")) == (
        '<span class="money" title="1,245,836,000.00 元">12.46<span class="money__unit">\u00a0亿元</span></span>'
    )
    assert (
        render('{{ v|money:"table" }}', v=Decimal("3120000"))
        == '<span class="money" title="3,120,000.00 元">312.00</span>'
    )
    assert "1.20" in render('{{ v|money:"亿元" }}', v=Decimal("120000000"))


@pytest.mark.parametrize("name", ["wan", "yi", "yuan", "money", "capital", "percent"])
@pytest.mark.parametrize("nothing", [None, "", "面议", "NaN"])
def test_figures_show_nothing_for_nothing(name, nothing):
    assert render(f"{{{{ v|{name} }}}}", v=nothing) == ""


def test_plain_figures():
    assert render("{{ v|wan }} {{ v|yi }} {{ v|yuan }} {{ v|capital }}", v="2860000") == (
        "286.00 0.03 2,860,000.00 贰佰捌拾陆万元整"
    )


def test_percent_takes_a_ratio():
    assert render("{{ v|percent }}", v=0.262) == "26.2%"
    assert render('{{ v|percent:"sign" }}', v=Decimal("0.2624")) == "+26.2%"
    assert render('{{ v|percent:"sign" }}', v=Decimal("-0.033")) == "−3.3%"
    assert render('{{ v|percent:"sign" }}', v=Decimal("-0.0001")) == "0.0%"
    assert render('{{ v|percent:"bare" }}', v=1) == "100.0"


@pytest.mark.parametrize(
    ("plain", "glued"),
    [
        ("水量 40 m³/h", '水量 <span class="nb">40\u00a0m³/h</span>'),
        ("≤ 1 mg/L", '<span class="nb">≤\u00a01\u00a0mg/L</span>'),
        ("35–42 g/L", '<span class="nb">35–42\u00a0g/L</span>'),
        ("2026-11-20 截止", '<span class="nb">2026-11-20</span>\u00a0截止'),
        ("再生 18 次", "再生 18\u00a0次"),
        ("没有数字", "没有数字"),
        ("TDS 与 COD", "TDS 与 COD"),
    ],
)
def test_nb_keeps_number_and_unit_together(plain, glued):
    assert text.keep_together(plain) == glued


def test_nb_escapes_and_leaves_markup_alone():
    assert render("{{ v|nb }}", v="<b>5 kg</b> & 3 t") == (
        '&lt;b&gt;<span class="nb">5\u00a0kg</span>&lt;/b&gt; &amp; <span class="nb">3\u00a0t</span>'
    )
    assert render("{{ v|nb }}", v=mark_safe('<a href="/x?a=1 2">5 kg</a>')) == (
        '<a href="/x?a=1 2"><span class="nb">5\u00a0kg</span></a>'
    )


def test_nb_lets_very_long_codes_break():
    assert "nb" not in text.keep_together("1234-5678-9012-3456-7890-1234-5678")


def test_mark_wraps_the_spans_and_escapes_the_rest():
    assert render("{% mark t s %}", t="高盐废水<除氟>", s=[(0, 4), (5, 7)]) == (
        "<mark>高盐废水</mark>&lt;<mark>除氟</mark>&gt;"
    )
    assert render("{% mark t s %}", t="abc", s=[{"start": 1, "end": 2}]) == "a<mark>b</mark>c"


def test_mark_survives_spans_that_overlap_touch_or_overrun():
    assert render("{% mark t s %}", t="abcdef", s=[(2, 4), (0, 3), (4, 99), (50, 60), (3, 3)]) == "<mark>abcdef</mark>"
    assert render("{% mark t %}", t=None) == ""


@time_machine.travel(datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI), tick=False)
def test_days_are_counted_in_shanghai():
    assert render("{{ v|day }}|{{ v|day_short }}|{{ v|day_long }}", v=date(2026, 11, 20)) == (
        "2026-11-20|11-20|2026\u00a0年\u00a011\u00a0月\u00a020\u00a0日"
    )
    assert render("{{ v|day_short }}", v=date(2025, 11, 20)) == "2025-11-20"
    assert text.days_left(date(2026, 12, 31)) == "还有 39 天"
    assert text.days_left(date(2026, 11, 22)) == "今天截止"
    assert text.days_left(date(2026, 11, 19)) == "已过 3 天"
    assert text.days_since(date(2026, 11, 2)) == 20
    # Half past eleven in the evening UTC is already the next day here.
    late = datetime(2026, 11, 19, 23, 30, tzinfo=ZoneInfo("UTC"))
    assert text.day(late) == "2026-11-20"
    assert text.moment(late) == "2026-11-20 07:30"
    assert market.stamp(late) == "11-20 07:30"
    assert render("{{ v|day }}{{ v|days_left }}{{ v|day_short }}{{ v|stamp }}", v=None) == ""


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("张三", "张*"),
        ("欧阳修文", "欧阳**"),
        ("巴特尔", "巴**"),
        ("斯琴·高娃", "斯琴·**"),
        ("13800008000", "138****8000"),
        ("138 0000 8000", "138****8000"),
        ("91150600MA0PABCD12", "911***********CD12"),
        ("zhang@example.cn", "z***@example.cn"),
        ("", ""),
        ("张", "*"),
    ],
)
def test_mask_hides_the_middle(value, hidden):
    assert text.mask(value) == hidden


def test_page_numbers_show_ends_neighbours_and_gaps():
    paginator = Paginator(range(132), 6)
    assert market.page_numbers(paginator.page(1)) == [1, 2, 3, 0, 22]
    assert market.page_numbers(paginator.page(11)) == [1, 0, 9, 10, 11, 12, 13, 0, 22]
    assert market.page_numbers(paginator.page(4)) == [1, 2, 3, 4, 5, 6, 0, 22]
    assert market.page_numbers(paginator.page(5)) == [1, 2, 3, 4, 5, 6, 7, 0, 22]
    assert market.page_numbers(Paginator([], 6).page(1)) == [1]


def test_qs_changes_one_name_and_works_without_a_request():
    request = RequestFactory().get("/achievements/", {"q": "除氟", "page": "3"})
    assert render("{% qs page=None large=1 %}", request=request) == "?q=%E9%99%A4%E6%B0%9F&amp;large=1"
    assert render("{% qs large=1 %}") == "?large=1"
    assert render("{% qs page=None %}") == "?"


def test_icon_is_hidden_beside_a_word_and_named_alone():
    assert 'aria-hidden="true"' in render('{% icon "search" %}')
    assert '<span class="sr">查找</span>' in render('{% icon "search" label="查找" %}')


def test_small_helpers():
    assert render("{{ m|lookup:3 }}{{ m|lookup:9 }}", m={"3": "三"}) == "三None"
    assert render("{{ v|grouped }} {{ w|grouped }}", v=3486, w="多") == "3,486 多"
    assert render("{{ v|coord }} {{ w|coord }}", v=12.50, w=33.3333) == "12.5 33.33"
    assert render("{{ v|trl_word }}{{ w|trl_word }}", v=6, w=None) == "中试"
    assert render("{{ v|at:1 }}{{ v|at:5 }}", v=["a", "b"]) == "b"


def test_the_site_is_ours_even_where_a_view_has_another_one():
    context = Context({"site": {"name": "市场", "is_demo": True}})
    with context.push(site=object()):
        assert Template("{% site_facts as s %}{{ s.name }}").render(context) == "市场"
    assert render("{% site_facts as s %}{{ s.name }}") == ""
