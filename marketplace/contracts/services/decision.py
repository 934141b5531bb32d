"""The end of the way: recognised (number, ledger, certificate, deal, listings), refused, or lapsed."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.publishing import set_availability
from marketplace.accounts.models import User
from marketplace.deals import services as deals
from marketplace.deals.models import Deal
from marketplace.notifications.services import notify
from marketplace.workflow import MoveNotAllowed, check_version

from .. import certificates, ledger, numbering, rules
from ..models import Attribution, ExpertOpinion, RefusalReason, Registration
from ..models.registration import SECOND_REVIEW
from .common import FormIncomplete, loaded, require, tell_applicant
from .office import needs_expert


def obstacles(
    registration: Registration, doubts: list[Any] | None = None, opinions: list[ExpertOpinion] | None = None
) -> list[str]:
    """What stands between this contract and its recognition, besides the person: sentences for dock and service.

    doubts, opinions: the rules' warnings and what experts said, where the caller has asked for them already.
    """
    contract = registration.contract
    out = []
    if not any(f.kind == "contract" and not f.is_removed for f in contract.files.all()):
        out.append(_("没有合同文本"))
    if opinions is None:
        # Asked afresh: a registration that was loaded before the opinion came in must not miss it.
        opinions = list(ExpertOpinion.objects.filter(registration=registration))
    opinion = max(opinions, key=lambda row: (row.entered_at, row.pk), default=None)
    if needs_expert(registration) and opinion is None:
        out.append(_("技术交易额达到大额起点或有争议，缺专家意见"))
    if opinion is not None and opinion.conclusion == "not_technology":
        out.append(_("专家认为不属于技术合同，只能退回或不予登记"))
    if registration.first_reviewer_id is None:
        out.append(_("没有初审记录"))
    if not registration.warning_answer.strip() and (rules.warnings(contract) if doubts is None else doubts):
        out.append(_("规则提示还没有答复"))
    return out


@transaction.atomic
def recognise(
    registration: Registration, *, by: Any, number: str = "", note: str = "", seen: int | str | None = None
) -> Registration:
    """认定登记, in one transaction: number, ledger entry, attribution, certificate, deal, listings, notices.

    by: a second reviewer who is not the first one (service and database both hold it). number: typed in where the
    office takes numbers from the national system, else ignored. The day is the server's local date. Raises
    MoveNotAllowed (obstacles, wrong person or state), Conflict (another was first), FormIncomplete; then nothing
    has changed.
    """
    check_version(registration, seen or None)
    registration.contract = contract = loaded(registration.contract_id)
    if not registration.may("recognise", by):
        # Says why: the state, or the person.
        registration.move("recognise", by=by)
        raise MoveNotAllowed(_("不能认定登记。"))
    faults = rules.errors(contract)
    if faults:
        raise FormIncomplete(faults)
    missing = obstacles(registration)
    require(not missing, _("还不能认定登记：%(what)s。") % {"what": "；".join(missing)})
    today = timezone.localdate()
    office = registration.office
    if office.numbering == "national":
        given = numbering.check_national(number, today.year)
    else:
        given = numbering.next_number(office, today.year)
    registration.move(
        "recognise",
        by=by,
        note=note.strip()[:2000],
        data={"number": given},
        second_reviewer=by,
        registration_number=given,
        registered_on=today,
    )
    ledger.post(
        registration,
        kind="initial",
        amount_total=contract.amount_total,
        amount_tech=contract.amount_tech,
        by=by,
        entered_on=today,
        reference=given,
    )
    _attribute(registration)
    certificates.issue(registration)
    _tell_the_deal(registration, by)
    _announce(registration)
    return registration


def _mandates(registration: Registration) -> list[Any]:
    deal = registration.contract.deal
    return deal.mandates if deal is not None else []


def _attribute(registration: Registration) -> None:
    """Write down which brokers brought the deal about, whatever became of their mandates since."""
    seen: set[int] = set()
    for mandate in _mandates(registration):
        if mandate.broker_id in seen:
            continue
        seen.add(mandate.broker_id)
        Attribution.objects.create(
            registration=registration,
            broker=mandate.broker,
            mandate=mandate,
            broker_name=mandate.broker.user.name,
            agency_name=mandate.broker.organization.name if mandate.broker.organization_id else "",
            amount_total=registration.contract.amount_total,
        )


def _tell_the_deal(registration: Registration, by: Any) -> None:
    """The deal is registered; its listings change their availability by the kind of contract (architecture, 3)."""
    deal = registration.contract.deal
    if deal is None:
        return
    if deal.state == "terms":
        deals.mark_signed(deal, by=by)
    if deal.state == "signed":
        deals.mark_registered(deal, by=by)
    reference = registration.registration_number or ""
    if deal.demand_id:
        set_availability(deal.demand, "solved", reference=reference, by=by)
    if deal.supply_id and deal.supply.kind == "achievement":
        set_availability(deal.supply, _availability(registration), reference=reference, by=by)


def _availability(registration: Registration) -> str:
    """transferred: assigned or licensed exclusively · contracted: sole licence · else open, or negotiating
    elsewhere."""
    contract = registration.contract
    kind = contract.contract_type_id or ""
    if kind.startswith("TT") or (kind.startswith("TL") and contract.licence_mode == "exclusive"):
        return "transferred"
    if kind.startswith("TL") and contract.licence_mode == "sole":
        return "contracted"
    deal = contract.deal
    others = Deal.objects.filter(supply=deal.supply_id, state__in=("contacted", "terms", "signed")).exclude(pk=deal.pk)
    return "negotiating" if others.exists() else "open"


def _announce(registration: Registration) -> None:
    """Seller, buyer and broker are told; each person once."""
    contract = registration.contract
    organizations = {p.organization_id for p in contract.parties.all() if p.organization_id} | {contract.applicant_id}
    people = set(
        User.objects.filter(
            is_active=True, memberships__organization__in=organizations - {None}, memberships__state="approved"
        )
    )
    people |= {mandate.broker.user for mandate in _mandates(registration)}
    notify(
        people,
        "contracts/notices/registered",
        dedupe=f"registered:{registration.form_number}",
        url=contract.get_absolute_url(),
        context={"registration": registration, "contract": contract},
    )


@transaction.atomic
def refuse(
    registration: Registration, *, by: Any, reason_code: str, note: str = "", seen: int | str | None = None
) -> Registration:
    """不予登记 with a code (R01…R11); R11 其他 needs words. From first review by its officer, from second by
    another."""
    check_version(registration, seen or None)
    registration.contract = loaded(registration.contract_id)
    reason = RefusalReason.objects.filter(code=reason_code, is_active=True).first()
    require(reason is not None, _("请选择不予登记的原因。"))
    require(reason_code != "R11" or note.strip(), _("选择“其他”请写明原因。"))
    second = registration.state == SECOND_REVIEW
    changes = {"second_reviewer": by} if second else {}
    registration.move(
        "refuse_second" if second else "refuse",
        by=by,
        note=note.strip()[:2000],
        data={"code": reason_code},
        refusal_reason=reason,
        refusal_note=note.strip()[:2000],
        **changes,
    )
    tell_applicant(registration, "refused", dedupe="1", reason=reason, note=note.strip())
    return registration


@transaction.atomic
def lapse(registration: Registration) -> Registration:
    """逾期未补正: the system refuses with R05 once the day of the supplement has passed. The applicant is told."""
    require(
        registration.supplement_due_on is not None and registration.supplement_due_on < timezone.localdate(),
        _("补正期限还没有到。"),
    )
    reason = RefusalReason.objects.get(code="R05")
    note = _("补正期限 %(day)s 已过，没有收到补正。") % {"day": registration.supplement_due_on}
    registration.move("lapse", by=None, note=note, refusal_reason=reason, refusal_note=note)
    tell_applicant(registration, "refused", dedupe="1", reason=reason, note=note)
    return registration
