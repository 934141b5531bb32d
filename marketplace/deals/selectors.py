"""What pages, desk and API read of matches, inquiries and deals. Every question asks `.visible_to(user)`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.models import ListingRecord
from marketplace import money
from marketplace.accounts.models import Organization
from marketplace.agencies.selectors import clients_of, is_broker_for, mandates_of
from marketplace.desk import Waiting
from marketplace.sums import in_fen
from search.matching import AVAILABLE

from .cards import UnderWay, card
from .models import Comparison, Deal, Inquiry, Match, Offer

LISTED = ("strong", "possible")
PAGE_LIMIT = 50


@dataclass(frozen=True)
class MatchList:
    """The matches of one listing for one reader. `cards`: variables of components/match_card.html, best first."""

    record: ListingRecord
    cards: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    weak: int = 0
    comparison: Comparison | None = None
    is_due: bool = False

    @property
    def basis(self) -> str:
        """What the listing was compared with, and as of when."""
        if self.comparison is None:
            return ""
        what = _("项成果") if self.record.kind == "demand" else _("项需求")
        when = timezone.localtime(self.comparison.index_time or self.comparison.computed_at)
        return _("与 %(n)s %(what)s比对，索引时间 %(when)s") % {
            "n": f"{self.comparison.compared_with:,}",
            "what": what,
            "when": f"{when:%Y-%m-%d %H:%M}",
        }

    @property
    def stops(self) -> str:
        """Where matches stop, in one sentence."""
        told = _("有新成果达到“可能匹配”时，会通知需求方和经纪人。")
        if self.record.kind != "demand":
            told = _("有新需求达到“可能匹配”时，会列在这里。")
        if not self.total:
            return (_("有 %(n)d 项只有零散词语相同，未列入匹配。") % {"n": self.weak} if self.weak else "") + told
        if self.weak:
            return _("第 %(next)d 项起只有零散词语相同，未列入匹配。") % {"next": self.total + 1} + told
        return _("其余条目没有达到“可能匹配”。") + told


def may_work_on(record: ListingRecord, user: Any) -> bool:
    """Who sees a listing's working page of matches: its owner, his broker with a mandate in force, staff."""
    if not getattr(user, "is_authenticated", False):
        return False
    return record.is_owned_by(user) or user.sees_all_listings or is_broker_for(user, record)


def public_matches(record: ListingRecord, user: Any, limit: int = 10) -> MatchList:
    """The matches that a listing's public page shows: both sides public, strong and possible ones alone."""
    return _listed(record, Match.objects.between_public(), user, limit)


def matches_for(record: ListingRecord, user: Any, limit: int = PAGE_LIMIT) -> MatchList:
    """The matches on the working page: also those with listings that only this reader may know of."""
    return _listed(record, Match.objects.visible_to(user), user, limit)


def _listed(record: ListingRecord, rows: QuerySet[Match], user: Any, limit: int) -> MatchList:
    side, other, rank = ("demand", "supply", "rank_for_demand")
    if record.kind != "demand":
        side, other, rank = ("supply", "demand", "rank_for_supply")
    rows = rows.current().filter(**{side: record, f"{other}__availability__in": AVAILABLE})
    counts = rows.aggregate(total=Count("pk", filter=Q(band__in=LISTED)), weak=Count("pk", filter=~Q(band__in=LISTED)))
    shown = list(
        rows.filter(band__in=LISTED)
        .select_related("demand__demand__region", "demand__owner", "supply__achievement__region", "supply__owner")
        .order_by(F(rank).asc(nulls_last=True), "-score", "pk")[:limit]
    )
    going = _under_way(record, [getattr(row, other) for row in shown], user)
    may_ask = bool(getattr(user, "is_authenticated", False)) and (
        record.is_owned_by(user) or is_broker_for(user, record)
    )
    mine = frozenset(user.organization_ids()) if getattr(user, "is_authenticated", False) else frozenset()
    cards = []
    for number, row in enumerate(shown, 1):
        counterpart = getattr(row, other)
        found = going.get(counterpart.pk)
        acts = _acts(record, counterpart, row, found, may_ask, counterpart.owner_id in mine)
        cards.append(
            {
                "rank": number,
                **card(
                    row,
                    side="demand" if side == "demand" else "achievement",
                    acts=acts,
                    under_way=found,
                    in_talks=found is not None and found.is_deal,
                ),
            }
        )
    comparison = Comparison.objects.filter(record=record).first()
    is_due = hasattr(record, "match_due")
    return MatchList(record, cards, counts["total"], counts["weak"], comparison, is_due)


