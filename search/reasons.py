"""Why two listings were put together: shared phrases, conditions, what speaks against it, and a band instead of a
percentage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import scoring
from .conditions import Condition, Facts, against, compare_facts
from .engines import Engine
from .phrases import GENERIC, Phrase, Place, shared
from .text import tokens

STRONG, POSSIBLE, WEAK = "strong", "possible", "weak"

# matching.md §5: strong only for the first three and where at least 20 % of the title's idf is covered; nothing past
# 50.
STRONG_RANK = 3
STRONG_COVERAGE = 0.20
LAST_RANK = 50
# Ours: under this, or with one phrase alone, two texts share only scattered words (a brine and a flue gas that both
# name 乙醇 reach .11); an honest "no match yet" is worth more.
POSSIBLE_COVERAGE = 0.15
POSSIBLE_PHRASES = 2
# A market that has just opened cannot say what is rare: with two listings every shared pair stands in all of them. Up
# to this size a pair weighs at least so much that three characters in a row make a phrase, and two do not.
SMALL_MARKET = 50
SMALL_MARKET_WEIGHT = 1.6

REASONS_VERSION = 3


@dataclass(frozen=True)
class Side:
    """One listing as both viewers may read it: its kind, its public texts by part, what it publicly states."""

    kind: str
    texts: Mapping[str, str]
    facts: Facts


@dataclass(frozen=True)
class Reasons:
    """What a match shows. Places are given per kind, so they hold whichever side asked."""

    phrases: tuple[Phrase, ...] = ()
    asked_kind: str = ""
    offered_kind: str = ""
    conditions: tuple[Condition, ...] = ()
    against: tuple[str, ...] = ()
    coverage: float = 0.0
    meaning: str = ""

    def as_json(self) -> dict[str, Any]:
        """As kept on a Match row and given by the API. `in`: kind → places, characters of that part's original text."""
        return {
            "phrases": [
                {
                    "text": phrase.text,
                    "weight": phrase.weight,
                    "in": {
                        self.asked_kind: [_place(p) for p in phrase.asked],
                        self.offered_kind: [_place(p) for p in phrase.offered],
                    },
                }
                for phrase in self.phrases
            ],
            "conditions": [{"name": c.name, "state": c.state, "detail": c.detail} for c in self.conditions],
            "against": list(self.against),
            "coverage": self.coverage,
            "meaning": self.meaning,
        }


def _place(place: Place) -> dict[str, Any]:
    return {"field": place.field, "start": place.start, "end": place.end}


class Rarity:
    """idf by pair or Latin token, asked of the index once for one demand."""

    def __init__(self, engine: Engine, texts: Mapping[str, str]) -> None:
        terms = {term for text in texts.values() for term in tokens(text).bi}
        self.total, self.known = engine.frequencies("bi", terms)

    def __call__(self, term: str) -> float:
        # A term that no document holds cannot be shared with one: what is asked for here always stands in a document.
        weight = scoring.idf(self.known.get(term) or 1, self.total)
        return max(weight, SMALL_MARKET_WEIGHT) if self.total < SMALL_MARKET else weight


def coverage(title: str, texts: Mapping[str, str], rarity: Rarity) -> float:
    """Share of the title's idf, over its pairs but for generic words, that stands in the other text; 0 to 1."""
    wanted = {term for term in tokens(title).bi if term not in GENERIC}
    standing = {term for text in texts.values() for term in tokens(text).bi}
    whole = sum(rarity(term) for term in wanted)
    return round(sum(rarity(term) for term in wanted & standing) / whole, 4) if whole else 0.0


def band(rank: int, covered: float, phrases: Sequence[Phrase]) -> str:
    """strong, possible or weak; never strong past the third place, and empty past the fiftieth (not shown at all)."""
    if rank > LAST_RANK:
        return ""
    if rank <= STRONG_RANK and covered >= STRONG_COVERAGE and phrases:
        return STRONG
    return POSSIBLE if covered >= POSSIBLE_COVERAGE and len(phrases) >= POSSIBLE_PHRASES else WEAK


def explain(asked: Side, offered: Side, title: str, rarity: Rarity) -> Reasons:
    """Say why `offered` came up for `asked`. `title` is the asking listing's: it decides the band and is never
    shown.
    """
    demand, achievement = (asked, offered) if asked.kind == "demand" else (offered, asked)
    conditions: list[Condition] = []
    against_it: list[str] = []
    if {asked.kind, offered.kind} == {"demand", "achievement"}:
        conditions = compare_facts(demand.facts, achievement.facts)
        against_it = against(conditions, achievement.facts, demand.facts)
    return Reasons(
        tuple(shared(asked.texts, offered.texts, rarity)),
        asked.kind,
        offered.kind,
        tuple(conditions),
        tuple(against_it),
        coverage(title, offered.texts, rarity),
    )
