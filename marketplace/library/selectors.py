"""What the home and organisation pages count and list: all of it public, whoever asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.models import KINDS, Achievement, Availability, Demand, ListingRecord, NewsPage, listing_model
from marketplace.accounts.models import Organization
from marketplace.agencies.models import Broker
from marketplace.contracts import selectors as contracts
from marketplace.contracts.models import Registration
from marketplace.contracts.selectors import PublicRow
from marketplace.deals.models import Inquiry
from marketplace.indicators import catalogue, targets

from . import finding, rows

NOBODY = AnonymousUser()
# After so many days without an answer a need is named apart (ours).
LONG_DAYS = 14
# The five lines of work the city asks for most, each as filters of the list of achievements.
THEMES: list[tuple[str, str, str]] = [
    ("煤基新材料", "technology_field", "0506"),
    ("氢能与储能", "key_technology", "KI1-2"),
    ("水污染与高盐水", "technology_field", "0701"),
    ("荒漠化与矿区生态", "technology_field", "0706"),
    ("固废综合利用", "technology_field", "0703"),
    ("农畜产品加工", "technology_field", "0907"),
    ("羊绒等纤维材料", "technology_field", "0508"),
    ("中药、蒙药", "technology_field", "0402"),
]


def public(kind: str) -> QuerySet[Any]:
    """What any visitor may find of a kind."""
    return listing_model(kind).objects.public().visible_to(NOBODY)


@dataclass(frozen=True)
class Counts:
    """Numbers beside the entrances of the home page."""

    achievement: int
    demand: int
    expert: int
    project: int
    organizations: int
    brokers: int
    registered: int

    @property
    def is_empty(self) -> bool:
        return not (self.achievement or self.demand or self.expert or self.project)


def counts() -> Counts:
    start = timezone.localdate().replace(month=1, day=1)
    by_kind = [
        public(kind)
        .order_by()
        .annotate(kind=Value(kind))
        .values("kind")
        .annotate(n=Count("pk"))
        .values_list("kind", "n")
        for kind in KINDS
    ]
    known = dict(by_kind[0].union(*by_kind[1:]))
    return Counts(
        **{kind: known.get(kind, 0) for kind in KINDS},
        organizations=Organization.objects.filter(is_active=True, verified_at__isnull=False).count(),
        brokers=Broker.objects.active().count(),
        registered=Registration.objects.public().filter(registered_on__gte=start).count(),
    )


def newest_achievements(limit: int) -> list[dict[str, Any]]:
    """Newest published achievements as brief rows, dated by their publication."""
    # The kind stands on the row that is sorted: with it the newest are read from the index's end.
    found = public("achievement").filter(record__kind="achievement").with_related()
    found = found.order_by("-record__first_published_at", "-pk")
    return [
        {**rows.row(one, brief=True), "date": one.record.first_published_at, "date_word": _("发布")}
        for one in found[:limit]
    ]


def _answered(record: str) -> Exists:
    """An accepted inquiry about the record whose deal was not lost; `record` is the path to its key."""
    return Exists(Inquiry.objects.filter(about=OuterRef(record), state="accepted").exclude(deal__state="lost"))


def unanswered() -> QuerySet[Demand]:
    """Published needs that are open and that no accepted inquiry answers, longest waiting first. One whose deal was
    lost waits again, so that this is what the list of open needs counts."""
    waiting = public("demand").filter(~_answered("record"), record__kind="demand")
    return waiting.filter(record__availability=Availability.OPEN).order_by("record__first_published_at", "pk")


def waiting_demands(limit: int) -> dict[str, Any]:
    """Needs by days waiting: rows, how many there are, and how many have waited long."""
    found = unanswered()
    border = timezone.now() - dt.timedelta(days=LONG_DAYS)
    # The same counted from the records' side: both sides are read from their indexes alone.
    records = ListingRecord.objects.filter(kind="demand", availability=Availability.OPEN)
    records = records.filter(~_answered("pk"), pk__in=public("demand").order_by().values("record"))
    sums = records.aggregate(all=Count("pk"), long=Count("pk", filter=Q(first_published_at__lt=border)))
    brief = [rows.row(one, brief=True) for one in found.with_related()[:limit]]
    return {"rows": brief, "total": sums["all"], "long": sums["long"], "days": LONG_DAYS}


def themes() -> list[dict[str, Any]]:
    """Themes as filtered lists with their counts; those without an achievement are left out."""
    achievements = public("achievement").order_by()
    fields, keys = ([code for _, of, code in THEMES if of == name] for name in ("technology_field", "key_technology"))
    named = achievements.filter(technology_field__in=fields)
    by_field = dict(named.values_list("technology_field").annotate(n=Count("pk")))
    named = achievements.filter(key_technologies__in=keys)
    by_key = dict(named.values_list("key_technologies").annotate(n=Count("pk", distinct=True)))
    counted = {"technology_field": by_field, "key_technology": by_key}
    found = [
        {"label": _(label), "href": f"/achievements/?{name}={code}", "count": counted[name].get(code, 0)}
        for label, name, code in THEMES
    ]
    return [theme for theme in found if theme["count"]][:6]


def latest_contracts(limit: int, user: Any) -> list[PublicRow]:
    """The latest contracts of the public register, as far as this person may know them."""
    return contracts.public_rows(contracts.registered()[:limit], user)


def news(limit: int) -> list[NewsPage]:
    return list(NewsPage.objects.live().public().order_by("-published_on", "-pk")[:limit])


@dataclass(frozen=True)
class Headline:
    """This year's turnover beside the search box. Amounts in 元; shares 0–100 of the bar's scale."""

    year: int
    figure: catalogue.Figure
    growth: Decimal | None
    target: Any
    is_over: bool
    path: Decimal | None
    goal: Decimal | None


def headline(today: dt.date | None = None) -> Headline:
    """The figure of the running year with last year's of the same days, and the plan that holds or held last."""
    today = today or timezone.localdate()
    start, end = catalogue.year_period(today.year, today)
    figure = catalogue.turnover(start=start, end=end)
    last_start, last_end = catalogue.same_period_last_year(start, end)
    growth = catalogue.growth(figure.value, catalogue.turnover(start=last_start, end=last_end).value)
    target = targets.current(catalogue.CITY, today)
    if target is not None:
        path, goal = targets.path_until(target, today), targets.linear(target, today.year)
        return Headline(today.year, figure, growth, target, False, path, goal)
    ended = targets.last_ended(catalogue.CITY, today)
    goal = ended.end_value if ended else None
    return Headline(today.year, figure, growth, ended, ended is not None, None, goal)


def register_count(organization: Organization) -> int:
    """Registered contracts of an organisation that the register shows by name: its parties consented."""
    return (
        Registration.objects.public()
        .filter(contract__consents_to_name=True, contract__parties__organization=organization)
        .distinct()
        .count()
    )


def listings_of(organization: Organization, kind: str, user: Any) -> QuerySet[Any]:
    """The organisation's public listings of a kind, newest first; its anonymous needs stand on nobody's page."""
    found = listing_model(kind).objects.public().visible_to(user).filter(record__owner=organization)
    if kind == "demand":
        found = found.filter(is_anonymous=False)
    return finding.with_parts(found, kind).order_by("-record__first_published_at", "-pk")


def achievements_named(numbers: list[str], user: Any) -> list[Achievement]:
    """Achievements by number, as a name in the box brought them."""
    return finding.load("achievement", numbers, user)  # type: ignore[return-value]
