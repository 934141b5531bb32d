"""What people may see of people and organisations, and what waits for them."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import ModelLogEntry

from cms.identifiers import half_width
from cms.numbers import normalise
from marketplace.desk import Waiting

from .models import Membership, Organization, User, VerificationRequest
from .models.organizations import fold
from .services import texts_in_force

LATE_DAYS = 5


def find_exact(text: str) -> Organization | None:
    """The organisation in use whose full name (now or before), credit code or number this is. Parts of a name find
    nothing: an unverified organisation is known only to whoever knows its name."""
    text = text.strip()
    if not text:
        return None
    found = Organization.objects.filter(is_active=True)
    number, code = normalise(text), half_width(text)
    if number:
        return found.filter(number=number).first()
    return (found.filter(credit_code=code).first() if len(code) == 18 else None) or found.named(text)


def verifications_for(user: User) -> QuerySet[VerificationRequest]:
    """The requests that this person may open: staff all, others their own and those of organisations they head."""
    rows = VerificationRequest.objects.select_related("organization", "applicant", "region", "decided_by")
    if user.is_moderator:
        return rows
    headed = [m.organization_id for m in user.approved_memberships if m.role == "head"]
    return rows.filter(Q(applicant=user) | Q(organization__in=headed, is_claim=False))


def to_verify(user: User) -> QuerySet[VerificationRequest]:
    """The open requests that this member of staff may decide: not his own, not of his organisations; oldest first."""
    if not user.is_moderator:
        return VerificationRequest.objects.none()
    rows = verifications_for(user).filter(state="submitted").exclude(applicant=user)
    return rows.exclude(organization__in=user.organization_ids()).order_by("state_since", "pk")


def to_approve(user: User) -> QuerySet[Membership]:
    """Open requests to join: of the organisations that this person heads, and for an administrator of headless ones."""
    rows = Membership.objects.filter(state="requested", organization__is_active=True).exclude(user=user)
    headed = [m.organization_id for m in user.approved_memberships if m.role == "head"]
    mine = Q(organization__in=headed)
    if user.is_administrator:
        with_head = Membership.objects.filter(state="approved", role="head", user__is_active=True).values(
            "organization"
        )
        mine |= ~Q(organization__in=with_head)
    return rows.filter(mine).select_related("user", "organization").order_by("state_since", "pk")


def similar_names(request: VerificationRequest) -> list[Organization]:
    """Other organisations that staff should compare: the same code declared, or one name within the other."""
    name = fold(request.organization.name)
    core = name[:6]
    rows = Organization.objects.exclude(pk=request.organization_id).filter(
        Q(declared_code=request.credit_code) | Q(names__folded__startswith=core) | Q(names__folded__contains=name)
    )
    return list(rows.distinct().order_by("name")[:10])


def organization_history(organization: Organization, limit: int = 30) -> list[ModelLogEntry]:
    """The log of an organisation, its memberships and verifications together, newest first."""
    wanted = Q(pk__in=[])
    for model, keys in (
        (Organization, [organization.pk]),
        (Membership, organization.memberships.values_list("pk", flat=True)),
        (VerificationRequest, organization.verifications.values_list("pk", flat=True)),
    ):
        kind = ContentType.objects.get_for_model(model)
        wanted |= Q(content_type=kind, object_id__in=[str(key) for key in keys])
    return list(ModelLogEntry.objects.filter(wanted).select_related("user").order_by("-timestamp", "-pk")[:limit])


def unagreed_texts(user: User) -> list[Any]:
    """The texts in force that this person has not agreed to (a new version, or consent withdrawn)."""
    agreed = set(user.consents.filter(withdrawn_at__isnull=True).values_list("text_id", flat=True))
    return [text for text in texts_in_force() if text.pk not in agreed]


def waiting_for(user: User, acting: Organization | None) -> list[Waiting]:
    """For the desk: join requests, verifications (staff), own returned ones, an organisation without verification."""
    today = timezone.localdate()
    found = []
    for membership in to_approve(user)[:20]:
        found.append(
            Waiting(
                _("批准 %(person)s 加入单位") % {"person": membership.user},
                f"/accounts/organizations/{membership.organization.number}/#members",
                detail=str(membership.organization),
                group=_("单位"),
                since=timezone.localdate(membership.state_since),
            )
        )
    for request in to_verify(user)[:20]:
        since = timezone.localdate(request.state_since)
        found.append(
            Waiting(
                _("%(act)s %(name)s") % {"act": _(request.act), "name": request.organization},
                f"/accounts/verifications/{request.pk}/",
                detail=request.credit_code,
                group=_("单位核实"),
                since=since,
                is_late=(today - since).days > LATE_DAYS,
            )
        )
    returned = VerificationRequest.objects.filter(applicant=user, state="returned").select_related("organization")
    for request in returned:
        found.append(
            Waiting(
                _("更正并重新提交%(act)s申请") % {"act": _(request.act)},
                f"/accounts/organizations/{request.organization.number}/verify/",
                detail=f"{request.organization}：{request.decision_note}",
                group=_("单位"),
                since=timezone.localdate(request.state_since),
            )
        )
    if acting is not None and _needs_verification(acting, user):
        found.append(
            Waiting(
                _("为本单位申请核实"),
                f"/accounts/organizations/{acting.number}/verify/",
                detail=_("核实后单位页显示“已核实”，可阅读限会员公开的详情"),
                group=_("单位"),
                since=timezone.localdate(acting.created_at),
            )
        )
    return found


def _needs_verification(organization: Organization, user: User) -> bool:
    if organization.is_verified or not user.is_head_of(organization):
        return False
    return not organization.verifications.filter(state__in=("submitted", "returned")).exists()
