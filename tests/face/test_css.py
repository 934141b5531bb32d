"""The sheets: small, layered, colours only from tokens, every pair of colours readable."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = Path(settings.BASE_DIR) / "static" / "css"
SHEETS = sorted(CSS.glob("*.css"))
TOKENS = (CSS / "tokens.css").read_text()


def parse(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6})\b", block))


LIGHT = parse(TOKENS.split("@media (prefers-color-scheme: dark)")[0])
DARK = {**LIGHT, **parse(TOKENS.split("@media (prefers-color-scheme: dark)")[1])}


def luminance(colour: str) -> float:
    """Relative luminance as of WCAG 2.2."""
    code = colour.lstrip("#")
    code = "".join(c * 2 for c in code) if len(code) == 3 else code
    channels = [int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def ratio(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TEXT_PAIRS = [
    *[(text, ground) for text in ("ink", "ink-2", "ink-3", "act", "sand-ink") for ground in ("page", "tint")],
    *[(text, "page") for text in ("ok", "bad", "wait")],
    ("ink-3", "tint-2"),
    ("ink", "sand-tint"),
    ("act", "sand-tint"),
    ("act", "act-tint"),
    ("ink", "act-tint"),
    ("ok", "act-tint"),
    ("bad", "act-tint"),
    ("act-on", "act-fill"),
    ("act-on", "act-fill-hover"),
    ("bad-on", "bad-fill"),
    ("ok", "ok-tint"),
    ("bad", "bad-tint"),
    ("wait", "wait-tint"),
    ("ink", "ok-tint"),
    ("ink", "bad-tint"),
    ("ink", "wait-tint"),
    ("act", "bad-tint"),
    ("ink-3", "bad-tint"),
    ("page", "sand-ink"),
    *[("s-on", f"s{n}") for n in range(1, 5)],
    ("s5-on", "s5"),
]
GRAPHIC_PAIRS = [
    ("sand", "page"),
    ("sand", "tint"),
    ("line-ctl", "page"),
    ("line-ctl", "tint"),
    ("prev", "page"),
    ("focus", "page"),
]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_reaches_four_and_a_half_to_one(theme):
    weak = {pair: round(ratio(theme[pair[0]], theme[pair[1]]), 2) for pair in TEXT_PAIRS}
    assert {pair: value for pair, value in weak.items() if value < 4.5} == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_marks_and_edges_of_controls_reach_three_to_one(theme):
    weak = {pair: round(ratio(theme[pair[0]], theme[pair[1]]), 2) for pair in GRAPHIC_PAIRS}
    assert {pair: value for pair, value in weak.items() if value < 3} == {}


def test_all_sheets_together_stay_under_thirty_kilobytes():
    assert len(gzip.compress(b"".join(s.read_bytes() for s in SHEETS))) < 30 * 1024


def test_every_sheet_is_linked_and_layered():
    base = (Path(settings.BASE_DIR) / "templates" / "base.html").read_text()
    for sheet in SHEETS:
        assert f"css/{sheet.name}" in base
        assert "@layer" in sheet.read_text()
    assert base.index("css/tokens.css") < min(base.index(f"css/{s.name}") for s in SHEETS if s.name != "tokens.css")


def test_colours_stand_in_tokens_alone():
    # The frame of the brand is white in both themes and its dot ochre: a sign, not a surface.
    # A QR code is read on white in both themes. Paper is black on white.
    allowed = {"layout.css": {"#fff", "#d6a04a"}, "pages.css": {"#fff"}, "print.css": None}
    for sheet in SHEETS:
        if sheet.name == "tokens.css" or allowed.get(sheet.name, ()) is None:
            continue
        # The lookbehind keeps url(...#id) out.
        found = set(re.findall(r"(?<![\w/\"'(])#[0-9a-fA-F]{3,8}\b", sheet.read_text()))
        assert found <= allowed.get(sheet.name, set()), sheet.name


def test_every_token_used_is_defined():
    defined = set(re.findall(r"--([\w-]+):", TOKENS)) | {"cols"}
    for sheet in SHEETS:
        used = set(re.findall(r"var\(--([\w-]+)", sheet.read_text()))
        assert used <= defined, (sheet.name, used - defined)


def test_nothing_comes_from_another_host():
    for sheet in SHEETS:
        text = sheet.read_text()
        assert "//" not in text
        assert "@import" not in text
        assert "url(" not in text
