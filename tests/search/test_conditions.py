"""Each condition met, not met or not stated; silence never speaks against a match."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from search.conditions import MET, NOT_MET, NOT_STATED, Facts, against, compare_facts, same_name
from search.units import Figure


def ge(name: str, value: str, unit: str = "", **more: Any) -> Figure:
    return Figure(name, "ge", Decimal(value), None, unit, **more)


def le(name: str, value: str, unit: str = "", **more: Any) -> Figure:
    return Figure(name, "le", Decimal(value), None, unit, **more)


def eq(name: str, value: str, unit: str = "", **more: Any) -> Figure:
    return Figure(name, "eq", Decimal(value), None, unit, **more)


def states(demand: Facts, achievement: Facts) -> dict[str, str]:
    return {c.name: c.state for c in compare_facts(demand, achievement)}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("出水氟离子浓度", "出水氟离子", True),
        ("处理规模", "示范处理规模", True),
        ("吸附剂再生次数", "再生次数", True),
        ("单位制氢电耗（直流）", "单位制氢电耗", True),
        ("ＣＯＤ 去除率", "cod去除率", True),
        ("脱硫率", "脱硫率下降", False),
        ("出水氟离子", "进水氟离子", False),
        ("电流密度", "电流效率", False),
        ("吨水成本", "吨煤成本", False),
        ("寿命", "寿", False),
        ("浓度", "含量", False),
    ],
)
def test_figures_of_one_name(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same
    assert same_name(other, one) is same


def test_targets_against_kpis() -> None:
    demand = Facts(
        figures=[
            le("出水氟离子浓度", "1.0", "mg/L"),
            ge("处理规模", "40", "m³/h"),
            le("吨水增加成本", "4.0", "元/t", is_hard=False),
            le("污泥产量", "1.0", "kg/t", is_hard=False),
            ge("再生次数", "15", "次"),
        ]
    )
    achievement = Facts(
        figures=[
            eq("出水氟离子", "800", "μg/L", condition="第三方检测"),
            le("处理规模", "60", "m³/h"),
            eq("吨水增加成本", "4.6", "元/吨"),
            eq("再生次数", "12", "次"),
            eq("再生次数", "18", "次"),
        ]
    )
    found = {c.name: c for c in compare_facts(demand, achievement)}
    assert found["出水氟离子浓度 ≤ 1 mg/L"].state == MET
    assert found["出水氟离子浓度 ≤ 1 mg/L"].detail == "成果 800 μg/L（第三方检测）"
    assert found["处理规模 ≥ 40 m³/h"].state == NOT_STATED
    assert "无法与要求直接比较" in found["处理规模 ≥ 40 m³/h"].detail
    assert (found["吨水增加成本 ≤ 4 元/t"].state, found["吨水增加成本 ≤ 4 元/t"].detail) == (NOT_MET, "成果 4.6 元/吨")
    assert (found["污泥产量 ≤ 1 kg/t"].state, found["污泥产量 ≤ 1 kg/t"].detail) == (NOT_STATED, "成果未说明")
    assert found["再生次数 ≥ 15 次"].state == MET


@pytest.mark.parametrize(
    ("demand", "achievement", "state"),
    [
        ({"price_max": "2000000.00"}, {"price_min": "2000000.00"}, MET),
        ({"price_max": "2000000.00"}, {"price_min": "2000000.01"}, NOT_MET),
        ({"price_max": "2000000.00"}, {"negotiable": True}, NOT_STATED),
        ({"negotiable": True}, {"price_min": "1.00"}, NOT_STATED),
        ({}, {}, NOT_STATED),
    ],
)
def test_the_budget(demand: dict[str, Any], achievement: dict[str, Any], state: str) -> None:
    def as_facts(given: dict[str, Any]) -> Facts:
        return Facts(**{k: Decimal(v) if isinstance(v, str) else v for k, v in given.items()})

    assert states(as_facts(demand), as_facts(achievement))["预算"] == state


def test_codes_modes_and_places() -> None:
    demand = Facts(
        technology_field={"0701": "水污染控制"},
        industries={"25": "石油煤炭加工", "26": "化学原料"},
        key_technologies={"KI5-5": "水污染治理"},
        region={"150622": "鄂尔多斯市准格尔旗"},
        modes={"M2": "许可", "M4": "合作开发"},
    )
    same = Facts(
        technology_field={"0703": "固体废弃物"},
        industries={"26": "化学原料"},
        key_technologies={"KI5-4": "工业固废"},
        region={"150602": "鄂尔多斯市东胜区"},
        modes={"M4": "合作开发"},
    )
    assert {k: v for k, v in states(demand, same).items() if k not in ("预算", "成熟度")} == {
        "合作方式": MET,
        "技术领域": MET,
        "应用行业": MET,
        "重点产业关键技术": NOT_MET,
        "地区": MET,
    }
    far = Facts(technology_field={"0901": "种植"}, region={"610100": "陕西省西安市"}, modes={"M1": "转让"})
    found = states(demand, far)
    assert (found["技术领域"], found["合作方式"]) == (NOT_MET, NOT_MET)
    # A demand restricts no region: distance is said, and is no fault.
    assert (found["地区"], found["应用行业"]) == (NOT_STATED, NOT_STATED)


@pytest.mark.parametrize(
    ("demand_type", "trl", "state"),
    [("INTRO", 7, MET), ("INTRO", 6, NOT_MET), ("RD", 2, NOT_STATED), ("INTRO", None, NOT_STATED), ("", 9, NOT_STATED)],
)
def test_readiness(demand_type: str, trl: int | None, state: str) -> None:
    assert states(Facts(demand_type=demand_type), Facts(trl=trl))["成熟度"] == state


def test_silence_never_speaks_against() -> None:
    demand = Facts(
        figures=[le("出水氟离子", "1", "mg/L")], price_max=Decimal(1), modes={"M1": "转让"}, demand_type="INTRO"
    )
    nothing = Facts()
    assert against(compare_facts(demand, nothing), nothing, demand) == []
    assert against(compare_facts(nothing, demand), demand, nothing) == []


def test_what_speaks_against_is_said_in_sentences() -> None:
    demand = Facts(
        figures=[le("出水氟离子", "1", "mg/L"), le("药耗", "2", "kg/t", is_hard=False)], price_max=Decimal(2000000)
    )
    achievement = Facts(
        figures=[eq("出水氟离子", "3", "mg/L"), eq("药耗", "5", "kg/t")],
        price_min=Decimal(2600000),
        availability="negotiating",
    )
    assert against(compare_facts(demand, achievement), achievement, demand) == [
        "出水氟离子 ≤ 1 mg/L：成果 3 mg/L",
        "预算：成果 260 万元，高于预算上限 200 万元",
        "成果正在与其他单位洽谈",
    ]
