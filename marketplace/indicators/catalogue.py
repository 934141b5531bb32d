"""技术合同成交额 and what else is read from the ledger. A figure is the sum of all its entries; no filter by state.

Definition (《鄂尔多斯市“十四五”科技创新规划》专栏 1 row 4 and the practice of technology-market statistics): total
contract amount, not the technology amount, of contracts recognised and registered in the period, by day of entry.
"""

from __future__ import annotations

import calendar
import datetime as dt
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cms.taxonomy import area_prefix
from marketplace import money
from marketplace.contracts.models import TurnoverEntry
from marketplace.contracts.models.ledger import TurnoverEntryQuerySet
from marketplace.sums import in_fen

CITY = "150600"
ZERO = Decimal("0.00")
BASES = {"output": _("输出"), "absorbed": _("吸纳"), "registered_here": _("本地登记")}
BASIS_TEXTS = {
    "output": _("卖方在本地区的合同，按入账日计"),
    "absorbed": _("买方在本地区的合同，按入账日计；外地登记的要等全国系统交换，不可能完整"),
    "registered_here": _("在本地区登记机构认定登记的合同，按入账日计"),
}


POSTING = (
    "entered_on",
    "amount_total",
    "amount_tech",
    "seller_key",
    "kind",
    "registration_id",
    "contract_type",
    "technology_field",
    "seller_region",
    "buyer_region",
    "registration__contract__consents_to_amount",
)


@dataclass(frozen=True)
class Figure:
    """A figure and everything needed to open it. Amounts in 元; `rows` are exactly the entries that were summed."""

    value: Decimal
    tech: Decimal
    count: int
    entries: int
    sellers: int
    withheld: int
    area: str
    start: dt.date
    end: dt.date
    basis: str
    as_of: str | None
    rows: TurnoverEntryQuerySet = field(repr=False)
    unit: str = "CNY"

    @property
    def as_of_text(self) -> str:
        """The moment of the last entry as people read it: 2026-11-20 16:40."""
        return (self.as_of or "")[:16].replace("T", " ")

    @cached_property
    def postings(self) -> list[dict[str, Any]]:
        """The same rows as plain values, read once for all breakdowns of one page."""
        return list(self.rows.order_by().values(*POSTING))


@dataclass(frozen=True)
class Indicator:
    """An indicator of the catalogue: its rows (area, start, end, basis) and the measure of those rows."""

    key: str
    name: str
    rows: Callable[..., TurnoverEntryQuerySet]
    measure: Callable[[TurnoverEntryQuerySet], dict[str, Any]]


def measure(rows: TurnoverEntryQuerySet) -> dict[str, Any]:
    """Sums and counts of ledger entries in one query. `contracts` are registrations that began in these rows."""
    found = rows.aggregate(
        value=in_fen("amount_total"),
        tech=in_fen("amount_tech"),
        count=Count("registration", filter=Q(kind="initial"), distinct=True),
        entries=Count("pk"),
        sellers=Count("seller_key", distinct=True),
        withheld=Count("registration", filter=Q(registration__contract__consents_to_amount=False), distinct=True),
        latest=Max("created_at"),
    )
    return {**found, "value": money.from_fen(found["value"]), "tech": money.from_fen(found["tech"])}


TURNOVER = Indicator("turnover", "技术合同成交额", TurnoverEntry.objects.within, measure)
CATALOGUE = {TURNOVER.key: TURNOVER}


def turnover(*, area: str = CITY, start: dt.date, end: dt.date, basis: str = "output", **narrow: str) -> Figure:
    """The turnover of an area between two local dates, both inclusive.

    narrow: contract_group ("TD"), technology_field prefix, seller_region prefix. KeyError for an unknown basis.
    """
    rows = narrowed(TURNOVER.rows(area=area, start=start, end=end, basis=basis), **narrow)
    found = TURNOVER.measure(rows)
    latest = found.pop("latest")
    as_of = timezone.localtime(latest).isoformat(timespec="seconds") if latest else None
    return Figure(
        value=found["value"],
        tech=found["tech"],
        count=found["count"],
        entries=found["entries"],
        sellers=found["sellers"],
        withheld=found["withheld"],
        area=area,
        start=start,
        end=end,
        basis=basis,
        as_of=as_of,
        rows=rows,
    )


