"""Catalogues are compiled without gettext's programs, and a stale one is found by what it says."""

from __future__ import annotations

import gettext
import shutil
import subprocess

import pytest

from marketplace.operations import catalogues
from tests.conftest import ROOT

PO = """# Words of the site.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

#: templates/home.html
msgid "首页"
msgstr "Home"

msgctxt "button"
msgid "提交"
msgstr "Submit"

msgid ""
"一段"
"长文"
msgstr ""
"A long "
"text"

#, fuzzy
msgid "未定"
msgstr "Undecided"

msgid "没有译文"
msgstr ""

msgid "%(n)d 项"
msgid_plural "%(n)d 项"
msgstr[0] "%(n)d item"
msgstr[1] "%(n)d items"

#~ msgid "旧的"
#~ msgstr "Old"
"""


@pytest.fixture
def po(tmp_path):
    path = tmp_path / "locale/en/LC_MESSAGES/django.po"
    path.parent.mkdir(parents=True)
    path.write_text(PO, encoding="utf-8")
    return path


def test_gettext_reads_what_was_compiled(po, tmp_path):
    assert catalogues.compile_all(tmp_path) == [po]
    with po.with_suffix(".mo").open("rb") as file:
        said = gettext.GNUTranslations(file)
    assert said.gettext("首页") == "Home"
    assert said.pgettext("button", "提交") == "Submit"
    assert said.gettext("一段长文") == "A long text"
    assert [said.gettext(text) for text in ("未定", "没有译文", "旧的")] == ["未定", "没有译文", "旧的"]
    assert [said.ngettext("%(n)d 项", "%(n)d 项", n) for n in (1, 2)] == ["%(n)d item", "%(n)d items"]


def test_a_changed_source_a_missing_and_a_damaged_file_are_stale(po, tmp_path):
    assert catalogues.stale(tmp_path) == [po]
    catalogues.compile_all(tmp_path)
    assert catalogues.stale(tmp_path) == []
    po.write_text(PO.replace('"Home"', '"Front page"'), encoding="utf-8")
    assert catalogues.stale(tmp_path) == [po]
    catalogues.compile_all(tmp_path)
    po.with_suffix(".mo").write_bytes(b"\x00" * 40)
    assert catalogues.stale(tmp_path) == [po]


def test_what_is_no_catalogue_is_said_with_its_line(po):
    po.write_text('msgid "a"\nmsgstr oops\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"django\.po:2"):
        catalogues.read_po(po)


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="msgfmt is not installed: no second opinion")
def test_msgfmt_says_the_same(po, tmp_path):
    catalogues.compile_all(tmp_path)
    other = tmp_path / "other.mo"
    subprocess.run(["msgfmt", "-o", other, po], check=True)
    assert catalogues.read_mo(other) == catalogues.read_mo(po.with_suffix(".mo"))


def test_our_own_are_compiled():
    assert catalogues.stale(ROOT) == []
