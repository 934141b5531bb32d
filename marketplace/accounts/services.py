"""Acts of people and organisations. Each is one transaction, names who did it and for whom, and tells who must know.

Verification stands in `verification.py`; its acts are given here too, callers need one name.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.notifications.services import notify
from marketplace.workflow import MoveNotAllowed, check_version, record_act

from .models import Consent, ConsentText, Membership, Organization, OrganizationName, User
from .models.organizations import fold
from .models.people import ADMINISTRATOR
from .names import check_organization_name
from .verification import (
    CodeTaken,
    request_verification,
    require_free_code,
    resubmit_verification,
    return_verification,
    verify,
)

__all__ = [
    "CodeTaken",
    "NameTaken",
    "approve_membership",
    "ask_to_join",
    "close_account",
    "consent",
    "decline_membership",
    "edit_organization",
    "edit_profile",
    "found_organization",
    "leave",
    "rename",
    "request_verification",
    "resubmit_verification",
    "return_verification",
    "set_role",
    "verify",
]

NOTICES = "accounts/notices/"


class NameTaken(ValidationError):
    """Another organisation bears this name now; `organization` is it: the form offers to join or claim it."""

    def __init__(self, organization: Organization | None) -> None:
        super().__init__(_("已有名称相同的单位。如果就是您的单位，请申请加入或认领，不要重复建立。"), code="taken")
        self.organization = organization


# Consent and the account


@transaction.atomic
def consent(*, user: User) -> list[Consent]:
    """Write that this person agreed to the texts in force today (个人信息保护法 arts. 14 and 17); once per version."""
    rows = []
    for text in texts_in_force():
        row, made = Consent.objects.get_or_create(user=user, text=text)
        if row.withdrawn_at is not None:
            row.withdrawn_at, row.given_at = None, timezone.now()
            row.save(update_fields=["withdrawn_at", "given_at"])
            made = True
        if made:
            record_act(user, "account.consent", by=user, data={"kind": text.kind, "version": text.version})
        rows.append(row)
    return rows


def texts_in_force() -> list[ConsentText]:
    """The newest text of each kind that has taken effect, terms first."""
    today = timezone.localdate()
    found = (ConsentText.objects.filter(kind=kind, effective_on__lte=today).first() for kind in ("terms", "privacy"))
    return [text for text in found if text is not None]


@transaction.atomic
def edit_profile(*, user: User, name: str, phone: str) -> None:
    """Correct one's own name and telephone (个人信息保护法 art. 46)."""
    before = {"name": user.name, "phone": user.phone}
    user.name, user.phone = name, phone
    user.save(update_fields=["name", "phone"])
    changed = [key for key, value in before.items() if value != getattr(user, key)]
    if changed:
        record_act(user, "account.edit", by=user, data={"fields": changed})


@transaction.atomic
def close_account(*, user: User) -> None:
    """Withdraw consent and end the account (个人信息保护法 arts. 15 and 47): no further sign-in, no acting for anybody.
    What was done stays on record, as contract registration must be kept. Raises MoveNotAllowed for the only head of an
    organisation with other members, and for an account of the demo, which everybody shares."""
    if getattr(user, "demo_account", None) is not None:
        raise MoveNotAllowed(_("演示账户供所有来访者使用，不能停用。"))
    for membership in user.memberships.filter(state__in=("requested", "approved")).select_related("organization"):
        if membership.state == "approved" and not _others(membership).exists():
            # Nobody is left behind: an organisation without people can be claimed again.
            membership.move("leave", by=user, on_behalf_of=membership.organization)
        else:
            leave(membership, by=user)
    user.consents.filter(withdrawn_at__isnull=True).update(withdrawn_at=timezone.now())
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])
    record_act(user, "account.close", by=user)


# Organisations


@transaction.atomic
def found_organization(
    *,
    by: User,
    name: str,
    kind: str,
    region: Any = None,
    short_name: str = "",
    address: str = "",
    introduction: str = "",
    is_state_institution: bool = False,
    credit_code: str = "",
) -> Organization:
    """Make an organisation that nobody has verified yet, with `by` as its head. `region` is a Region or None.

    `credit_code` is only remembered: it becomes the organisation's own with verification. Raises NameTaken, CodeTaken,
    and ValidationError for a name with odd letters or a code with a wrong character.
    """
    name = check_organization_name(name)
    code = require_free_code(credit_code) if credit_code else ""
    _require_free_name(name)
    organization = Organization(
        name=name,
        kind=kind,
        region=region,
        short_name=short_name,
        address=address,
        introduction=introduction,
        is_state_institution=is_state_institution,
        declared_code=code,
    )
    try:
        with transaction.atomic():
            organization.save()
            OrganizationName.objects.create(organization=organization, name=name)
    except IntegrityError as error:
        raise NameTaken(_bearer(name)) from error
    Membership.objects.create(user=by, organization=organization, role="head", state="approved")
    forget(by)
    record_act(organization, "organization.found", by=by, on_behalf_of=organization)
    return organization