def narrowed(rows: TurnoverEntryQuerySet, **narrow: str) -> TurnoverEntryQuerySet:
    """Entries further limited by code prefixes; empty values do not limit."""
    for name, prefix in narrow.items():
        if prefix:
            rows = rows.filter(**{f"{_COLUMNS[name]}__startswith": area_prefix(prefix)})
    return rows


_COLUMNS = {
    "contract_group": "contract_type",
    "technology_field": "technology_field",
    "region": "seller_region",
}


@dataclass
class Group:
    """One row of a breakdown. `value` and `tech` are None where the cell is suppressed."""

    key: str
    value: Decimal | None
    tech: Decimal | None
    count: int | None
    sellers: int | None
    # Contracts whose single amount is not public: total minus the public ones would tell that of one or two.
    withheld: int = 0
    suppressed: bool = False


DIMENSIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "month": lambda row: f"{row['entered_on']:%Y-%m}",
    "type": lambda row: row["contract_type"][:2],
    "field": lambda row: row["technology_field"][:2],
    "region": lambda row: row["seller_region"],
}


def groups(figure: Figure, by: str, *, outsider: bool) -> list[Group]:
    """A breakdown of a figure by month, type, field or region; the groups sum to the figure.

    For outsiders a group of fewer than 3 contracts or 3 sellers, or with one or two amounts that are not public, is
    suppressed, and so many further small ones that subtraction from the total gives nothing away.
    Months of the city itself are its own totals: exempt.
    """
    key_of = DIMENSIONS[by]
    if by == "region" and figure.basis == "absorbed":
        key_of = operator.itemgetter("buyer_region")
    made: dict[str, dict[str, Any]] = {}
    for row in figure.postings:
        cell = made.setdefault(
            key_of(row), {"value": ZERO, "tech": ZERO, "contracts": set(), "sellers": set(), "withheld": set()}
        )
        cell["value"] += row["amount_total"]
        cell["tech"] += row["amount_tech"]
        cell["sellers"].add(row["seller_key"])
        if row["kind"] == "initial":
            cell["contracts"].add(row["registration_id"])
        if not row["registration__contract__consents_to_amount"]:
            cell["withheld"].add(row["registration_id"])
    out = [
        Group(key, cell["value"], cell["tech"], len(cell["contracts"]), len(cell["sellers"]), len(cell["withheld"]))
        for key, cell in sorted(made.items())
    ]
    is_city = area_prefix(figure.area) == area_prefix(CITY)
    if outsider and not (by == "month" and is_city):
        suppress(out)
    return out


LEAST = 3


def is_small(group: Group) -> bool:
    return (group.count or 0) < LEAST or (group.sellers or 0) < LEAST or 0 < group.withheld < LEAST


def is_too_small(figure: Figure, *, contract_group: str = "", technology_field: str = "") -> bool:
    """True where a whole figure would tell outsiders of one firm, by itself or by subtraction.

    The city's own totals are exempt unless narrowed to a type or field (statistics law: no single respondent may be
    disclosed; value 3 is ours). A narrowed figure is withheld where the breakdown that it is a cell of blanks it; an
    area around the city where what lies outside the city is small.
    """
    area, city = area_prefix(figure.area), area_prefix(CITY)
    if area == city and not contract_group and not technology_field:
        return False
    if not figure.entries:
        return False
    own = Group("", figure.value, figure.tech, figure.count, figure.sellers, figure.withheld)
    if is_small(own):
        return True
    if area != city and city.startswith(area):
        inside = city_rows(figure)
        rest = measure(figure.rows.exclude(pk__in=inside.values("pk")))
        return bool(rest["entries"]) and (rest["count"] < LEAST or rest["sellers"] < LEAST)
    period = {"start": figure.start, "end": figure.end, "basis": figure.basis}
    narrow = {"contract_group": contract_group, "technology_field": technology_field}
    if area.startswith(city) and area != city and figure.basis != "registered_here":
        if _is_blank(turnover(area=CITY, **period, **narrow), "region", figure.area):
            return True
    for name, by in (("contract_group", "type"), ("technology_field", "field")):
        if narrow[name]:
            parent = turnover(area=figure.area, **period, **{**narrow, name: ""})
            if _is_blank(parent, by, narrow[name][:2]):
                return True
    return False


