"""Every page by every reader on a phone and at a desk: sound, ours alone, Chinese, and never wider than the window."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.browsing import Surfer

from .places import BY_NAME, EVERYBODY, PLACES, REFUSED

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLE = re.compile(r"^(错误：)?\S.* · 鄂尔多斯科技大市场$")
HTML_LIMIT = 60 * 1024
WIDTHS = (1440, 390)
NARROWEST = 320
# Words that stand on a Chinese page by right: names of formats and the switch to the other language.
ALLOWED = {"English", "JSON", "HTML", "DOCX", "XLSX", "OpenAPI", "GitHub", "Crockford"}
# Text that can be seen, and what stands in for text, that is nothing but Latin words of four letters or more.
LATIN = """(allowed) => {
  const latin = /^[A-Za-z][A-Za-z' -]{3,}$/, found = [];
  const foreign = e => { const part = e.closest('[lang]'); return part && !part.lang.startsWith('zh'); };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim(), parent = node.parentElement;
    if (!latin.test(text) || allowed.includes(text) || foreign(parent)) { continue; }
    if (parent.closest('code, .code, script, style, template, svg') || !parent.checkVisibility()) { continue; }
    found.push(text);
  }
  for (const name of ['title', 'alt', 'aria-label', 'placeholder']) {
    for (const e of document.querySelectorAll('[' + name + ']')) {
      const text = e.getAttribute(name).trim();
      if (latin.test(text) && !allowed.includes(text) && !foreign(e)) { found.push(name + ': ' + text); }
    }
  }
  return found;
}"""
AXE = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"


@pytest.fixture(scope="module")
def readers(browser, demo_site):
    """A window for each reader, kept open for all pages."""
    windows: dict[str, Surfer] = {}

    def window(role: str) -> Surfer:
        if role not in windows:
            windows[role] = Surfer(browser, demo_site, role)
        return windows[role]

    yield window
    for one in windows.values():
        one.leaves()


@pytest.fixture(scope="module")
def axe() -> str:
    from axe_playwright_python.base import AXE_FILE_PATH

    return Path(AXE_FILE_PATH).read_text()


def looks(surfer: Surfer, axe: str) -> list[str]:
    """What is wrong with the page that stands open, at each width."""
    page, faults = surfer.page, []
    for width in (*WIDTHS, NARROWEST):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            faults.append(f"{wide} px wide at {width}")
        if width == NARROWEST:
            continue
        # Evaluated, not injected as a tag: the page's policy would rightly refuse that.
        page.evaluate(axe)
        for violation in page.evaluate(AXE):
            targets = [node["target"] for node in violation["nodes"]][:3]
            faults.append(f"axe at {width}: {violation['id']} {targets}")
    return faults + said_wrong(page)


def said_wrong(page: Any) -> list[str]:
    """Title, heading, language and words."""
    faults = []
    if not TITLE.match(page.title()):
        faults.append(f"title {page.title()!r}")
    if (count := page.locator("h1").count()) != 1:
        faults.append(f"{count} h1")
    if (language := page.evaluate("document.documentElement.lang")) != "zh-Hans":
        faults.append(f"lang {language}")
    if english := page.evaluate(LATIN, sorted(ALLOWED)):
        faults.append(f"English: {sorted(set(english))[:12]}")
    return faults


@pytest.mark.parametrize(
    ("role", "place"),
    [
        pytest.param(role, p, id=f"{role or 'visitor'}-{p.name}")
        for role in EVERYBODY
        for p in PLACES
        if role in p.readers
    ],
)
def test_the_page_is_sound(readers, axe, demo_site, role, place):
    surfer = readers(role)
    surfer.faults.clear()
    answer = surfer.opens(place.address(demo_site.market))
    faults = looks(surfer, axe) + surfer.faults
    if (size := len(gzip.compress(answer.body(), 6))) > HTML_LIMIT:
        faults.append(f"{size} bytes of HTML, compressed")
    assert faults == []


@pytest.mark.parametrize(("role", "name", "status"), REFUSED, ids=[f"{r or 'visitor'}-{n}" for r, n, _s in REFUSED])
def test_what_is_not_theirs_is_refused_in_words(readers, axe, demo_site, role, name, status):
    surfer = readers(role)
    surfer.faults.clear()
    if status == 302:
        surfer.opens(BY_NAME[name].address(demo_site.market))
        assert surfer.path == "/accounts/login/"
        return
    surfer.opens(BY_NAME[name].address(demo_site.market), status=404)
    surfer.says("没有找到")
    assert looks(surfer, axe) + surfer.faults == []


UNSOUND = """<!doctype html><html lang="zh-CN"><head><title>Page</title></head><body><main>
<h1>甲</h1><h1>乙</h1><img src="data:," alt="picture"><p>Welcome</p><p lang="en">Hello there</p><p hidden>Hidden</p>
<input placeholder="Search"><div>甲</div><button></button></main></body></html>"""


def test_the_sweep_sees_what_is_unsound(readers, axe):
    """Negative control: a page with one fault of each kind."""
    surfer = readers("")
    # A page of the site would keep its policy, which stops the foreign request before it is one.
    surfer.page.goto("about:blank")
    surfer.page.set_content(UNSOUND)
    surfer.page.evaluate("document.querySelector('div').style.width = '1500px'")
    faults = "\n".join(looks(surfer, axe))
    for expected in ("1508 px wide at 1440", "button-name", "title 'Page'", "2 h1", "lang zh-CN"):
        assert expected in faults, faults
    assert "English: ['Welcome', 'alt: picture', 'placeholder: Search']" in faults, faults
    surfer.faults.clear()
    surfer.page.evaluate("console.error('broken')")
    surfer.page.evaluate("fetch('http://elsewhere.invalid/').catch(() => 0)")
    assert [fault.split(" ")[0] for fault in surfer.faults] == ["error:", "foreign"]
