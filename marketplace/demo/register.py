"""Some 1,200 generated rows of the years 2021–2026: the register before this market, labelled as generated.

They bring the yearly totals onto a path from 3.21 亿元 (the plan's published figure for 2020); nothing here is real.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from marketplace.contracts.imports import import_registered

from .world import World

SOURCE = "演示用生成数据：历史登记册 2021–2026"
# Totals in 万元 and numbers of contracts, output basis; the last year runs to the day.
YEARS = {
    2021: (39_200, 118),
    2022: (47_800, 142),
    2023: (60_500, 172),
    2024: (75_400, 204),
    2025: (92_600, 236),
    2026: (90_800, 228),
}
MONTH_WEIGHTS = (3, 3, 6, 6, 7, 10, 6, 7, 11, 10, 13, 18)
SELLERS = {
    "150602": 32,
    "150603": 26,
    "150627": 14,
    "150622": 10,
    "150621": 7,
    "150626": 4,
    "150624": 4,
    "150625": 2,
    "150623": 1,
}
BUYERS = {**SELLERS, "150100": 10, "150200": 12, "610800": 12, "640100": 5, "110000": 5, "150300": 4, "140900": 3}
OUTSIDE = {"110000": 30, "610100": 20, "150100": 25, "150200": 12, "310000": 6, "640100": 7}
TYPES = {"TD1": 26, "TD2": 4, "TT1": 3, "TT3": 2, "TL1": 4, "TL2": 2, "TC0": 17, "TS1": 40, "TS2": 2}
SIZE = {"TD": 1.6, "TT": 1.5, "TL": 1.3, "TC": 0.25, "TS": 0.9}
FIELDS = {
    "0605": 16,
    "0701": 10,
    "0703": 8,
    "0706": 9,
    "0708": 10,
    "0302": 9,
    "0306": 6,
    "0109": 7,
    "0108": 6,
    "0601": 7,
    "0603": 5,
    "0904": 4,
    "0903": 3,
    "0506": 5,
    "0402": 2,
    "0508": 2,
    "1004": 3,
    "1102": 2,
}
WORDS = {
    "0605": "煤炭清洁转化",
    "0701": "矿区水处理",
    "0703": "粉煤灰与煤矸石利用",
    "0706": "荒漠与矿区生态修复",
    "0708": "智能采掘",
    "0302": "煤矿安全监测",
    "0306": "煤机装备",
    "0109": "工业互联网",
    "0108": "生产数据分析",
    "0601": "风光发电",
    "0603": "储能与电解水",
    "0904": "草业种植",
    "0903": "畜牧养殖",
    "0506": "煤基新材料",
    "0402": "蒙药工艺",
    "0508": "羊绒纤维",
    "1004": "重载物流",
    "1102": "城镇水务",
}
ENDINGS = {"TD": "技术开发", "TT": "技术转让", "TL": "技术许可", "TC": "方案论证咨询", "TS": "技术服务"}


def load(world: World) -> None:
    rows: list[dict[str, Any]] = []
    for year, (total, count) in YEARS.items():
        rows += _year(world, year, total, count, sellers=SELLERS, buyers=BUYERS, point="09")
        # Contracts that firms of the city bought elsewhere: registered there, known through the exchange.
        rows += _year(world, year, total // 5, 18, sellers=OUTSIDE, buyers=SELLERS, point="88")
    result = import_registered(rows, source_file=SOURCE, by=world.staff["萧逸之"])
    if result.errors:
        raise ValueError(f"generated rows are faulty: {result.errors[:3]}")


def _pick(world: World, weights: dict[str, int]) -> str:
    return world.chance.choices(list(weights), weights=list(weights.values()))[0]


def _year(
    world: World, year: int, total: int, count: int, *, sellers: dict[str, int], buyers: dict[str, int], point: str
) -> list[dict[str, Any]]:
    """One year's rows: sizes as they are in such registers (many small, a few large), scaled to the total (万元)."""
    last = min(world.day - dt.timedelta(days=1), dt.date(year, 12, 31))
    if last < dt.date(year, 1, 10):
        # A year that has hardly begun has no working day to draw from yet.
        return []
    kinds = [_pick(world, TYPES) for _n in range(count)]
    sizes = [world.chance.lognormvariate(0, 0.9) * SIZE[kind[:2]] for kind in kinds]
    factor = total / sum(sizes)
    days = sorted(_day(world, year, last) for _n in range(count))
    out = []
    for n, (kind, size, day) in enumerate(zip(kinds, sizes, days, strict=True), 1):
        amount = (Decimal(str(round(max(size * factor, 0.8), 2))) * 10_000).quantize(Decimal("0.01"))
        share = Decimal(str(round(world.chance.choice([1, 1, 1, 0.95, 0.9, 0.82, 0.7]), 2)))
        seller, buyer, field = _pick(world, sellers), _pick(world, buyers), _pick(world, FIELDS)
        seller_firm, buyer_firm = world.chance.randint(1, 60), world.chance.randint(1, 90)
        consents = world.chance.random() < 0.8
        out.append(
            {
                "number": f"{year}1506{point}{n:06d}" if point == "09" else f"{year}{seller[:4]}{point}{n:06d}",
                "contract_type": kind,
                "technology_field": field,
                "seller_region": seller,
                "buyer_region": buyer,
                "amount_total": amount,
                "amount_tech": (amount * share).quantize(Decimal("0.01")),
                "registered_on": day,
                "project_name": f"{WORDS[field]}{ENDINGS[kind[:2]]}（生成 {year}-{n:03d}）",
                "seller_name": f"演示卖方{seller}-{seller_firm:02d}",
                "buyer_name": f"演示买方{buyer}-{buyer_firm:02d}",
                "seller_nature": world.chance.choice(["150", "150", "170", "022", "021"]),
                "buyer_nature": "150",
                "office_region": "150600" if point == "09" else f"{seller[:4]}00",
                "consents_to_name": consents,
                "consents_to_amount": consents and world.chance.random() < 0.95,
            }
        )
    return out


def _day(world: World, year: int, last: dt.date) -> dt.date:
    """A working day of the year, later months more often; never after `last`."""
    months = [m for m in range(1, 13) if dt.date(year, m, 1) <= last]
    while True:
        month = world.chance.choices(months, weights=[MONTH_WEIGHTS[m - 1] for m in months])[0]
        day = dt.date(year, month, world.chance.randint(1, 28))
        if day <= last and day.weekday() < 5:
            return day
