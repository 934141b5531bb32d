"""Texts that read like listings and mean nothing: our own phrases cut up and thrown together by a seeded chance.

The words come from the code lists and from the demo's invented listings, their frequencies follow Zipf's law, so that
an index of them has rare and common terms as a real one has. Every title begins with MARK: nobody takes one for real.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from cms import taxonomy

from . import world

MARK = "〔合成〕"

_HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
_CLAUSE = re.compile(r"[，。；：、\n]+")
_LISTS = ("technology_fields", "industries", "key_technologies", "achievement_types", "demand_types")
_THINGS = ("装置", "系统", "技术", "工艺", "方法", "材料", "平台", "成套设备", "检测仪", "方案")
# Added to the rank in Zipf's law, as Mandelbrot has it: the first few words are not everywhere.
_SHIFT = 2.7
# Characters of one sentence, on average.
_SENTENCE = 45


def _names(value: Any) -> list[str]:
    """Every Chinese string of a code file."""
    if isinstance(value, str):
        return _HAN.findall(value)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [name for one in inside for name in _names(one)]


def _demo_texts() -> list[str]:
    given = [row for kind in ("achievements", "demands", "projects") for row in world.rows(kind)]
    return [
        str(row[part]) for row in given for part in ("title", "summary", "body", "problem", "wanted") if row.get(part)
    ]


def _code_names() -> list[str]:
    folder = Path(taxonomy.__file__).parent / "data"
    given = [json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["rows"] for name in _LISTS]
    return [name for rows in given for name in _names(rows)]


class Zipf:
    """Draws from a list, the word of rank r with a weight of 1 / (r + 2.7)."""

    def __init__(self, values: list[str], chance: Random) -> None:
        self.values = values
        self.chance = chance
        self._weights = list(accumulate(1 / (rank + _SHIFT) for rank in range(len(values))))

    def draw(self, count: int) -> list[str]:
        return self.chance.choices(self.values, cum_weights=self._weights, k=count)


class Texts:
    """Titles, summaries and bodies of one seeded chance; the same seed gives the same texts in the same order."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        texts = _demo_texts()
        runs = [run for text in texts for run in _HAN.findall(text)]
        pieces = set(_code_names())
        for run in runs:
            start = 0
            while start < len(run) - 1:
                length = chance.choice((2, 2, 3, 4))
                pieces.add(run[start : start + length])
                start += length
        self.words = Zipf(self._mixed({p for p in pieces if 2 <= len(p) <= 12}), chance)
        self.clauses = Zipf(
            self._mixed({c.strip() for t in texts for c in _CLAUSE.split(t) if 6 <= len(c) <= 40}), chance
        )

    def _mixed(self, values: set[str]) -> list[str]:
        """In an order that depends on the seed alone, not on how a set happens to lie."""
        listed = sorted(values)
        self.chance.shuffle(listed)
        return listed

    def title(self) -> str:
        """12 to 40 characters with the mark before them."""
        words = "".join(dict.fromkeys(self.words.draw(self.chance.choice((2, 3, 3, 4)))))
        return f"{MARK}{words[:32]}{self.chance.choice(_THINGS)}"

    def sentences(self, count: int) -> list[str]:
        """Three clauses each, of which one is made of single words. Drawn together, for a draw alone costs most."""
        clauses, words = self.clauses.draw(2 * count), self.words.draw(5 * count)
        return [f"{clauses[2 * n]}，{clauses[2 * n + 1]}，{''.join(words[5 * n : 5 * n + 5])}。" for n in range(count)]

    def text(self, length: int) -> str:
        """Whole sentences, about `length` characters, at least one."""
        return "".join(self.sentences(max(1, round(length / _SENTENCE))))

    def body(self, length: int) -> str:
        """Paragraphs; the last names a model, which is what rare terms look like."""
        model = f"型号 SY-{self.chance.randrange(20_000):05d}。"
        said = self.sentences(max(2, round(length / _SENTENCE)))
        return "\n\n".join(("".join(said[::2]), "".join(said[1::2]), model))

    def keywords(self) -> str:
        return "、".join(dict.fromkeys(self.words.draw(4)))[:200]
