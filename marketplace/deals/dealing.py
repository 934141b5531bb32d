"""A deal's way from the first talk to the end. Sides, revisions and brokers are copied when it opens and never followed
back: what a listing says later changes nothing in it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cms import publishing
from cms.models import AccessGrant, Availability, ListingRecord
from marketplace.accounts.models import Organization
from marketplace.agencies.models import Mandate
from marketplace.agencies.selectors import in_force_for
from marketplace.notifications.services import notify
from marketplace.workflow import record_act

from . import reasons
from .models import Deal, Inquiry
from .permissions import require_party, require_side

# Kinds whose owner is the buying side.
NEEDS = ("demand", "project")


def open_from(inquiry: Inquiry, *, by: Any) -> Deal:
    """Open the deal of an accepted inquiry, in the caller's transaction: sides, revisions, brokers, access, state of
    the listings."""
    about, own = inquiry.about, inquiry.own
    about_is_need = about.kind in NEEDS
    demand, supply = (about, own) if about_is_need else (own, about)
    receiver, sender = inquiry.to_organization, inquiry.from_organization
    buyer, seller = (receiver, sender) if about_is_need else (sender, receiver)
    first, second = _mandates(inquiry, demand, supply, buyer, seller)
    deal = Deal.objects.create(
        inquiry=inquiry,
        match=inquiry.match,
        demand=demand,
        supply=supply,
        demand_revision=_live_revision(demand),
        supply_revision=_live_revision(supply),
        buyer=buyer,
        seller=seller,
        mandate=first,
        second_mandate=second,
        title=(demand or supply or about).listing.title,
        next_step=_("双方联系，商定报价"),
        state="contacted",
    )
    brokers = [str(mandate.broker) for mandate in deal.mandates]
    record_act(deal, "deal.open", by=by, on_behalf_of=receiver, data={"inquiry": inquiry.pk, "brokers": brokers})
    _give_access(deal, inquiry)
    for record in (demand, supply):
        if record is not None and record.availability == Availability.OPEN:
            publishing.set_availability(record, Availability.NEGOTIATING, reference=deal.number, by=by)
    return deal


def _live_revision(record: ListingRecord | None) -> Any:
    return record.listing.live_revision if record is not None else None


def _mandates(
    inquiry: Inquiry,
    demand: ListingRecord | None,
    supply: ListingRecord | None,
    buyer: Organization,
    seller: Organization,
) -> tuple[Mandate | None, Mandate | None]:
    """The brokers that a deal keeps: who wrote the inquiry (though his mandate end meanwhile), and each side's broker
    for the listing whose mandate is in force today. None is cut out by the parties' going on alone."""
    found: list[Mandate] = [inquiry.mandate] if inquiry.mandate is not None else []
    for record, side in ((demand, buyer), (supply, seller)):
        mandate = in_force_for(record) if record is not None and record.owner_id == side.pk else None
        if mandate is not None and mandate.client_id not in {m.client_id for m in found}:
            found.append(mandate)
    first, second, *_rest = [*found, None, None]
    return first, second


def access_reason(deal: Deal) -> str:
    return f"对接 {deal.number}"


def _give_access(deal: Deal, inquiry: Inquiry) -> None:
    """Each side may read the other's listing whole: the receiver's because he accepted, the sender's if he ticked
    it."""
    reason = access_reason(deal)
    publishing.grant(inquiry.about, organization=inquiry.from_organization, reason=reason)
    if inquiry.own is not None and "body" in inquiry.shares:
        publishing.grant(inquiry.own, organization=inquiry.to_organization, reason=reason)


@transaction.atomic
def lose(deal: Deal, *, by: Any, on_behalf_of: Organization, reason: str, note: str = "") -> Deal:
    """A side ends the talks, with a coded reason; 其他 needs words. Listings are free again, reading rights end today.

    Raises ValidationError by field, PermissionDenied for anybody but the sides (brokers included), MoveNotAllowed where
    the deal is past ending, Conflict.
    """
    reasons.check(reason, note)
    require_side(deal, by, on_behalf_of)
    deal.move(
        "lose",
        by=by,
        on_behalf_of=on_behalf_of,
        note=note.strip(),
        data={"reason": reason},
        lost_reason=reason,
        lost_note=note.strip()[:500],
        next_step="",
        next_step_on=None,
    )
    AccessGrant.objects.active().filter(reason=access_reason(deal)).update(ends_on=timezone.localdate())
    for record in (deal.demand, deal.supply):
        _free(record, deal, by)
    tell(deal, "lost", besides=on_behalf_of)
    return deal