def _acts(
    record: ListingRecord,
    counterpart: ListingRecord,
    match: Match,
    going: UnderWay | None,
    may_ask: bool,
    is_counterparts: bool,
) -> list[dict[str, Any]]:
    """The first act, or the way to what is under way instead."""
    if going is not None:
        return [{"label": going.act, "kind": "act", "href": going.url}]
    if may_ask and counterpart.owner_id:
        url = reverse("inquiry_new", args=[counterpart.number])
        return [{"label": _("申请对接"), "kind": "fill", "href": f"{url}?own={record.number}&match={match.pk}"}]
    if is_counterparts:
        url = reverse("inquiry_new", args=[record.number])
        return [{"label": _("申请对接"), "kind": "fill", "href": f"{url}?own={counterpart.number}&match={match.pk}"}]
    return []


def _under_way(record: ListingRecord, others: Sequence[ListingRecord], user: Any) -> dict[int, UnderWay]:
    """By counterpart: the deal or the open inquiry between it and this listing that the reader may see."""
    if not others or not getattr(user, "is_authenticated", False):
        return {}
    pks = [one.pk for one in others]
    found: dict[int, UnderWay] = {}
    pair = (
        Q(about=record, own__in=pks)
        | Q(about__in=pks, own=record)
        | Q(about__in=pks, from_organization=record.owner_id)
    )
    waiting = Inquiry.objects.visible_to(user).filter(pair, state="sent").order_by("created_at")
    for inquiry in waiting:
        other = inquiry.own_id if inquiry.about_id == record.pk else inquiry.about_id
        sent = inquiry.from_organization_id in user.organization_ids()
        day = f"{timezone.localtime(inquiry.created_at):%m-%d}"
        word = _("%(day)s 已申请对接，等待答复") if sent else _("%(day)s 收到对接申请，待答复")
        act = _("查看申请") if sent else _("去答复")
        found[other] = UnderWay(word % {"day": day}, "wait", reverse("inquiry", args=[inquiry.pk]), act)
    deals = Deal.objects.visible_to(user).filter(Q(demand=record, supply__in=pks) | Q(supply=record, demand__in=pks))
    for deal in deals.exclude(state="lost").order_by("created_at"):
        other = deal.supply_id if deal.demand_id == record.pk else deal.demand_id
        word = f"{deal.get_state_display()} {deal.number}"
        found[other] = UnderWay(word, "act", deal.get_absolute_url(), _("查看对接进展"), is_deal=True)
    return found


# Deals by state


@dataclass(frozen=True)
class Column:
    """One state of the deals page: how many, the sum of their offers in 元, the newest of them."""

    state: str
    label: str
    count: int
    total: Decimal
    deals: list[Deal]

    @property
    def rest(self) -> int:
        return self.count - len(self.deals)


COLUMN_LIMIT = 20


def deals_with_amount(user: Any) -> QuerySet[Deal]:
    """Deals this person may see, each with `amount`: the accepted offer, else the open one, else the last (元 or
    None)."""
    offers = Offer.objects.filter(deal=OuterRef("pk")).exclude(state="replaced")
    amount = Subquery(offers.order_by("-pk").values("amount_total")[:1])
    return Deal.objects.visible_to(user).select_related("buyer", "seller").annotate(amount=amount)


