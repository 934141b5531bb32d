"""A market with one secret in each place that can hold one: drafts, reviews, closed texts, what was public, deals.

`open_market` is what anybody may see. `hide_things` then adds what nobody may: a visitor must not be able to tell the
market after it from the market before it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from cms import publishing
from cms.models import ListingRecord
from marketplace.deals import services as deals
from marketplace.operations import services as operations
from marketplace.posting import services as posting
from search import changes
from tests.accounts.factories import asked
from tests.contracts.factories import Scene as Office
from tests.deals.factories import terms
from tests.factories import (
    AchievementFactory,
    BrokerFactory,
    DemandFactory,
    ExpertFactory,
    MembershipFactory,
    OrganizationFactory,
    ProjectFactory,
    UserFactory,
    kpi,
    member,
    patent,
    target,
)

from .canaries import STAFF, VERIFIED, Canaries

OWNERS = frozenset({"owner"}) | STAFF
GRANTED = frozenset({"owner", "grantee", "partner"}) | STAFF
# Whom the sides of a deal have told: the two, and the administrator.
PARTIES = frozenset({"owner", "partner", "administrator"})


@dataclass
class Market:
    """People by role, listings by what is secret about them, and the words that were planted."""

    canaries: Canaries = field(default_factory=Canaries)
    people: dict[str, Any] = field(default_factory=dict)
    listings: dict[str, Any] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)
    owner: Any = None

    def number(self, name: str) -> str:
        return self.listings[name].record.number


def open_market() -> Market:
    """Who is there, and what is public as a whole or in part. The index holds it."""
    market = Market(owner=OrganizationFactory(name="白音测试材料有限公司"))
    _people(market)
    for n in range(3):
        AchievementFactory(
            published=True, title=f"矿井水除氟公开装置{n}", key_technologies=["KI1-2"], industries=["26"]
        )
        DemandFactory(published=True, title=f"矿井水除氟公开需求{n}", cooperation_modes=["M1"])
        ExpertFactory(published=True, summary="研究矿井水除氟装置")
        ProjectFactory(published=True, title=f"矿井水除氟公开项目{n}")
    market.listings["edited"] = AchievementFactory(published=True, owner=market.owner, title="矿井水除氟的旧名称")
    for level, readers in (("L1", VERIFIED), ("L2", GRANTED)):
        _restricted(market, level, readers)
    _anonymous(market)
    _dealt(market)
    _contract(market)
    changes.rebuild()
    changes.drain()
    return market


def hide_things(market: Market) -> None:
    """What is in no index, what has just been taken out of one, and what the index wrongly holds."""
    _drafts(market)
    _reviewed(market)
    _taken_back(market)
    _matchmakers_only(market)
    _around_organizations(market)
    _before_it_is_hidden(market)
    changes.drain()
    _hide_late(market)


def _people(market: Market) -> None:
    people: dict[str, Any] = {
        "newcomer": UserFactory(),
        "unverified": member(OrganizationFactory(unverified=True)),
        "company": member(OrganizationFactory()),
        "institute": member(OrganizationFactory(kind="institute")),
        "grantee": member(OrganizationFactory()),
        "partner": member(OrganizationFactory(university=True)),
        "owner": member(market.owner),
        "editor": UserFactory(editor=True),
        "moderator": UserFactory(moderator=True),
        "administrator": UserFactory(administrator=True),
    }
    requester = UserFactory()
    MembershipFactory(user=requester, organization=market.owner, requested=True)
    broker = member(OrganizationFactory(kind="agency"))
    BrokerFactory(user=broker, organization=broker.approved_memberships[0].organization)
    market.people = people | {"requester": requester, "broker": broker}


def _organization(market: Market, role: str) -> Any:
    return market.people[role].approved_memberships[0].organization


def _restricted(market: Market, level: str, readers: frozenset[str]) -> None:
    """Title and summary are public; everything else is for those who may read it."""
    plant = market.canaries.plant
    market.listings[f"{level} achievement"] = supply = AchievementFactory(
        published=True,
        owner=market.owner,
        title=f"限制级除氟成果{level}",
        summary="矿井水除氟的公开简介",
        body=f"正文{plant(f'{level} body', readers)}",
        problem=f"问题{plant(f'{level} problem', readers)}",
        keywords=f"除氟、{plant(f'{level} keywords', readers)}",
        inventors=plant(f"{level} inventors", readers),
        kpis=[kpi(name=plant(f"{level} kpi", readers), condition=plant(f"{level} condition", readers))],
        patents=[patent(title=plant(f"{level} patent", readers), holder=plant(f"{level} holder", readers))],
        contact_name=plant(f"{level} contact", readers),
        contact_phone=plant(f"{level} phone", readers),
        disclosure_level=level,
    )
    market.listings[f"{level} demand"] = need = DemandFactory(
        published=True,
        owner=market.owner,
        title=f"限制级除氟需求{level}",
        summary="矿井水除氟需求的公开简介",
        body=f"正文{plant(f'{level} demand body', readers)}",
        problem=f"问题{plant(f'{level} demand problem', readers)}",
        targets=[target(name=plant(f"{level} target", readers), present=plant(f"{level} present", readers))],
        disclosure_level=level,
    )
    if level == "L2":
        for role in ("grantee", "partner"):
            for listing in (supply, need):
                publishing.grant(listing.record, organization=_organization(market, role), reason="DJ-2026-TEST00")
    market.listings[f"{level} project"] = ProjectFactory(
        published=True,
        owner=market.owner,
        title=f"限制级除氟项目{level}",
        # Projects are the editors' to write.
        wanted=f"征集{plant(f'{level} wanted', readers | {'editor'})}",
        disclosure_level=level,
    )


def _anonymous(market: Market) -> None:
    """Its organisation is verified by nobody and has nothing else: no page may name it."""
    name = market.canaries.plant("anonymous owner", STAFF)
    hidden = OrganizationFactory(name=f"{name}测试化工有限公司", short_name=name, unverified=True)
    market.listings["anonymous"] = DemandFactory(
        published=True,
        owner=hidden,
        anonymous=True,
        title="矿井水除氟匿名需求",
        contact_name=market.canaries.plant("anonymous contact", STAFF),
        contact_phone=market.canaries.plant("anonymous phone", STAFF),
    )
    market.addresses += [f"/organizations/{hidden.number}/", f"/demands/?owner={hidden.number}"]
    market.addresses.append(f"/api/v1/demands/?owner={hidden.number}")


def _before_it_is_hidden(market: Market) -> None:
    """Public and in the index until `_hide_late`, when a restricted text and a name are taken back."""
    plant = market.canaries.plant
    market.listings["late closed"] = AchievementFactory(
        published=True,
        owner=market.owner,
        title="随后改为登录可见的除氟成果",
        summary="矿井水除氟的公开简介",
        body=f"正文{plant('late closed body', VERIFIED)}",
        keywords=f"除氟、{plant('late closed keywords', VERIFIED)}",
        problem=f"问题{plant('late closed problem', VERIFIED)}",
        kpis=[kpi(name=plant("late closed kpi", VERIFIED))],
    )
    named = plant("late anonymous owner", STAFF)
    owner = OrganizationFactory(name=f"{named}测试冶金有限公司", unverified=True)
    market.listings["late anonymous"] = DemandFactory(published=True, owner=owner, title="随后匿名的除氟需求")
    market.addresses += [f"/organizations/{owner.number}/", f"/demands/?owner={owner.number}"]
    market.addresses.append(f"/api/v1/demands/?owner={owner.number}")


def _dealt(market: Market) -> None:
    """Two sides have written to each other: what they wrote is theirs."""
    plant, owner, partner = market.canaries.plant, market.people["owner"], market.people["partner"]
    their = _organization(market, "partner")
    need = DemandFactory(published=True, owner=market.owner, title="洽谈中的除氟需求")
    supply = AchievementFactory(published=True, owner=their, title="洽谈中的除氟成果")
    inquiry = deals.inquire(
        need.record,
        by=partner,
        on_behalf_of=their,
        own=supply.record,
        message=f"想约一次现场交流，{plant('inquiry message', PARTIES)}。",
        shares=["contact_name"],
    )
    deal = deals.accept(inquiry, by=owner)
    words = f"分期支付，{plant('offer terms', PARTIES)}。"
    deals.offer(deal, by=partner, on_behalf_of=their, **terms(terms=words))
    other = DemandFactory(published=True, owner=market.owner, title="谢绝过对接的除氟需求")
    refused = deals.inquire(
        other.record, by=partner, on_behalf_of=their, own=supply.record, message="想约一次现场交流。", shares=[]
    )
    deals.decline(refused, by=owner, reason="other", note=f"不合适，{plant('decline note', PARTIES)}")
    market.addresses += [f"/deals/{deal.number}/", f"/deals/inquiries/{inquiry.pk}/", f"/deals/inquiries/{refused.pk}/"]
    market.listings |= {"dealt demand": need, "dealt achievement": supply}


def _contract(market: Market) -> None:
    """A contract in an office: its parties consented to nothing."""
    plant = market.canaries.plant
    office = Office()
    office.applicant, office.seller = market.people["owner"], market.owner
    market.people["registrar"] = office.first
    readers = {"owner", "registrar", "administrator"}
    registration = office.accepted(
        name=f"除氟装置开发{plant('contract name', readers)}",
        summary=f"研制改性铝基除氟填料和两级串联装置，完成中试并交付工艺包，{plant('contract summary', readers)}。",
        filler=plant("contract filler", readers, shown=False),
    )
    number = registration.contract.number
    market.addresses += [f"/contracts/{number}/", f"/contracts/{number}/basics/", f"/contracts/{number}/subject/"]
    market.addresses += [f"/registrar/{registration.form_number}/", f"/registry/{registration.form_number}/"]


def _drafts(market: Market) -> None:
    plant = market.canaries.plant
    market.listings["draft achievement"] = AchievementFactory(
        owner=market.owner,
        title=f"除氟草稿{plant('draft title', OWNERS)}",
        summary=f"除氟{plant('draft summary', OWNERS)}",
        body=plant("draft body", OWNERS),
        problem=plant("draft problem", OWNERS),
        keywords=plant("draft keywords", OWNERS, shown=False),
        inventors=plant("draft inventors", OWNERS),
        kpis=[kpi(name=plant("draft kpi", OWNERS))],
        contact_name=plant("draft contact", OWNERS),
    )
    market.listings["draft demand"] = DemandFactory(
        owner=market.owner,
        title=f"除氟草稿{plant('draft demand title', OWNERS)}",
        targets=[target(name=plant("draft target", OWNERS))],
    )
    for kind, factory in (("expert", ExpertFactory), ("project", ProjectFactory)):
        # Experts and projects are the editors' to write.
        word = plant(f"draft {kind} title", OWNERS | {"editor"})
        market.listings[f"draft {kind}"] = factory(owner=market.owner, title=f"除氟{word}")
    gone = AchievementFactory(owner=market.owner, title=f"除氟{plant('deleted title')}", summary=plant("deleted text"))
    number = gone.record.number
    publishing.delete_draft(gone, by=market.people["owner"])
    market.addresses += [f"/achievements/{number}/", f"/api/v1/achievements/{number}/", f"/desk/listings/{number}/"]
    live = market.listings["edited"]
    live.title = f"除氟新稿{plant('unpublished edit title', OWNERS)}"
    live.body = plant("unpublished edit body", OWNERS, shown=False)
    publishing.save_draft(live, by=market.people["owner"], on_behalf_of=market.owner)


def _reviewed(market: Market) -> None:
    plant, owner = market.canaries.plant, market.people["owner"]
    modes = {"cooperation_modes": ["M5"]}
    sent = DemandFactory(
        owner=market.owner,
        title=f"除氟送审{plant('submitted title', OWNERS)}",
        body=plant("submitted body", OWNERS),
        **modes,
    )
    posting.submit(sent, by=owner, on_behalf_of=market.owner)
    back = DemandFactory(
        owner=market.owner,
        title=f"除氟退回{plant('returned title', OWNERS)}",
        body=plant("returned body", OWNERS),
        **modes,
    )
    posting.submit(back, by=owner, on_behalf_of=market.owner)
    reason = f"请补充说明，{plant('moderation comment', OWNERS)}"
    posting.send_back(back, by=UserFactory(moderator=True), reason=reason)
    market.listings |= {"submitted": sent, "returned": back}


def _taken_back(market: Market) -> None:
    """Public once, in the index once, and taken out of it since."""
    plant, owner = market.canaries.plant, market.people["owner"]
    past = timezone.localdate() - dt.timedelta(days=1)
    for act in ("withdrawn", "expired"):
        listing = AchievementFactory(
            published=True,
            owner=market.owner,
            title=f"除氟{plant(f'{act} title', OWNERS)}",
            summary=f"除氟{plant(f'{act} summary', OWNERS)}",
            body=plant(f"{act} body", OWNERS),
        )
        market.listings[act] = listing
        if act == "withdrawn":
            publishing.withdraw(listing, by=owner, on_behalf_of=market.owner, reason="已自行转化")
        else:
            ListingRecord.objects.filter(pk=listing.record.pk).update(valid_until=past)
            publishing.expire(listing)


def _matchmakers_only(market: Market) -> None:
    plant = market.canaries.plant
    common = {"published": True, "owner": market.owner, "disclosure_level": "L3", "region_id": "150622"}
    for kind, factory in (("achievement", AchievementFactory), ("demand", DemandFactory)):
        market.listings[f"L3 {kind}"] = factory(
            title=f"除氟{plant(f'L3 {kind} title', OWNERS)}",
            summary=f"除氟{plant(f'L3 {kind} summary', OWNERS)}",
            body=plant(f"L3 {kind} body", OWNERS),
            problem=plant(f"L3 {kind} problem", OWNERS),
            **common,
        )
    for kind, factory in (("expert", ExpertFactory), ("project", ProjectFactory)):
        word = plant(f"L3 {kind} title", OWNERS | {"editor"})
        market.listings[f"L3 {kind}"] = factory(title=f"除氟{word}", **common)


def _around_organizations(market: Market) -> None:
    """An unverified organisation that asks to be verified, and a report with its sender's number."""
    plant = market.canaries.plant
    name = plant("unverified organization", STAFF)
    founder = UserFactory()
    waiting = OrganizationFactory(name=f"{name}测试新材料有限公司", unverified=True, head=founder)
    asked(waiting, type(founder).objects.get(pk=founder.pk), code=waiting.credit_code)
    contact = plant("report contact", STAFF)
    number = market.number("L1 achievement")
    text = f"成果名称与证书不一致，{plant('report text', STAFF)}。"
    operations.report(about=number, kind="error", text=text, contact=contact)
    market.addresses += [f"/organizations/{waiting.number}/", f"/accounts/organizations/{waiting.number}/"]


def _hide_late(market: Market) -> None:
    """Hidden by the last commit: the index still holds the words, and the change waits for it. The last was never told
    to the index at all."""
    plant, owner = market.canaries.plant, market.people["owner"]
    both = ("withdrawn a moment ago", "closed a moment ago", "astray")
    for name in both:
        market.listings[name] = AchievementFactory(
            published=True,
            owner=market.owner,
            title=f"除氟{plant(f'{name}: title', OWNERS)}",
            summary=f"除氟{plant(f'{name}: summary', OWNERS)}",
            body=plant(f"{name}: body", OWNERS),
        )
    changes.drain()
    publishing.withdraw(market.listings[both[0]], by=owner, on_behalf_of=market.owner, reason="已自行转化")
    _republish(market.listings[both[1]], disclosure_level="L3")
    astray = market.listings[both[2]]
    type(astray).objects.filter(pk=astray.pk).update(live=False)
    _republish(market.listings["late closed"], disclosure_level="L1")
    _republish(market.listings["late anonymous"], is_anonymous=True)


def _republish(listing: Any, **given: Any) -> None:
    fresh = type(listing).objects.get(pk=listing.pk)
    for name, value in given.items():
        setattr(fresh, name, value)
    fresh.save_revision().publish()