@transaction.atomic
def edit_organization(organization: Organization, *, by: User, **changes: str) -> None:
    """Change what is not verified: short_name, address, introduction. A head or an administrator."""
    _require_head(organization, by)
    unknown = set(changes) - {"short_name", "address", "introduction"}
    if unknown:
        raise ValueError(f"not editable here: {sorted(unknown)}")
    Organization.objects.filter(pk=organization.pk).update(**changes)
    for key, value in changes.items():
        setattr(organization, key, value)
    record_act(
        organization, "organization.edit", by=by, on_behalf_of=_for(organization, by), data={"fields": [*changes]}
    )


@transaction.atomic
def rename(organization: Organization, *, by: User, name: str, from_on: dt.date | None = None) -> None:
    """Give an organisation another name from a day on (default today), keeping the old one with its days, so that a
    certificate keeps the name of then. Only an administrator; a head only corrects the name of an organisation that
    nobody has verified yet, and leaves no history. Raises MoveNotAllowed, NameTaken, ValidationError."""
    name = check_organization_name(name)
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    old, today = organization.name, timezone.localdate()
    from_on = from_on or today
    current = organization.names.get(until_on__isnull=True)
    if name == old:
        return
    if fold(name) != fold(old):
        _require_free_name(name)
    if by.is_administrator:
        if from_on > today:
            raise MoveNotAllowed(_("更名日期不能晚于今天，请在更名生效后再办理。"))
        if current.from_on and from_on <= current.from_on:
            raise MoveNotAllowed(_("更名日期应晚于现名称的起用日期 %(day)s。") % {"day": current.from_on})
        OrganizationName.objects.filter(pk=current.pk).update(until_on=from_on - dt.timedelta(days=1))
        OrganizationName.objects.create(organization=organization, name=name, from_on=from_on)
    elif organization.is_verified or not by.is_head_of(organization):
        raise MoveNotAllowed(_("已核实单位的名称由平台管理员凭更名证明修改，请与平台联系。"))
    else:
        current.name = name
        current.save()
    organization.name = name
    organization.save(update_fields=["name"])
    record_act(
        organization, "organization.rename", by=by, on_behalf_of=_for(organization, by), data={"from": old, "to": name}
    )
    notify(
        organization.people().exclude(pk=by.pk),
        NOTICES + "renamed",
        dedupe=f"organization:{organization.pk}:renamed:{from_on}:{name}",
        url=_manage(organization),
        context={"organization": organization, "old": old, "day": from_on},
    )


# Memberships


@transaction.atomic
def ask_to_join(*, by: User, organization: Organization, message: str = "") -> Membership:
    """Ask an organisation to take one in; its heads are told, or the administrators where it has none. A second request
    while the first is open is the first. Raises MoveNotAllowed for a member and for an organisation out of use."""
    if not organization.is_active:
        raise MoveNotAllowed(_("这个单位已停用，不能申请加入。"))
    membership = Membership.objects.filter(user=by, organization=organization).first()
    if membership is None:
        membership = Membership.objects.create(user=by, organization=organization, state="requested", message=message)
        record_act(membership, "membership.ask", by=by, note=message)
    elif membership.state == "approved":
        raise MoveNotAllowed(_("您已经是“%(name)s”的成员。") % {"name": organization})
    elif membership.state != "requested":
        # Whoever comes back comes as a member: a former head's power does not return with him.
        membership.move("ask_again", by=by, note=message, message=message, role="member")
    else:
        return membership
    heads = list(organization.heads())
    notify(
        heads or administrators(),
        NOTICES + "join_asked",
        dedupe=f"membership:{membership.pk}:{membership.version}:asked",
        url=_manage(organization),
        context={"organization": organization, "person": by, "message": message},
    )
    return membership


@transaction.atomic
def approve_membership(
    membership: Membership, *, by: User, role: str = "member", version: int | str | None = None
) -> None:
    """Take the person in as a member (or head). A head of the organisation or an administrator, never oneself.
    Raises MoveNotAllowed, Conflict."""
    check_version(membership, version)
    if role not in dict(Membership.ROLES):
        raise ValueError(role)
    membership.move("approve", by=by, on_behalf_of=_for(membership.organization, by), role=role)
    forget(membership.user)
    _tell_member(membership, "join_approved", role=membership.get_role_display())


