"""The English half: no message of our catalogues stands without its translation, placeholders included."""

from __future__ import annotations

import gettext
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PLACEHOLDER = re.compile(r"%\([a-z_0-9]+\)[sd]")
CATALOGUES = sorted(ROOT.glob("locale/en/LC_MESSAGES/*.po")) + sorted(ROOT.glob("cms/locale/en/LC_MESSAGES/*.po"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_message_has_its_english(path):
    text = path.read_text(encoding="utf-8")
    empty = re.findall(r'^msgid (?!""\n(?!"))(.+(?:\n".*")*)\nmsgstr ""$(?!\n")', text, re.MULTILINE)
    assert empty == []
    with path.with_suffix(".mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog
    wrong = {
        message: english
        for message, english in catalogue.items()
        if isinstance(message, str)
        and message
        and set(PLACEHOLDER.findall(message)) != set(PLACEHOLDER.findall(english))
    }
    assert wrong == {}
