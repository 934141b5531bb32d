"""The desk of one person: what waits for him by every app, his figures, and what he is likely to do next, by role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.models import ListingRecord
from marketplace import money
from marketplace.accounts import selectors as accounts
from marketplace.accounts.models import Organization
from marketplace.agencies import selectors as agencies
from marketplace.contracts import selectors as contracts
from marketplace.contracts.models import Attribution, Officer, Registration
from marketplace.deals import selectors as deals
from marketplace.desk import Waiting, further
from marketplace.posting import selectors as posting
from marketplace.sums import in_fen

# What waits for answers is shown whole up to here; the pages behind it show the rest.
SHOWN = 40
SOURCES = (contracts.waiting_for, deals.waiting_for, agencies.waiting_for, posting.waiting_for, accounts.waiting_for)


@dataclass(frozen=True)
class Roles:
    """What this person is today, asked once a page."""

    acting: Organization | None
    is_broker: bool
    is_moderator: bool
    is_officer: bool
    is_editor: bool

    @property
    def offers(self) -> bool:
        """True where his organisation rather offers technology than seeks it."""
        return self.acting is not None and self.acting.kind in ("university", "institute")

    @property
    def is_member(self) -> bool:
        return self.acting is not None


def roles_of(user: Any, acting: Organization | None) -> Roles:
    return Roles(
        acting=acting,
        is_broker=agencies.broker_of(user) is not None,
        is_moderator=user.is_moderator,
        is_officer=Officer.objects.of(user).exists(),
        is_editor=user.is_staff and not user.is_moderator,
    )


@dataclass
class Group:
    """What waits of one kind, the most pressing first."""

    title: str
    rows: list[Waiting] = field(default_factory=list)

    @property
    def late(self) -> int:
        return sum(row.is_late for row in self.rows)


def waiting(user: Any, acting: Organization | None) -> list[Waiting]:
    """Everything that waits for this person, late things first, then by their day."""
    found = [row for source in (*SOURCES, *further()) for row in source(user, acting)]
    never = dt.date.max
    return sorted(found, key=lambda w: (not w.is_late, w.due or never, w.since or never))


def groups(rows: Iterable[Waiting]) -> list[Group]:
    """The same by kind, in the order of each kind's most pressing row."""
    found: dict[str, Group] = {}
    for row in rows:
        found.setdefault(row.group or _("其他"), Group(row.group or _("其他"))).rows.append(row)
    return list(found.values())


def acts(roles: Roles) -> list[dict[str, str]]:
    """Links to what this person is likely to begin: {"label", "name" (of the address) or "href", "icon"}."""
    demand = {"label": _("发布技术需求"), "name": "demand_new", "icon": "plus"}
    supply = {"label": _("发布科技成果"), "name": "achievement_new", "icon": "plus"}
    found: list[dict[str, str]] = []
    if roles.is_officer:
        found.append({"label": _("登记办理"), "name": "registrar", "icon": "stamp"})
    if roles.is_moderator:
        found.append({"label": _("审核发布内容"), "href": "/admin/moderation/", "icon": "check-circle"})
        found.append({"label": _("核实单位"), "href": "/accounts/verifications/", "icon": "shield-check"})
        found.append({"label": _("纠错与举报"), "name": "reports", "icon": "flag"})
    if roles.is_broker:
        found.append({"label": _("我的委托"), "name": "mandates", "icon": "handshake"})
        found.append({"label": _("等待答复的需求"), "href": "/demands/?availability=open", "icon": "search"})
    if roles.is_member:
        found += [supply, demand] if roles.offers else [demand, supply]
        found.append({"label": _("登记技术合同"), "name": "contract_new", "icon": "file-check"})
    if roles.is_editor or roles.is_moderator:
        found.append({"label": _("内容后台"), "href": "/admin/", "icon": "edit"})
    return found


