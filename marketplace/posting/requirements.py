"""What a listing must say before a moderator looks at it (domain/listings.md §1.2, §6.1; intake asks less)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from cms.models import Achievement, Demand, Listing

SUMMARY_FROM = 20
PROBLEM_FROM = 20


@dataclass(frozen=True)
class Lack:
    """One thing that is missing: the form's field and a sentence that says what to write."""

    field: str
    message: str


def lacks(listing: Listing) -> list[Lack]:
    """Everything that keeps this listing from being submitted, in the order of the form; empty when it is complete."""
    found = _common_words(listing)
    if isinstance(listing, Demand):
        found += _demand(listing)
    elif isinstance(listing, Achievement):
        found += _achievement(listing)
    return found + _reach(listing)


def _common_words(listing: Listing) -> list[Lack]:
    found = []
    if len(listing.title.strip()) < 4:
        found.append(Lack("title", _("名称至少 4 个字，让人一眼看出是什么技术。")))
    if len(listing.summary.strip()) < SUMMARY_FROM:
        found.append(Lack("summary", _("公开简介至少 %(n)d 个字，这是别人在列表里看到的内容。") % {"n": SUMMARY_FROM}))
    if listing.technology_field_id is None:
        found.append(Lack("technology_field", _("请选择技术领域，匹配和检索都要用。")))
    if listing.region_id is None:
        found.append(Lack("region", _("请选择所在地区。")))
    return found


def _demand(demand: Demand) -> list[Lack]:
    found = []
    if demand.demand_type_id is None:
        found.append(Lack("demand_type", _("请选择需求类型。")))
    if len(demand.problem.strip()) < PROBLEM_FROM:
        found.append(Lack("problem", _("请写明要解决的问题，至少 %(n)d 个字。") % {"n": PROBLEM_FROM}))
    if not demand.cooperation_modes.all():
        found.append(Lack("cooperation_modes", _("请至少选择一种合作方式。")))
    if not demand.is_budget_negotiable and demand.budget_max is None and demand.budget_min is None:
        found.append(Lack("budget_max", _("请填写预算，或勾选“预算面议”。")))
    if demand.deadline is None:
        found.append(Lack("deadline", _("请填写答复截止日期。")))
    elif demand.deadline <= timezone.localdate():
        found.append(Lack("deadline", _("答复截止日期要在今天之后。")))
    return found


def _achievement(achievement: Achievement) -> list[Lack]:
    found = []
    if achievement.achievement_type_id is None:
        found.append(Lack("achievement_type", _("请选择成果类型。")))
    if achievement.trl is None:
        found.append(Lack("trl", _("请选择技术就绪度。")))
    if not achievement.transfer_modes.all():
        found.append(Lack("transfer_modes", _("请至少选择一种转化方式。")))
    if not achievement.price_type:
        found.append(Lack("price_type", _("请选择价格形式；还没定价的选“面议”。")))
    elif achievement.price_type in ("fixed", "range") and achievement.price_min is None:
        found.append(Lack("price_min", _("请填写价格，或把价格形式改为“面议”。")))
    elif achievement.price_type == "range" and achievement.price_max is None:
        found.append(Lack("price_max", _("价格区间要填写上限。")))
    if achievement.is_state_institution and not achievement.pricing_mode:
        found.append(Lack("pricing_mode", _("国家设立的机构和高校要说明定价方式（促进科技成果转化法第十八条）。")))
    return found


def _reach(listing: Listing) -> list[Lack]:
    """Whom to ask, and until when."""
    found = []
    if not listing.contact_name.strip():
        found.append(Lack("contact_name", _("请填写联系人。")))
    if not (listing.contact_phone.strip() or listing.contact_email.strip()):
        found.append(Lack("contact_phone", _("请填写联系电话或联系邮箱，至少一项。")))
    valid_until = listing.record.valid_until
    if valid_until is None or valid_until <= timezone.localdate():
        found.append(Lack("valid_until", _("有效期要在今天之后，最长两年。")))
    return found
