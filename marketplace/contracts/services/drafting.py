"""The applicant's acts before submitting: begin from a deal or by hand, fill the form, attach and take off files."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.secrecy import find_mark
from marketplace import files
from marketplace.accounts import acting
from marketplace.accounts.models import Organization
from marketplace.deals.models import Deal, Offer
from marketplace.workflow import Conflict, MoveNotAllowed, record_act

from .. import identity
from ..models import Contract, ContractFile, ContractType, Deduction, IPItem, Party, PaymentMethod, Registration
from ..models.registration import EDITABLE_STATES, is_applicant
from ..steps import STEP_OF
from .common import loaded, lock, require

ROWS = {"sellers", "buyers", "deductions", "ip_items", "files"}
FIELDS = frozenset(STEP_OF) - ROWS
# The usual legal form for each kind of organisation; the applicant corrects it in the form.
NATURE_OF_KIND = {"university": "022", "institute": "021", "government": "010", "agency": "150", "company": "150"}
ALLOWED_FILES = (".pdf", ".jpg", ".jpeg", ".png", ".docx")


def nature_of(organization: Organization) -> str:
    """The default party nature of an organisation: 160 for 股份有限公司, else by its kind."""
    if "股份有限公司" in organization.name:
        return "160"
    return NATURE_OF_KIND.get(organization.kind, "900")


def party_of(organization: Organization, side: str) -> dict[str, Any]:
    """An organisation's data as a party, copied: a later rename does not change what was signed."""
    return {
        "side": side,
        "is_lead": True,
        "kind": "organization",
        "organization": organization,
        "name": organization.name,
        "credit_code": organization.credit_code or "",
        "region_id": organization.region_id,
        "nature_id": nature_of(organization),
        "industry_id": {"university": "83", "institute": "73"}.get(organization.kind),
        "is_rd_organization": organization.kind in ("institute", "university"),
        "is_transfer_organization": organization.kind == "agency",
        "legal_representative": organization.legal_representative,
        "address": organization.address,
    }


@transaction.atomic
def draft(deal: Deal, *, by: Any, on_behalf_of: Organization) -> Contract:
    """Begin the form from an agreed deal: parties, terms and amounts are copied from the accepted offer.

    The seller applies (征求意见稿 art. 11). A deal that has its contract already gives that one back, so a double click
    is harmless. Raises MoveNotAllowed for the wrong side or a deal without an accepted offer, PermissionDenied for a
    person who may not act for the organisation.
    """
    acting.require(by, on_behalf_of)
    require(
        deal.seller_id == on_behalf_of.pk, _("技术合同由卖方申请登记，请由“%(name)s”办理。") % {"name": deal.seller}
    )
    begun = Contract.objects.filter(deal=deal).first()
    if begun is not None:
        return begun
    offer = Offer.objects.filter(deal=deal, state="accepted").first()
    require(
        offer is not None and deal.state in ("terms", "signed"),
        _("双方还没有谈定条件：先由一方接受报价，再申请登记合同。"),
    )
    try:
        with transaction.atomic():
            contract = _begin(deal.title, by=by, applicant=on_behalf_of, deal=deal, **_from_offer(deal, offer))
    except IntegrityError:
        # A second click won the race: there is one contract a deal.
        return Contract.objects.get(deal=deal)
    for organization, side in ((deal.seller, "seller"), (deal.buyer, "buyer")):
        contact = _contact(deal, side)
        Party.objects.create(contract=contract, **party_of(organization, side), **contact)
    _copy_rights(contract, deal)
    return contract


def _from_offer(deal: Deal, offer: Any) -> dict[str, Any]:
    supply = getattr(deal.supply, deal.supply.kind, None) if deal.supply_id else None
    kind = ContractType.objects.filter(code=offer.contract_type_code).first()
    return {
        "contract_type": kind,
        "amount_total": offer.amount_total,
        "amount_tech": offer.amount_tech,
        "payment_method": PaymentMethod.objects.filter(code=offer.payment_code).first(),
        "valid_from": offer.starts_on,
        "valid_to": offer.ends_on,
        "summary": offer.terms[:2000],
        "technology_field_id": getattr(supply, "technology_field_id", None) or _field_of_demand(deal),
        "pricing_mode": getattr(supply, "pricing_mode", ""),
        "seller_is_state_institution": deal.seller.is_state_institution,
        "natures": ["domestic"],
    }


def _field_of_demand(deal: Deal) -> str | None:
    demand = getattr(deal.demand, deal.demand.kind, None) if deal.demand_id else None
    return getattr(demand, "technology_field_id", None)


def _contact(deal: Deal, side: str) -> dict[str, str]:
    """The contact of a side as its listing names it; both sides have met by now."""
    wanted = "achievement" if side == "seller" else "demand"
    record = deal.supply if side == "seller" else deal.demand
    listing = getattr(record, wanted, None) if record is not None and record.kind == wanted else None
    if listing is None:
        return {}
    return {"contact_name": listing.contact_name, "contact_phone": listing.contact_phone}


