"""A match as a page shows it (components/match_card.html): both texts with the shared phrases marked, the conditions,
what speaks against it, and where things stand for this reader. Nothing here asks the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cms.models import Availability, Disclosure, Listing
from marketplace import money
from search.conditions import ACHIEVEMENT_IN_TALKS, DEMAND_IN_TALKS
from search.text import normalize

from .models import Match

# Characters shown before and after a marked phrase, and how many such pieces.
BEFORE, AFTER, PIECES = 12, 26, 3
NBSP = "\u00a0"
# Of a listing's text; the title stands above the card already and is used only where nothing else holds a phrase.
OPEN_PARTS = ("problem", "summary", "body", "title")
CLOSED_PARTS = ("summary", "title")
UNASKED = ("技术领域", "应用行业", "重点产业关键技术", "成熟度", "地区")
STATES = {Availability.OPEN: ("可对接", "open"), Availability.NEGOTIATING: ("洽谈中", "act")}


@dataclass(frozen=True)
class UnderWay:
    """What this reader's organisations already have going with the other side: word, kind of state mark, address."""

    word: str
    kind: str
    url: str
    act: str
    is_deal: bool = False


def card(
    match: Match,
    *,
    side: str,
    acts: list[dict[str, Any]],
    under_way: UnderWay | None = None,
    in_talks: bool = False,
) -> dict[str, Any]:
    """Variables of match_card for one side's page: `side` is "demand" on the demand's page, else "achievement".
    in_talks: the two have a deal with each other, so nobody need be told that they talk with somebody."""
    demand, supply = match.demand.listing, match.supply.listing
    reasons = reasons_now(match)
    other = supply if side == "demand" else demand
    owner = other.record.owner
    named = owner is not None and not getattr(other, "is_anonymous", False)
    label, kind = STATES.get(Availability(other.record.availability), (other.record.get_availability_display(), ""))
    return {
        "pk": match.pk,
        "band": match.band,
        "title": other.title,
        "href": other.get_absolute_url(),
        "number": other.record.number,
        "owner": other.owner_name_public,
        "owner_href": owner.get_absolute_url() if named else "",
        "verified": named and owner.is_verified,
        "verified_on": owner.verified_at if named else None,
        "trl": getattr(other, "trl", None),
        **_price(other),
        "extra": [str(other.region) if other.region_id else ""],
        "state": under_way.word if under_way else label,
        "state_kind": under_way.kind if under_way else kind,
        "left": {"label": _("需求原文"), **_snippet(match, demand, "demand")},
        "right": {"label": _("成果原文"), **_snippet(match, supply, "achievement")},
        "conditions": [c for c in reasons["conditions"] if not _says_nothing(c)],
        "against": _against(reasons["against"], in_talks=in_talks),
        "meaning": reasons["meaning"],
        "acts": acts,
    }


def _against(said: list[str], *, in_talks: bool) -> list[str]:
    talks = {ACHIEVEMENT_IN_TALKS, DEMAND_IN_TALKS} if in_talks else set()
    return [sentence for sentence in said if sentence not in talks]


def _says_nothing(condition: Mapping[str, Any]) -> bool:
    """A classification that one side left open is no condition anybody set: it is kept on the row and not shown."""
    return condition.get("state") == "not_stated" and condition.get("name") in UNASKED


def _price(listing: Listing) -> dict[str, Any]:
    """The price of an achievement or the budget of a demand, as figure or in words."""
    if listing.KIND == "demand":
        if listing.is_budget_negotiable:
            return {"price_word": _("预算面议")}
        low, high, kind = listing.budget_min, listing.budget_max, _("预算")
    else:
        if listing.price_type == "negotiable":
            return {"price_word": _("价格面议")}
        low, high, kind = listing.price_min, listing.price_max, _("价格")
    if low is None and high is None:
        return {"price_word": ""}
    if low is not None and high is not None and low != high:
        span = f"{money.plain_wan(low)}–{money.plain_wan(high)}"
        return {"price_word": f"{kind} {span}{NBSP}万元"}
    return {"price": high if high is not None else low, "price_kind": kind}


