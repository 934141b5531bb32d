"""Two sides, their people and their listings in one line; acts go through the services, so the rows are as in life."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from marketplace.deals import services
from marketplace.deals.models import Deal, Inquiry, Offer
from tests.factories import AchievementFactory, DemandFactory, OrganizationFactory, member


@dataclass
class Sides:
    """A company with a published demand, a university with a published achievement, one person of each."""

    company: Any
    university: Any
    buyer: Any
    seller: Any
    demand: Any
    achievement: Any

    @property
    def need(self):
        return self.demand.record

    @property
    def supply(self):
        return self.achievement.record


def sides(demand: dict | None = None, achievement: dict | None = None) -> Sides:
    company, university = OrganizationFactory(), OrganizationFactory(university=True)
    return Sides(
        company,
        university,
        member(company),
        member(university),
        DemandFactory(owner=company, published=True, **(demand or {})),
        AchievementFactory(owner=university, published=True, **(achievement or {})),
    )


def inquiry(of: Sides, **kwargs) -> Inquiry:
    """The university writes to the company about its demand."""
    given = {
        "by": of.seller,
        "on_behalf_of": of.university,
        "own": of.supply,
        "message": "我们的填料在贵厂同类水质上连续运行了 90 天，想约一次现场交流。",
        "shares": ["contact_name", "phone", "body"],
    }
    return services.inquire(of.need, **{**given, **kwargs})


def deal(of: Sides, **kwargs) -> Deal:
    return services.accept(inquiry(of, **kwargs), by=of.buyer)


def terms(**kwargs) -> dict[str, Any]:
    """What an offer says, amounts in 元."""
    today = timezone.localdate()
    return {
        "amount_total": Decimal("1800000.00"),
        "amount_tech": Decimal("1500000.00"),
        "contract_type_code": "TD1",
        "terms": "分三期支付，验收后付清；改进成果双方共有。",
        "starts_on": today,
        "ends_on": today + dt.timedelta(days=365),
        **kwargs,
    }


def offer(of: Sides, on: Deal, **kwargs) -> Offer:
    """The university offers."""
    return services.offer(on, by=of.seller, on_behalf_of=of.university, **terms(**kwargs))


def agreed(of: Sides) -> Deal:
    """A deal whose offer the company accepted."""
    return services.accept_offer(offer(of, deal(of)), by=of.buyer)
