"""The one analyser: what a text is to both engines, to matching and to the marks on a page.

A run of Han characters gives each character (`uni`) and each overlapping pair (`bi`; a lone character stands alone); a
run of other letters and digits is one token in both, with an inner ``. - / +`` kept (v2g, gcr15, 3.5, pm2.5). No stop
words, no stemming, no dictionary: characters and pairs beat seven word segmenters on every judged task (README,
decisions). A change of anything here is a new ANALYZER_VERSION, and every index made with another one is rebuilt.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from dataclasses import dataclass
from functools import lru_cache
from operator import add

ANALYZER_VERSION = 1

# 〇 is written in names and numbers like a character; the last range holds the rare characters of GB 18030.
HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
RUN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:[.\-/+][^\W_{HAN}]+)*")
_HAN_RUN = re.compile(rf"[{HAN}]+\Z")

# A token of a thousand letters is a mistake or an attack; both sides are cut alike, so it is still found.
TOKEN_LIMIT = 64

# Invisible characters that NFKC leaves alone: inside a word they would cut it in two.
_INVISIBLE = re.compile("[\u00ad\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f]+")


# What NFKC would change in nearly every text of ours: replaced beforehand by what each is alone, the text is normal,
# and seeing that it is costs a fiftieth of making it so.
_WIDE = tuple((wide, unicodedata.normalize("NFKC", wide)) for wide in "，：；（）！？％～\u00a0℃µ¹²³⁰⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉")


def normalize(text: str) -> str:
    """Fold width and case and drop invisible characters: `ＰＭ2.5` and `pm2.5` are one."""
    if text.isascii():
        return text.lower()
    text = _INVISIBLE.sub("", text)
    for wide, plain in _WIDE:
        text = text.replace(wide, plain)
    return unicodedata.normalize("NFKC", text).lower()


def runs(text: str) -> list[str]:
    """Cut a text into its runs, each wholly Han or wholly other letters and digits, in order."""
    return RUN.findall(normalize(text))


def is_han(run: str) -> bool:
    """True where the run consists of Han characters."""
    return _HAN_RUN.match(run) is not None


def _begins_han(run: str) -> bool:
    """The same of what `RUN` has cut, which is wholly the one or the other: nearly always the first character tells."""
    return "\u4e00" <= run[0] <= "\u9fff" or (run[0] > "\u3000" and is_han(run))


def pairs(run: str) -> list[str]:
    """Return a Han run's overlapping pairs; a lone character stands alone."""
    return [run[i : i + 2] for i in range(len(run) - 1)] if len(run) > 1 else [run]


@dataclass(frozen=True, slots=True)
class Tokens:
    """One text as characters and as pairs, in order and with repeats."""

    uni: list[str]
    bi: list[str]


def tokens(text: str) -> Tokens:
    """Analyse one text. Both lists keep repeats: the engines count them."""
    uni: list[str] = []
    bi: list[str] = []
    for run in runs(text):
        if _begins_han(run):
            uni += run
            # A lone character has no pair and stands alone.
            bi += map(add, run, run[1:]) if len(run) > 1 else run
        else:
            uni.append(run[:TOKEN_LIMIT])
            bi.append(run[:TOKEN_LIMIT])
    return Tokens(uni, bi)


_SPACE = 0x20


def spaced(text: str) -> tuple[str, str]:
    """The tokens of a text joined by spaces, as an index takes them: (`uni`, `bi`).

    The same as joining `tokens`, without making a string of each: indexing takes half the time.
    """
    cut = runs(text)
    units = array("I", "".join(cut).encode("utf-32-le", "surrogatepass"))
    # Every character with a space behind it, and every pair with one: a run's tokens are one stretch of each.
    apart, paired = array("I", [_SPACE]) * (2 * len(units)), array("I", [_SPACE]) * (3 * len(units))
    apart[::2] = units
    paired[::3] = units
    paired[1:-3:3] = units[1:]
    characters = apart.tobytes().decode("utf-32-le", "surrogatepass")
    both = paired.tobytes().decode("utf-32-le", "surrogatepass")
    uni: list[str] = []
    bi: list[str] = []
    start = 0
    for run in cut:
        end = start + len(run)
        if _begins_han(run):
            uni.append(characters[2 * start : 2 * end - 1])
            # A lone character has no pair and stands alone.
            bi.append(both[3 * start : 3 * end - 4] if len(run) > 1 else run)
        else:
            uni.append(run[:TOKEN_LIMIT])
            bi.append(run[:TOKEN_LIMIT])
        start = end
    return " ".join(uni), " ".join(bi)