def _copy_rights(contract: Contract, deal: Deal) -> None:
    if not deal.supply_id or deal.supply.kind != "achievement":
        return
    IPItem.objects.bulk_create(
        IPItem(
            contract=contract,
            number=item.number,
            title=item.title,
            holder=item.holder or deal.seller.name,
            legal_status=_("已授权") if item.is_granted else _("申请中"),
        )
        for item in deal.supply.achievement.patents.all()
    )


@transaction.atomic
def draft_by_hand(*, by: Any, on_behalf_of: Organization, project_name: str) -> Contract:
    """Begin a form without a deal; the applicant stands in it as lead seller. A second click gives back the form that
    the first one began, as long as nothing was filled in. Raises PermissionDenied, MoveNotAllowed."""
    acting.require(by, on_behalf_of)
    name = project_name.strip()
    require(2 <= len(name) <= 200, _("项目名称请写 2 到 200 字。"))
    require(not find_mark([name]), _("文字带有密级标志，涉密合同不在网上办理。没有保存任何内容。"))
    # One beginning at a time for an organisation: the second of two clicks waits here and then finds the first.
    Organization.objects.select_for_update().get(pk=on_behalf_of.pk)
    begun = Contract.objects.filter(
        applicant=on_behalf_of,
        created_by=by,
        deal=None,
        project_name=name,
        registration__state="draft",
        version=1,
    ).first()
    if begun is not None:
        return begun
    contract = _begin(
        name,
        by=by,
        applicant=on_behalf_of,
        natures=["domestic"],
        seller_is_state_institution=on_behalf_of.is_state_institution,
    )
    Party.objects.create(contract=contract, **party_of(on_behalf_of, "seller"))
    return contract


def _begin(name: str, *, by: Any, applicant: Organization, **fields: Any) -> Contract:
    contract = Contract.objects.create(
        project_name=name[:200], applicant=applicant, created_by=by, filler=by.name[:50], **fields
    )
    registration = Registration.objects.create(contract=contract, state="draft")
    record_act(registration, "registration.draft", by=by, on_behalf_of=applicant)
    return contract


def require_editable(contract: Contract, by: Any) -> Registration:
    """The registration of a form that this person may change now; MoveNotAllowed otherwise. The caller's transaction
    holds the form from here on: nobody hands it in meanwhile."""
    lock(contract.pk)
    registration = Registration.objects.select_related("contract").get(contract=contract)
    require(is_applicant(registration, by), _("只有申请单位的人员可以修改登记表。"))
    require(
        registration.state in EDITABLE_STATES,
        _("登记表在“%(state)s”，不能修改。") % {"state": registration.get_state_display()},
    )
    return registration


@transaction.atomic
def fill(
    contract: Contract,
    *,
    by: Any,
    on_behalf_of: Organization,
    seen: int | str | None = None,
    fields: dict[str, Any] | None = None,
    sellers: list[dict[str, Any]] | None = None,
    buyers: list[dict[str, Any]] | None = None,
    deductions: list[dict[str, Any]] | None = None,
    ip_items: list[dict[str, Any]] | None = None,
) -> Contract:
    """Save a part of the form: plain fields by name, and rows that replace those that stood there (None leaves them).

    seen: the contract's version that the person looked at. Party rows may carry `id_number`, which is checked and
    forgotten; a row with the same `id` as before keeps the hash. Amounts in 元. Returns the contract as it stands.
    Raises MoveNotAllowed (wrong person or state, secrecy mark), Conflict (someone saved in between), ValidationError.
    """
    require_editable(contract, by)
    acting.require(by, on_behalf_of)
    changes = dict(fields or {})
    unknown = set(changes) - FIELDS - {f"{name}_id" for name in FIELDS}
    if unknown:
        raise ValueError(f"no such fields of the form: {sorted(unknown)}")
    require(
        not find_mark(_texts(changes, sellers, buyers, ip_items)),
        _("文字带有密级标志，涉密合同不在网上办理。没有保存任何内容。"),
    )
    _require_amounts(contract, changes)
    stands = contract.version if seen in (None, "") else int(str(seen))
    raised = Contract.objects.filter(pk=contract.pk, version=stands).update(
        version=F("version") + 1, changed_at=timezone.now(), **changes
    )
    if not raised:
        raise Conflict(loaded(contract))
    for side, rows in (("seller", sellers), ("buyer", buyers)):
        if rows is not None:
            _replace_parties(contract, side, rows)
    if deductions is not None:
        contract.deductions.all().delete()
        Deduction.objects.bulk_create(Deduction(contract=contract, **row) for row in deductions)
    if ip_items is not None:
        contract.ip_items.all().delete()
        IPItem.objects.bulk_create(IPItem(contract=contract, **row) for row in ip_items)
    return loaded(contract)


