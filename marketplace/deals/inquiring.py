"""申请对接: sent, answered, recalled, or left without an answer. An acceptance opens the deal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.models import Availability, ListingRecord
from marketplace import workdays
from marketplace.accounts.models import Organization
from marketplace.agencies.models import Mandate
from marketplace.agencies.selectors import in_force_for
from marketplace.notifications.services import notify
from marketplace.workflow import MoveNotAllowed, record_act

from . import dealing, reasons
from .models import SHARES, Deal, Inquiry, Match
from .permissions import require_sender

# Ours: who has not answered in ten working days is taken to have no interest, and the sender may go elsewhere.
RESPONSE_DAYS = 10
# What the receiver gives with his acceptance unless he ticks otherwise.
ANSWER_SHARES = ("contact_name", "phone", "email")
SHARE_KEYS = frozenset(key for key, _label in SHARES)


class AlreadyOpen(MoveNotAllowed):
    """The same organisation already waits for an answer about this listing; `inquiry` is that one."""

    def __init__(self, inquiry: Inquiry) -> None:
        super().__init__(_("贵单位对这个条目的对接申请正在等待答复，不必再发。"))
        self.inquiry = inquiry


@transaction.atomic
def inquire(
    about: ListingRecord,
    *,
    by: Any,
    on_behalf_of: Organization,
    message: str,
    shares: Sequence[str] = (),
    own: ListingRecord | None = None,
    match: Match | None = None,
    mandate: Mandate | None = None,
) -> Inquiry:
    """Write to the owner of a listing in the name of an organisation; an answer is due in ten working days.

    own: the organisation's listing of the other kind that this is about. match: the suggestion that led here; its other
    side is `own` where none is given. shares: keys of SHARES, given to the other side only when it accepts. mandate:
    the broker's, where he writes for his client.

    Raises PermissionDenied or MoveNotAllowed for one who may not write for the organisation, MoveNotAllowed where the
    listing cannot be asked for, AlreadyOpen where an answer is still due, ValidationError by field.
    """
    if match is not None:
        own = _own_of(match, about, on_behalf_of, own)
    require_sender(by, on_behalf_of, own, mandate)
    _check_listing(about, by, on_behalf_of)
    _check_own(own, about, on_behalf_of)
    waiting = Inquiry.objects.filter(from_organization=on_behalf_of, about=about, state="sent").first()
    if waiting is not None:
        raise AlreadyOpen(waiting)
    due = workdays.deadline(timezone.localdate(), RESPONSE_DAYS)
    inquiry = Inquiry(
        about=about,
        own=own,
        match=match,
        from_organization=on_behalf_of,
        to_organization=about.owner,
        mandate=mandate,
        by=by,
        message=message.strip(),
        shares=_checked(shares),
        respond_by=due.day,
        is_respond_by_provisional=due.is_provisional,
        state="sent",
    )
    inquiry.full_clean(validate_unique=False, validate_constraints=False)
    try:
        with transaction.atomic():
            inquiry.save()
    except IntegrityError as error:
        # Sent twice at the same moment: the constraint lets one through, the other is told of it.
        other = Inquiry.objects.filter(from_organization=on_behalf_of, about=about, state="sent").first()
        if other is None:
            raise
        raise AlreadyOpen(other) from error
    record_act(inquiry, "inquiry.send", by=by, on_behalf_of=on_behalf_of, data={"about": about.number})
    _tell(_receivers(inquiry), inquiry, "inquired")
    return inquiry


def _own_of(
    match: Match, about: ListingRecord, sender: Organization, own: ListingRecord | None
) -> ListingRecord | None:
    pair = {match.demand_id: match.demand, match.supply_id: match.supply}
    if about.pk not in pair:
        raise ValidationError({"match": _("这条匹配与所选条目无关。")})
    other = match.supply if about.pk == match.demand_id else match.demand
    if own is not None and own.pk != other.pk:
        raise ValidationError({"own": _("所选的本方条目不是这条匹配的另一方。")})
    return other if other.owner_id == sender.pk else own


def _check_listing(about: ListingRecord, by: Any, sender: Organization) -> None:
    listing = about.listing
    if not type(listing).objects.published().visible_to(by).filter(pk=listing.pk).exists():
        raise MoveNotAllowed(_("这个条目现在没有公开，不能申请对接。"))
    if about.owner_id is None:
        raise MoveNotAllowed(_("这个条目的权利人是自然人，没有在本站登记单位，暂时不能通过本站申请对接。"))
    if about.owner_id == sender.pk:
        raise MoveNotAllowed(_("这是本单位自己的条目，不能向自己申请对接。"))
    if about.availability not in (Availability.OPEN, Availability.NEGOTIATING):
        state = about.get_availability_display()
        raise MoveNotAllowed(_("这个条目现在的状态是“%(state)s”，不再接受对接。") % {"state": state})


def _check_own(own: ListingRecord | None, about: ListingRecord, sender: Organization) -> None:
    if own is None:
        return
    if own.owner_id != sender.pk:
        raise ValidationError({"own": _("只能选择本单位自己的条目。")})
    if not own.listing.live:
        raise ValidationError({"own": _("所选的本方条目没有公开。")})
    if (own.kind in dealing.NEEDS) == (about.kind in dealing.NEEDS):
        raise ValidationError({"own": _("需求要配成果或专家，成果要配需求：请选择另一类的条目。")})


def _checked(shares: Sequence[str]) -> list[str]:
    unknown = set(shares) - SHARE_KEYS
    if unknown:
        raise ValidationError({"shares": _("不认识的选项：%(keys)s") % {"keys": "、".join(sorted(unknown))}})
    return [key for key, _label in SHARES if key in shares]


@transaction.atomic
def accept(
    inquiry: Inquiry, *, by: Any, on_behalf_of: Organization | None = None, shares: Sequence[str] = ANSWER_SHARES
) -> Deal:
    """The receiver agrees to talk: both sides get what the other ticked and may read each other's listing; a deal
    opens.

    shares: keys of SHARES that the receiver gives in turn. Raises MoveNotAllowed for another person or state, Conflict
    where somebody else answered first.
    """
    side = _answering(inquiry, on_behalf_of)
    inquiry.move(
        "accept",
        by=by,
        on_behalf_of=side,
        answered_by=by,
        answered_at=timezone.now(),
        answer_shares=_checked(shares),
    )
    deal = dealing.open_from(inquiry, by=by)
    _tell(_senders(inquiry), inquiry, "accepted", url=deal.get_absolute_url())
    return deal


@transaction.atomic
def decline(
    inquiry: Inquiry, *, by: Any, reason: str, note: str = "", on_behalf_of: Organization | None = None
) -> Inquiry:
    """The receiver says no, with a coded reason (DECLINE_REASONS) from which the market learns; 其他 needs words.

    Raises ValidationError by field, MoveNotAllowed for another person or state, Conflict.
    """
    reasons.check(reason, note)
    inquiry.move(
        "decline",
        by=by,
        on_behalf_of=_answering(inquiry, on_behalf_of),
        note=note.strip(),
        data={"reason": reason},
        answered_by=by,
        answered_at=timezone.now(),
        decline_reason=reason,
        decline_note=note.strip()[:500],
    )
    _tell(_senders(inquiry), inquiry, "declined")
    return inquiry


@transaction.atomic
def recall(inquiry: Inquiry, *, by: Any, on_behalf_of: Organization | None = None) -> Inquiry:
    """The sender takes it back before an answer. Raises MoveNotAllowed, Conflict."""
    inquiry.move("recall", by=by, on_behalf_of=on_behalf_of or inquiry.from_organization)
    _tell(_receivers(inquiry), inquiry, "recalled")
    return inquiry


@transaction.atomic
def lapse(inquiry: Inquiry) -> Inquiry:
    """The day for an answer has passed without one: the system ends it and tells the sender."""
    inquiry.move("lapse", by=None)
    _tell(_senders(inquiry), inquiry, "lapsed")
    return inquiry


def _answering(inquiry: Inquiry, side: Organization | None) -> Organization:
    if side is not None and side.pk != inquiry.to_organization_id:
        raise PermissionDenied(_("只有收到申请的单位可以答复。"))
    return inquiry.to_organization


def _receivers(inquiry: Inquiry) -> list[Any]:
    """The receiver's people, and his broker for this listing."""
    mandate = in_force_for(inquiry.about)
    return [*inquiry.to_organization.people(), *([mandate.broker.user] if mandate else [])]


def _senders(inquiry: Inquiry) -> list[Any]:
    broker = [inquiry.mandate.broker.user] if inquiry.mandate else []
    return [*inquiry.from_organization.people(), *broker]


def _tell(people: list[Any], inquiry: Inquiry, act: str, url: str = "") -> None:
    notify(
        people,
        f"deals/notices/{act}",
        dedupe=f"inquiry-{inquiry.pk}-{act}",
        url=url or f"/deals/inquiries/{inquiry.pk}/",
        context={"inquiry": inquiry, "listing": inquiry.about.listing, "receiver": receiver_name(inquiry)},
    )


def receiver_name(inquiry: Inquiry) -> str:
    """The receiver's name as the sender may read it: the owner of an anonymous need has none before he accepts."""
    if inquiry.state != "accepted" and getattr(inquiry.about.listing, "is_anonymous", False):
        return inquiry.about.listing.owner_name_public
    return inquiry.to_organization.name
