"""An administrator sets a plan's next target in Wagtail; the indicator page then has a goal."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from marketplace.indicators import targets
from marketplace.indicators.models import PublishedFigure, TargetSet
from tests.factories import UserFactory

from .factories import entry

pytestmark = pytest.mark.django_db
BASE = "/admin/snippets/indicators"


@pytest.fixture
def admin(client):
    client.force_login(UserFactory(administrator=True))
    return client


def plan(**changes):
    year = timezone.localdate().year
    data = {
        "plan": "测试规划",
        "source": "测试文件",
        "area": "150600",
        "basis": "output",
        "base_year": str(year - 1),
        "base_value": "９.26",
        "end_year": str(year + 4),
        "end_value": "20",
        "points": "",
        "is_active": "on",
    }
    return data | changes


def test_a_new_target_gives_the_page_a_goal(admin):
    today = timezone.localdate()
    entry("100000000", on=dt.date(today.year, 1, 2))
    assert "完成全年目标" not in admin.get("/indicators/turnover/").content.decode()
    points = f"{today.year} 12.5\n"
    assert admin.post(f"{BASE}/targetset/add/", plan(points=points)).status_code == 302
    target = TargetSet.objects.get(plan="测试规划")
    assert (target.base_value, target.end_value) == (Decimal("926000000.00"), Decimal("2000000000.00"))
    assert targets.linear(target, today.year) == Decimal("1250000000.00")
    page = admin.get("/indicators/turnover/").content.decode()
    assert "完成全年目标" in page
    assert "12.50" in page
    overview = admin.get("/indicators/").content.decode()
    assert "规划路径：9.26 → 20 亿元" in overview
    assert "测试规划的各年路径由主管部门录入" in overview
    edit = admin.get(f"{BASE}/targetset/edit/{target.pk}/").content.decode()
    assert f"{today.year} 12.5" in edit
    assert 'value="9.26"' in edit


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"end_year": "1999"}, "之间的年份"),
        ({"base_year": "2030", "end_year": "2029"}, "目标年要晚于基年"),
        ({"end_value": "-1"}, "须大于 0"),
        ({"area": "159999"}, "没有这个行政区划代码"),
        ({"points": "明年 12"}, "看不懂"),
        ({"points": "2050 12"}, "请核对"),
    ],
)
def test_a_wrong_target_is_named_and_nothing_kept(admin, changes, words):
    before = TargetSet.objects.count()
    assert words in admin.post(f"{BASE}/targetset/add/", plan(**changes)).content.decode()
    assert TargetSet.objects.count() == before


def test_two_plans_in_use_never_share_a_year(admin):
    admin.post(f"{BASE}/targetset/add/", plan())
    count = TargetSet.objects.count()
    year = timezone.localdate().year
    assert "已有起止年份相同" in admin.post(f"{BASE}/targetset/add/", plan(is_active="")).content.decode()
    page = admin.post(f"{BASE}/targetset/add/", plan(end_year=str(year + 2))).content.decode()
    assert "年份重叠" in page
    assert TargetSet.objects.count() == count


def test_a_published_figure_is_kept_once_a_year(admin):
    data = {"area": "150600", "year": "2019", "value": "2.5", "source": "测试公报"}
    assert admin.post(f"{BASE}/publishedfigure/add/", data).status_code == 302
    assert PublishedFigure.objects.get(year=2019).value == Decimal("250000000.00")
    assert "已有公布数" in admin.post(f"{BASE}/publishedfigure/add/", data).content.decode()
    assert admin.get(f"{BASE}/publishedfigure/").status_code == 200
    assert admin.get(f"{BASE}/targetset/").status_code == 200


def test_others_set_no_targets(client):
    client.force_login(UserFactory(moderator=True))
    assert client.get(f"{BASE}/targetset/").status_code in (302, 403)
