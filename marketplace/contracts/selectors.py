"""Reading: what the public may know of a registered contract, the trail down to the listing, what waits for whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.models import listing_model
from marketplace import money, workdays
from marketplace.deals.models import Deal, Match
from marketplace.desk import Waiting
from marketplace.templatetags import text

from .models import Contract, Officer, Registration
from .models.registration import OPEN_STATES


@dataclass(frozen=True)
class PublicRow:
    """What one viewer may know of a registered contract; None where the parties did not consent (shown as 未公开)."""

    registration: Registration
    number: str
    source: str
    contract_type: Any
    technology_field: Any
    seller_region: Any
    buyer_region: Any
    registered_on: dt.date
    project_name: str | None
    sellers: list[str] | None
    buyers: list[str] | None
    amount_total: Decimal | None
    amount_tech: Decimal | None
    sees_all: bool


def registered() -> QuerySet[Registration]:
    """The public register with everything that a row shows, newest first."""
    return (
        Registration.objects.public()
        .select_related("contract__contract_type", "contract__technology_field", "contract__deal", "office")
        .prefetch_related("contract__parties__region")
        .order_by("-registered_on", "-registration_number")
    )


def public_rows(registrations: Iterable[Registration], user: Any) -> list[PublicRow]:
    """`public_row` for many, asking once which contracts this person may see whole."""
    rows = list(registrations)
    seen = set(
        Contract.objects.visible_to(user).filter(pk__in=[r.contract_id for r in rows]).values_list("pk", flat=True)
    )
    return [_row(r, r.contract_id in seen) for r in rows]


def public_row(registration: Registration, user: Any) -> PublicRow:
    """What this person may know of one registered contract."""
    return public_rows([registration], user)[0]


def _row(registration: Registration, sees_all: bool) -> PublicRow:
    contract = registration.contract
    parties = sorted(contract.parties.all(), key=lambda p: (not p.is_lead, p.order, p.pk))
    names = sees_all or contract.consents_to_name
    amounts = sees_all or contract.consents_to_amount

    def of(side: str) -> list[str] | None:
        found = [p.name for p in parties if p.side == side and p.name]
        return found if names and found else None

    def place(side: str) -> Any:
        return next((p.region for p in parties if p.side == side and p.is_lead), None)

    return PublicRow(
        registration=registration,
        number=registration.registration_number or "",
        source=registration.source,
        contract_type=contract.contract_type,
        technology_field=contract.technology_field,
        seller_region=place("seller"),
        buyer_region=place("buyer"),
        registered_on=registration.registered_on,
        project_name=(contract.project_name or None) if names else None,
        sellers=of("seller"),
        buyers=of("buyer"),
        amount_total=contract.amount_total if amounts else None,
        amount_tech=contract.amount_tech if amounts else None,
        sees_all=sees_all,
    )


@dataclass(frozen=True)
class TrailStep:
    """One step from the counted contract down to the listing. `href` is empty where this person may not go on."""

    label: str
    title: str
    href: str = ""
    detail: str = ""
    on: dt.date | None = None
    reasons: list[str] = field(default_factory=list)


def trail(registration: Registration, user: Any) -> list[TrailStep]:
    """登记 → 合同 → 对接 → 匹配 → 需求和成果 as published then; every step a foreign key, as far as this person
    may see.

    An outsider sees listings only where the parties consented to their names: the listing would name them.
    """
    contract = registration.contract
    row = public_row(registration, user)
    steps = _first_steps(registration, row)
    deal = contract.deal
    if deal is None:
        why = (
            _("导入的登记记录，没有平台对接过程")
            if registration.source == "imported"
            else _("本合同不是由平台对接产生")
        )
        return [*steps, TrailStep(_("对接"), why)]
    sees_deal = Deal.objects.visible_to(user).filter(pk=deal.pk).exists()
    steps.append(
        TrailStep(
            _("对接"),
            deal.number if sees_deal else _("由平台对接产生"),
            deal.get_absolute_url() if sees_deal else "",
            deal.get_state_display() if sees_deal else "",
            timezone.localtime(deal.created_at).date() if sees_deal else None,
        )
    )
    match = Match.objects.visible_to(user).filter(pk=deal.match_id).select_related("demand").first()
    named = row.sees_all or contract.consents_to_name
    if match is not None and named:
        steps.append(_match_step(match, deal))
    elif deal.match_id:
        steps.append(TrailStep(_("匹配"), _("由平台匹配推荐")))
    knows = sees_deal or row.sees_all or bool(getattr(user, "sees_all_listings", False))
    seen = {match.demand_revision_id, match.supply_revision_id} if match is not None and named else set()
    for record, revision, label in (
        (deal.demand, deal.demand_revision, _("需求")),
        (deal.supply, deal.supply_revision, _("成果")),
    ):
        if record is not None:
            steps.append(_listing_step(record, revision, label, user, named=named, knows=knows, seen=seen))
    return steps


def _first_steps(registration: Registration, row: PublicRow) -> list[TrailStep]:
    """The register's entry and the contract behind it."""
    contract = registration.contract
    return [
        TrailStep(
            _("登记"),
            row.number,
            reverse("registry_entry", args=[row.number]),
            registration.office.name if registration.office else contract.import_source,
            registration.registered_on,
        ),
        TrailStep(
            _("合同"),
            contract.number if row.sees_all else _("仅当事人和登记机构可见"),
            contract.get_absolute_url() if row.sees_all else "",
            row.project_name or _("项目名称未公开"),
            contract.signed_on if row.sees_all else None,
        ),
    ]


