"""The back office in a real browser under the content policy: no console error, no request to another host."""

from __future__ import annotations

import os
import shutil

import pytest
from django.test import Client

from cms.models import Demand, NewsIndexPage, NewsPage
from marketplace.posting import services
from tests.factories import DemandFactory, UserFactory, member, target

BROWSER = shutil.which("chromium-headless-shell")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="chromium-headless-shell is not installed"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def open_as(live_server, monkeypatch):
    """open_as(user) gives a page signed in as that person and the list of what went wrong on it."""
    from playwright.sync_api import sync_playwright

    # Playwright runs an event loop in this thread; the database is used by this thread alone.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])

        def start(user):
            client, faults = Client(), []
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
            context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=live_server.url)
            context.add_cookies(
                [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
            )
            page = context.new_page()
            page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on(
                "request",
                lambda r: faults.append(r.url) if not r.url.startswith((live_server.url, "data:", "blob:")) else None,
            )
            return page, faults

        yield start
        browser.close()


def wait_until(page, condition: str) -> None:
    """Playwright's own wait_for_function needs eval, which the policy forbids."""
    for _n in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    pytest.fail(condition)


def test_editors_work_without_a_console_error(open_as):
    demand = DemandFactory(targets=[target()])
    page, faults = open_as(UserFactory(is_superuser=True))
    for address in ("/admin/", "/admin/snippets/cms/demand/", "/admin/snippets/cms/technologyfield/"):
        page.goto(address)
    page.goto(f"/admin/snippets/cms/demand/edit/{demand.pk}/")
    page.wait_for_selector("#id_targets-0-name")
    page.click("#id_targets-ADD")
    page.wait_for_selector("#id_targets-1-name")
    page.goto(f"/admin/pages/add/cms/newspage/{NewsIndexPage.objects.get().pk}/")
    page.fill("#id_title", "关于登记时间的通知")
    page.press("#id_title", "Tab")
    wait_until(page, "() => document.querySelector('#id_slug').value")
    page.click("#id_published_on")
    page.wait_for_selector(".xdsoft_datetimepicker:visible")
    page.click(".DraftEditor-root")
    page.keyboard.type("正文第一段")
    # The rich text writes its field a moment after the last key.
    wait_until(page, "() => document.querySelector('[name=body]').value.includes('正文第一段')")
    page.locator("[name=action-publish]").evaluate("button => button.click()")
    page.wait_for_url("**/admin/pages/*/")
    assert NewsPage.objects.get().live
    assert "正文第一段" in NewsPage.objects.get().body
    assert faults == []


def test_a_moderator_approves_in_the_editor_without_a_console_error(open_as):
    demand = DemandFactory(cooperation_modes=["M5"])
    services.submit(demand, by=member(demand.record.owner), on_behalf_of=demand.record.owner)
    page, faults = open_as(UserFactory(moderator=True))
    page.goto("/admin/moderation/")
    page.click("td.title a")
    page.click("text=在编辑器中打开")
    page.wait_for_selector("[data-workflow-action-name=approve]", state="attached")
    page.locator("[data-workflow-action-name=approve]").first.evaluate("button => button.click()")
    page.wait_for_url("**/admin/")
    assert Demand.objects.get(pk=demand.pk).live
    assert faults == []
