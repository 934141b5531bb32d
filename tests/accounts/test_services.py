"""Founding, joining, leaving, renaming: who may, what is logged, who is told, and what is refused."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from marketplace.accounts import acting, services
from marketplace.accounts.models import Membership, Organization
from marketplace.notifications.models import Notice
from marketplace.workflow import Conflict, MoveNotAllowed, history
from tests.accounts.factories import founder, fresh, imported
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory, member

pytestmark = pytest.mark.django_db


def test_the_founder_is_head_and_the_act_names_him_and_the_organisation():
    user, organization = founder()
    assert user.is_head_of(organization)
    assert not organization.is_verified
    assert organization.credit_code is None
    assert [n.name for n in organization.names.all()] == [organization.name]
    (entry,) = history(organization)
    assert (entry.action, entry.user) == ("organization.found", user)
    assert entry.data["on_behalf_of"]["id"] == organization.pk


@pytest.mark.parametrize(
    "name",
    [
        "砚山测试材料有限公司",
        "砚山 测试材料有限公司",
        "砚山\u200b测试材料有限公司",
        "砚山测试材料有限公司\u00ad",
    ],
)
def test_a_name_that_only_looks_different_is_taken(name):
    _user, organization = founder("砚山测试材料有限公司")
    with pytest.raises(services.NameTaken) as caught:
        services.found_organization(by=UserFactory(), name=name, kind="company")
    assert caught.value.organization == organization
    assert Organization.objects.count() == 1


def test_brackets_and_letters_of_any_width_are_one_name():
    founder("塔林（鄂尔多斯）ABC有限公司")
    with pytest.raises(services.NameTaken):
        services.found_organization(by=UserFactory(), name="塔林(鄂尔多斯)ＡＢＣ有限公司", kind="company")


@pytest.mark.parametrize(("name", "letter"), [("塔林АBC有限公司", "А"), ("塔林Ο材料公司", "Ο"), ("塔林♥公司", "♥")])
def test_a_letter_of_another_script_is_named(name, letter):
    with pytest.raises(ValidationError, match=letter):
        services.found_organization(by=UserFactory(), name=name, kind="company")


def test_a_mongolian_and_a_rare_name_are_kept_as_typed():
    for name in ("ᠣᠷᠳᠣᠰ测试合作社", "𠮷林䶮测试有限公司"):
        assert services.found_organization(by=UserFactory(), name=name, kind="company").name == name


def test_joining_asks_the_heads_and_only_approval_gives_power():
    head, organization = founder()
    user = UserFactory()
    membership = services.ask_to_join(by=user, organization=organization, message="技术部")
    assert services.ask_to_join(by=user, organization=organization).pk == membership.pk
    assert Notice.objects.filter(recipient=head, kind="accounts/notices/join_asked").count() == 1
    assert not acting.may_act_for(fresh(user), organization)

    services.approve_membership(Membership.objects.get(pk=membership.pk), by=head)
    assert acting.may_act_for(fresh(user), organization)
    assert user.notices.get().kind == "accounts/notices/join_approved"
    entry = next(iter(history(membership)))
    assert (entry.action, entry.user, entry.data["on_behalf_of"]["id"]) == ("membership.approve", head, organization.pk)
    with pytest.raises(MoveNotAllowed):
        services.ask_to_join(by=user, organization=organization)


def test_nobody_approves_himself_not_even_an_administrator():
    _head, organization = founder()
    administrator = UserFactory(administrator=True)
    membership = services.ask_to_join(by=administrator, organization=organization)
    with pytest.raises(MoveNotAllowed):
        services.approve_membership(membership, by=fresh(administrator))
    assert Membership.objects.get(pk=membership.pk).state == "requested"


@pytest.mark.parametrize("who", ["member", "stranger", "other_head"])
def test_only_a_head_of_this_organisation_decides(who):
    _head, organization = founder()
    by = {
        "member": lambda: member(organization, role="member"),
        "stranger": UserFactory,
        "other_head": lambda: member(OrganizationFactory()),
    }[who]()
    membership = MembershipFactory(organization=organization, requested=True)
    for act in (services.approve_membership, services.decline_membership):
        with pytest.raises(MoveNotAllowed):
            act(membership, by=by)
    with pytest.raises(PermissionDenied):
        services.set_role(MembershipFactory(organization=organization), by=by, role="head")


def test_without_a_head_the_administrators_are_asked():
    administrator = UserFactory(administrator=True)
    services.ask_to_join(by=UserFactory(), organization=imported())
    assert administrator.notices.count() == 1


def test_a_declined_person_reads_why_and_may_ask_again_as_a_plain_member():
    head, organization = founder()
    user = UserFactory()
    membership = MembershipFactory(user=user, organization=organization, role="head", requested=True)
    services.decline_membership(membership, by=head, note="请用单位邮箱申请")
    assert "请用单位邮箱申请" in user.notices.get().text
    again = services.ask_to_join(by=user, organization=organization)
    assert (again.state, again.role) == ("requested", "member")


def test_the_last_head_cannot_leave_nor_step_down():
    head, organization = founder()
    mine = head.memberships.get()
    member(organization, role="member")
    for act in (lambda: services.leave(mine, by=head), lambda: services.set_role(mine, by=head, role="member")):
        with pytest.raises(MoveNotAllowed, match="唯一的负责人"):
            act()
    assert fresh(head).is_head_of(organization)

    other = member(organization)
    services.leave(Membership.objects.get(pk=mine.pk), by=head)
    assert not acting.may_act_for(fresh(head), organization)
    assert other.notices.get().kind == "accounts/notices/member_left"


def test_a_head_who_cannot_sign_in_is_no_head_that_stays():
    head, organization = founder()
    member(organization, is_active=False)
    with pytest.raises(MoveNotAllowed):
        services.leave(head.memberships.get(), by=head)


def test_an_administrator_ends_what_the_last_head_left_behind():
    head, organization = founder()
    services.leave(head.memberships.get(), by=UserFactory(administrator=True), note="已离职")
    assert not organization.heads().exists()
    assert "已离职" in head.notices.get().text


def test_a_stale_decision_is_a_conflict_and_changes_nothing():
    head, organization = founder()
    membership = MembershipFactory(organization=organization, requested=True)
    stale = Membership.objects.get(pk=membership.pk)
    services.decline_membership(membership, by=head)
    with pytest.raises((Conflict, MoveNotAllowed)):
        services.approve_membership(stale, by=head)
    assert Membership.objects.get(pk=membership.pk).state == "declined"


def test_an_open_request_can_be_withdrawn_by_oneself_only():
    head, organization = founder()
    user = UserFactory()
    membership = services.ask_to_join(by=user, organization=organization)
    with pytest.raises(MoveNotAllowed):
        services.leave(membership, by=head)
    services.leave(membership, by=user)
    assert membership.state == "declined"


def test_a_new_name_keeps_the_old_one_with_its_days():
    organization = OrganizationFactory(name="旧名测试有限公司")
    day = timezone.localdate() - dt.timedelta(days=30)
    services.rename(organization, by=UserFactory(administrator=True), name="新名测试有限公司", from_on=day)
    organization = Organization.objects.get(pk=organization.pk)
    assert organization.name == "新名测试有限公司"
    assert organization.name_on(day - dt.timedelta(days=1)) == "旧名测试有限公司"
    assert organization.name_on(day) == "新名测试有限公司"
    # Both find it.
    assert (
        Organization.objects.named("旧名测试有限公司") == Organization.objects.named("新名测试有限公司") == organization
    )


def test_a_head_corrects_an_unverified_name_but_not_a_verified_one():
    head, organization = founder("砚山测是材料有限公司")
    services.rename(organization, by=head, name="砚山测试材料有限公司")
    assert [n.name for n in organization.names.all()] == ["砚山测试材料有限公司"]
    verified = OrganizationFactory()
    with pytest.raises(MoveNotAllowed):
        services.rename(verified, by=member(verified), name="另一个测试有限公司")


def test_a_name_in_the_future_or_taken_is_refused():
    administrator = UserFactory(administrator=True)
    organization, other = OrganizationFactory(), OrganizationFactory()
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    with pytest.raises(MoveNotAllowed):
        services.rename(organization, by=administrator, name="新名测试有限公司", from_on=tomorrow)
    with pytest.raises(services.NameTaken):
        services.rename(organization, by=administrator, name=other.name)


def test_consent_is_a_row_for_each_version_and_once():
    user = UserFactory()
    assert {c.text.kind for c in services.consent(user=user)} == {"terms", "privacy"}
    services.consent(user=user)
    assert user.consents.count() == 2


def test_closing_ends_sign_in_acting_and_consent_but_keeps_the_trail():
    user, organization = founder()
    services.consent(user=user)
    services.close_account(user=user)
    user = fresh(user)
    assert not user.is_active
    assert not user.has_usable_password()
    assert not user.consents.filter(withdrawn_at__isnull=True).exists()
    assert user.organization_ids() == []
    assert Organization.objects.filter(pk=organization.pk).exists()
    assert "account.close" in {e.action for e in history(user)}


def test_a_head_with_colleagues_hands_over_before_closing():
    user, organization = founder()
    member(organization, role="member")
    with pytest.raises(MoveNotAllowed):
        services.close_account(user=user)
    assert fresh(user).is_active