def _texts(changes: dict[str, Any], *rows: list[dict[str, Any]] | None) -> list[str]:
    texts = [value for value in changes.values() if isinstance(value, str)]
    for group in rows:
        texts += [value for row in group or () for value in row.values() if isinstance(value, str)]
    return texts


def _require_amounts(contract: Contract, changes: dict[str, Any]) -> None:
    """What the database would refuse is said in words first."""
    total = changes.get("amount_total", contract.amount_total)
    tech = changes.get("amount_tech", contract.amount_tech)
    require(total is None or total > 0, _("合同成交总额应大于 0。"))
    require(total is None or tech is None or 0 < tech <= total, _("技术交易额应大于 0 且不超过合同成交总额。"))
    start = changes.get("valid_from", contract.valid_from)
    end = changes.get("valid_to", contract.valid_to)
    require(not start or not end or start <= end, _("有效期的止日早于起日。"))


def _replace_parties(contract: Contract, side: str, rows: list[dict[str, Any]]) -> None:
    """The given rows become the parties of a side; the first is the lead unless another says so."""
    before = {party.pk: party for party in contract.parties.filter(side=side)}
    made = []
    named_lead = any(row.get("is_lead") for row in rows)
    for order, given in enumerate(rows):
        row = {key: value for key, value in given.items() if key not in ("id", "id_number", "side")}
        row["is_lead"] = bool(row.get("is_lead")) if named_lead else order == 0
        old = before.get(given.get("id") or 0)
        if row.get("kind") == "person":
            row.update(_identity(given.get("id_number") or "", old))
        made.append(Party(contract=contract, side=side, order=order, **row))
    contract.parties.filter(side=side).delete()
    Party.objects.bulk_create(made)


def _identity(number: str, old: Party | None) -> dict[str, str]:
    if number:
        kept = identity.keep(number)
        return {"id_hash": kept.hash, "id_last4": kept.last4}
    return {"id_hash": old.id_hash, "id_last4": old.id_last4} if old is not None else {}


@transaction.atomic
def attach(
    contract: Contract, upload: Any, *, kind: str, by: Any, on_behalf_of: Organization
) -> tuple[ContractFile, bool]:
    """Keep a file with its hash under a random name; the second value tells that the same file is attached elsewhere.

    A file that is here already (same kind and hash) is given back, not kept twice. The contract's text must be a PDF;
    other kinds may be pictures or DOCX. Raises ValidationError (empty, too large, mislabelled) and MoveNotAllowed.
    """
    registration = require_editable(contract, by)
    acting.require(by, on_behalf_of)
    checked = files.check(upload, allowed=(".pdf",) if kind == "contract" else ALLOWED_FILES)
    require(not find_mark([checked.name]), _("文件名带有密级标志，涉密合同不在网上办理。没有保存任何内容。"))
    elsewhere = ContractFile.objects.filter(sha256=checked.sha256, is_removed=False).exclude(contract=contract).exists()
    row = contract.files.filter(sha256=checked.sha256, kind=kind, is_removed=False).first()
    if row is None:
        row = keep_file(contract, upload, checked, kind=kind, by=by)
        record_act(registration, "registration.attach", by=by, on_behalf_of=on_behalf_of, note=checked.name)
    return row, elsewhere


def keep_file(contract: Contract, upload: Any, checked: files.Checked, *, kind: str, by: Any) -> ContractFile:
    """Write the file and its row. The name on disk says nothing of the contract."""
    row = ContractFile(
        contract=contract, kind=kind, name=checked.name, size=checked.size, sha256=checked.sha256, uploaded_by=by
    )
    row.file.save(f"{uuid.uuid4().hex}{checked.suffix}", upload, save=False)
    row.save()
    return row


@transaction.atomic
def remove_file(contract: Contract, file: ContractFile, *, by: Any, on_behalf_of: Organization) -> None:
    """Take a file off the form. What an office has seen once stays in the archive, marked as removed."""
    registration = require_editable(contract, by)
    acting.require(by, on_behalf_of)
    if file.contract_id != contract.pk or file.kind == "expert":
        raise MoveNotAllowed(_("这个文件不能移除。"))
    ContractFile.objects.filter(pk=file.pk).update(is_removed=True)
    record_act(registration, "registration.detach", by=by, on_behalf_of=on_behalf_of, note=file.name)


@transaction.atomic
def discard(contract: Contract, *, by: Any, on_behalf_of: Organization) -> None:
    """Delete a draft that no office has ever seen. Raises MoveNotAllowed for any other."""
    registration = require_editable(contract, by)
    acting.require(by, on_behalf_of)
    require(
        registration.state == "draft" and registration.submitted_at is None,
        _("提交过的申请不能删除。"),
    )
    stored = [row.file for row in contract.files.all()]
    contract.files.all().delete()
    registration.delete()
    contract.delete()
    transaction.on_commit(lambda: [file.storage.delete(file.name) for file in stored])
