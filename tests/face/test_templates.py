"""Rules that every template of the project keeps, whoever writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Template

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted(
    p for folder in ("templates", "marketplace", "cms", "search") for p in (ROOT / folder).glob("**/*.html")
)
COMPONENTS = sorted((ROOT / "templates" / "components").glob("*.html"))
COMMENT = re.compile(r"\A(?:\{#.+?#\}|\{% comment %\}.+?\{% endcomment %\})", re.S)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def markup(path: Path) -> str:
    """The template without its comments, which may speak of anything."""
    text = path.read_text()
    return re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", text, flags=re.S)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_no_inline_script_style_or_handler(path):
    html = markup(path)
    assert not re.search(r"<style\b", html)
    assert not re.search(r"\sstyle\s*=", html)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", html)
    assert "javascript:" not in html
    for attributes in re.findall(r"<script\b([^>]*)>", html):
        assert "src=" in attributes or 'type="application/json"' in attributes


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_nothing_is_loaded_from_another_host(path):
    html = markup(path)
    assert not re.search(r"<(?:script|link|img|iframe|source|use)\b[^>]*(?:src|href)=\"(?:https?:)?//", html)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_no_percent_sign_inside_a_translated_constant(path):
    # Django doubles it: the page would say 26.2%%.
    assert not re.search(r"_\(\"[^\"]*%[^\"]*\"\)|_\('[^']*%[^']*'\)", markup(path))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_comments_over_several_lines_are_comment_blocks(path):
    # {# #} ends with its line: a longer one would be printed on the page.
    for line in path.read_text().splitlines():
        assert line.count("{#") == line.count("#}")


@pytest.mark.parametrize("path", COMPONENTS, ids=name)
def test_a_component_opens_with_the_comment_that_names_its_variables(path):
    found = COMMENT.match(path.read_text())
    assert found, "the first thing is no comment"
    assert len(found[0]) > 40


@pytest.mark.parametrize("path", COMPONENTS, ids=name)
def test_a_component_compiles(path):
    Template(path.read_text())


def test_every_component_is_shown_or_drawn_by_one_that_is():
    shown = {"base.html", "styleguide.html"}
    for _round in range(6):
        for template in list(shown):
            text = (ROOT / "templates" / template).read_text()
            shown |= set(re.findall(r'include "(components/[\w.]+)"', text))
    missing = {f"components/{p.name}" for p in COMPONENTS} - shown
    # Shown in forms alone, by the script.
    assert missing <= {"components/keep_offer.html", "components/breadcrumb.html"}


def test_every_icon_named_in_a_template_is_in_the_sprite():
    sprite = (ROOT / "static" / "icons" / "sprite.svg").read_text()
    ids = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    used = {i for path in TEMPLATES for i in re.findall(r'\{% icon "([\w-]+)"', path.read_text())}
    assert used <= ids
    assert "style=" not in sprite
    assert "ISC" in (ROOT / "static" / "icons" / "LICENSE").read_text()
