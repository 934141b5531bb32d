"""Each condition of a demand against what an achievement states: met, not met, not stated. Silence never counts
against it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cms.taxonomy import area_prefix

from .text import normalize, pairs
from .units import Figure, compare, plain

MET, NOT_MET, NOT_STATED = "met", "not_met", "not_stated"

# What a type of demand takes for granted of readiness (ours): importing a ready result, upgrading a running plant, a
# pilot.
LEAST_TRL = {"INTRO": 7, "UPGRADE": 6, "TEST": 4}

# Words in a figure's name that do not change what is measured.
_IDLE = re.compile(r"(浓度|含量|指标|数值|要求|技术|设计|额定|实测|系统|装置|设备|产品)")
# Words that do: 脱硫率 and 脱硫率下降 are two figures, 水耗 and 水耗降幅 too.
_TURNS = (
    "下降",
    "降低",
    "降幅",
    "减少",
    "损失",
    "增加",
    "增幅",
    "提高",
    "提升",
    "偏差",
    "误差",
    "波动",
    "残余",
    "变化",
    "进水",
    "入口",
    "初始",
)
NAME_LIKENESS = 0.75


@dataclass(frozen=True)
class Facts:
    """What a listing publicly states beside its text. Codes are mapped to their names; prices and budgets in 元.

    For a demand `price_max` is the most it will pay and `figures` its targets; for an achievement `price_min` is the
    least asked and `figures` its KPIs. An empty value is "not stated".
    """

    technology_field: Mapping[str, str] = field(default_factory=dict)
    industries: Mapping[str, str] = field(default_factory=dict)
    key_technologies: Mapping[str, str] = field(default_factory=dict)
    region: Mapping[str, str] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)
    demand_type: str = ""
    trl: int | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    negotiable: bool = False
    figures: Sequence[Figure] = ()
    availability: str = "open"


# Said against a match while either side talks with somebody; kept with the match as these words.
ACHIEVEMENT_IN_TALKS = gettext_noop("成果正在与其他单位洽谈")
DEMAND_IN_TALKS = gettext_noop("需求正在与其他单位洽谈")


@dataclass(frozen=True)
class Condition:
    """One line of the comparison: `name` as people call it, `state`, and the two facts in words."""

    name: str
    state: str
    detail: str
    # Whether not meeting it speaks against the match, or is only worth knowing.
    matters: bool = False


def compare_facts(demand: Facts, achievement: Facts) -> list[Condition]:
    """Every condition in the order in which people read them: figures, money, way, readiness, subject, place."""
    found = [_target(target, achievement.figures) for target in demand.figures]
    found += [_price(demand, achievement), _modes(demand, achievement), _trl(demand, achievement)]
    found.append(_field(demand, achievement))
    found.append(_overlap(_("应用行业"), demand.industries, achievement.industries))
    found.append(_overlap(_("重点产业关键技术"), demand.key_technologies, achievement.key_technologies))
    found.append(_region(demand, achievement))
    return found


def against(conditions: Sequence[Condition], achievement: Facts, demand: Facts) -> list[str]:
    """What speaks against the match, in sentences: conditions that matter and are not met, and talks under way."""
    found = [
        _("%(name)s：%(detail)s") % {"name": c.name, "detail": c.detail}
        for c in conditions
        if c.matters and c.state == NOT_MET
    ]
    if achievement.availability == "negotiating":
        found.append(_(ACHIEVEMENT_IN_TALKS))
    if demand.availability == "negotiating":
        found.append(_(DEMAND_IN_TALKS))
    return found


def _target(target: Figure, figures: Sequence[Figure]) -> Condition:
    """A target against the KPI of the same name. Several of one name: one that meets it is enough."""
    name = f"{target.name} {target}"
    unclear: Figure | None = None
    failed: Figure | None = None
    for figure in figures:
        if not same_name(target.name, figure.name):
            continue
        result = compare(target, figure)
        if result:
            return Condition(name, MET, _said(figure), target.is_hard)
        if result is None:
            unclear = unclear or figure
        else:
            failed = failed or figure
    if failed is not None:
        return Condition(name, NOT_MET, _said(failed), target.is_hard)
    if unclear is not None:
        detail = _("成果写的是 %(figure)s，无法与要求直接比较") % {"figure": str(unclear)}
        return Condition(name, NOT_STATED, detail, target.is_hard)
    return Condition(name, NOT_STATED, _("成果未说明"), target.is_hard)


def _said(figure: Figure) -> str:
    if figure.condition:
        return _("成果 %(figure)s（%(condition)s）") % {"figure": str(figure), "condition": figure.condition}
    return _("成果 %(figure)s") % {"figure": str(figure)}


def same_name(one: str, other: str) -> bool:
    """True where two figures' names mean one thing: equal, or one says it in more words, and no word turns the
    meaning.
    """
    first, second = _core(one), _core(other)
    if any((turn in first) != (turn in second) for turn in _TURNS):
        return False
    if first == second:
        return bool(first)
    if min(len(first), len(second)) < 2:
        return False
    mine, theirs = set(pairs(first)), set(pairs(second))
    return len(mine & theirs) / min(len(mine), len(theirs)) >= NAME_LIKENESS


def _core(name: str) -> str:
    """A figure's name without width, spaces, remarks in brackets and idle words."""
    plain_name = re.sub(r"[(\[【].*?[)\]】]", "", normalize(name))
    plain_name = re.sub(r"[\W_]", "", plain_name)
    return _IDLE.sub("", plain_name) or plain_name