@transaction.atomic
def decline_membership(membership: Membership, *, by: User, note: str = "", version: int | str | None = None) -> None:
    """Not take the person in, with a reason that he reads."""
    check_version(membership, version)
    membership.move("decline", by=by, on_behalf_of=_for(membership.organization, by), note=note)
    _tell_member(membership, "join_declined", note=note)


@transaction.atomic
def leave(membership: Membership, *, by: User, note: str = "", version: int | str | None = None) -> None:
    """End a membership: one's own, or as a head somebody else's; an open request is withdrawn. From the next request on
    the person no longer acts for the organisation. Raises MoveNotAllowed for its last head (an administrator may end
    that too: only then can the organisation be claimed again)."""
    check_version(membership, version)
    organization = _lock(membership.organization)
    if membership.state == "requested":
        membership.move("withdraw", by=by)
        return
    if not (by.is_administrator and by.pk != membership.user_id):
        _require_another_head(membership)
    membership.move("leave", by=by, on_behalf_of=_for(organization, by), note=note)
    forget(membership.user)
    if by.pk == membership.user_id:
        notify(
            organization.heads(),
            NOTICES + "member_left",
            dedupe=f"membership:{membership.pk}:{membership.version}:left",
            url=_manage(organization),
            context={"organization": organization, "person": membership.user, "note": note},
        )
    else:
        _tell_member(membership, "membership_ended", note=note)


@transaction.atomic
def set_role(membership: Membership, *, by: User, role: str, version: int | str | None = None) -> None:
    """Make a member head or a head member. By a head or an administrator. MoveNotAllowed where none would be left."""
    check_version(membership, version)
    if role not in dict(Membership.ROLES):
        raise ValueError(role)
    organization = _lock(membership.organization)
    _require_head(organization, by)
    if membership.state != "approved":
        raise MoveNotAllowed(_("只有成员才能改角色。"))
    if membership.user_id == by.pk and role == "head" and not by.is_head_of(organization):
        raise MoveNotAllowed(_("不能给自己加上负责人的角色，请由其他管理员办理。"))
    if role == membership.role:
        return
    if role == "member":
        _require_another_head(membership)
    before = membership.role
    membership.change(role=role)
    forget(membership.user)
    record_act(
        membership,
        "membership.role",
        by=by,
        on_behalf_of=_for(organization, by),
        data={"from": before, "to": role},
    )
    if membership.user_id != by.pk:
        _tell_member(membership, "role_changed", role=membership.get_role_display())


# What the acts share


def forget(user: User) -> None:
    """Drop what this user object remembers of memberships; the database has changed."""
    # Not through __dict__: request.user is a lazy object with a dictionary of its own.
    with suppress(AttributeError):
        del user.approved_memberships


def administrators() -> Any:
    """Who is asked where an organisation has no head."""
    return User.objects.holding(ADMINISTRATOR)


def _for(organization: Organization, by: User) -> Organization | None:
    """For whom an act counts: the organisation, when one of its own people did it; staff act for the platform."""
    return organization if organization.pk in by.organization_ids() else None


def _manage(organization: Organization) -> str:
    return f"/accounts/organizations/{organization.number}/"


def _tell_member(membership: Membership, template: str, **context: Any) -> None:
    notify(
        [membership.user],
        NOTICES + template,
        dedupe=f"membership:{membership.pk}:{membership.version}:{template}",
        url=_manage(membership.organization) if membership.state == "approved" else "/accounts/",
        context={"organization": membership.organization, "person": membership.user, **context},
    )


def _lock(organization: Organization) -> Organization:
    """Hold the organisation's row until commit: of two heads who leave at once the second must see the first gone."""
    return Organization.objects.select_for_update().get(pk=organization.pk)


def _others(membership: Membership) -> Any:
    return Membership.objects.filter(
        organization_id=membership.organization_id, state="approved", user__is_active=True
    ).exclude(pk=membership.pk)


def _require_another_head(membership: Membership) -> None:
    if membership.role == "head" and not _others(membership).filter(role="head").exists():
        raise MoveNotAllowed(_("这是单位唯一的负责人，请先把另一位成员设为负责人，再离开或改角色。"))


def _require_head(organization: Organization, by: User) -> None:
    if not (by.is_administrator or by.is_head_of(organization)):
        raise PermissionDenied(_("只有单位负责人可以办理这件事。"))


def _bearer(name: str) -> Organization | None:
    row = (
        OrganizationName.objects.filter(folded=fold(name), until_on__isnull=True).select_related("organization").first()
    )
    return row.organization if row else None


def _require_free_name(name: str) -> None:
    organization = _bearer(name)
    if organization is not None:
        raise NameTaken(organization)
