"""The certificate's font, Noto Sans SC Regular (SIL Open Font License 1.1, see OFL.txt), and what it can print."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

NAME = "NotoSansSC"
FILE = Path(__file__).resolve().parent / "NotoSansSC-Regular.ttf"


@lru_cache(maxsize=1)
def font() -> TTFont:
    """The font, read and registered once a process."""
    loaded = TTFont(NAME, str(FILE))
    pdfmetrics.registerFont(loaded)
    return loaded


def missing_characters(text: str) -> list[str]:
    """Characters of a text that have no glyph, each once, in their order. Line breaks and spaces do not count."""
    known = font().face.charToGlyph
    return [c for c in dict.fromkeys(text) if not c.isspace() and ord(c) not in known]
