"""Rows of a file as they are read, checked and named: JSON Lines, one object a line (interfaces.md §2)."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cms.models import Region, TechnologyField
from cms.secrecy import find_mark

# Shorter than this is no text that could be matched.
TEXT_FROM = 20
EXCERPT = 180

# Columns that need no --map, by what they usually are called.
USUAL = {
    "id": "external_id",
    "external_id": "external_id",
    "title": "title",
    "assignee": "owner",
    "owner": "owner",
    "org": "owner",
    "abstract": "text",
    "text": "text",
    "summary": "summary",
    "body": "body",
    "problem": "problem",
    "keywords": "keywords",
    "inventors": "inventors",
    "technology_field": "technology_field",
    "region": "region",
    "title_en": "title_en",
    "summary_en": "summary_en",
    "contact_name": "contact_name",
    "contact_phone": "contact_phone",
}
FIELDS = frozenset(USUAL.values())
ONLY_FOR = {"inventors": "achievement"}
LENGTHS = {
    "title": 100, "summary": 1500, "body": 20000, "problem": 3000, "keywords": 200, "inventors": 400, "title_en": 200,
    "summary_en": 3000, "contact_name": 50, "contact_phone": 40, "external_id": 120, "owner": 120,
}  # fmt: skip
# What a name of two or three characters ends in when it is an organisation's after all.
ORGANISATION_ENDS = "厂院所社站局部会店场园校馆处队司办库行矿港"


@dataclass
class Row:
    """One line: its number in the file (from 1), what is wrong with it, and the listing's words."""

    number: int
    words: dict[str, str] = field(default_factory=dict)
    external_id: str = ""
    owner: str = ""
    errors: list[dict[str, Any]] = field(default_factory=list)

    def fault(self, name: str, message: str, value: object = "") -> None:
        self.errors.append({"row": self.number, "field": name, "value": str(value)[:40], "message": message})


def is_person(name: str) -> bool:
    """A name of two or three Chinese characters without an organisation's ending is a person who holds the right."""
    return bool(re.fullmatch(r"[\u4e00-\u9fff·]{2,3}", name)) and name[-1] not in ORGANISATION_ENDS


def clean(value: object) -> str:
    """Text without control and invisible characters; line breaks stay."""
    text = unicodedata.normalize("NFC", str(value))
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs")).strip()


def excerpt(text: str, length: int = EXCERPT) -> str:
    """The beginning of a text up to a sentence's end, for rows of lists."""
    if len(text) <= length:
        return text
    cut = text[:length]
    ends = [cut.rfind(mark) for mark in "。；！？\n"]
    return cut[: max(ends) + 1] if max(ends) >= length // 3 else cut[: length - 1] + "…"


class Reader:
    """Reads one file for one kind of listing. `mapping`: column → field, before the usual names."""

    def __init__(self, path: Path, kind: str, mapping: dict[str, str], *, owner_given: bool) -> None:
        self.path, self.kind, self.owner_given = path, kind, owner_given
        self.mapping = {**USUAL, **mapping}
        self.fields = frozenset(TechnologyField.objects.values_list("code", flat=True))
        self.regions = frozenset(Region.objects.values_list("code", flat=True))
        self.seen: dict[tuple[str, str], int] = {}

    def __iter__(self) -> Iterator[Row]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield self.read(number, line)

    def read(self, number: int, line: bytes) -> Row:
        """One line as a Row; whatever is wrong stands in its errors."""
        row = Row(number)
        try:
            data = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (UnicodeDecodeError, ValueError):
            row.fault("", "这一行不是 UTF-8 编码的 JSON 对象")
            return row
        if not isinstance(data, dict):
            row.fault("", "这一行不是 JSON 对象")
            return row
        if find_mark(value for value in data.values()):
            # Only that it was there: the text itself is kept nowhere.
            row.fault("", "带有国家秘密标志，不得导入；请按保密规定线下报送")
            return row
        self._fill(row, data)
        return row

    def _fill(self, row: Row, data: dict[str, Any]) -> None:
        words: dict[str, str] = {}
        for column, value in data.items():
            name = self.mapping.get(column)
            if name is None or value is None or ONLY_FOR.get(name, self.kind) != self.kind:
                continue
            words.setdefault(name, clean("、".join(map(str, value)) if isinstance(value, list) else value))
        row.external_id = words.pop("external_id", "")
        row.owner = words.pop("owner", "")
        self._spread(words)
        if not row.external_id and words.get("title"):
            # Without a source number the title names the row, so that a second run finds it again.
            row.external_id = "title:" + hashlib.sha256(words["title"].encode()).hexdigest()[:24]
        row.words = {name: value for name, value in words.items() if value}
        self._check(row)

    def _spread(self, words: dict[str, str]) -> None:
        """A text without a place of its own: summary and body of an achievement, problem or body of a demand."""
        text = words.pop("text", "")
        if not text:
            text_of_demand = words.get("problem") or words.get("body") or ""
            words.setdefault("summary", excerpt(text_of_demand))
        elif self.kind == "achievement":
            words.setdefault("summary", text if len(text) <= LENGTHS["summary"] else excerpt(text))
            if len(text) > LENGTHS["summary"]:
                words.setdefault("body", text)
        else:
            words.setdefault("problem" if len(text) <= LENGTHS["problem"] else "body", text)
            words.setdefault("summary", excerpt(text))

    def _check(self, row: Row) -> None:
        words = row.words
        if len(words.get("title", "")) < 2:
            row.fault("title", "没有名称", words.get("title", ""))
        if not self.owner_given and not row.owner:
            row.fault("owner", "没有单位：请用 --org 指定，或用 --map 指明单位所在的列")
        if sum(len(words.get(name, "")) for name in ("body", "problem")) < TEXT_FROM > len(words.get("summary", "")):
            row.fault("text", f"正文不足 {TEXT_FROM} 个字")
        for name, value in (*words.items(), ("external_id", row.external_id), ("owner", row.owner)):
            if name in LENGTHS and len(value) > LENGTHS[name]:
                row.fault(name, f"有 {len(value)} 个字，最多 {LENGTHS[name]} 个", value)
        if words.get("technology_field") and words["technology_field"] not in self.fields:
            row.fault("technology_field", "不是技术领域代码", words["technology_field"])
        if words.get("region") and words["region"] not in self.regions:
            row.fault("region", "不是行政区划代码", words["region"])
        key = (row.owner, row.external_id)
        if row.external_id and key in self.seen:
            row.fault("external_id", f"和第 {self.seen[key]} 行的来源编号重复", row.external_id)
        self.seen.setdefault(key, row.number)
