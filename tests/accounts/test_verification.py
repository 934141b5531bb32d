"""Verification and claim: a wrong code is explained, nobody checks himself, a second act changes nothing."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from marketplace.accounts import acting, services
from marketplace.accounts.models import Organization, VerificationRequest
from marketplace.accounts.verification import CodeTaken
from marketplace.workflow import Conflict, MoveNotAllowed, history
from tests.accounts.factories import CODE, OTHER_CODE, asked, document, founder, fresh, imported
from tests.factories import OrganizationFactory, UserFactory, member

pytestmark = pytest.mark.django_db


def test_staff_verifies_and_the_organisation_has_its_code():
    head, organization = founder()
    request = asked(organization, head)
    staff = UserFactory(moderator=True)
    services.verify(request, by=staff, note="与营业执照一致")
    organization = Organization.objects.get(pk=organization.pk)
    assert (organization.credit_code, organization.verified_by) == (CODE, staff)
    assert organization.legal_representative == "测试法人"
    assert organization.is_verified
    assert {e.action for e in history(organization)} >= {"organization.verify"}
    assert head.notices.get().kind == "accounts/notices/verification_passed"


def test_the_first_administrator_who_is_in_no_group_is_told_of_what_waits():
    first = UserFactory(is_superuser=True)
    closed = UserFactory(is_superuser=True, is_active=False)
    head, organization = founder()
    asked(organization, head)
    assert [n.kind for n in first.notices.all()] == ["accounts/notices/verification_asked"]
    assert not closed.notices.exists()
    services.ask_to_join(by=UserFactory(), organization=imported())
    assert first.notices.count() == 2


def test_a_wrong_code_says_which_character_and_what_it_should_be():
    head, organization = founder()
    wrong = CODE[:17] + ("0" if CODE[17] != "0" else "1")
    with pytest.raises(ValidationError, match=f"第 18 位是“{wrong[17]}”，按前 17 位应为“{CODE[17]}”"):
        asked(organization, head, code=wrong)
    with pytest.raises(ValidationError, match="第 10 位“O”不合规则"):
        asked(organization, head, code=CODE[:9] + "O" + CODE[10:])
    assert not VerificationRequest.objects.exists()


def test_a_code_in_full_width_is_read():
    head, organization = founder()
    wide = "".join(chr(ord(c) + 0xFEE0) for c in CODE)
    assert asked(organization, head, code=f" {wide[:9]} {wide[9:]} ").credit_code == CODE


def test_a_code_of_another_organisation_offers_that_one():
    other = OrganizationFactory(credit_code=CODE)
    head, organization = founder()
    with pytest.raises(CodeTaken) as caught:
        asked(organization, head)
    assert caught.value.organization == other


def test_one_code_is_never_given_to_two():
    first, second = founder("甲测试有限公司"), founder("乙测试有限公司")
    requests = [asked(organization, head) for head, organization in (first, second)]
    staff = UserFactory(moderator=True)
    services.verify(requests[0], by=staff)
    with pytest.raises(MoveNotAllowed, match="甲测试有限公司"):
        services.verify(requests[1], by=staff)
    assert not Organization.objects.get(pk=second[1].pk).is_verified


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("空.pdf", b"", "是空的"),
        ("照片.gif", b"GIF89a", "不是 PDF、JPG"),
        ("改名.pdf", b"MZ\x90\x00", "只改过后缀"),
        ("大.pdf", b"%PDF-" + b"0" * (10 * 1024 * 1024), "超过 10 MB"),
    ],
)
def test_a_bad_document_is_refused_and_nothing_is_kept(name, body, says):
    head, organization = founder()
    with pytest.raises(ValidationError, match=says):
        services.request_verification(
            organization,
            by=head,
            credit_code=CODE,
            legal_representative="甲",
            region=organization.region,
            kind="company",
            evidence=document(name, body),
        )
    assert not VerificationRequest.objects.exists()


def test_the_document_is_kept_under_a_random_name_in_the_private_folder(client):
    head, organization = founder()
    request = asked(organization, head)
    assert request.evidence_name == "营业执照.pdf"
    assert "营业执照" not in request.evidence.name
    assert request.evidence.path.startswith(str(settings.PRIVATE_ROOT))
    for address in (f"/media/{request.evidence.name}", f"/{request.evidence.name}"):
        assert client.get(address).status_code == 404


def test_nobody_verifies_his_own_request():
    staff = UserFactory(moderator=True)
    request = asked(imported(), staff)
    for act in (
        lambda: services.verify(request, by=fresh(staff)),
        lambda: services.return_verification(request, by=fresh(staff), reason="不清楚"),
    ):
        with pytest.raises(MoveNotAllowed, match="不能由您本人办理"):
            act()
    assert VerificationRequest.objects.get().state == "submitted"


def test_nobody_verifies_his_own_organisation():
    head, organization = founder()
    colleague = member(organization, role="member", moderator=True)
    with pytest.raises(MoveNotAllowed):
        services.verify(asked(organization, head), by=colleague)


def test_without_that_guard_one_would_verify_oneself(monkeypatch):
    """The negative control: the rule is what stops it, not something else on the way."""
    staff = UserFactory(moderator=True)
    organization = imported()
    request = asked(organization, staff)
    move = VerificationRequest.FLOW.moves["verify"]
    open_to_all = {
        **VerificationRequest.FLOW.moves,
        "verify": type(move)(move.label, move.sources, move.target, _anybody),
    }
    monkeypatch.setattr(VerificationRequest, "FLOW", type(VerificationRequest.FLOW)("verification", open_to_all))
    services.verify(request, by=fresh(staff))
    assert Organization.objects.get(pk=organization.pk).is_verified


def _anybody(record, user):
    return True


def test_a_claim_makes_the_applicant_head_and_others_must_join():
    organization = imported()
    user = UserFactory()
    request = asked(organization, user)
    assert request.is_claim
    assert not acting.may_act_for(fresh(user), organization)
    with pytest.raises(MoveNotAllowed, match="核实中"):
        asked(organization, UserFactory())
    services.verify(request, by=UserFactory(moderator=True))
    assert fresh(user).is_head_of(organization)
    with pytest.raises(MoveNotAllowed, match="已有负责人"):
        asked(organization, UserFactory())


def test_a_claim_must_show_the_code_that_stands_already():
    organization = imported()
    Organization.objects.filter(pk=organization.pk).update(credit_code=OTHER_CODE)
    with pytest.raises(ValidationError, match="不一致"):
        asked(organization, UserFactory())


def test_who_asked_to_join_before_becomes_head_by_the_claim():
    organization = imported()
    user = UserFactory()
    services.ask_to_join(by=user, organization=organization)
    services.verify(asked(organization, user), by=UserFactory(moderator=True))
    membership = user.memberships.get()
    assert (membership.state, membership.role) == ("approved", "head")


def test_a_returned_request_is_put_right_and_sent_again():
    head, organization = founder()
    request = asked(organization, head, code=OTHER_CODE)
    staff = UserFactory(moderator=True)
    services.return_verification(request, by=staff, reason="代码与执照不一致")
    assert "代码与执照不一致" in head.notices.get().text
    services.resubmit_verification(request, by=head, credit_code=CODE, version=request.version)
    request = VerificationRequest.objects.get()
    assert (request.state, request.credit_code, request.decision_note) == ("submitted", CODE, "")
    services.verify(request, by=staff)
    assert Organization.objects.get(pk=organization.pk).is_verified


def test_a_return_needs_a_reason():
    head, organization = founder()
    with pytest.raises(ValidationError):
        services.return_verification(asked(organization, head), by=UserFactory(moderator=True), reason="  ")


def test_two_who_decide_at_once_one_wins():
    head, organization = founder()
    request = asked(organization, head)
    stale = VerificationRequest.objects.get(pk=request.pk)
    services.return_verification(request, by=UserFactory(moderator=True), reason="缺章")
    with pytest.raises(Conflict):
        services.verify(stale, by=UserFactory(moderator=True))
    assert not Organization.objects.get(pk=organization.pk).is_verified


@pytest.mark.parametrize("who", ["stranger", "member", "other_head"])
def test_only_its_head_asks_for_an_organisation_with_people(who):
    _head, organization = founder()
    by = {
        "stranger": UserFactory,
        "member": lambda: member(organization, role="member"),
        "other_head": lambda: member(OrganizationFactory()),
    }[who]()
    with pytest.raises(MoveNotAllowed, match="已有负责人"):
        asked(organization, by)
