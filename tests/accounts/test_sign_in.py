"""Signing up and in through allauth: our pages, Chinese, no enumeration, limits, a second factor."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import cache

from marketplace.accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"
ENGLISH = re.compile(r"[A-Za-z]{3,}(?: [A-Za-z]{2,}){1,}")


def sign_up(client, email="new.person@example.org", **changes):
    data = {"name": "新用户", "email": email, "password1": PASSWORD, "password2": PASSWORD, "consent": "on", **changes}
    return client.post("/accounts/signup/", {k: v for k, v in data.items() if v is not None})


def words(page: str) -> str:
    """What stands on the page for a reader, without markup and addresses."""
    body = page.split("<main")[1].split("</main>")[0]
    return re.sub(r"<[^>]+>", " ", body)


def verified(user):
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    return user


def test_sign_up_confirm_by_code_and_have_consent_rows(client):
    answer = sign_up(client)
    assert answer.status_code == 302
    code = re.search(r"^([A-Z0-9-]{6,9})$", mail.outbox[0].body, re.M).group(1)
    assert mail.outbox[0].subject == "【鄂尔多斯科技大市场】邮箱验证码"
    client.get(answer["Location"])
    wrong = client.post(answer["Location"], {"code": "AAAAAA"})
    assert "验证码不对" in wrong.content.decode()
    assert client.post(answer["Location"], {"code": code}).status_code == 302
    user = User.objects.get()
    assert user.name == "新用户"
    assert {c.text.kind for c in user.consents.all()} == {"terms", "privacy"}
    assert client.get("/accounts/").status_code == 200


def test_a_code_that_did_not_come_is_sent_again_and_a_mistyped_address_put_right(client):
    address = sign_up(client, "mistyped@example.org")["Location"]
    page = client.get(address).content.decode()
    assert "重新发送" in page
    assert "换一个邮箱" in page
    wrong = client.post(address, {"code": "AAAAAA"}).content.decode()
    assert "验证码：验证码不对" in re.sub(r"\s|<[^>]+>", "", wrong)
    client.post(address, {"action": "change", "email": "right@example.org"})
    assert mail.outbox[-1].to == ["right@example.org"]
    code = re.search(r"^([A-Z0-9-]{6,9})$", mail.outbox[-1].body, re.M).group(1)
    client.post(address, {"code": code})
    assert client.get("/accounts/").status_code == 200
    assert User.objects.get().email == "right@example.org"


def test_an_empty_field_is_named_as_on_the_page_with_what_to_do(client):
    page = client.post("/accounts/signup/", {"email": "a@example.org"}).content.decode()
    said = re.sub(r"\s|<[^>]+>", "", page)
    assert "再输一次密码：这一项不能空着，请填写或选择。" in said
    assert "必需字段" not in said


def test_consent_is_never_ticked_beforehand_and_never_assumed(client):
    assert "checked" not in client.get("/accounts/signup/").content.decode().split('name="consent"')[1][:80]
    assert "同意后才能注册" in sign_up(client, consent=None).content.decode()
    assert not User.objects.exists()


def test_sign_up_answers_alike_for_a_known_address(client):
    verified(UserFactory(email="known@example.org"))
    fresh, known = sign_up(client, "unknown@example.org"), sign_up(type(client)(), "known@example.org")
    assert (fresh.status_code, fresh["Location"]) == (known.status_code, known["Location"])
    assert [m.subject for m in mail.outbox] == [
        "【鄂尔多斯科技大市场】邮箱验证码",
        "【鄂尔多斯科技大市场】您已有账户",
    ]
    assert User.objects.filter(email="known@example.org").count() == 1


def _body(answer):
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
    return re.sub(r"[\w.]+@example\.org", "", page)


def test_a_wrong_sign_in_tells_nothing_of_the_address(client):
    verified(UserFactory(email="known@example.org"))
    first = client.post("/accounts/login/", {"login": "known@example.org", "password": "wrong-password"})
    second = type(client)().post("/accounts/login/", {"login": "unknown@example.org", "password": "wrong-password"})
    assert "邮箱或密码不对" in first.content.decode()
    assert _body(first) == _body(second)


def test_a_reset_answers_alike_and_its_link_works_once(client, settings):
    verified(UserFactory(email="known@example.org"))
    answers = [
        client.post("/accounts/password/reset/", {"email": f"{name}@example.org"}, follow=True)
        for name in ("known", "unknown")
    ]
    assert _body(answers[0]) == _body(answers[1])
    link = re.search(r"http://\S+/password/reset/key/\S+", mail.outbox[0].body).group(0)
    # The site's own address, not the host that the request named.
    assert link.startswith(settings.SITE_URL)
    path = "/" + link.split("/", 3)[3]
    form = client.get(path, follow=True)
    new = {"password1": "another-horse-42", "password2": "another-horse-42"}
    client.post(form.redirect_chain[-1][0], new)
    assert User.objects.get().check_password("another-horse-42")
    assert "链接无效、已用过或已过期" in type(client)().get(path, follow=True).content.decode()


def test_guessing_is_limited_with_our_429_page(client, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
    cache.clear()
    for _ in range(3):
        answer = client.post("/accounts/login/", {"login": "a@example.org", "password": "wrong-password"})
    cache.clear()
    assert answer.status_code == 429
    assert "访问太频繁" in answer.content.decode()


def test_a_disabled_person_is_out_at_the_next_request(client):
    user = verified(UserFactory())
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert client.get("/accounts/").status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/accounts/").status_code == 302


def test_two_steps_with_an_authenticator_and_recovery_codes(client):
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    user = verified(UserFactory())
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    # A change of how one signs in asks for the password again.
    ask = client.get("/accounts/2fa/totp/activate/")["Location"]
    assert "密码不对" in client.post(ask, {"password": "wrong-password"}).content.decode()
    page = client.post(ask, {"password": PASSWORD}, follow=True)
    secret = page.context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code}, follow=True)
    assert "恢复码" in answer.content.decode()
    recovery = user.authenticator_set.get(type="recovery_codes").wrap().get_unused_codes()
    index = client.get("/accounts/2fa/").content.decode()
    assert "已启用" in index

    again = type(client)()
    first = again.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert first["Location"].endswith("/accounts/2fa/authenticate/")
    assert again.get("/accounts/").status_code == 302
    assert "验证码不对" in again.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    assert again.post("/accounts/2fa/authenticate/", {"code": recovery[0]}).status_code == 302
    assert again.get("/accounts/").status_code == 200


VISITOR_PAGES = ["login/", "signup/", "password/reset/", "password/reset/done/", "inactive/", "terms/", "privacy/"]
MEMBER_PAGES = [
    "", "profile/", "close/", "email/", "password/change/", "logout/", "2fa/", "2fa/totp/activate/",
    "organizations/new/", "organizations/join/", "reauthenticate/",
]  # fmt: skip


@pytest.mark.parametrize("page", VISITOR_PAGES)
def test_pages_of_signing_in_are_ours_and_chinese(client, page):
    _is_ours(client.get(f"/accounts/{page}"))


@pytest.mark.parametrize("page", MEMBER_PAGES)
def test_pages_of_the_account_are_ours_and_chinese(client, page):
    user = verified(UserFactory())
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    if page.startswith("2fa/totp"):
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    _is_ours(client.get(f"/accounts/{page}"))


@pytest.mark.parametrize(
    ("page", "data"),
    [
        ("login/", {"login": "x", "password": ""}),
        ("signup/", {"email": "x", "password1": "123", "password2": "1234"}),
        ("signup/", {"email": "a@example.org", "name": "甲", "password1": "password", "password2": "password"}),
        ("signup/", {"email": "a@example.org", "name": "甲", "password1": "123456789012", "password2": "12"}),
        ("password/reset/", {"email": "not an address"}),
    ],
)
def test_errors_are_chinese_with_a_summary(client, page, data):
    answer = client.post(f"/accounts/{page}", data)
    _is_ours(answer)
    text = answer.content.decode()
    assert "处需要更正" in text
    assert "<title>错误：" in text


def _is_ours(answer):
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "css/tokens.css" in page
    assert "<h1>" in page
    assert 'lang="zh-Hans"' in page
    english = [found for found in ENGLISH.findall(words(page)) if "example" not in found]
    assert not english, english
    assert "style=" not in page.split("<body")[1]
    assert not re.search(r"<script(?![^>]*src=)", page)