def city_rows(figure: Figure) -> TurnoverEntryQuerySet:
    """The city's entries of the same period and basis."""
    return TURNOVER.rows(area=CITY, start=figure.start, end=figure.end, basis=figure.basis)


def _is_blank(parent: Figure, by: str, key: str) -> bool:
    return any(group.key == key and group.suppressed for group in groups(parent, by, outsider=True))


def suppress(out: list[Group]) -> None:
    """Blank small cells, then the next smallest ones until what is hidden together is itself no small cell
    (statistics law: no single respondent may be disclosed; value 3 is ours)."""
    hidden = [g for g in out if is_small(g)]
    shown = sorted((g for g in out if not is_small(g)), key=lambda g: (g.count or 0, g.key))
    while (
        hidden
        and shown
        and (
            len(hidden) < 2
            or sum(g.count or 0 for g in hidden) < LEAST
            or sum(g.sellers or 0 for g in hidden) < LEAST
            or 0 < sum(g.withheld for g in hidden) < LEAST
        )
    ):
        hidden.append(shown.pop(0))
    for group in hidden:
        group.value = group.tech = group.count = group.sellers = None
        group.suppressed = True


def months_between(start: dt.date, end: dt.date) -> Iterable[tuple[int, int]]:
    """(year, month) of every month that the period touches."""
    year, month = start.year, start.month
    while (year, month) <= (end.year, end.month):
        yield year, month
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def is_whole_months(start: dt.date, end: dt.date, today: dt.date | None = None) -> bool:
    """True where the period begins on a first and ends on a month's last day (or today, or later in this month)."""
    today = today or timezone.localdate()
    last = calendar.monthrange(end.year, end.month)[1]
    return start.day == 1 and (end.day == last or ((end.year, end.month) == (today.year, today.month) and end >= today))


def year_period(year: int, today: dt.date | None = None) -> tuple[dt.date, dt.date]:
    """1 January to 31 December, or to today in the running year."""
    today = today or timezone.localdate()
    end = dt.date(year, 12, 31)
    return dt.date(year, 1, 1), min(end, today) if year == today.year else end


def same_period_last_year(start: dt.date, end: dt.date) -> tuple[dt.date, dt.date]:
    """The comparison period of 同比; 29 February becomes 28."""

    def back(day: dt.date) -> dt.date:
        try:
            return day.replace(year=day.year - 1)
        except ValueError:
            return day.replace(year=day.year - 1, day=28)

    return back(start), back(end)


def year_sums(*, area: str, years: Iterable[int], basis: str) -> dict[int, Decimal]:
    """The turnover of whole calendar years in one query; a year without entries is missing."""
    wanted = sorted(years)
    rows = TURNOVER.rows(area=area, start=dt.date(wanted[0], 1, 1), end=dt.date(wanted[-1], 12, 31), basis=basis)
    sums = rows.order_by().values_list("entered_on__year").annotate(total=in_fen("amount_total"))
    return {year: money.from_fen(total) for year, total in sums if year in wanted}


def growth(now: Decimal, before: Decimal) -> Decimal | None:
    """now / before − 1, or None where there was nothing before."""
    return (now / before - 1) if before else None
