"""What stands in both texts: the longest shared stretches, with where they stand in each.

Two texts are compared as rows of atoms: a Han character, or a run of other letters and digits as one. A stretch never
spans punctuation or a space, so what is shown can be pointed at in both texts. Its weight is the idf of its pairs
added up; words that stand in every listing (研究, 系统, 工艺 …) weigh nothing and are not shown by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from .data import read_words
from .text import RUN, Mapped, is_han, mapped, merge
from .units import is_unit

# Words that say nothing about what is matched.
GENERIC = frozenset(read_words("generic_words.txt"))
# Particles that a stretch is not shown to begin or end with. Only what begins or ends no technical word: 在线, 井下,
# 红外, 无机, 饱和 and 植被 must stay whole.
LEADING = frozenset("的就了和与及或是其该此这那且而但也又已很之将把等")
TRAILING = frozenset("的了与或是其该此这那且而但也又已很之将把在以等于从")
SHOWN = 8
PLACES = 3
# A stretch this light is two everyday words side by side.
LEAST_WEIGHT = 3.0

Idf = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phrase stands: name of the text's part and the stretch of it, as characters of the original."""

    field: str
    start: int
    end: int


@dataclass(frozen=True)
class Phrase:
    """One stretch that stands in both texts; `asked` and `offered` are its places in the one and in the other."""

    text: str
    weight: float
    asked: tuple[Place, ...]
    offered: tuple[Place, ...]


@dataclass(frozen=True)
class _Atoms:
    """A part of a text as one character an atom, with each atom's stretch of the normalised text."""

    name: str
    source: Mapped
    code: str
    spans: list[tuple[int, int]]


class _Alphabet:
    """Gives every Latin run one private character, the same in all texts, so that strings of atoms can be compared."""

    # Supplementary private use planes: no text of ours holds these.
    FIRST, ROOM = 0xF0000, 0x1FF00

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.runs: dict[str, str] = {}
        self._free = count(self.FIRST)

    def letter(self, run: str) -> str:
        letter = self.known.get(run)
        if letter is None:
            # Two threads may come with the same new run: setdefault lets one letter win.
            letter = self.known.setdefault(run, chr(next(self._free)))
            self.runs[letter] = run
        return letter

    @property
    def is_full(self) -> bool:
        return len(self.known) > self.ROOM - 10_000


_alphabet = _Alphabet()


def _current() -> _Alphabet:
    """The alphabet in use; a fresh one once it is nearly full. Who still works with the old one goes on with it."""
    global _alphabet
    if _alphabet.is_full:
        _alphabet = _Alphabet()
    return _alphabet


def shared(asked: Mapping[str, str], offered: Mapping[str, str], idf: Idf, limit: int = SHOWN) -> list[Phrase]:
    """Return what stands in both texts, heaviest first.

    Both are given as part name → text (title, summary, body), only what both viewers may read. `idf` weighs a pair or
    a Latin token. No phrase lies within another one.
    """
    alphabet = _current()
    left = [_atoms(name, text, alphabet, "\x00") for name, text in asked.items() if text]
    right = [_atoms(name, text, alphabet, "\x01") for name, text in offered.items() if text]
    reverse = alphabet.runs
    stretches = {s for part in left for s in _stretches(part.code, "\x01".join(p.code for p in right))}
    trimmed = {t for s in stretches if (t := _trim(s, reverse))}
    weighed = sorted(((-_weight(t, reverse, idf), t) for t in trimmed), key=lambda row: (row[0], -len(row[1]), row[1]))
    chosen: list[Phrase] = []
    codes: list[str] = []
    for weight, code in weighed:
        if len(chosen) == limit or -weight < LEAST_WEIGHT:
            break
        if any(code in other for other in codes):
            continue
        here, there = _places(code, left), _places(code, right)
        if here and there:
            first = here[0]
            chosen.append(Phrase(asked[first.field][first.start : first.end], round(-weight, 4), here, there))
            codes.append(code)
    return chosen


@lru_cache(maxsize=1024)
def _atoms(name: str, text: str, alphabet: _Alphabet, gap: str) -> _Atoms:
    """Cut a text into atoms; where two do not touch, `gap` stands between (another one in each text: gaps never
    match). Kept for the texts used last: one demand is laid beside many achievements.
    """
    source = mapped(text)
    code: list[str] = []
    spans: list[tuple[int, int]] = []
    last_end = -1
    for match in RUN.finditer(source.text):
        start, end = match.span()
        if last_end not in (-1, start):
            code.append(gap)
            spans.append((last_end, start))
        run = source.text[start:end]
        if is_han(run):
            code.extend(run)
            spans.extend((i, i + 1) for i in range(start, end))
        else:
            code.append(alphabet.letter(run))
            spans.append((start, end))
        last_end = end
    return _Atoms(name, source, "".join(code), spans)


def _stretches(code: str, other: str) -> Iterator[str]:
    """Every stretch of `code` that stands in `other` and can be made longer on neither side.

    The match beginning at i+1 is at most one shorter than the one at i, so the length only grows as i moves: one pass.
    """
    length = 0
    for start in range(len(code)):
        reached = max(length - 1, 0)
        while start + reached < len(code) and code[start : start + reached + 1] in other:
            reached += 1
        if reached and reached > length - 1:
            yield code[start : start + reached]
        length = reached


def _trim(code: str, latin: Mapping[str, str]) -> str:
    """Take particles off both ends; empty where what is left says nothing: one character, a bare number, generic
    words.
    """
    while code and code[0] in LEADING:
        code = code[1:]
    while code and code[-1] in TRAILING:
        code = code[:-1]
    readable = "".join(latin.get(atom, atom) for atom in code)
    if len(readable) < 2 or not any(character.isalpha() for character in readable):
        return ""
    if len(code) == 1 and (readable[0].isdigit() or is_unit(readable)):
        # A unit, or a figure with its unit written together (10kv, 35mg), says nothing of the subject.
        return ""
    return "" if _only_generic(code) else code


def _only_generic(code: str) -> bool:
    """True where every character belongs to a generic word or is a particle: 技术研究与应用, 关键设备."""
    covered = [atom in LEADING for atom in code]
    for start in range(len(code) - 1):
        if code[start : start + 2] in GENERIC:
            covered[start] = covered[start + 1] = True
    return all(covered)


def _weight(code: str, latin: Mapping[str, str], idf: Idf) -> float:
    """Sum of idf over the pairs (and Latin runs) that are not generic words."""
    total = 0.0
    for position, atom in enumerate(code):
        if atom in latin:
            total += idf(latin[atom])
        elif position + 1 < len(code) and code[position + 1] not in latin:
            pair = code[position : position + 2]
            total += 0.0 if pair in GENERIC else idf(pair)
    return total


def _places(code: str, parts: list[_Atoms]) -> tuple[Place, ...]:
    """The first places of a stretch in each part, as stretches of the original text."""
    found: list[Place] = []
    for part in parts:
        start = part.code.find(code)
        seen = 0
        while start >= 0 and seen < PLACES:
            first, last = part.spans[start], part.spans[start + len(code) - 1]
            found.append(Place(part.name, *part.source.span(first[0], last[1])))
            seen += 1
            start = part.code.find(code, start + len(code))
    return tuple(found)


def marks(places: tuple[Place, ...], name: str) -> list[tuple[int, int]]:
    """The stretches to mark in one part of a text, in order and without overlap."""
    return merge([(p.start, p.end) for p in places if p.field == name])
