"""Who acts for whom: asked here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from .models import Organization, User

SESSION_KEY = "acting_for"


def organizations_of(user: User) -> list[Organization]:
    """The organisations this person may act for, heads first."""
    if not user.is_authenticated or not user.is_active:
        return []
    return [m.organization for m in user.approved_memberships]


def current(request: HttpRequest) -> Organization | None:
    """The organisation chosen in this session while the membership lasts; else the first one; else None."""
    user = request.user
    if not user.is_authenticated:
        return None
    found = organizations_of(user)  # type: ignore[arg-type]
    chosen = request.session.get(SESSION_KEY)
    return next((o for o in found if o.pk == chosen), found[0] if found else None)


def choose(request: HttpRequest, organization: Organization) -> None:
    """Act for another of one's organisations from now on. Raises PermissionDenied for one that is not his."""
    require(request.user, organization)  # type: ignore[arg-type]
    request.session[SESSION_KEY] = organization.pk


def may_act_for(user: User, organization: Organization | None) -> bool:
    return organization is not None and user.is_authenticated and organization.pk in user.organization_ids()


def require(user: User, organization: Organization | None) -> None:
    """Raise PermissionDenied unless this person may act for the organisation now."""
    if not may_act_for(user, organization):
        raise PermissionDenied(_("您现在不能代表这个单位办理，请先加入单位并由负责人批准。"))
