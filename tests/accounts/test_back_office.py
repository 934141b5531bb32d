"""Wagtail's pages for people and organisations: they work, for administrators, and give no way past the services."""

from __future__ import annotations

import pytest

from marketplace.accounts.models import ConsentText, Organization, User
from tests.accounts.factories import asked, founder, fresh
from tests.factories import OrganizationFactory, UserFactory, member

pytestmark = pytest.mark.django_db
SNIPPETS = "/admin/snippets/accounts/"


@pytest.fixture
def administrator(client):
    user = UserFactory(administrator=True)
    client.force_login(user)
    return user


def test_the_back_office_is_entered_by_our_sign_in(client):
    assert client.get("/admin/login/")["Location"].startswith("/accounts/login/")


def test_lists_open_with_chinese_heads(client, administrator):
    head, organization = founder()
    asked(organization, head)
    for name in ("organization", "organizationname", "verificationrequest", "consenttext"):
        answer = client.get(f"{SNIPPETS}{name}/")
        assert answer.status_code == 200, name
    page = client.get(f"{SNIPPETS}organization/").content.decode()
    for text in (organization.name, organization.number, "统一社会信用代码", "核实时间"):
        assert text in page


def test_an_administrator_edits_facts_but_not_name_nor_code(client, administrator):
    organization = OrganizationFactory()
    address = f"{SNIPPETS}organization/edit/{organization.pk}/"
    assert organization.name in client.get(address).content.decode()
    data = {
        "name": "改掉的名称有限公司",
        "credit_code": "",
        "short_name": "新简称",
        "kind": "company",
        "region": organization.region_id,
        "address": "",
        "legal_representative": "",
        "introduction": "",
        "is_active": "on",
    }
    assert client.post(address, data).status_code == 302
    now = Organization.objects.get(pk=organization.pk)
    assert now.short_name == "新简称"
    assert (now.name, now.credit_code) == (organization.name, organization.credit_code)


def test_a_text_is_added_but_never_edited(client, administrator):
    data = {"kind": "terms", "version": "2026-12", "title": "服务协议", "effective_on": "2026-12-01", "body": "新"}
    client.post(f"{SNIPPETS}consenttext/add/", data)
    text = ConsentText.objects.get(version="2026-12")
    assert client.get(f"{SNIPPETS}consenttext/edit/{text.pk}/").status_code == 302
    client.post(f"{SNIPPETS}consenttext/edit/{text.pk}/", {**data, "body": "改过"})
    assert ConsentText.objects.get(pk=text.pk).body == "新"


def test_verification_cannot_be_changed_past_its_page(client, administrator):
    head, organization = founder()
    request = asked(organization, head)
    for act in ("edit", "delete"):
        client.post(f"{SNIPPETS}verificationrequest/{act}/{request.pk}/", {"credit_code": "X"})
    request.refresh_from_db()
    assert request.state == "submitted"
    assert request.credit_code != "X"


@pytest.mark.parametrize("role", ["moderator", "editor"])
def test_the_lists_are_for_administrators_only(client, role):
    client.force_login(UserFactory(**{role: True}))
    for name in ("organization", "organizationname", "verificationrequest", "consenttext"):
        assert client.get(f"{SNIPPETS}{name}/").status_code == 302


def test_a_member_is_kept_out(client):
    client.force_login(member(OrganizationFactory()))
    assert client.get("/admin/").status_code in (302, 403)
    assert client.get("/admin/users/").status_code in (302, 403)


def test_moderators_find_verification_in_the_menu(client):
    client.force_login(UserFactory(moderator=True))
    assert "/accounts/verifications/" in client.get("/admin/").content.decode()


def test_an_administrator_gives_a_role_without_setting_a_password(client, administrator):
    from django.contrib.auth.models import Group

    group = Group.objects.get(name="审核员")
    page = client.get("/admin/users/new/").content.decode()
    assert 'name="password1"' not in page
    assert 'name="name"' in page
    assert "None" not in page.split('<ul class="fields">')[1].split("</ul>")[0]
    client.post("/admin/users/new/", {"email": "New.Staff@example.org", "name": "新审核员", "groups": [group.pk]})
    user = User.objects.get(email="new.staff@example.org")
    assert user.is_moderator
    assert not user.has_usable_password()
    assert not user.is_superuser
    assert 'name="name"' in client.get(f"/admin/users/edit/{user.pk}/").content.decode()
    listed = client.get("/admin/users/?q=新审核员").content.decode()
    assert "new.staff@example.org" in listed
    client.post(
        f"/admin/users/edit/{user.pk}/",
        {"email": user.email, "name": user.name, "is_active": "on", "is_superuser": "on"},
    )
    assert not fresh(user).is_moderator
    assert not fresh(user).is_superuser


@pytest.mark.parametrize("ordering", ["name", "-name", "email", "-last_login", "is_active"])
def test_the_list_of_users_sorts_by_our_one_name(client, administrator, ordering):
    member(OrganizationFactory(short_name="测试简称"))
    page = client.get("/admin/users/", {"ordering": ordering}).content.decode()
    assert "测试简称" in page


def test_an_administrator_cannot_touch_a_superuser(client, administrator):
    boss = UserFactory(is_superuser=True, name="超级用户")
    assert "超级用户" not in client.get("/admin/users/").content.decode()
    data = {"email": "taken@example.org", "name": "改名", "is_active": ""}
    client.post(f"/admin/users/edit/{boss.pk}/", data)
    assert (fresh(boss).email, fresh(boss).is_active) == (boss.email, True)


def test_nobody_locks_himself_out(client, administrator):
    client.post(
        f"/admin/users/edit/{administrator.pk}/",
        {
            "email": administrator.email,
            "name": administrator.name,
            "groups": list(administrator.groups.values_list("pk")),
        },
    )
    assert fresh(administrator).is_active


def test_a_demo_account_stays_as_the_loader_made_it(client, administrator):
    from marketplace.demo.models import DemoAccount

    user = UserFactory(email="company@example.org")
    DemoAccount.objects.create(role="company", user=user, title="企业", hint="")
    client.post(f"/admin/users/edit/{user.pk}/", {"email": "mine@company.example", "name": "改名"})
    now = fresh(user)
    assert (now.email, now.name, now.is_active) == (user.email, user.name, True)


@pytest.mark.parametrize(("action", "data"), [("set_active_state", {"mark_as_active": "False"}), ("assign_role", {})])
def test_bulk_acts_do_not_pass_by_the_form(client, administrator, action, data):
    from django.contrib.auth.models import Group

    other = UserFactory()
    address = f"/admin/bulk/accounts/user/{action}/?next=/admin/users/&id={other.pk}"
    page = client.post(address, data or {"role": Group.objects.get(name="审核员").pk}, follow=True).content.decode()
    assert "请逐个打开用户修改" in page
    assert fresh(other).is_active
    assert not fresh(other).is_moderator


def test_ones_own_preferences_in_the_back_office_open(client, administrator):
    assert client.get("/admin/account/").status_code == 200
