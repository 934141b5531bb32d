"""What people ask a list: short words, several words, words with filters, filters alone, rare models, later pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from django.http import QueryDict

from cms.models import listing_model
from marketplace.demo.synthetic_texts import MARK

# Shares of a hundred.
SHAPES = (
    ["two"] * 30 + ["word"] * 20 + ["words"] * 15 + ["filtered"] * 15 + ["list"] * 10 + ["rare"] * 5 + ["later"] * 5
)
KINDS = ["achievement"] * 3 + ["demand"]
ORDERINGS = ("-updated_at", "-published_at", "price", "-price")
SAMPLE = 2_000
_HAN = re.compile(r"[\u4e00-\u9fff]{4,}")


@dataclass(frozen=True)
class Question:
    """One request for a list: its query string and its page."""

    kind: str
    query: str
    page: int = 1

    @property
    def data(self) -> QueryDict:
        return QueryDict(self.query)


class Asker:
    """Makes questions from the market's own listings, the same ones for a seed and a market."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(f"questions-{seed}")  # noqa: S311 (no secret)
        self.rows = {kind: self._rows(kind) for kind in dict.fromkeys(KINDS)}

    def _rows(self, kind: str) -> list[tuple[str, str, str, str]]:
        """Title, body, field and region of listings spread over the market."""
        rows = listing_model(kind).objects.public().order_by("pk")
        keys = list(rows.values_list("pk", flat=True))
        chosen = self.chance.sample(keys, min(len(keys), SAMPLE // 2))
        return list(rows.filter(pk__in=chosen).values_list("title", "summary", "technology_field_id", "region_id"))

    def questions(self, count: int) -> list[Question]:
        return [self.one() for _ in range(count)]

    def one(self) -> Question:
        chance = self.chance
        kind, shape = chance.choice(KINDS), chance.choice(SHAPES)
        title, summary, field, region = chance.choice(self.rows[kind])
        asked, page = QueryDict(mutable=True), 1
        if shape == "rare":
            asked["q"] = f"SY-{chance.randrange(20_000):05d}"
        elif shape != "list":
            asked["q"] = self._words(title.removeprefix(MARK), summary, shape)
        if shape in ("filtered", "list"):
            asked["technology_field"] = field[:2] if chance.random() < 0.7 else field
            if chance.random() < 0.5:
                asked["region"] = region[:4] + "00"
        if shape == "list" or chance.random() < 0.1:
            asked["ordering"] = chance.choice(ORDERINGS)
        if shape == "later":
            page = chance.randint(2, 15)
        return Question(kind, asked.urlencode(), page)

    def _words(self, title: str, summary: str, shape: str) -> str:
        """Stretches of a listing's own text: what is asked is there to be found."""
        runs = _HAN.findall(f"{title} {summary}") or [title]
        lengths = {"two": (2,), "word": (3, 4), "words": (2, 2), "filtered": (2, 3), "later": (2,)}[shape]
        chosen = lengths if shape == "words" else (self.chance.choice(lengths),)
        return " ".join(self._cut(self.chance.choice(runs), length) for length in chosen)

    def _cut(self, run: str, length: int) -> str:
        start = self.chance.randint(0, max(0, len(run) - length))
        return run[start : start + length]
