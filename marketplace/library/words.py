"""Amounts and short texts of listings in words, the same in lists, details and API."""

from __future__ import annotations

import re
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cms.models import Achievement, Availability, Demand, Listing, Project
from marketplace import money
from search.text import highlights

NBSP = "\u00a0"
# A row shows one line of benefit; two sentences at most.
LINE = 96
SHORT_LINE = 42
STATE_KINDS = {
    Availability.OPEN: "open",
    Availability.NEGOTIATING: "act",
    Availability.CONTRACTED: "ok",
    Availability.TRANSFERRED: "ok",
    Availability.SOLVED: "ok",
    Availability.SUSPENDED: "wait",
}


def span_of(low: Decimal | None, high: Decimal | None) -> str:
    """An amount or a range of 元 in 万元: 150–200 万元, 不超过 200 万元, 150 万元起; empty where nothing is stated."""
    if low is not None and high is not None and low != high:
        return f"{money.plain_wan(low)}–{money.plain_wan(high)}{NBSP}{_('万元')}"
    if low is not None and high is not None:
        return f"{money.plain_wan(low)}{NBSP}{_('万元')}"
    if high is not None:
        return _("不超过 %(amount)s 万元") % {"amount": money.plain_wan(high)}
    if low is not None:
        return _("%(amount)s 万元起") % {"amount": money.plain_wan(low)}
    return ""


def price_word(listing: Achievement) -> str:
    """What an achievement costs, in words, where one figure does not say it; empty where nothing is stated."""
    if listing.price_type == "negotiable":
        return _("面议")
    amount = span_of(listing.price_min, listing.price_max)
    if listing.price_type == "royalty":
        return f"{_('提成')} {amount}".strip()
    return amount


def price_figure(listing: Achievement) -> Decimal | None:
    """The one figure of 元 of a fixed price, else None."""
    is_one = listing.price_min == listing.price_max or listing.price_max is None or listing.price_min is None
    if listing.price_type in ("negotiable", "royalty") or not is_one:
        return None
    return listing.price_min if listing.price_min is not None else listing.price_max


def budget_word(listing: Demand) -> str:
    if listing.is_budget_negotiable:
        return _("面议")
    return span_of(listing.budget_min, listing.budget_max)


def with_small_unit(words: str) -> SafeString | str:
    """The same words with the unit set small, for large figures on a page."""
    found = re.fullmatch(r"(.*\d)[ \u00a0](\S+)", words)
    return format_html("{} <small>{}</small>", found[1], found[2]) if found else words


def amount_word(listing: Listing) -> str:
    """The amount of any kind in words; empty where it has none or states none."""
    if isinstance(listing, Achievement):
        return price_word(listing)
    if isinstance(listing, Demand):
        return budget_word(listing)
    return span_of(listing.budget, listing.budget) if isinstance(listing, Project) else ""


def short_line(text: str) -> str:
    """The benefit in one line for the home page: clauses of the first sentence, cut at a comma."""
    first = next(iter(re.findall(r"[^。；！？\n]+", text)), "").strip()
    if len(first) <= SHORT_LINE:
        return first
    cut = max(first.rfind(mark, 12, SHORT_LINE) for mark in "，、")
    return f"{first[: cut if cut > 0 else SHORT_LINE]}…"


def line_of(text: str, typed: str = "") -> str:
    """One line of a text for a row: its first sentences, or those around the first typed word."""
    sentences = [s.strip() for s in re.findall(r"[^。；！？\n]+[。；！？]?", text) if s.strip()]
    if not sentences:
        return ""
    start = 0
    if typed and not highlights(_cut(sentences), typed):
        start = next((i for i, s in enumerate(sentences) if highlights(s, typed)), 0)
    return _cut(sentences[start:])


def _cut(sentences: list[str]) -> str:
    line = sentences[0]
    for sentence in sentences[1:]:
        if len(line) + len(sentence) > LINE:
            break
        line += sentence
    return line if len(line) <= LINE + 24 else f"{line[: LINE + 20].rstrip('，、；：')}…"