def _match_step(match: Match, deal: Deal) -> TrailStep:
    """The suggestion that led to the deal. A match computed again since says so instead of bearing a later day than
    the deal that came of it."""
    phrases = [str(p.get("text", "")) for p in (match.reasons or {}).get("phrases", [])][:6]
    place = _("在需求下排第 %(n)d") % {"n": match.rank_for_demand} if match.rank_for_demand else ""
    day: dt.date | None = timezone.localtime(match.computed_at).date()
    if match.computed_at > deal.created_at:
        place = "；".join(p for p in (place, _("%(day)s 按最新内容重新比对") % {"day": day}) if p)
        day = None
    return TrailStep(
        _("匹配"),
        match.get_band_display(),
        match.demand.get_absolute_url(),
        place,
        day,
        [p for p in phrases if p],
    )


def _listing_step(
    record: Any, revision: Any, label: str, user: Any, *, named: bool, knows: bool, seen: set[int]
) -> TrailStep:
    """One of the two listings, in the words that were published when the two sides met.

    named: the parties' names are no secret to this reader. knows: he is in the deal or the contract, reviews it, or is
    staff; the way to a version that is not public any more is open to him. seen: versions that a match which he may
    see saw, open to him too.
    """
    shown = listing_model(record.kind).objects.visible_to(user)
    listing = shown.filter(record=record).first() if named or knows else None
    knows = knows or record.is_owned_by(user)
    if not knows and (listing is None or getattr(listing, "is_anonymous", False)):
        return TrailStep(label, _("未公开"))
    title = (revision.content or {}).get("title") if revision is not None else listing and listing.title
    detail = _("发布版本 %(at)s") % {"at": text.moment(revision.created_at)} if revision is not None else record.number
    href = record.get_absolute_url() if listing is not None else ""
    # Another version is public now, or none.
    is_past = revision is not None and (listing is None or listing.live_revision_id != revision.pk)
    if is_past and (knows or revision.pk in seen):
        href = f"{record.get_absolute_url()}?revision={revision.pk}"
    return TrailStep(label, title or record.number, href, detail)