def _free(record: ListingRecord | None, deal: Deal, by: Any) -> None:
    """A listing under talks is open again unless other talks go on."""
    if record is None:
        return
    record.refresh_from_db()
    others = Deal.objects.open().filter(Q(demand=record) | Q(supply=record)).exclude(pk=deal.pk)
    other = others.order_by("-created_at").first()
    if record.availability == Availability.NEGOTIATING:
        state = Availability.NEGOTIATING if other else Availability.OPEN
        publishing.set_availability(record, state, reference=(other or deal).number, by=by)


@transaction.atomic
def plan_next(
    deal: Deal, *, by: Any, on_behalf_of: Organization, next_step: str, next_step_on: dt.date | None = None
) -> Deal:
    """Write what comes next and by when, for all who see the deal. Raises MoveNotAllowed, PermissionDenied,
    Conflict."""
    require_party(deal, by, on_behalf_of)
    deal.change(next_step=next_step.strip()[:120], next_step_on=next_step_on)
    day = next_step_on.isoformat() if next_step_on else ""
    record_act(deal, "deal.plan", by=by, on_behalf_of=on_behalf_of, note=next_step.strip()[:120], data={"on": day})
    return deal


# What contracts says


@transaction.atomic
def mark_signed(deal: Deal, *, by: Any, reference: str = "") -> Deal:
    """A contract of this deal was drawn up and declared signed (called by contracts; twice is once). `by` is kept in
    the log; the step is the system's. Raises MoveNotAllowed where no offer was accepted or the deal has ended."""
    if deal.state not in ("signed", "registered", "won"):
        deal.move("sign", by=None, data=_done_by(by, reference), next_step=_("办理技术合同认定登记"), next_step_on=None)
        tell(deal, "signed")
    return deal


@transaction.atomic
def mark_registered(deal: Deal, *, by: Any, reference: str = "") -> Deal:
    """The contract was recognised and registered (called by contracts; twice is once). Raises MoveNotAllowed."""
    if deal.state in ("registered", "won"):
        return deal
    mark_signed(deal, by=by, reference=reference)
    deal.move("register", by=None, data=_done_by(by, reference), next_step=_("履约，办结后确认成交"), next_step_on=None)
    return deal


@transaction.atomic
def win(deal: Deal, *, by: Any, on_behalf_of: Organization | None = None, reference: str = "") -> Deal:
    """Close a registered deal: by a side (`on_behalf_of`), or by contracts (`by` only in the log). Raises
    MoveNotAllowed."""
    if deal.state == "won":
        return deal
    if on_behalf_of is None:
        deal.move("win", by=None, data=_done_by(by, reference), next_step="", next_step_on=None)
        return deal
    require_side(deal, by, on_behalf_of)
    deal.move("win", by=by, on_behalf_of=on_behalf_of, next_step="", next_step_on=None)
    return deal


def _done_by(by: Any, reference: str) -> dict[str, Any]:
    """Log data of a step that the system makes because of a person's act elsewhere."""
    done: dict[str, Any] = {"reference": reference} if reference else {}
    if by is not None:
        done["through"] = {"id": by.pk, "name": str(by)}
    return done


def people_of(deal: Deal, *, besides: Organization | None = None) -> list[Any]:
    """Both sides' people and the brokers, but for one organisation's."""
    sides = [side for side in (deal.buyer, deal.seller) if besides is None or side.pk != besides.pk]
    return [person for side in sides for person in side.people()] + [m.broker.user for m in deal.mandates]


def tell(deal: Deal, act: str, *, besides: Organization | None = None, key: str = "", **context: Any) -> None:
    """Notices to all who are in the deal (template deals/notices/<act>)."""
    notify(
        people_of(deal, besides=besides),
        f"deals/notices/{act}",
        dedupe=f"deal-{deal.pk}-{act}-{key}".rstrip("-"),
        url=deal.get_absolute_url(),
        context={"deal": deal, "actor": besides, **context},
    )
