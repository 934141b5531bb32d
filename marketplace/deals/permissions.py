"""For whom a person may act in inquiries and deals: a side's own people, or its broker while his mandate is in force.

Asked anew in every act: a membership that ended an hour ago or a mandate that ended yesterday is no right today.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from cms.models import ListingRecord
from marketplace.accounts.acting import may_act_for
from marketplace.accounts.models import Organization
from marketplace.agencies.models import Mandate
from marketplace.workflow import MoveNotAllowed

from .models import Deal


def broker_may_act(mandate: Mandate | None, user: Any, client: Organization) -> bool:
    """True where this mandate lets this person act for the client today."""
    return (
        mandate is not None
        and mandate.client_id == client.pk
        and mandate.broker.user_id == user.pk
        and mandate.broker.is_current
        and mandate.is_in_force()
    )


def require_sender(user: Any, organization: Organization, own: ListingRecord | None, mandate: Mandate | None) -> None:
    """Raise unless this person may inquire for the organisation: as its member, or as broker with a mandate in force
    that covers the listing he writes about (PermissionDenied for strangers, MoveNotAllowed where the mandate does not
    reach)."""
    if mandate is None:
        if not may_act_for(user, organization):
            raise PermissionDenied(_("您现在不能代表这个单位办理，请先加入单位并由负责人批准。"))
        return
    if mandate.client_id != organization.pk or mandate.broker.user_id != user.pk:
        raise PermissionDenied(_("这份委托不是给您的，或不是这个单位的。"))
    if not broker_may_act(mandate, user, organization):
        raise MoveNotAllowed(_("委托现在不在有效期内，不能代表%(client)s办理。") % {"client": mandate.client})
    if not mandate.covers(own):
        raise MoveNotAllowed(_("这份委托只限一个条目，请选择该条目后再申请对接。"))


def organizations_in(deal: Deal, user: Any) -> list[Organization]:
    """The sides of a deal for which this person may write offers and notes today (mostly one; none for a reader)."""
    found = [side for side in (deal.buyer, deal.seller) if may_act_for(user, side)]
    for mandate in deal.mandates:
        for side in (deal.buyer, deal.seller):
            if side not in found and broker_may_act(mandate, user, side):
                found.append(side)
    return found


def require_party(deal: Deal, user: Any, organization: Organization) -> None:
    """Raise unless this person may write in the deal for that side: PermissionDenied for strangers, MoveNotAllowed
    for a broker whose mandate is not in force."""
    if organization in organizations_in(deal, user):
        return
    if any(m.broker.user_id == user.pk and m.client_id == organization.pk for m in deal.mandates):
        raise MoveNotAllowed(_("委托已不在有效期内，不能再代表%(client)s办理。") % {"client": organization})
    raise PermissionDenied(_("您不能代表这一方办理。"))


def require_side(deal: Deal, user: Any, organization: Organization) -> None:
    """Raise PermissionDenied unless this person belongs to that side itself: what binds it is no broker's to do."""
    if organization.pk not in (deal.buyer_id, deal.seller_id) or not may_act_for(user, organization):
        raise PermissionDenied(_("这一步要由当事单位自己的人员办理。"))
