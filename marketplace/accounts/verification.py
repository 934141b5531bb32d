"""Who an organisation is, shown by a document and checked by staff; how one that an import made is claimed (认领)."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.identifiers import check_credit_code
from marketplace import files
from marketplace.notifications.services import notify
from marketplace.workflow import MoveNotAllowed, check_version, record_act

from .models import Membership, Organization, User, VerificationRequest
from .models.people import ADMINISTRATOR, MODERATOR

EVIDENCE_KINDS = (".pdf", ".jpg", ".jpeg", ".png")
EVIDENCE_LIMIT = 10 * 1024 * 1024
NOTICES = "accounts/notices/"


class CodeTaken(ValidationError):
    """The credit code belongs to another organisation, which `organization` is."""

    def __init__(self, organization: Organization) -> None:
        super().__init__(
            _("这个统一社会信用代码已属于“%(name)s”。如果就是您的单位，请申请加入。") % {"name": organization},
            code="taken",
        )
        self.organization = organization


@transaction.atomic
def request_verification(
    organization: Organization,
    *,
    by: User,
    credit_code: str,
    legal_representative: str,
    region: Any,
    kind: str,
    evidence: Any,
    is_state_institution: bool = False,
    note: str = "",
) -> VerificationRequest:
    """Ask staff to check an organisation: its head does, or anybody for one that has no head (a claim, 认领).

    `evidence` is an upload (or ContentFile with a name): PDF, JPG or PNG up to 10 MB. `region` is a Region. Raises
    ValidationError (code, file), CodeTaken, MoveNotAllowed (already verified, one open already, not its head).
    """
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    _require_may_ask(organization, by)
    code = _require_code(organization, credit_code)
    checked = files.check(evidence, allowed=EVIDENCE_KINDS, limit=EVIDENCE_LIMIT)
    request = VerificationRequest(
        organization=organization,
        applicant=by,
        credit_code=code,
        legal_representative=legal_representative,
        region=region,
        kind=kind,
        is_state_institution=is_state_institution,
        is_claim=not by.is_head_of(organization),
        evidence_name=checked.name,
        note=note,
        state="submitted",
    )
    _store(request, evidence, checked)
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError as error:
        raise MoveNotAllowed(_open_already(organization)) from error
    record_act(
        request,
        "verification.ask",
        by=by,
        on_behalf_of=None if request.is_claim else organization,
        note=note,
        data={"sha256": checked.sha256, "is_claim": request.is_claim},
    )
    _tell_staff(request)
    return request


@transaction.atomic
def resubmit_verification(
    request: VerificationRequest, *, by: User, version: int | str | None = None, evidence: Any = None, **changes: Any
) -> None:
    """Send a returned request again, put right: `changes` are credit_code, legal_representative, region, kind,
    is_state_institution, note; the old document stays unless a new one comes. Raises as request_verification does, and
    Conflict for a stale form."""
    check_version(request, version)
    _require_may_ask(request.organization, by, but_for=request)
    if "credit_code" in changes:
        changes["credit_code"] = _require_code(request.organization, changes["credit_code"])
    data: dict[str, Any] = {}
    if evidence:
        checked = files.check(evidence, allowed=EVIDENCE_KINDS, limit=EVIDENCE_LIMIT)
        _store(request, evidence, checked)
        changes.update(evidence=request.evidence.name, evidence_name=checked.name)
        data["sha256"] = checked.sha256
    request.change(decision_note="", **changes)
    request.move(
        "resubmit",
        by=by,
        on_behalf_of=None if request.is_claim else request.organization,
        note=changes.get("note", ""),
        data=data,
    )
    _tell_staff(request)


@transaction.atomic
def verify(request: VerificationRequest, *, by: User, note: str = "", version: int | str | None = None) -> None:
    """Staff has checked: the organisation gets its code and day of verification, the applicant is its head.

    Never the applicant himself nor one of the organisation's people. Raises MoveNotAllowed, Conflict.
    """
    check_version(request, version)
    now = timezone.now()
    organization = Organization.objects.select_for_update().get(pk=request.organization_id)
    other = Organization.objects.filter(credit_code=request.credit_code).exclude(pk=organization.pk).first()
    if other is not None:
        raise MoveNotAllowed(
            _("代码 %(code)s 已属于“%(name)s”（%(number)s），不能核实给两个单位，请退回并说明。")
            % {"code": request.credit_code, "name": other, "number": other.number}
        )
    request.move("verify", by=by, note=note, decision_note=note, decided_by=by, decided_at=now)
    organization.credit_code = request.credit_code
    organization.legal_representative = request.legal_representative
    organization.region, organization.kind = request.region, request.kind
    organization.is_state_institution = request.is_state_institution
    organization.verified_at, organization.verified_by = now, by
    organization.save()
    request.organization = organization
    record_act(organization, "organization.verify", by=by, note=note, data={"credit_code": request.credit_code})
    _make_head(request, by)
    for person in organization.people():
        notify(
            [person],
            NOTICES + "verification_passed",
            dedupe=f"verification:{request.pk}:{request.version}:passed",
            url=f"/accounts/organizations/{organization.number}/",
            context={
                "organization": organization,
                "code": request.credit_code,
                "note": note,
                "is_head": person.pk == request.applicant_id,
            },
        )


@transaction.atomic
def return_verification(
    request: VerificationRequest, *, by: User, reason: str, version: int | str | None = None
) -> None:
    """Send a request back with what must be put right. Raises ValidationError without a reason, MoveNotAllowed."""
    check_version(request, version)
    if not reason.strip():
        raise ValidationError(_("请写明退回的理由，申请人要据此更正。"))
    request.move("return", by=by, note=reason, decision_note=reason, decided_by=by, decided_at=timezone.now())
    notify(
        [request.applicant],
        NOTICES + "verification_returned",
        dedupe=f"verification:{request.pk}:{request.version}:returned",
        url=f"/accounts/organizations/{request.organization.number}/verify/",
        context={"organization": request.organization, "reason": reason, "is_claim": request.is_claim},
    )


def staff() -> Any:
    """Who checks organisations."""
    return User.objects.holding(MODERATOR, ADMINISTRATOR)


def why_not_ask(organization: Organization, user: User, *, but_for: VerificationRequest | None = None) -> str:
    """Why this person may not ask for verification (or claim) now; empty when he may. Pages and acts ask here."""
    is_head = user.is_head_of(organization)
    if not organization.is_active:
        return _("这个单位已停用。")
    if organization.is_verified and is_head:
        return _("“%(name)s”已经核实，不用重复申请。") % {"name": organization}
    if not is_head and organization.heads().exists():
        return _("“%(name)s”已有负责人。请申请加入，由负责人批准。") % {"name": organization}
    waiting = organization.verifications.filter(state="submitted").exclude(pk=but_for.pk if but_for else None)
    if waiting.exists():
        return _open_already(organization)
    return ""


def _open_already(organization: Organization) -> str:
    return _("“%(name)s”已有一份申请在核实中，请等结果。") % {"name": organization}


def _require_may_ask(organization: Organization, by: User, *, but_for: VerificationRequest | None = None) -> None:
    why = why_not_ask(organization, by, but_for=but_for)
    if why:
        raise MoveNotAllowed(why)
    if not by.is_active:
        raise PermissionDenied(_("账户已停用。"))


def _require_code(organization: Organization, text: str) -> str:
    code = check_credit_code(text).value
    if organization.credit_code and organization.credit_code != code:
        raise ValidationError(_("与这个单位已登记的统一社会信用代码不一致，请核对证照，或改为认领另一个单位。"))
    return require_free_code(code, but_for=organization)


def require_free_code(text: str, *, but_for: Organization | None = None) -> str:
    """The normalised code. ValidationError where a character is wrong, CodeTaken where another organisation has it."""
    code = check_credit_code(text).value
    other = Organization.objects.filter(credit_code=code).exclude(pk=but_for.pk if but_for else None).first()
    if other is not None:
        raise CodeTaken(other)
    return code


def _store(request: VerificationRequest, upload: Any, checked: files.Checked) -> None:
    """Keep the document under a random name: the given one may say anything and is only shown."""
    upload.seek(0)
    request.evidence.save(f"{secrets.token_hex(16)}{checked.suffix}", upload, save=False)


def _tell_staff(request: VerificationRequest) -> None:
    notify(
        staff().exclude(pk=request.applicant_id),
        NOTICES + "verification_asked",
        dedupe=f"verification:{request.pk}:{request.version}:asked",
        url=f"/accounts/verifications/{request.pk}/",
        mail=False,
        context={
            "organization": request.organization,
            "person": request.applicant,
            "code": request.credit_code,
            "is_claim": request.is_claim,
        },
    )


def _make_head(request: VerificationRequest, by: User) -> None:
    """The applicant speaks for the organisation from now on."""
    membership, made = Membership.objects.get_or_create(
        user=request.applicant,
        organization=request.organization,
        defaults={"role": "head", "state": "approved"},
    )
    if made:
        record_act(membership, "membership.appoint", by=by, data={"verification": request.pk})
    elif membership.state != "approved":
        membership.move("appoint", by=by, role="head", data={"verification": request.pk})
    elif membership.role != "head":
        membership.change(role="head")
        record_act(membership, "membership.role", by=by, data={"from": "member", "to": "head"})
    with suppress(AttributeError):
        del request.applicant.approved_memberships