def columns(user: Any, only: str = "") -> list[Column]:
    """Every state with count, sum and its deals, next due first; `only` one state shows all of it."""
    rows = deals_with_amount(user)
    sums = {
        row["state"]: (row["n"], money.from_fen(row["fen"]))
        for row in rows.order_by().values("state").annotate(n=Count("pk"), fen=in_fen("amount"))
    }
    found = []
    for state, label in Deal.STATES:
        count, total = sums.get(state, (0, Decimal(0)))
        if only and state != only:
            shown: list[Deal] = []
        elif count:
            chosen = rows.filter(state=state).order_by(F("next_step_on").asc(nulls_last=True), "-state_since")
            shown = list(chosen if only else chosen[:COLUMN_LIMIT])
        else:
            shown = []
        found.append(Column(state, label, count, total, shown))
    return found


def open_inquiries(user: Any) -> QuerySet[Inquiry]:
    """Inquiries still waiting for an answer that this person may see, soonest due first."""
    rows = Inquiry.objects.visible_to(user).filter(state="sent")
    return rows.select_related(
        "about__achievement", "about__demand", "about__expert", "about__project", "from_organization", "to_organization"
    ).order_by("respond_by", "pk")


# Who waits


def waiting_for(user: Any, acting: Organization | None) -> list[Waiting]:
    """Inquiries to answer, offers to answer and next steps that are due, for the organisation one acts for; a broker's
    next steps for his clients."""
    if not getattr(user, "is_authenticated", False):
        return []
    mine = [acting.pk] if acting else []
    return [*_to_answer(mine), *_offers_to_answer(mine), *_next_steps(user, mine)]


def _to_answer(organizations: list[int]) -> list[Waiting]:
    today = timezone.localdate()
    rows = Inquiry.objects.filter(to_organization__in=organizations, state="sent").select_related(
        "from_organization", "about__achievement", "about__demand", "about__expert", "about__project"
    )
    return [
        Waiting(
            title=_("答复对接申请：%(name)s") % {"name": row.from_organization.label},
            url=reverse("inquiry", args=[row.pk]),
            detail=row.about.listing.title,
            group=_("对接"),
            since=_day(row.created_at),
            due=row.respond_by,
            is_late=row.respond_by < today,
        )
        for row in rows.order_by("respond_by")[:50]
    ]


def _offers_to_answer(organizations: list[int]) -> list[Waiting]:
    today = timezone.localdate()
    rows = Offer.objects.filter(to_organization__in=organizations, state="made", deal__state="contacted")
    return [
        Waiting(
            title=_("答复报价：%(name)s") % {"name": row.from_organization.label},
            url=row.deal.get_absolute_url(),
            detail=row.deal.title,
            group=_("报价"),
            since=_day(row.created_at),
            due=row.deal.next_step_on,
            is_late=bool(row.deal.next_step_on and row.deal.next_step_on < today),
        )
        for row in rows.select_related("from_organization", "deal").order_by("created_at")[:50]
    ]


def _next_steps(user: Any, organizations: list[int]) -> list[Waiting]:
    """Deals whose contract is to be drawn up, and planned steps within a week."""
    today = timezone.localdate()
    clients = list({mandate.pk for mandate in mandates_of(user)})
    rows = Deal.objects.open().filter(
        Q(buyer__in=organizations)
        | Q(seller__in=organizations)
        | Q(mandate__in=clients)
        | Q(second_mandate__in=clients)
    )
    soon = Q(next_step_on__lte=today + dt.timedelta(days=7)) | Q(state="terms")
    found = []
    for row in rows.filter(soon).exclude(offers__state="made").order_by("next_step_on")[:50]:
        late = bool(row.next_step_on and row.next_step_on < today)
        found.append(
            Waiting(
                title=row.next_step or _("推进对接"),
                url=row.get_absolute_url(),
                detail=row.title,
                group=_("对接"),
                since=_day(row.state_since),
                due=row.next_step_on,
                is_late=late,
            )
        )
    return found


def _day(moment: dt.datetime) -> dt.date:
    return timezone.localtime(moment).date()


def senders(user: Any) -> list[Organization]:
    """The organisations for which this person may write inquiries today: his own, then his clients."""
    own = [membership.organization for membership in user.approved_memberships]
    return own + [client for client in clients_of(user) if client.pk not in {o.pk for o in own}]
