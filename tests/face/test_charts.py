"""Charts computed on the server."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from marketplace.templatetags.charts import Month, Point, Series, column_chart, line_chart, scale


@given(st.floats(min_value=0.001, max_value=1e9))
def test_an_axis_starts_at_zero_covers_the_highest_and_has_few_round_lines(high):
    top, step = scale(high)
    assert top >= high * (1 - 1e-9)
    lines = round(top / step)
    assert abs(lines * step - top) < 1e-6 * top
    assert 2 <= lines <= 5


@pytest.mark.parametrize(
    ("high", "top", "step"), [(14, 15, 5), (2.21, 2.5, 0.5), (10, 10, 2), (0, 1, 0.5), (-3, 1, 0.5)]
)
def test_known_axes(high, top, step):
    assert scale(high) == (top, step)


def sample_line():
    points = [Point(0, 0), Point(1, 0.4), None, Point(3, 1.2, mark=True)]
    goal = [Point(0, 0), Point(12, 10, mark=True)]
    return line_chart(
        [Series("now", "2026", points, end="1.20"), Series("goal", "目标", goal, end="目标 10.00")], label="累计"
    )


def test_a_missing_point_breaks_the_line():
    wide = sample_line()["drawings"][0]
    now = next(p["d"] for p in wide.paths if p["cls"] == "c-now")
    assert now.count("M") == 2


def test_the_present_year_is_drawn_last_and_ends_are_named_in_both_drawings():
    for drawing in sample_line()["drawings"]:
        assert drawing.paths[-1]["cls"] == "c-now"
        assert {"1.20", "目标 10.00"} <= {t["text"] for t in drawing.texts}


def test_a_missing_month_is_a_gap_and_a_part_month_is_hatched():
    chart = column_chart(
        [Month("1", 0.4, 0.3), Month("2", None, 0.2), Month("3", 0.5, None, part=True, show=True)], label="按月"
    )
    drawing = chart["drawings"][0]
    assert [c["cls"] for c in drawing.columns] == ["c-outline", "c-col", "c-outline", "c-part"]
    assert [c["hatched"] for c in drawing.columns] == [False, False, False, True]
    assert [t["text"] for t in drawing.texts] == ["0.5"]


def test_columns_stay_inside_the_drawing_and_stand_on_the_floor():
    chart = column_chart([Month(str(n), n / 3, n / 4) for n in range(1, 13)], label="按月")
    for drawing in chart["drawings"]:
        floor = max(float(g["y"]) for g in drawing.grid)
        for column in drawing.columns:
            assert float(column["y"]) >= 0
            assert abs(float(column["y"]) + float(column["h"]) - floor) < 0.2
            assert float(column["x"]) + float(column["w"]) <= drawing.width


@pytest.mark.parametrize("months", [[], [Month("1", None)], [Month("1", 0, 0)]])
def test_an_empty_year_draws_an_empty_chart(months):
    html = render_to_string("components/chart_columns.html", {"chart": column_chart(months, label="按月")})
    assert "<svg" in html
    assert "nan" not in html.lower()
    assert render_to_string("components/chart_line.html", {"chart": line_chart([], label="累计")})


def test_numbers_in_the_markup_have_a_point_in_every_language(settings):
    settings.USE_THOUSAND_SEPARATOR = True
    html = render_to_string("components/chart_line.html", {"chart": sample_line()})
    for value in re.findall(r' (?:x|y|cx|cy|r|d|viewBox)="([^"]*)"', html):
        assert "," not in value


def test_the_drawing_is_named_and_its_figures_are_in_a_table():
    chart = {
        **sample_line(),
        "table": {"columns": [{"label": "月份"}, {"label": "亿元", "num": True}], "rows": [["1 月", "0.40"]]},
    }
    html = render_to_string("components/chart_line.html", {"chart": chart})
    assert html.count('role="img" aria-label="累计"') == 2
    assert "查看数据" in html
    assert "0.40" in html
