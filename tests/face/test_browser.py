"""The styleguide in a real browser: axe, widths, keyboard, paper, console, foreign requests."""

from __future__ import annotations

import mimetypes
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import RequestFactory

from marketplace.styleguide import styleguide

BROWSER = shutil.which("chromium-headless-shell")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="chromium-headless-shell is not installed"),
]
HOST = "http://market.test"
STATIC = Path(settings.BASE_DIR) / "static"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages():
    """Pages rendered beforehand, without a server or a database: these need neither."""
    rf = RequestFactory()
    made = {}
    for path in ("/styleguide/", "/styleguide/?large=1"):
        request = rf.get(path)
        made[path] = styleguide(request).content.decode()
    made["/styleguide/?large=1"] = made["/styleguide/?large=1"].replace("<html ", '<html class="large" ', 1)
    made["/404/"] = render_to_string("404.html", {"reference": "R-7K3Q-0931"})
    made["/500/"] = render_to_string("500.html")
    return made


@pytest.fixture
def visit(browser, pages):
    """visit(path, width, scheme) opens a page under a strict policy and gives (page, faults)."""
    contexts = []

    def open_page(path: str, width: int, scheme: str = "light", **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **options)
        contexts.append(context)
        page, faults = context.new_page(), []

        def answer(route):
            url = route.request.url
            if not url.startswith(HOST):
                faults.append(f"foreign request {url}")
                route.abort()
                return
            local = url.removeprefix(HOST)
            if local.startswith("/static/"):
                file = STATIC / local.removeprefix("/static/").split("?")[0]
                kind = mimetypes.guess_type(file.name)[0] or "text/plain"
                route.fulfill(body=file.read_bytes(), content_type=kind)
                return
            headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": POLICY}
            route.fulfill(body=pages[local], headers=headers)

        page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.route("**/*", answer)
        page.goto(HOST + path)
        return page, faults

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", ["/styleguide/", "/styleguide/?large=1", "/404/", "/500/"])
@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1280, 1440])
def test_nothing_scrolls_sideways_and_nothing_is_refused(visit, path, width):
    page, faults = visit(path, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert faults == []
    assert page.evaluate("document.querySelectorAll('h1').length") == 1


@pytest.mark.parametrize(
    ("path", "width", "scheme"),
    [
        ("/styleguide/", 1440, "light"),
        ("/styleguide/", 390, "light"),
        ("/styleguide/", 1440, "dark"),
        ("/404/", 390, "light"),
        ("/500/", 1440, "dark"),
    ],
)
def test_axe_finds_nothing(visit, path, width, scheme):
    from axe_playwright_python.base import AXE_FILE_PATH

    page, _faults = visit(path, width, scheme)
    # Evaluated, not injected as a script tag: the policy would rightly refuse that.
    page.evaluate(Path(AXE_FILE_PATH).read_text())
    violations = page.evaluate("axe.run().then(result => result.violations)")
    assert [(v["id"], [n["target"] for n in v["nodes"]][:5]) for v in violations] == []


def test_the_menu_opens_by_keyboard_and_closes_with_escape(visit):
    page, _faults = visit("/styleguide/", 390)
    page.focus(".menu > summary")
    page.keyboard.press("Enter")
    assert page.is_visible(".menu__panel")
    page.keyboard.press("Escape")
    assert not page.is_visible(".menu__panel")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_menu_opens_without_scripts(visit):
    page, _faults = visit("/styleguide/", 390, java_script_enabled=False)
    page.click(".menu > summary")
    assert page.is_visible(".menu__panel")


def test_slash_goes_to_the_search_box(visit):
    page, _faults = visit("/styleguide/", 1440)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("a/b")
    assert page.input_value("[data-search]") == "a/b"


def test_the_skip_link_comes_first_and_is_seen(visit):
    page, _faults = visit("/styleguide/", 1440)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0


def test_a_reason_appears_when_a_matter_is_returned(visit):
    page, _faults = visit("/styleguide/", 1440)
    assert page.is_hidden("#r-9")
    page.check("input[name='verdict-9'][value=fail]", force=True)
    assert page.is_visible("#r-9")


def test_targets_on_a_phone_are_large_enough(visit):
    page, _faults = visit("/styleguide/", 390)
    controls = ".btn, .chip, .tabs a, .pages a, .input, .choice, .facet label, summary"
    small = page.evaluate(
        """(controls) => [...document.querySelectorAll(controls)]
            .filter(e => e.offsetParent && e.getBoundingClientRect().height < 43.5 && !e.closest('.chart__data'))
            .map(e => e.className + ' ' + e.getBoundingClientRect().height)""",
        controls,
    )
    assert small == []


def test_print_has_no_navigation_and_is_black_on_white(visit):
    page, _faults = visit("/styleguide/", 1440, "dark")
    page.emulate_media(media="print")
    for selector in (".head", ".tools", ".foot__cols", ".dock"):
        assert page.is_hidden(selector)
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"


def test_keys_of_one_character_can_be_switched_off(visit):
    page, _faults = visit("/styleguide/", 1440)
    page.click("[data-keys]")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") != "search"


FORM = """<form method="post" action="/404/" data-keep="demo">
<div data-keep-offer hidden><button type="button">填回</button></div>
<textarea name="text"></textarea>
<div data-formset="kpi"><input type="hidden" name="kpi-TOTAL_FORMS" value="1">
<div data-rows></div>
<template data-row><div data-row-of="kpi"><input name="kpi-__prefix__-name">
<input type="checkbox" name="kpi-__prefix__-DELETE"><button type="button" data-remove>去掉</button></div></template>
<button type="button" data-add hidden>加一行</button></div>
<button name="act" value="send"><b>提交</b></button></form>"""


@pytest.fixture
def form_page(visit, pages):
    """A page with a form of the kinds that the script helps."""
    pages["/form/"] = pages["/404/"].replace("<dl", FORM + "<dl", 1)
    return visit("/form/", 1440)[0]


def test_rows_are_added_and_taken_away(form_page):
    form_page.click("[data-add]")
    form_page.click("[data-add]")
    assert form_page.input_value("[name=kpi-TOTAL_FORMS]") == "3"
    assert form_page.locator("[name=kpi-2-name]").count() == 1
    form_page.click("[data-remove] >> nth=0")
    assert form_page.is_hidden("[name=kpi-1-name]")
    assert form_page.is_checked("[name=kpi-1-DELETE]")


def test_a_second_press_sends_nothing_and_the_button_says_so(form_page):
    sent, text, busy = form_page.evaluate(
        """async () => {
            const form = document.querySelector('form[data-keep]');
            const button = form.querySelector('[name=act]'), sent = [];
            window.addEventListener('submit', event => {
                if (!event.defaultPrevented) { sent.push(new FormData(form, event.submitter).get('act')); }
                event.preventDefault();  // Stay on the page, as on a slow line.
            });
            form.requestSubmit(button);
            form.requestSubmit(button);
            await new Promise(done => setTimeout(done, 50));
            return [sent, button.textContent, button.getAttribute('aria-busy')];
        }"""
    )
    assert sent == ["send"]
    assert text == "正在提交…"
    assert busy == "true"


def test_text_typed_before_the_session_ended_is_offered_again(form_page):
    long_text = "膜浓缩后氟离子富集到 6–12 mg/L，带入结晶单元后腐蚀钛材换热管。"
    form_page.fill("[name=text]", long_text)
    form_page.reload()
    assert form_page.input_value("[name=text]") == ""
    form_page.click("[data-keep-offer] button")
    assert form_page.input_value("[name=text]") == long_text
