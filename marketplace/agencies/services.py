"""Acts on mandates (委托).

A broker acts for a client from a day to a day, or until one of them ends it; what he has brought about stays his
(`Deal.mandates`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cms import publishing
from cms.models import AccessGrant, Disclosure, ListingRecord
from marketplace.accounts import acting
from marketplace.accounts.models import Organization
from marketplace.notifications.services import notify
from marketplace.workflow import MoveNotAllowed, record_act

from .models import Broker, Mandate

# Ours: nobody binds himself for longer than two years with one click.
LONGEST = dt.timedelta(days=731)

LOG_ACTIONS = {"mandate.give": "发出委托", "mandate.accept": "接受委托", "mandate.revoke": "终止委托"}


@transaction.atomic
def give_mandate(
    *,
    broker: Broker,
    client: Organization,
    ends_on: dt.date,
    by: Any,
    record: ListingRecord | None = None,
    starts_on: dt.date | None = None,
    commission: str = "",
) -> Mandate:
    """A client asks a broker to act for one listing, or for all it has (`record=None`), from a day to a day inclusive.

    It binds once the broker accepts. Raises PermissionDenied for one who does not act for the client, ValidationError
    by field for wrong days, another's listing, a broker no longer registered, or the same mandate twice.
    """
    acting.require(by, client)
    mandate = Mandate(
        broker=broker,
        client=client,
        record=record,
        starts_on=starts_on or timezone.localdate(),
        ends_on=ends_on,
        commission=commission.strip(),
        given_by=by,
    )
    _check(mandate)
    mandate.full_clean()
    mandate.save()
    record_act(mandate, "mandate.give", by=by, on_behalf_of=client)
    _tell([broker.user], mandate, "given")
    return mandate


def _check(mandate: Mandate) -> None:
    errors: dict[str, str] = {}
    today = timezone.localdate()
    if not mandate.broker.is_current:
        errors["broker"] = _("这位技术经理人现在不在册，不能接受委托。")
    if mandate.starts_on < today:
        errors["starts_on"] = _("委托不能从过去的日期开始。")
    if mandate.ends_on < mandate.starts_on:
        errors["ends_on"] = _("截止日期早于开始日期。")
    elif mandate.ends_on > mandate.starts_on + LONGEST:
        errors["ends_on"] = _("一次委托最长两年，请选早一些的日期。")
    if mandate.record is not None and mandate.record.owner_id != mandate.client_id:
        errors["record"] = _("只能委托本单位自己的条目。")
    same = Mandate.objects.filter(
        broker=mandate.broker, client=mandate.client, record=mandate.record, revoked_on__isnull=True, ends_on__gte=today
    )
    if not errors and same.filter(starts_on__lte=mandate.ends_on, ends_on__gte=mandate.starts_on).exists():
        errors["broker"] = _("这段时间已经委托过这位技术经理人。")
    if errors:
        raise ValidationError(errors)


@transaction.atomic
def accept_mandate(mandate: Mandate, *, by: Any) -> Mandate:
    """The broker agrees; from `starts_on` he may act. Raises PermissionDenied for anybody else, MoveNotAllowed where it
    was answered, ended or withdrawn meanwhile."""
    _require_broker(mandate, by)
    open_rows = Mandate.objects.filter(pk=mandate.pk, accepted_at__isnull=True, revoked_on__isnull=True)
    if not mandate.broker.is_current:
        raise MoveNotAllowed(_("您的技术经理人资格现在不在册，不能接受委托。"))
    if not open_rows.filter(ends_on__gte=timezone.localdate()).update(accepted_at=timezone.now()):
        raise MoveNotAllowed(_("这份委托已被答复、撤回或过期，请看最新状态。"))
    mandate.refresh_from_db()
    record_act(mandate, "mandate.accept", by=by)
    give_access(mandate)
    _tell(mandate.client.people(), mandate, "accepted")
    return mandate


@transaction.atomic
def revoke_mandate(mandate: Mandate, *, by: Any) -> Mandate:
    """Either side ends it, from today on; the broker's not accepting is the same act.

    What he brought about before keeps his name. Raises PermissionDenied for outsiders, MoveNotAllowed where it had
    ended.
    """
    is_broker = mandate.broker.user_id == by.pk
    if not is_broker:
        acting.require(by, mandate.client)
    today = timezone.localdate()
    if not Mandate.objects.filter(pk=mandate.pk, revoked_on__isnull=True, ends_on__gte=today).update(revoked_on=today):
        raise MoveNotAllowed(_("这份委托已经结束。"))
    mandate.refresh_from_db()
    record_act(mandate, "mandate.revoke", by=by, on_behalf_of=None if is_broker else mandate.client)
    AccessGrant.objects.active().filter(reason=_reason(mandate), starts_on__lt=today).update(
        ends_on=today - dt.timedelta(days=1)
    )
    # Given today: a grant cannot end before it begins.
    AccessGrant.objects.filter(reason=_reason(mandate), starts_on__gte=today).delete()
    _tell(mandate.client.people() if is_broker else [mandate.broker.user], mandate, "revoked")
    return mandate


def give_access(mandate: Mandate, record: ListingRecord | None = None) -> None:
    """Let the broker read the details of the client's listings that are not open to all, while the mandate lasts.

    record: one listing that has become public since; else all that the mandate covers. In the caller's transaction.
    """
    wanted = [record] if record is not None else _covered(mandate)
    for one in wanted:
        if one.listing.live and one.listing.disclosure_level != Disclosure.L0:
            publishing.grant(one, user=mandate.broker.user, until=mandate.ends_on, reason=_reason(mandate))


def _covered(mandate: Mandate) -> list[ListingRecord]:
    if mandate.record is not None:
        return [mandate.record]
    return list(ListingRecord.objects.filter(owner=mandate.client, first_published_at__isnull=False))


def _reason(mandate: Mandate) -> str:
    return f"经纪委托 {mandate.pk}"


def _require_broker(mandate: Mandate, by: Any) -> None:
    if mandate.broker.user_id != by.pk:
        raise PermissionDenied(_("只有受托的技术经理人本人可以答复。"))


def _tell(people: Any, mandate: Mandate, act: str) -> None:
    notify(
        people,
        f"agencies/notices/{act}",
        dedupe=f"mandate-{mandate.pk}-{act}",
        url="/deals/mandates/",
        context={"mandate": mandate},
    )
