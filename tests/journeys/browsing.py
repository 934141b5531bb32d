"""Chromium for journeys and sweeps: one browser a module, a context for each person, and what a page must never do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from .demo import Site

BROWSER = shutil.which("chromium-headless-shell")
HEIGHT = 900


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Of this module alone: two of them in one process would share one event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


class Surfer:
    """A person of the demo (or a visitor) in a browser window; `faults` gathers what no page may do."""

    def __init__(self, browser: Any, site: Site, role: str = "", width: int = 1440) -> None:
        self.site, self.role, self.width = site, role, width
        self.faults: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": HEIGHT}, locale="zh-CN")
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("request", lambda request: self._same_host(request.url))
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        if role:
            self.opens("/accounts/login/")
            self.page.click(f'form[action="/demo/enter/{role}/"] button')

    def _same_host(self, url: str) -> None:
        if url.startswith(("data:", "blob:", "about:")):
            return
        if urlsplit(url).netloc != urlsplit(self.site.address).netloc:
            self.faults.append(f"foreign request {url}")

    def _heard(self, message: Any) -> None:
        # The browser itself reports the status of a page that is rightly refused.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.faults.append(f"{message.type}: {message.text}")

    def opens(self, path: str, status: int = 200) -> Any:
        """Go to an address of the site (or a whole one); the answer."""
        answer = self.page.goto(path if "://" in path else self.site.url(path))
        assert answer.status == status, f"{self.role or 'visitor'} {path}: {answer.status}"
        return answer

    def reveals(self, selector: str) -> Any:
        """The first such element that a person could reach: what it is folded into is opened by its summary."""
        found = self.page.locator(selector).first
        folded = found.locator("xpath=ancestor::details[not(@open)]")
        for n in range(folded.count()):
            # Outermost first; each opening changes what the locator finds, so always its first.
            if n <= folded.count():
                folded.first.locator("> summary").click()
        return found

    def fills(self, **values: Any) -> None:
        """Type, choose and tick by the names of fields (`row__0__kind` stands for row-0-kind)."""
        for key, value in values.items():
            name = key.replace("__", "-")
            field = self.reveals(f'[name="{name}"]')
            kind = field.evaluate("e => e.tagName === 'INPUT' ? e.type : e.tagName.toLowerCase()")
            if value is True:
                self._ticks(field)
            elif kind == "select":
                field.select_option(value)
            elif kind in ("radio", "checkbox"):
                for one in value if isinstance(value, list) else [value]:
                    self._ticks(self.reveals(f'[name="{name}"][value="{one}"]'))
            elif kind == "file":
                field.set_input_files(value)
            else:
                field.fill(value)

    @staticmethod
    def _ticks(control: Any) -> None:
        """Press the words beside a box or a point, as a hand does; the control itself may be drawn by them."""
        if control.is_checked():
            return
        words = control.locator("xpath=ancestor::label")
        key = control.get_attribute("id")
        words = words if words.count() else control.page.locator(f'label[for="{key}"]')
        words.first.click()
        assert control.is_checked(), f"pressing its label does not choose {control}"

    def presses(self, label: str, within: str = "main") -> None:
        """Press the button that says just this, and wait for what comes."""
        button = self.page.locator(f"{within} button:visible", has_text=label)
        if not button.count():
            button = self.reveals(f'{within} button:has-text("{label}")')
        with self.page.expect_navigation():
            button.first.click()

    def follows(self, label: str) -> None:
        """Click a link by its words."""
        with self.page.expect_navigation():
            self.page.locator("main a:visible", has_text=label).first.click()

    @property
    def text(self) -> str:
        return str(self.page.inner_text("body"))

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def says(self, *texts: str) -> None:
        whole = "".join(self.text.split())
        for text in texts:
            assert "".join(text.split()) in whole, f"{self.path} does not say {text!r}:\n{self.text[:2500]}"

    def fits(self) -> None:
        """Nothing makes the page wider than the window."""
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        if wide > self.width:
            self.faults.append(f"{self.path} is {wide} px wide at {self.width}")

    def leaves(self) -> None:
        self.context.close()
