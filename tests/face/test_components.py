"""Components with real variables: what a reader, a keyboard and a screen reader get."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import RequestContext, Template
from django.template.loader import render_to_string
from django.test import RequestFactory


def draw(component: str, **context: object) -> str:
    return render_to_string(f"components/{component}.html", context)


class Form(forms.Form):
    amount = forms.CharField(label="最高预算", help_text="填万元数")
    kind = forms.ChoiceField(label="预算写法", widget=forms.RadioSelect, choices=[("a", "给出范围"), ("b", "面议")])
    sources = forms.MultipleChoiceField(
        label="资金来源",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("own", "自有资金"), ("loan", "贷款")],
    )
    agree = forms.BooleanField(label="我确认所填内容真实")
    place = forms.ChoiceField(label="地区", choices=[("150600", "鄂尔多斯市")])
    text = forms.CharField(label="问题", widget=forms.Textarea)
    file = forms.FileField(label="合同文本", required=False)
    day = forms.DateField(label="截止", widget=forms.DateInput(attrs={"type": "date"}))
    secret = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self):
        raise forms.ValidationError("两项合计超过预算")


@pytest.fixture
def refused() -> Form:
    form = Form({"amount": "", "sources": ["nowhere"]})
    form.full_clean()
    return form


def test_a_field_names_its_hint_error_and_unit(refused):
    html = draw("field", field=refused["amount"], unit="万元", size="s", inputmode="decimal")
    assert 'for="id_amount"' in html
    assert 'aria-describedby="id_amount_helptext id_amount_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'inputmode="decimal"' in html
    assert html.index('id="id_amount_error"') < html.index("<input")
    assert ">万元</span>" in html


def test_a_field_without_hint_or_error_describes_nothing():
    html = draw("field", field=Form()["place"])
    assert "aria-describedby" not in html
    assert "aria-invalid" not in html
    assert "<select" in html


def test_an_optional_field_says_so():
    assert "可不填" in draw("field", field=Form()["file"])
    assert "可不填" not in draw("field", field=Form()["amount"])


@pytest.mark.parametrize("name", ["kind", "sources"])
def test_a_group_of_choices_is_a_fieldset_with_a_legend(refused, name):
    html = draw("field", field=refused[name], hints={"a": "写明范围"}, inline=True)
    assert html.count("<fieldset") == 1
    assert "<legend" in html
    assert html.count("<label") == 2
    assert f'id="id_{name}_error"' in html
    assert f"id_{name}_error" in html.split("<legend")[0]


def test_hints_of_radios_stand_below_their_choice():
    assert "<small>写明范围</small>" in draw("field", field=Form()["kind"], hints={"a": "写明范围"})


def test_a_single_checkbox_stands_before_its_words():
    html = draw("field", field=Form()["agree"])
    assert html.index('type="checkbox"') < html.index("我确认")
    assert 'class="input' not in html


@pytest.mark.parametrize(("name", "needle"), [("text", "<textarea"), ("day", 'type="date"'), ("file", 'type="file"')])
def test_other_controls(name, needle):
    assert needle in draw("field", field=Form()[name])


def test_a_hidden_field_has_no_label():
    html = draw("field", field=Form()["secret"])
    assert 'type="hidden"' in html
    assert "<label" not in html


def test_an_offer_repairs_the_value_without_validation():
    html = draw("field", field=Form()["amount"], offer={"name": "amount", "value": "180", "label": "改为 180 万元"})
    assert "formnovalidate" in html
    assert 'name="amount" value="180"' in html


def test_the_error_summary_counts_links_and_takes_the_focus(refused):
    html = draw("error_summary", form=refused)
    # amount, kind, sources, agree, place, text, day and the form's own.
    assert "有 8 处需要更正" in html
    assert 'href="#id_amount"' in html
    assert 'href="#id_kind_0"' in html
    assert "两项合计超过预算" in html
    assert "data-focus" in html
    assert 'tabindex="-1"' in html


def test_a_good_form_has_no_error_summary():
    assert draw("error_summary", form=forms.Form({})).strip() == ""


def test_the_error_summary_reads_formsets():
    formset_class = forms.formset_factory(Form, extra=1, min_num=1, validate_min=True)
    formset = formset_class({"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "0", "form-0-amount": "3"})
    html = draw("error_summary", formset=formset)
    assert 'href="#id_form-0-kind_0"' in html


def test_a_disabled_button_points_at_the_reason():
    html = draw("button", label="通过初审", disabled=True, why_id="why")
    assert "disabled" in html
    assert 'aria-describedby="why"' in html


def test_a_button_with_an_action_posts_with_a_token():
    request = RequestFactory().get("/")
    html = render_to_string(
        "components/button.html", {"label": "撤回", "action": "/x/", "fields": [{"name": "v", "value": 3}]}, request
    )
    assert 'method="post" action="/x/"' in html
    assert "csrfmiddlewaretoken" in html
    assert 'name="v" value="3"' in html


def test_unknown_is_said_and_is_not_zero():
    assert "未说明" in draw("money", value=None)
    assert "面议" in draw("money", value=None, without="面议")
    assert "0.00" in draw("money", value=Decimal(0))
    assert "未注明" in draw("definition_list", items=[{"label": "知识产权", "value": ""}])
    assert "成熟度未注明" in draw("trl")


def test_trl_fills_as_many_boxes_as_the_level():
    html = draw("trl", level=6)
    assert html.count('class="on"') == 6
    assert html.count("<rect") == 9
    assert "中试" in html


@pytest.mark.parametrize(
    ("band", "bars", "word"), [("strong", 3, "强匹配"), ("possible", 2, "可能匹配"), ("weak", 1, "较弱")]
)
def test_a_band_is_bars_and_a_word_never_a_percentage(band, bars, word):
    html = draw("band", band=band)
    assert html.count('class="on"') == bars
    assert word in html
    assert "%" not in html


def test_a_match_card_says_states_of_conditions_in_words():
    html = draw(
        "match_card",
        band="strong",
        title="除氟工艺",
        href="/a/",
        left={"label": "需求原文", "text": "高盐废水<b>", "spans": [(0, 4)]},
        right={"label": "成果原文", "text": "处理高盐废水", "spans": [(2, 6)]},
        conditions=[{"state": s, "name": n} for s, n in (("met", "甲"), ("not_met", "乙"), ("not_stated", "丙"))],
        against=["许可费高于预算"],
    )
    for word in ("满足：", "不满足：", "未说明：", "许可费高于预算"):
        assert word in html
    assert html.count("<mark>高盐废水</mark>") == 2
    assert "<b>高" not in html
    assert "&lt;b&gt;" in html


def test_a_match_card_without_conditions_says_so():
    html = draw("match_card", band="weak", title="甲", href="/a/")
    assert "双方都没有写可比的条件" in html
    assert "没有发现相抵触的条件" in html


def test_rows_escape_what_users_wrote():
    row = {"href": "/a/", "title": "<script>x</script>", "text": "<i>", "owner": "<u>", "price_word": "<s>"}
    for component in ("row_achievement", "row_demand"):
        for brief in (True, False):
            html = draw(component, row={**row, "budget": "<s>"}, brief=brief)
            assert "<script>x" not in html
            assert "<u>" not in html
            assert "<s>" not in html


def test_an_anonymous_demand_names_no_owner():
    html = draw("row_demand", row={"href": "/d/", "title": "除氟", "owner": "", "deadline": date(2099, 1, 1)})
    assert "匿名单位" in html


def test_pagination_keeps_the_query_and_says_the_range():
    page = Paginator(range(1280), 6).page(2)
    html = draw("pagination", page_obj=page, query="q=%E6%B0%9F&trl=4", unit="项")
    assert 'href="?q=%E6%B0%9F&amp;trl=4&amp;page=3"' in html
    assert "第 7–12 项，共 1,280 项" in html
    assert html.count("aria-current") == 1


def test_one_page_has_no_numbers_and_an_empty_one_says_zero():
    assert "<ul>" not in draw("pagination", page_obj=Paginator([1], 6).page(1), query="")
    assert "共 0 项" in draw("pagination", page_obj=Paginator([], 6).page(1), query="")


def test_a_long_facet_hides_the_rest_but_never_what_is_checked():
    options = [{"value": str(n), "label": f"领域 {n}", "count": n, "checked": n == 8} for n in range(10)]
    html = draw("facet", label="技术领域", name="field", options=options, shown=3)
    before, after = html.split("<details")
    assert "领域 8" in before
    assert "另 6 项" in after
    assert html.count('type="checkbox"') == 10


def test_the_state_line_marks_the_present_step():
    html = draw(
        "state_line",
        steps=[{"label": "受理", "state": "done", "date": date(2025, 1, 2)}, {"label": "初审", "state": "now"}],
    )
    assert html.count('aria-current="step"') == 1
    assert "2025-01-02" in html
    assert "已完成" in html


def test_a_suppressed_tile_shows_no_figure_and_no_link():
    tile = {"name": "杭锦旗", "value": "0.21", "count": 2, "href": "/rows/", "suppressed": True, "why": "少于 3 项"}
    html = draw("tiles", tiles=[tile])
    assert "0.21" not in html
    assert "/rows/" not in html
    assert "不公布" in html


def test_a_review_item_opens_the_reason_in_place():
    item = {
        "number": 6,
        "label": "技术交易额",
        "value": "240.50 万元",
        "name": "v-6",
        "verdict": "fail",
        "reason_name": "r-6",
    }
    html = draw("review_item", item={**item, "reason": "多 <9> 万元"})
    assert "item--bad" in html
    assert 'value="fail" checked' in html
    assert "多 &lt;9&gt; 万元</textarea>" in html
    assert 'for="r-6"' in html


def test_empty_names_what_was_not_found_and_a_way_on():
    html = draw(
        "empty",
        title="没有找到“甲”",
        drops=[{"label": "不限地区", "href": "?", "count": 3}],
        acts=[{"label": "发布", "href": "/n/"}],
    )
    assert "不限地区" in html
    assert "3 项" in html
    assert 'href="/n/"' in html


def test_a_button_that_posts_carries_the_token_although_its_context_is_isolated(rf):
    """Django's own tag prints nothing inside `only`: such a form would be refused in every browser."""
    request = rf.get("/")
    template = Template('{% include "components/button.html" with label="办理" action="/x/" only %}')
    assert 'name="csrfmiddlewaretoken"' in template.render(RequestContext(request))