def wan(amount: Decimal) -> str:
    """元 → 万元 as words, at most two decimals."""
    return f"{plain((amount / 10000).quantize(Decimal('0.01')))} 万元"


def _price(demand: Facts, achievement: Facts) -> Condition:
    name = _("预算")
    budget, asked = demand.price_max, achievement.price_min
    if budget is None:
        stated = _("需求预算面议") if demand.negotiable else _("需求未说明预算")
        return Condition(name, NOT_STATED, stated, True)
    if asked is None:
        stated = _("成果价格面议") if achievement.negotiable else _("成果未说明价格")
        return Condition(name, NOT_STATED, stated, True)
    if asked <= budget:
        detail = _("成果 %(price)s，预算上限 %(budget)s") % {"price": wan(asked), "budget": wan(budget)}
        return Condition(name, MET, detail, True)
    detail = _("成果 %(price)s，高于预算上限 %(budget)s") % {"price": wan(asked), "budget": wan(budget)}
    return Condition(name, NOT_MET, detail, True)


def _modes(demand: Facts, achievement: Facts) -> Condition:
    name = _("合作方式")
    if not demand.modes or not achievement.modes:
        return Condition(name, NOT_STATED, _("需求未说明") if not demand.modes else _("成果未说明"), True)
    common = [label for code, label in demand.modes.items() if code in achievement.modes]
    if common:
        return Condition(name, MET, _("双方都接受%(modes)s") % {"modes": "、".join(common)}, True)
    detail = _("需求要%(wanted)s，成果只提供%(offered)s") % {
        "wanted": "、".join(demand.modes.values()),
        "offered": "、".join(achievement.modes.values()),
    }
    return Condition(name, NOT_MET, detail, True)


def _trl(demand: Facts, achievement: Facts) -> Condition:
    name = _("成熟度")
    least = LEAST_TRL.get(demand.demand_type)
    if achievement.trl is None:
        return Condition(name, NOT_STATED, _("成果未说明"), True)
    level = f"TRL {achievement.trl}"
    if least is None:
        return Condition(name, NOT_STATED, _("需求未限定，成果 %(level)s") % {"level": level}, True)
    if achievement.trl >= least:
        return Condition(name, MET, _("成果 %(level)s") % {"level": level}, True)
    detail = _("这类需求一般要求 TRL %(least)d 以上，成果 %(level)s") % {"least": least, "level": level}
    return Condition(name, NOT_MET, detail, True)


def _field(demand: Facts, achievement: Facts) -> Condition:
    name = _("技术领域")
    if not demand.technology_field or not achievement.technology_field:
        return Condition(name, NOT_STATED, _("一方未注明"))
    (wanted, wanted_name), (offered, offered_name) = (
        next(iter(demand.technology_field.items())),
        next(iter(achievement.technology_field.items())),
    )
    if wanted == offered:
        return Condition(name, MET, _("同为%(field)s") % {"field": wanted_name})
    if wanted[:2] == offered[:2]:
        detail = _("同一大类：%(wanted)s与%(offered)s") % {"wanted": wanted_name, "offered": offered_name}
        return Condition(name, MET, detail)
    return Condition(
        name, NOT_MET, _("需求为%(wanted)s，成果为%(offered)s") % {"wanted": wanted_name, "offered": offered_name}
    )


def _overlap(name: str, wanted: Mapping[str, str], offered: Mapping[str, str]) -> Condition:
    if not wanted or not offered:
        return Condition(name, NOT_STATED, _("一方未注明"))
    common = [label for code, label in wanted.items() if code in offered]
    if common:
        return Condition(name, MET, _("同为%(names)s") % {"names": "、".join(common)})
    detail = _("需求为%(wanted)s，成果为%(offered)s") % {
        "wanted": "、".join(wanted.values()),
        "offered": "、".join(offered.values()),
    }
    return Condition(name, NOT_MET, detail)


def _region(demand: Facts, achievement: Facts) -> Condition:
    """Nearness is worth knowing; a demand of this market restricts no region, so distance is never "not met"."""
    name = _("地区")
    if not demand.region or not achievement.region:
        return Condition(name, NOT_STATED, _("一方未注明"))
    (here, _here_name), (there, there_name) = next(iter(demand.region.items())), next(iter(achievement.region.items()))
    if area_prefix(here)[:4] == area_prefix(there)[:4]:
        return Condition(name, MET, _("同在一个盟市，成果在%(place)s") % {"place": there_name})
    return Condition(name, NOT_STATED, _("需求未限定地区，成果在%(place)s") % {"place": there_name})
