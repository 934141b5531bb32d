"""One click in the demo; impossible anywhere else, for any other account, from another site, or while signed in."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.contrib.auth import SESSION_KEY
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import timezone

from marketplace.demo.models import DemoAccount
from tests.factories import OrganizationFactory, UserFactory, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(settings):
    settings.DEMO = True
    settings.ROOT_URLCONF = "tests.demo_entry.urls"


def account(role="company", **kwargs):
    user = UserFactory(email=kwargs.pop("email", f"{role}@example.org"), **kwargs)
    user.set_unusable_password()
    user.save()
    return DemoAccount.objects.create(role=role, user=user, title="企业技术负责人", hint="发布需求")


def enters(client, role="company", **data):
    answer = client.post(f"/demo/enter/{role}/", data)
    return answer.status_code, client.session.get(SESSION_KEY)


def test_one_click_signs_in_as_the_role(demo, client):
    row = account()
    status, key = enters(client, next="/accounts/")
    assert (status, key) == (302, str(row.user.pk))
    assert client.get("/accounts/").status_code == 200


def test_the_sign_in_page_lists_the_roles_in_the_demo_only(demo, client, settings):
    account()
    assert "企业技术负责人" in client.get("/accounts/login/").content.decode()
    settings.DEMO = False
    assert "企业技术负责人" not in client.get("/accounts/login/").content.decode()


def test_it_does_not_exist_outside_the_demo(client):
    account()
    for path in ("/demo/enter/company/", "/demo/mail/"):
        with pytest.raises(Resolver404):
            resolve_ours(path)
        assert client.post(path).status_code in (404, 405)
    assert SESSION_KEY not in client.session


def resolve_ours(path):
    match = resolve(path)
    # Wagtail's catch-all takes every address and finds no page.
    if match.func.__module__.startswith("wagtail"):
        raise Resolver404
    return match


def test_the_view_refuses_even_where_a_wrong_route_leads_to_it(client, settings):
    settings.ROOT_URLCONF = "tests.demo_entry.urls"
    account()
    assert enters(client) == (404, None)
    assert client.get("/demo/mail/").status_code == 404


def test_without_that_check_the_wrong_route_would_open_it(client, settings, monkeypatch):
    """The negative control: only the view's own question stands between a wrong route and a signed-in stranger."""
    from marketplace.demo import views

    settings.ROOT_URLCONF = "tests.demo_entry.urls"
    row = account()
    monkeypatch.setattr(views, "settings", type("Open", (), {"DEMO": True, "LOGIN_REDIRECT_URL": "/desk/"}))
    assert enters(client) == (302, str(row.user.pk))


def test_production_does_not_start_with_the_demo_on():
    run = subprocess.run(
        [sys.executable, "-c", "import marketplace.settings.production"],
        env={"PATH": "/usr/bin", "DEMO": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "DEMO" in run.stderr


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"is_superuser": True},
        {"email": "person@company.example"},
    ],
)
def test_an_account_that_is_not_the_demos_is_never_entered(demo, client, change):
    account(**change)
    assert enters(client) == (404, None)


def test_an_account_with_a_password_is_never_entered(demo, client):
    row = account()
    row.user.set_password("somebody-set-one")
    row.user.save()
    assert enters(client) == (404, None)


def test_without_the_account_check_a_superuser_could_be_entered(demo, client, monkeypatch):
    """The negative control of the two tests above."""
    from marketplace.demo import views

    row = account(is_superuser=True)
    monkeypatch.setattr(views, "may_be_entered", lambda user: True)
    assert enters(client) == (302, str(row.user.pk))


def test_an_account_that_the_loader_did_not_mark_is_404(demo, client):
    UserFactory(email="other@example.org")
    assert enters(client, role="other") == (404, None)


def test_it_needs_a_post_with_a_token(demo):
    account()
    strict = Client(enforce_csrf_checks=True)
    assert strict.get("/demo/enter/company/").status_code == 405
    assert strict.post("/demo/enter/company/").status_code == 403
    assert SESSION_KEY not in strict.session


def test_it_is_refused_to_somebody_signed_in(demo, client):
    account()
    user = member(OrganizationFactory())
    client.force_login(user)
    status, key = enters(client)
    assert (status, key) == (403, str(user.pk))


def test_it_leads_to_this_site_only(demo, client):
    account()
    answer = client.post("/demo/enter/company/", {"next": "https://example.com/"})
    assert answer["Location"] == "/desk/"


def test_a_demo_account_keeps_no_password_and_no_other_address(demo, client):
    row = account()
    client.force_login(row.user)
    new = {"password1": "another-horse-42", "password2": "another-horse-42"}
    client.post("/accounts/password/set/", new)
    row.user.refresh_from_db()
    assert not row.user.has_usable_password()
    client.post("/accounts/email/", {"action_add": "1", "email": "mine@company.example"})
    assert not row.user.emailaddress_set.filter(email="mine@company.example").exists()
    client.post("/accounts/close/", {"word": "停用"})
    row.user.refresh_from_db()
    assert row.user.is_active


def test_the_demo_mailbox_shows_mails_latest_first(demo, client, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    assert "还没有邮件" in client.get("/demo/mail/").content.decode()
    EmailMessage("第一封", "验证码 AB12CD", to=["a@example.org"]).send()
    EmailMessage("第二封", "<b>不是标签</b>", to=["b@example.org"]).send()
    page = client.get("/demo/mail/").content.decode()
    assert "AB12CD" in page
    assert f"{timezone.localtime():%m-%d %H:}" in page
    assert "<b>不是标签</b>" not in page
    only = client.get("/demo/mail/?to=b@example.org").content.decode()
    assert "第二封" in only
    assert "第一封" not in only