def reasons_now(match: Match) -> dict[str, Any]:
    """The kept reasons as far as any visitor may read them *now*: {"phrases", "conditions", "against", "meaning"}.

    A listing may have been closed, or its words taken back, since they were computed, and the next comparison waits for
    the index. A phrase must still stand in a public text of both sides; conditions compare figures, which a restricted
    listing does not publish: those of a restricted one that changed since are not said.
    """
    kept = match.reasons or {}
    texts = [_public_text(match.demand.listing), _public_text(match.supply.listing)]
    is_closed_since = _was_closed(match, "demand") or _was_closed(match, "supply")
    return {
        "phrases": [p for p in kept.get("phrases", []) if all(normalize(p["text"]) in text for text in texts)],
        "conditions": [] if is_closed_since else kept.get("conditions", []),
        "against": [] if is_closed_since else kept.get("against", []),
        "meaning": kept.get("meaning", ""),
    }


def _was_closed(match: Match, side: str) -> bool:
    """True where a side was open as a whole when the match was computed and is not now."""
    record = getattr(match, side)
    if record.listing.disclosure_level == Disclosure.L0 or record.search_version == getattr(match, f"{side}_version"):
        return False
    seen = getattr(match, f"{side}_revision")
    return seen is None or seen.content.get("disclosure_level", Disclosure.L0) == Disclosure.L0


def _public_text(listing: Listing) -> str:
    """What any visitor may read of a listing, normalised, in one piece."""
    parts = public_parts(listing)
    if parts:
        parts |= {"title_en": listing.title_en, "summary_en": listing.summary_en}
    return normalize("\n".join(parts.values()))


def public_parts(listing: Listing) -> dict[str, str]:
    """The texts in which a phrase may be shown: what any visitor may read, by name of the part."""
    names = OPEN_PARTS if listing.disclosure_level == Disclosure.L0 else CLOSED_PARTS
    if listing.disclosure_level == Disclosure.L3:
        return {}
    return {name: text for name in names if (text := getattr(listing, name, ""))}


def _snippet(match: Match, listing: Listing, kind: str) -> dict[str, Any]:
    """{"text", "spans"}: the pieces of one side's public text in which the heaviest phrases stand."""
    parts = public_parts(listing)
    found: dict[str, list[tuple[int, int]]] = {}
    for phrase in match.reasons.get("phrases", []):
        for place in phrase.get("in", {}).get(kind, []):
            name, start, end = place["field"], place["start"], place["end"]
            # The text may have changed since the match was computed: what does not stand there is not marked.
            if normalize(parts.get(name, "")[start:end]) == normalize(phrase["text"]):
                found.setdefault(name, []).append((start, end))
    body = [name for name in parts if name in found and name != "title"] or [name for name in parts if name in found]
    text, spans, is_cut = "", [], False
    left = PIECES
    for name in body:
        for start, end in _windows(parts[name], found[name])[:left]:
            left -= 1
            text += "…" if text or start else ""
            is_cut = end < len(parts[name])
            inside = [(s, e) for s, e in sorted(set(found[name])) if start <= s and e <= end]
            spans += [(len(text) + s - start, len(text) + e - start) for s, e in inside]
            text += parts[name][start:end].replace("\n", " ")
    if not text:
        return {"text": shortened(parts), "spans": []}
    return {"text": f"{text}…" if is_cut else text, "spans": _merged(spans)}


def _windows(text: str, places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches around the places, those that touch made one, in the text's order."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(places):
        low, high = max(0, start - BEFORE), min(len(text), end + AFTER)
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, overlapping ones made one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def shortened(parts: Mapping[str, str]) -> str:
    """The beginning of the public summary, where no phrase stands in it."""
    text = parts.get("summary") or parts.get("title", "")
    return f"{text[:80]}…" if len(text) > 80 else text