def has_part_in(user: Any, revision: Any) -> bool:
    """True where a deal, a contract or a match that this person may see saw this published version of a listing."""
    saw = Q(demand_revision=revision) | Q(supply_revision=revision)
    if Deal.objects.visible_to(user).filter(saw).exists():
        return True
    about = Q(deal__demand_revision=revision) | Q(deal__supply_revision=revision)
    if Contract.objects.visible_to(user).filter(about).exists():
        return True
    return bool(Match.objects.visible_to(user).filter(saw).exists())


def days_left(registration: Registration) -> tuple[int, bool] | None:
    """Days until the limit and whether they are working days (False: calendar days, the calendar is missing)."""
    if registration.due_on is None:
        return None
    today = timezone.localdate()
    rule_set = registration.rule_set
    if rule_set is not None and rule_set.are_working_days:
        try:
            return workdays.working_days_between(today, registration.due_on), True
        except workdays.MissingCalendar:
            return (registration.due_on - today).days, False
    return (registration.due_on - today).days, False


# With the office, whose limit runs.
RUNNING = ("accepted", "expert_review", "second_review")


def is_late(registration: Registration) -> bool:
    """Past its limit while still with the office."""
    waiting = registration.state in RUNNING
    return waiting and registration.due_on is not None and registration.due_on < timezone.localdate()


def needing(user: Any) -> QuerySet[Registration]:
    """Applications in which this officer may make the next move: first review, second review of others' cases."""
    posts = list(Officer.objects.of(user))
    first = [p.office_id for p in posts if p.first_review]
    second = [p.office_id for p in posts if p.second_review]
    own = user.organization_ids() if getattr(user, "is_authenticated", False) else []
    return (
        Registration.objects.filter(
            Q(office__in=first, state__in=("submitted", "accepted", "expert_review"))
            | Q(office__in=second, state="second_review") & ~Q(first_reviewer=user)
        )
        .exclude(contract__applicant__in=own)
        .exclude(contract__parties__organization__in=own)
        .select_related("contract__applicant", "office", "rule_set")
        .order_by("due_on", "submitted_at")
    )


def waiting_for(user: Any, acting: Any) -> list[Waiting]:
    """Contracts that wait for this person: drafts and supplements of his organisation, the office's table for
    officers."""
    if not getattr(user, "is_authenticated", False):
        return []
    found = []
    if acting is not None:
        mine = Registration.objects.filter(
            contract__applicant=acting, state__in=("draft", "supplement")
        ).select_related("contract")
        for registration in mine[:50]:
            found.append(_mine(registration))
    for registration in needing(user)[:50]:
        act = {"submitted": _("受理"), "accepted": _("初审"), "expert_review": _("录入专家意见")}.get(
            registration.state, _("复审")
        )
        found.append(
            Waiting(
                title=f"{act}：{registration.contract.project_name}",
                url=reverse("registrar_review", args=[registration.form_number]),
                detail=_detail(registration),
                group=_("合同登记"),
                since=timezone.localtime(registration.state_since).date(),
                due=registration.due_on,
                is_late=is_late(registration),
            )
        )
    return found


def _detail(registration: Registration) -> str:
    amount = registration.contract.amount_total
    parts = [registration.form_number, str(registration.contract.applicant or "")]
    return " · ".join([*parts, money.auto(amount)] if amount is not None else parts)


def _mine(registration: Registration) -> Waiting:
    contract = registration.contract
    if registration.state == "supplement":
        due = registration.supplement_due_on
        return Waiting(
            title=_("补正：%(name)s") % {"name": contract.project_name},
            url=contract.get_absolute_url(),
            detail=registration.form_number,
            group=_("合同登记"),
            since=timezone.localtime(registration.state_since).date(),
            due=due,
            is_late=due is not None and due < timezone.localdate(),
        )
    return Waiting(
        title=_("填完登记表：%(name)s") % {"name": contract.project_name},
        url=contract.get_absolute_url(),
        detail=contract.number,
        group=_("合同登记"),
        since=timezone.localtime(contract.created_at).date(),
    )


def open_applications() -> QuerySet[Registration]:
    """Applications that an office has and has not decided."""
    return Registration.objects.filter(state__in=OPEN_STATES)
