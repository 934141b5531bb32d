"""State secrets never enter this system: a text counts as marked only if it carries a mark (domain notes, listings
7)."""

from __future__ import annotations

import re
import unicodedata

MARK = re.compile(r"(绝密|机密|秘密)\s*★|密级\s*:\s*(绝密|机密|秘密)")


def is_marked(text: str) -> bool:
    """Whether a text carries a secrecy mark. 技术秘密 and 商业秘密 are ordinary words."""
    return bool(MARK.search(unicodedata.normalize("NFKC", text or "")))
