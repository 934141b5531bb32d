"""One listing as far as this person may read it: loaded, its levels of disclosure applied, its facts put into words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import ModelLogEntry

from cms.models import Achievement, Availability, Demand, Expert, Listing, ListingRecord, Project, listing_model
from marketplace.contracts.selectors import has_part_in

from . import words

PUBLISHED_ACTS = ("listing.publish", "wagtail.publish")


@dataclass
class Reading:
    """A listing, the version that is shown, and what of it this person may read.

    `listing` is the row, `shown` what the page prints: the row itself, the owner's latest draft (never public yet), or
    an earlier published revision (`revision` then says which).
    """

    listing: Listing
    shown: Any
    may_read: bool
    is_own: bool
    is_staff: bool
    is_anonymous: bool
    revision: Any = None

    @property
    def record(self) -> ListingRecord:
        return self.listing.record

    @property
    def is_restricted(self) -> bool:
        """True where the text of the detail is not for everybody."""
        return bool(self.listing.disclosure_level != "L0" or self.shown.disclosure_level != "L0")

    @property
    def owner_name(self) -> str:
        """The owner's name; empty where outsiders must not know it and this person is one."""
        return "" if self.hides_owner else self.record.owner_name

    @property
    def hides_owner(self) -> bool:
        return self.is_anonymous and not (self.is_own or self.is_staff)

    @property
    def is_expired(self) -> bool:
        """Past its last day though the clock has not taken it down yet."""
        until = self.record.valid_until
        return until is not None and until < timezone.localdate()


def load(kind: str, number: str, user: Any, revision: str = "") -> Reading:
    """The listing of a number as this person may read it; 404 for what he may not know of.

    revision: the key of an earlier published version, for those who may see a deal, match or contract that saw it.
    """
    model = listing_model(kind)
    listings = model.objects.all() if revision else model.objects.visible_to(user)
    listing = listings.with_related().filter(record__number=number).first()
    if listing is None:
        raise Http404
    shown, seen = listing, None
    if revision:
        seen = _revision(listing, user, revision)
        shown = seen.as_object()
    elif not listing.live and listing.record.first_published_at is None and listing.latest_revision_id:
        # What was never public keeps its children and codes in its revision alone.
        shown = listing.get_latest_revision_as_object()
    return Reading(
        listing=listing,
        shown=shown,
        may_read=listing.body_visible_to(user) and shown.body_visible_to(user),
        is_own=listing.record.is_owned_by(user),
        is_staff=bool(getattr(user, "sees_all_listings", False)),
        is_anonymous=any(getattr(version, "is_anonymous", False) for version in (listing, shown)),
        revision=seen,
    )


def _revision(listing: Listing, user: Any, key: str) -> Any:
    """An earlier published version; 404 for drafts, other listings' versions, and people without a part in it."""
    if not key.isdecimal() or len(key) > 18:
        raise Http404
    found = listing.revisions.filter(pk=int(key)).first()
    if found is None or not (found.pk == listing.live_revision_id or _was_published(listing, found)):
        raise Http404
    if not (getattr(user, "sees_all_listings", False) or listing.record.is_owned_by(user) or has_part_in(user, found)):
        raise Http404
    return found


def _was_published(listing: Listing, revision: Any) -> bool:
    logged = ModelLogEntry.objects.for_instance(listing)
    return bool(logged.filter(action__in=PUBLISHED_ACTS, revision=revision).exists())


def gone(kind: str, number: str) -> ListingRecord | None:
    """The record of what had been public and is taken back or expired: the page then answers 410, not 404."""
    record = ListingRecord.objects.filter(kind=kind, number=number, first_published_at__isnull=False).first()
    if record is None or record.listing.live or record.listing.disclosure_level == "L3":
        return None
    return record if record.withdrawn_at or record.expired_at else None


# Facts in words

Item = dict[str, Any]


def _item(label: str, value: Any, **more: Any) -> Item:
    return {"label": label, "value": value, **more}


def _codes(rows: Any) -> str:
    return "、".join(str(row) for row in rows)


def _day(value: dt.date | None) -> str:
    return value.isoformat() if value else ""


def conditions(reading: Reading) -> list[Item]:
    """The definition list beside the text; what is not stated shows as 未注明, what is restricted is left out."""
    shown = reading.shown
    items = _OWN[shown.KIND](reading)
    if shown.industries.all():
        items.append(_item(_("应用行业"), _codes(shown.industries.all())))
    items.append(_item(_("公开程度"), shown.get_disclosure_level_display()))
    items.append(_item(_("有效期至"), _day(reading.record.valid_until) or _("长期")))
    items.append(_item(_("更新"), _day(timezone.localtime(reading.record.changed_at).date())))
    return items


def _achievement(reading: Reading) -> list[Item]:
    shown: Achievement = reading.shown
    items = [
        _item(_("转化方式"), _codes(shown.transfer_modes.all())),
        _item(_("成果类型"), str(shown.achievement_type or "")),
        _item(_("定价方式"), shown.get_pricing_mode_display() if shown.pricing_mode else ""),
    ]
    if reading.may_read:
        items.append(_item(_("完成人"), shown.inventors))
        items.append(_item(_("知识产权"), _patent_words(shown)))
    if shown.is_state_institution:
        items.append(_item(_("持有单位"), _("国家设立的研究开发机构或高等院校")))
    return items


