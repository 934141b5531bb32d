"""The path of a plan: base year to target year, with the years that were reached. Nothing is invented after its end."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone

from . import catalogue
from .models import PublishedFigure, TargetSet

CENT = Decimal("0.01")


@dataclass(frozen=True)
class YearPoint:
    """One year of a plan: what the path asks, what was reached (元), where the reached value comes from."""

    year: int
    path: Decimal
    reached: Decimal | None
    source: str
    is_running: bool = False

    @property
    def rate(self) -> Decimal | None:
        """Reached over path: 1.05 is 5 % above it."""
        return self.reached / self.path if self.reached is not None and self.path else None


def linear(target: TargetSet, year: int) -> Decimal:
    """The straight line between base and end (ours: the plan names only these two), or the operator's own point."""
    given = (target.path or {}).get(str(year))
    if given is not None:
        return Decimal(str(given))
    share = Decimal(year - target.base_year) / Decimal(target.end_year - target.base_year)
    return (target.base_value + (target.end_value - target.base_value) * share).quantize(CENT, ROUND_HALF_UP)


def current(area: str, today: dt.date | None = None) -> TargetSet | None:
    """The target set whose years hold today; None where the plan has ended and no operator has set another."""
    year = (today or timezone.localdate()).year
    return (
        TargetSet.objects.filter(
            indicator="turnover", area=area, is_active=True, base_year__lt=year, end_year__gte=year
        )
        .order_by("-base_year")
        .first()
    )


def last_ended(area: str, today: dt.date | None = None) -> TargetSet | None:
    """The most recent plan that is over."""
    year = (today or timezone.localdate()).year
    return (
        TargetSet.objects.filter(indicator="turnover", area=area, is_active=True, end_year__lt=year)
        .order_by("-end_year")
        .first()
    )


def year_points(target: TargetSet, today: dt.date | None = None) -> list[YearPoint]:
    """Every year of the plan up to this one: the ledger's sum, or the published figure where the ledger has none."""
    today = today or timezone.localdate()
    published = dict(
        PublishedFigure.objects.filter(indicator="turnover", area=target.area).values_list("year", "value")
    )
    years = range(target.base_year, min(target.end_year, today.year) + 1)
    ledger = catalogue.year_sums(area=target.area, years=years, basis=target.basis)
    out = []
    for year in years:
        reached = ledger.get(year, published.get(year))
        source = "ledger" if year in ledger else "published" if year in published else ""
        out.append(YearPoint(year, linear(target, year), reached, source, is_running=year == today.year))
    return out


def path_until(target: TargetSet, day: dt.date) -> Decimal:
    """What the running year should have reached by a day: the year's point spread by 15/35/60/100 % at quarter ends
    (ours: registrations come late in the year), straight within a quarter."""
    shares = [Decimal(0), Decimal("0.15"), Decimal("0.35"), Decimal("0.60"), Decimal(1)]
    quarter = (day.month - 1) // 3
    first = dt.date(day.year, quarter * 3 + 1, 1)
    after = dt.date(day.year + 1, 1, 1) if quarter == 3 else dt.date(day.year, quarter * 3 + 4, 1)
    done = Decimal((day - first).days + 1) / Decimal((after - first).days)
    share = shares[quarter] + (shares[quarter + 1] - shares[quarter]) * done
    return (linear(target, day.year) * share).quantize(CENT, ROUND_HALF_UP)
