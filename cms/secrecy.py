"""Marks of state secrets. What carries one may not enter a system on the internet (保守国家秘密法; listings.md §7).

Whoever takes text in asks here *before* it is kept anywhere: no draft, no session, no log. Only a mark counts; 技术秘密
and 商业秘密 are ordinary words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MARK = re.compile(r"(绝密|机密|秘密)\s*[★☆]|密\s*级\s*[:：]\s*(绝密|机密|秘密)")

REFUSAL = (
    "内容带有国家秘密标志。涉密内容不得在互联网系统填写、存储或传输，本站没有保存您填写的任何内容。"
    "请向本单位保密部门报告，并按保密规定线下报送科学技术主管部门。"
)


def find_mark(texts: Iterable[object]) -> str | None:
    """The first mark in any of the texts (full-width and invisible characters do not hide it), or None."""
    for text in texts:
        if not isinstance(text, str) or not text:
            continue
        plain = unicodedata.normalize("NFKC", text)
        plain = "".join(c for c in plain if unicodedata.category(c) != "Cf")
        found = MARK.search(plain)
        if found:
            return found.group(0)
    return None