# What a person types into the box. Longer input is a text to match, not words to find.
BOX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Word:
    """One typed word: the terms that a hit must contain, as (field, term)."""

    text: str
    terms: tuple[tuple[str, str], ...]


def words(typed: str) -> list[Word]:
    """Split what was typed at spaces and punctuation into words that a hit must contain.

    A word of several Han characters asks for each of its pairs, a lone character for the character, a Latin run for the
    token. A word written without a space between (`PEM电解槽`) is one word with the terms of its parts.
    """
    return list(_words(typed))


@lru_cache(maxsize=1024)
def _words(typed: str) -> tuple[Word, ...]:
    """Kept: a page asks for the words of the box once for each title and sentence that it marks."""
    found: list[Word] = []
    for chunk in re.split(r"[^\w.\-/+]+|_+", normalize(typed[:BOX_LIMIT])):
        terms: dict[tuple[str, str], None] = {}
        for run in runs(chunk):
            if not is_han(run):
                terms["bi", run[:TOKEN_LIMIT]] = None
            elif len(run) == 1:
                terms["uni", run] = None
            else:
                terms.update(dict.fromkeys(("bi", pair) for pair in pairs(run)))
        if terms:
            found.append(Word(chunk, tuple(terms)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Mapped:
    """A normalised text with, for each of its characters, where that stands in the original."""

    text: str
    starts: array[int]
    ends: array[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Turn a stretch of the normalised text into one of the original."""
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=1024)
def mapped(original: str) -> Mapped:
    """Normalise character by character, so that what was found can be marked in the text as it was written.

    Kept for the texts used last: explaining one demand's candidates asks for the same texts again and again.
    """
    folded = [_fold(character) for character in original]
    text = "".join(folded)
    if len(text) == len(original) and max(map(len, folded), default=1) == 1:
        # One for one, as nearly every text is.
        return Mapped(text, array("L", range(len(text))), array("L", range(1, len(text) + 1)))
    starts, ends = array("L"), array("L")
    for position, part in enumerate(folded):
        starts.extend([position] * len(part))
        ends.extend([position + 1] * len(part))
    return Mapped(text, starts, ends)


@lru_cache(maxsize=32_768)
def _fold(character: str) -> str:
    return normalize(character)


def highlights(original: str, typed: str) -> list[tuple[int, int]]:
    """Where the typed words stand in a text, as (start, end) of the original, in order and without overlap.

    A whole word is marked where it stands as typed; a word that does not is marked by its pairs.
    """
    place = mapped(original)
    spans: list[tuple[int, int]] = []
    for word in words(typed):
        whole = _occurrences(place.text, word.text)
        spans.extend(whole or [s for _, term in word.terms for s in _occurrences(place.text, term)])
    return merge([place.span(start, end) for start, end in spans])


def _occurrences(text: str, part: str) -> list[tuple[int, int]]:
    """Every place of `part`; a Latin token only where it stands as a token of its own."""
    latin = not is_han(part[0]) or not is_han(part[-1])
    found = []
    start = text.find(part)
    while start >= 0:
        end = start + len(part)
        if not latin or (_edge(text, start - 1, part[0]) and _edge(text, end, part[-1])):
            found.append((start, end))
        start = text.find(part, start + 1)
    return found


def _edge(text: str, position: int, inside: str) -> bool:
    """True where a token may begin or end beside `inside`: no letter or digit of the same run stands there."""
    if not 0 <= position < len(text) or is_han(inside):
        return True
    character = text[position]
    return is_han(character) or not character.isalnum()


def merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join overlapping and touching stretches, in order."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


GAP = "…"


def excerpt(
    original: str, spans: list[tuple[int, int]], *, around: int = 14, longest: int = 120
) -> tuple[str, list[tuple[int, int]]]:
    """Cut a long text down to what stands around its marks: (text with … for what is left out, the marks in that text).

    Without a mark the beginning is given. Line breaks become spaces, so the marks keep their places.
    """
    flat = re.sub(r"\s", " ", original)
    windows = merge([(max(0, start - around), min(len(flat), end + around)) for start, end in spans]) or [(0, longest)]
    pieces: list[str] = []
    marks: list[tuple[int, int]] = []
    length = 0
    for start, end in windows:
        if pieces and length >= longest:
            break
        before = GAP if start and not pieces else ""
        pieces.append(before + flat[start:end] + (GAP if end < len(flat) else ""))
        marks += [
            (s - start + length + len(before), e - start + length + len(before))
            for s, e in merge(spans)
            if start <= s < end
        ]
        length += len(pieces[-1])
    return "".join(pieces), marks