def _patent_words(shown: Achievement) -> str:
    patents = list(shown.patents.all())
    granted = sum(p.is_granted for p in patents)
    if not patents:
        return ""
    if granted == len(patents):
        return _("授权专利 %(n)d 件") % {"n": granted}
    return _("专利 %(all)d 件，其中已授权 %(n)d 件") % {"all": len(patents), "n": granted}


def _demand(reading: Reading) -> list[Item]:
    shown: Demand = reading.shown
    left = (shown.deadline - timezone.localdate()).days if shown.deadline else None
    note = ""
    if left is not None:
        note = _("（还有 %(n)d 天）") % {"n": left} if left > 0 else _("（今天截止）") if left == 0 else _("（已截止）")
    return [
        _item(_("答复截止"), _day(shown.deadline), note=note),
        _item(_("需求类型"), str(shown.demand_type or "")),
        _item(_("合作方式"), _codes(shown.cooperation_modes.all())),
    ]


def _expert(reading: Reading) -> list[Item]:
    shown: Expert = reading.shown
    return [_item(_("职称、职务"), shown.position), _item(_("可提供的服务"), shown.services)]


def _project(reading: Reading) -> list[Item]:
    shown: Project = reading.shown
    days = " – ".join(filter(None, (_day(shown.starts_on), _day(shown.ends_on))))
    return [_item(_("阶段"), shown.get_stage_display() if shown.stage else ""), _item(_("实施期"), days)]


_OWN: dict[str, Any] = {"achievement": _achievement, "demand": _demand, "expert": _expert, "project": _project}


def sections(reading: Reading) -> list[dict[str, str]]:
    """The texts of the page in their order: {"id", "title", "text"}; those of the detail only for who may read them."""
    shown = reading.shown
    full = reading.may_read
    titles = {
        "achievement": (_("解决什么问题"), _("成果简介"), _("技术说明")),
        "demand": (_("要解决的问题"), _("需求概况"), _("现状与已试过的办法")),
        "expert": ("", _("研究方向与成果"), _("经历与项目")),
        "project": (_("征集的技术或合作方"), _("项目概况"), _("项目说明")),
    }[shown.KIND]
    problem = getattr(shown, "problem", "") or getattr(shown, "wanted", "")
    texts = [
        {"id": "problem", "title": titles[0], "text": problem if full else ""},
        {"id": "summary", "title": titles[1], "text": shown.summary},
        {"id": "body", "title": titles[2], "text": shown.body if full else ""},
    ]
    if shown.KIND != "demand":
        # What the thing is comes before which problem it answers, but for needs.
        texts = [texts[1], texts[0], texts[2]]
    return [part for part in texts if part["text"].strip()]


def who_may_read(listing: Listing) -> str:
    """Who can open the text that is not shown, in one sentence."""
    if listing.disclosure_level == "L1":
        return _("详情只对已核实单位的成员开放。登录并加入一个已核实的单位后即可查看，每次查看都有记录。")
    if listing.disclosure_level == "L2":
        return _("详情只对发布单位授权的单位或个人开放。可先申请对接，对方接受后即可查看，每次查看都有记录。")
    return _("这条内容只用于撮合，详情只对发布单位和获授权者开放。")


def state_line(reading: Reading) -> list[dict[str, Any]]:
    """The way of a need: submitted, published, being answered, signed, solved."""
    record = reading.record
    position = {
        Availability.OPEN: 2,
        Availability.NEGOTIATING: 2,
        Availability.SUSPENDED: 2,
        Availability.CONTRACTED: 3,
        Availability.TRANSFERRED: 4,
        Availability.SOLVED: 4,
    }[Availability(record.availability)]
    if record.first_published_at is None:
        position = 1 if record.submitted_at else 0
    note = {
        Availability.OPEN: _("等待答复 %(n)d 天") % {"n": getattr(reading.listing, "days_waiting", 0)},
        Availability.NEGOTIATING: _("洽谈中"),
        Availability.SUSPENDED: _("暂停"),
        Availability.CONTRACTED: _("已签约"),
        Availability.TRANSFERRED: _("已办结"),
        Availability.SOLVED: _("已办结"),
    }[Availability(record.availability)]
    steps = [
        (_("提交"), record.submitted_at or record.created_at),
        (_("发布"), record.first_published_at),
        (_("对接"), None),
        (_("签约"), None),
        (_("解决"), None),
    ]
    found = []
    for index, (label, day) in enumerate(steps):
        state = "done" if index < position or (index == position == 4) else "now" if index == position else "todo"
        if state == "now" and record.availability == Availability.SUSPENDED:
            state = "stopped"
        says = note if index == position and record.first_published_at else ""
        found.append({"label": label, "date": day, "state": state, "note": says})
    return found


def amount(reading: Reading) -> dict[str, str]:
    """The one amount beside the text and what it is: {"value", "unit", "note"}."""
    shown = reading.shown
    if shown.KIND == "achievement":
        word, note = words.price_word(shown), shown.get_price_type_display() if shown.price_type else ""
        return {"value": words.with_small_unit(word) or _("价格未注明"), "note": note if word and note != word else ""}
    if shown.KIND == "demand":
        word = words.budget_word(shown)
        return {"value": words.with_small_unit(word) or _("预算未说明"), "note": _("拟投入资金") if word else ""}
    if shown.KIND == "project":
        word = words.span_of(shown.budget, shown.budget)
        return {"value": words.with_small_unit(word) or _("投资规模未说明"), "note": _("投资规模") if word else ""}
    return {"value": "", "note": ""}