def links(roles: Roles) -> list[dict[str, str]]:
    """The lists of what is his: {"label", "name"}."""
    found = []
    if roles.is_member:
        found += [
            {"label": _("我的发布"), "name": "my_listings"},
            {"label": _("对接与洽谈"), "name": "deals"},
            {"label": _("合同与登记"), "name": "contracts"},
        ]
    elif roles.is_broker:
        found.append({"label": _("对接与洽谈"), "name": "deals"})
    return [*found, {"label": _("账户与单位"), "name": "account"}, {"label": _("通知"), "name": "notices"}]


def figures(user: Any, roles: Roles) -> list[dict[str, Any]]:
    """Four or five figures of this person's work, each with its way in; amounts are sums of 元."""
    found: list[dict[str, Any]] = []
    if roles.is_officer:
        found += _office_figures(user)
    if roles.is_moderator:
        n = posting.waiting_reviews().count()
        found.append({"label": _("待审核内容"), "value": n, "unit": _("条"), "href": "/admin/moderation/"})
    if roles.is_broker:
        found += _broker_figures(user)
    if roles.acting is not None:
        # A broker's agency seldom publishes itself: nothing is no figure where there are others.
        found += [one for one in _member_figures(user, roles.acting) if one["value"] or not found]
    return found[:5]


def _member_figures(user: Any, acting: Organization) -> list[dict[str, Any]]:
    live = Q(achievement__live=True) | Q(demand__live=True) | Q(expert__live=True) | Q(project__live=True)
    listed = ListingRecord.objects.filter(live, owner=acting).aggregate(
        n=Count("pk"), open=Count("pk", filter=Q(availability="open"))
    )
    going = deals.deals_with_amount(user).open().filter(Q(buyer=acting) | Q(seller=acting))
    sums = going.order_by().aggregate(n=Count("pk"), fen=in_fen("amount"))
    signed = Registration.objects.public().filter(contract__parties__organization=acting).distinct()
    mine = Registration.objects.filter(pk__in=signed.values("pk"))
    done = mine.aggregate(n=Count("pk"), fen=in_fen("contract__amount_total"))
    return [
        {
            "label": _("公开的成果和需求"),
            "value": listed["n"],
            "unit": _("条"),
            "note": _("可对接 %(n)d 条") % {"n": listed["open"]},
            "href": "/desk/listings/",
        },
        {
            "label": _("洽谈中"),
            "value": sums["n"],
            "unit": _("单"),
            "note": _amount(_("报价合计"), sums["fen"]),
            "href": "/deals/",
        },
        {
            "label": _("已登记合同"),
            "value": done["n"],
            "unit": _("项"),
            "note": _amount(_("成交额"), done["fen"]),
            "href": "/contracts/",
        },
    ]


def _broker_figures(user: Any) -> list[dict[str, Any]]:
    won = Attribution.objects.filter(broker__user=user).aggregate(n=Count("pk"), fen=in_fen("amount_total"))
    return [
        {
            "label": _("有效委托"),
            "value": agencies.mandates_of(user).count(),
            "unit": _("份"),
            "href": "/deals/mandates/",
        },
        {
            "label": _("促成登记"),
            "value": won["n"],
            "unit": _("项"),
            "note": _amount(_("成交额"), won["fen"]),
            "href": "/deals/",
        },
    ]


def _office_figures(user: Any) -> list[dict[str, Any]]:
    soon = timezone.localdate() + dt.timedelta(days=3)
    year = timezone.localdate().replace(month=1, day=1)
    table = Registration.objects.queue_of(user).aggregate(
        open=Count("pk", filter=Q(state__in=("submitted", "accepted", "expert_review", "second_review"))),
        soon=Count("pk", filter=Q(state__in=("accepted", "expert_review", "second_review"), due_on__lte=soon)),
        done=Count("pk", filter=Q(state="registered", registered_on__gte=year)),
    )
    return [
        {
            "label": _("在办申请"),
            "value": table["open"],
            "unit": _("件"),
            "note": _("三天内到期 %(n)d 件") % {"n": table["soon"]},
            "href": "/registrar/",
        },
        {"label": _("今年已登记"), "value": table["done"], "unit": _("项"), "href": "/registrar/"},
    ]


def _amount(label: str, fen: int) -> str:
    return f"{label} {money.auto(money.from_fen(fen))}" if fen else ""
