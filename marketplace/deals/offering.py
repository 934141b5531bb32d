"""Offers (报价): one open at a time, answered by the other side's own people, copied into the contract once
accepted."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.models import TransferMode
from marketplace import workdays
from marketplace.accounts.models import Organization
from marketplace.workflow import Conflict, MoveNotAllowed, record_act

from . import codes
from .dealing import tell
from .models import Deal, Offer
from .permissions import require_party, require_side

# Ours: an offer waits ten working days in the list of what is due; it does not lapse.
ANSWER_DAYS = 10


@transaction.atomic
def offer(
    deal: Deal,
    *,
    by: Any,
    on_behalf_of: Organization,
    amount_total: Decimal,
    amount_tech: Decimal,
    contract_type_code: str,
    terms: str,
    starts_on: dt.date,
    ends_on: dt.date,
    transfer_mode: TransferMode | None = None,
    payment_code: str = "P1",
) -> Offer:
    """One side offers; an offer still open, of whichever side, is replaced by it. Amounts in 元, 0 < tech ≤ total.

    By a side's people or its broker (mandate in force). Raises ValidationError by field, PermissionDenied,
    MoveNotAllowed where the deal is no longer open to offers, Conflict where somebody offered or answered first.
    """
    require_party(deal, by, on_behalf_of)
    if deal.state != "contacted":
        state = deal.get_state_display()
        raise MoveNotAllowed(_("现在的状态是“%(state)s”，不能再报价。") % {"state": state})
    made = Offer(
        deal=deal,
        from_organization=on_behalf_of,
        to_organization=deal.other_side(on_behalf_of),
        by=by,
        contract_type_code=contract_type_code,
        transfer_mode=transfer_mode,
        amount_total=amount_total,
        amount_tech=amount_tech,
        payment_code=payment_code,
        terms=terms.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        state="made",
    )
    _check(made)
    # Raises the deal's version: of two who offer or answer at once, one is told of the other.
    due = workdays.deadline(timezone.localdate(), ANSWER_DAYS)
    deal.change(next_step=_("等待%(name)s答复报价") % {"name": made.to_organization.label}, next_step_on=due.day)
    for old in Offer.objects.filter(deal=deal, state="made"):
        old.move("replace", by=None, data={"through": {"id": by.pk, "name": str(by)}})
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        raise Conflict(deal) from error
    record_act(made, "offer.make", by=by, on_behalf_of=on_behalf_of, data={"amount_total": str(made.amount_total)})
    tell(deal, "offered", besides=on_behalf_of, key=str(made.pk), offer=made)
    return made


def _check(made: Offer) -> None:
    errors: dict[str, str] = {}
    if made.contract_type_code not in codes.contract_types():
        errors["contract_type_code"] = _("请选择合同类别。")
    if made.payment_code not in codes.payment_methods():
        errors["payment_code"] = _("请选择支付方式。")
    if made.amount_total is None or made.amount_total <= 0:
        errors["amount_total"] = _("合同成交额要大于零。")
    if made.amount_tech is None or made.amount_tech <= 0:
        errors["amount_tech"] = _("技术交易额要大于零。")
    elif made.amount_total is not None and made.amount_tech > made.amount_total:
        errors["amount_tech"] = _("技术交易额不能大于合同成交额。")
    if made.starts_on and made.ends_on and made.ends_on < made.starts_on:
        errors["ends_on"] = _("完成日期早于开始日期。")
    if not made.terms:
        errors["terms"] = _("请写明主要条款。")
    if errors:
        raise ValidationError(errors)
    made.full_clean(validate_unique=False, validate_constraints=False)


@transaction.atomic
def accept_offer(offer: Offer, *, by: Any, on_behalf_of: Organization | None = None) -> Deal:
    """The other side agrees: the deal's terms stand. Never by the side that offered, never by a broker.

    Raises PermissionDenied, MoveNotAllowed, Conflict where it was replaced or answered meanwhile.
    """
    side = on_behalf_of or offer.to_organization
    _require_answerer(offer, by, side)
    deal = _locked(offer)
    offer.move("accept", by=by, on_behalf_of=side, answered_by=by, answered_at=timezone.now())
    deal.move("agree", by=by, on_behalf_of=side, next_step=_("起草技术合同"), next_step_on=None)
    tell(deal, "offer_accepted", besides=side, key=str(offer.pk), offer=offer)
    return deal


@transaction.atomic
def decline_offer(offer: Offer, *, by: Any, note: str, on_behalf_of: Organization | None = None) -> Offer:
    """The other side says no and why; talks go on. Raises ValidationError, PermissionDenied, MoveNotAllowed,
    Conflict."""
    side = on_behalf_of or offer.to_organization
    if not note.strip():
        raise ValidationError({"note": _("请写明不接受的原因，对方好修改报价。")})
    _require_answerer(offer, by, side)
    deal = _locked(offer)
    offer.move(
        "decline",
        by=by,
        on_behalf_of=side,
        note=note.strip(),
        answered_by=by,
        answered_at=timezone.now(),
        answer_note=note.strip()[:500],
    )
    deal.change(next_step=_("修改报价"), next_step_on=None)
    tell(deal, "offer_declined", besides=side, key=str(offer.pk), offer=offer)
    return offer


def _locked(offer: Offer) -> Deal:
    """The offer's deal as it stands, held until the transaction ends. Always the deal before its offers: an answer and
    a new offer that each held one row and waited for the other's would be a deadlock."""
    return Deal.objects.select_for_update(of=("self",), no_key=True).get(pk=offer.deal_id)


def _require_answerer(offer: Offer, by: Any, side: Organization) -> None:
    if side.pk != offer.to_organization_id:
        raise MoveNotAllowed(_("报价只能由对方答复，不能由报价的一方自己接受或拒绝。"))
    require_side(offer.deal, by, side)
