"""The pages of account, organisations and verification: who sees them, what they keep, what they refuse."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from marketplace.accounts import services
from marketplace.accounts.models import ConsentText, Membership, Organization, User, VerificationRequest
from marketplace.accounts.views import staff as staff_views
from tests.accounts.factories import CODE, OTHER_CODE, asked, founder, fresh, imported, upload
from tests.factories import MembershipFactory, OrganizationFactory, UserFactory, member

pytestmark = pytest.mark.django_db


def found_data(**changes):
    return {
        "name": "砚山测试材料有限公司",
        "kind": "company",
        "credit_code": CODE,
        "province": "150000",
        "city": "150600",
        "county": "150602",
        **changes,
    }


def verify_data(**changes):
    data = found_data(legal_representative="测试法人", evidence=upload(), **changes)
    data.pop("name")
    return data


def in_page(client, user, address, **kwargs):
    client.force_login(user)
    return client.get(address, **kwargs)


# The account


def test_the_account_shows_organisations_consent_and_what_waits(client):
    user, organization = founder()
    services.consent(user=user)
    services.ask_to_join(by=user, organization=OrganizationFactory(name="等待批准测试公司"))
    page = in_page(client, user, "/accounts/").content.decode()
    for text in (organization.name, "负责人", "未核实", "等待批准测试公司", "等待负责人批准", "服务协议", "2026-01"):
        assert text in page
    assert "协议或告知有新版本" not in page


def test_a_new_version_of_a_text_asks_for_consent_again(client):
    user = UserFactory()
    services.consent(user=user)
    ConsentText.objects.create(
        kind="privacy", version="2026-09", title="个人信息处理告知", body="新", effective_on=timezone.localdate()
    )
    assert "协议或告知有新版本" in in_page(client, user, "/accounts/").content.decode()
    client.post("/accounts/agree/")
    assert user.consents.count() == 3
    assert "协议或告知有新版本" not in client.get("/accounts/").content.decode()


def test_the_texts_are_open_to_all_in_every_version_that_took_effect(client):
    ConsentText.objects.create(kind="terms", version="2030", title="服务协议", body="将来", effective_on="2099-01-01")
    assert "2026-01" in client.get("/accounts/terms/").content.decode()
    assert client.get("/accounts/terms/?version=2026-01").status_code == 200
    assert client.get("/accounts/terms/?version=2030").status_code == 404


def test_profile_is_corrected_and_a_name_needs_a_letter(client):
    user = UserFactory()
    client.force_login(user)
    answer = client.post("/accounts/profile/", {"name": " \u200b!! ", "phone": ""})
    assert "请填写真实姓名" in answer.content.decode()
    client.post("/accounts/profile/", {"name": "乌云·其木格", "phone": "0477-0000001"})
    assert (fresh(user).name, fresh(user).phone) == ("乌云·其木格", "0477-0000001")


def test_my_data_is_a_file_with_what_is_held_of_me_only(client):
    user, organization = founder()
    other = UserFactory(email="somebody.else@example.org")
    services.consent(user=user)
    answer = in_page(client, user, "/accounts/my-data.json")
    assert answer["Content-Disposition"].startswith("attachment")
    data = json.loads(answer.content)
    assert data["profile"]["email"] == user.email
    assert data["organizations"][0]["name"] == organization.name
    assert len(data["consents"]) == 2
    assert "建立单位" in {act["act"] for act in data["acts"]}
    assert other.email not in answer.content.decode()


def test_closing_needs_the_word(client):
    user = UserFactory()
    client.force_login(user)
    assert "要停用账户请输入" in client.post("/accounts/close/", {"word": "是"}).content.decode()
    assert fresh(user).is_active
    assert client.post("/accounts/close/", {"word": "停用"}).status_code == 302
    assert not fresh(user).is_active
    assert client.get("/accounts/").status_code == 302


def test_acting_is_chosen_among_ones_own_and_shown(client):
    user, first = founder("甲测试有限公司")
    second = OrganizationFactory(name="乙测试有限公司", head=user)
    client.force_login(user)
    assert client.post("/accounts/acting/", {"organization": second.number, "next": "/accounts/"}).status_code == 302
    assert "代表 乙测试有限公司" in client.get("/accounts/").content.decode()
    stranger = OrganizationFactory()
    assert client.post("/accounts/acting/", {"organization": stranger.number}).status_code == 404
    away = client.post("/accounts/acting/", {"organization": first.number, "next": "https://example.com/"})
    assert away["Location"] == "/desk/"


def test_an_ended_membership_has_no_power_at_the_next_request(client):
    head, organization = founder()
    user = member(organization, role="member")
    client.force_login(user)
    page = f"/accounts/organizations/{organization.number}/"
    assert client.get(page).status_code == 200
    services.leave(user.memberships.get(), by=head)
    assert client.get(page).status_code == 404
    assert client.post("/accounts/acting/", {"organization": organization.number}).status_code == 404
    assert organization.name not in client.get("/accounts/").content.decode().split("<main")[1]


# Organisations


def test_founding_leads_to_verification_with_the_code_filled_in(client):
    client.force_login(UserFactory())
    answer = client.post("/accounts/organizations/new/", found_data(credit_code=CODE.lower()))
    organization = Organization.objects.get()
    assert answer["Location"] == f"/accounts/organizations/{organization.number}/verify/"
    assert (organization.region_id, organization.declared_code, organization.credit_code) == ("150602", CODE, None)
    assert CODE in client.get(answer["Location"]).content.decode()


def test_the_same_form_sent_twice_founds_one_organisation(client):
    client.force_login(UserFactory())
    first, second = (client.post("/accounts/organizations/new/", found_data()) for _ in range(2))
    assert (
        first["Location"]
        == second["Location"]
        == f"/accounts/organizations/{Organization.objects.get().number}/verify/"
    )


@pytest.mark.parametrize(("address", "there"), [("/demands/new/", True), ("https://elsewhere.example/", False)])
def test_a_founder_goes_back_to_the_page_that_asked_for_an_organisation(client, address, there):
    client.force_login(UserFactory())
    page = client.get("/accounts/organizations/new/", {"next": address}).content.decode()
    assert (f'name="next" value="{address}"' in page) is there
    answer = client.post("/accounts/organizations/new/", found_data() | {"next": address})
    assert (answer["Location"] == address) is there


def test_founding_what_exists_offers_to_join_it(client):
    for _ in range(2):
        client.force_login(UserFactory())
        answer = client.post("/accounts/organizations/new/", found_data())
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "申请加入或认领" in page
    assert f"/accounts/organizations/{Organization.objects.get().number}/join/" in page


def test_a_wrong_code_is_explained_and_nothing_typed_is_lost(client):
    client.force_login(UserFactory())
    wrong = CODE[:17] + ("0" if CODE[17] != "0" else "1")
    page = client.post(
        "/accounts/organizations/new/", found_data(credit_code=wrong, address="康巴什路")
    ).content.decode()
    assert f"按前 17 位应为“{CODE[17]}”" in page
    assert "康巴什路" in page
    assert wrong in page
    assert not Organization.objects.exists()


def test_full_width_digits_in_a_code_are_read(client):
    client.force_login(UserFactory())
    client.post("/accounts/organizations/new/", found_data(credit_code="".join(chr(ord(c) + 0xFEE0) for c in CODE)))
    assert Organization.objects.get().declared_code == CODE


def test_the_region_is_chosen_without_scripts(client):
    client.force_login(UserFactory())
    page = client.post(
        "/accounts/organizations/new/", found_data(province="110000", city="", county="", pick="province")
    ).content.decode()
    assert "东城区" in page
    assert "有 1 处需要更正" not in page
    assert "砚山测试材料有限公司" in page
    # A municipality's district stands on the second level.
    client.post("/accounts/organizations/new/", found_data(province="110000", city="110101", county=""))
    assert Organization.objects.get().region_id == "110101"


def test_a_county_of_another_city_is_refused(client):
    client.force_login(UserFactory())
    answer = client.post("/accounts/organizations/new/", found_data(city="150100", county="150602"))
    assert answer.status_code == 200
    assert not Organization.objects.exists()


@pytest.mark.parametrize(("bad", "status"), [("砚山\x00测试有限公司", 200), ("x" * 10_000_000, 413)])
def test_nul_and_ten_megabytes_are_refused_without_a_trace(client, bad, status):
    client.force_login(UserFactory())
    answer = client.post("/accounts/organizations/new/", found_data(name=bad))
    assert answer.status_code == status
    assert "需要更正" in answer.content.decode() or status == 413
    assert not Organization.objects.exists()


def test_an_expired_sign_in_gives_the_text_back(client):
    user = UserFactory()
    answer = client.post("/accounts/organizations/new/", found_data(address="东胜区测试街 1 号"))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")
    assert "填写的内容会带回原来的表单" in client.get(answer["Location"]).content.decode()
    client.post("/accounts/login/", {"login": user.email, "password": "correct-horse-battery"})
    client.force_login(user)
    page = client.get("/accounts/organizations/new/").content.decode()
    assert "东胜区测试街 1 号" in page
    assert CODE in page
    # Once only.
    assert "东胜区测试街" not in client.get("/accounts/organizations/new/").content.decode()
    assert not Organization.objects.exists()


def test_secrets_are_never_kept_for_later(client):
    client.post("/accounts/profile/", {"name": "甲", "password": "geheim-12345"})
    assert "geheim" not in json.dumps(dict(client.session))


def test_an_organisation_is_found_by_its_exact_name_only(client):
    _head, organization = founder()
    client.force_login(UserFactory())
    assert "没有找到" in client.get("/accounts/organizations/join/", {"q": "砚山测试"}).content.decode()
    page = client.get("/accounts/organizations/join/", {"q": "砚山（测试）材料有限公司".replace("（测试）", "测试")})
    assert organization.number in page.content.decode()


def test_joining_goes_through_the_head(client):
    head, organization = founder()
    user = UserFactory()
    client.force_login(user)
    address = f"/accounts/organizations/{organization.number}/join/"
    # Nobody knows an unverified organisation by its number.
    assert client.post(address, {"message": ""}).status_code == 404
    assert client.post(address, {"message": "", "q": "另一个名称"}).status_code == 404
    for _ in range(2):
        assert client.post(address, {"message": "技术部", "q": organization.name}).status_code == 302
    membership = Membership.objects.get(user=user)
    client.force_login(head)
    page = client.get(f"/accounts/organizations/{organization.number}/").content.decode()
    assert "技术部" in page
    client.post(f"/accounts/organizations/{organization.number}/members/{membership.pk}/approve/", {"version": 1})
    assert fresh(user).organization_ids() == [organization.pk]


@pytest.mark.parametrize("act", ["approve", "decline", "remove", "head", "member", "leave"])
def test_another_organisations_ids_are_404(client, act):
    _head, organization = founder()
    target = MembershipFactory(organization=organization, requested=act in ("approve", "decline"))
    mine = OrganizationFactory()
    client.force_login(member(mine))
    for number in (organization.number, mine.number):
        assert client.post(f"/accounts/organizations/{number}/members/{target.pk}/{act}/").status_code == 404
    now = Membership.objects.get(pk=target.pk)
    assert (now.state, now.role, now.version) == (target.state, target.role, target.version)


@pytest.mark.parametrize("page", ["", "edit/", "rename/", "verify/"])
def test_another_organisations_pages_are_404(client, page):
    _head, organization = founder()
    client.force_login(member(OrganizationFactory()))
    unknown = client.get(f"/accounts/organizations/DW-2026-ZZZZZZ/{page}")
    assert client.get(f"/accounts/organizations/{organization.number}/{page}").status_code == 404 == unknown.status_code


def test_a_plain_member_sees_but_does_not_manage(client):
    _head, organization = founder()
    client.force_login(member(organization, role="member"))
    page = client.get(f"/accounts/organizations/{organization.number}/").content.decode()
    assert "设为负责人" not in page
    assert client.get(f"/accounts/organizations/{organization.number}/edit/").status_code == 404


def test_without_the_membership_check_a_stranger_would_manage(client, monkeypatch):
    """The negative control of the 404 above."""
    from marketplace.accounts.views import organizations

    _head, organization = founder()
    client.force_login(UserFactory())
    monkeypatch.setattr(organizations, "_mine", lambda request: Organization.objects.all())
    assert client.get(f"/accounts/organizations/{organization.number}/").status_code == 200


def test_a_stale_approval_answers_409(client):
    head, organization = founder()
    membership = MembershipFactory(organization=organization, requested=True)
    client.force_login(head)
    address = f"/accounts/organizations/{organization.number}/members/{membership.pk}/approve/"
    assert client.post(address, {"version": membership.version + 1}).status_code == 409
    assert Membership.objects.get(pk=membership.pk).state == "requested"


# Verification


def test_a_head_asks_and_staff_decides_in_the_queue(client):
    head, organization = founder()
    client.force_login(head)
    address = f"/accounts/organizations/{organization.number}/verify/"
    assert client.post(address, verify_data()).status_code == 302
    assert "正在办理" in client.get(f"/accounts/organizations/{organization.number}/").content.decode()
    request = VerificationRequest.objects.get()
    assert "核实中" in client.post(address, verify_data()).content.decode()
    assert VerificationRequest.objects.count() == 1

    client.force_login(UserFactory(moderator=True))
    assert organization.name in client.get("/accounts/verifications/").content.decode()
    page = client.get(f"/accounts/verifications/{request.pk}/").content.decode()
    assert "代码校验位" in page
    document = client.get(f"/accounts/verifications/{request.pk}/file/")
    assert document["Content-Disposition"].startswith("attachment")
    assert document["X-Content-Type-Options"] == "nosniff"
    assert b"".join(document.streaming_content).startswith(b"%PDF")
    answer = client.post(f"/accounts/verifications/{request.pk}/", {"act": "verify", "version": request.version})
    assert answer.status_code == 302
    assert Organization.objects.get(pk=organization.pk).is_verified


def test_returned_with_a_reason_and_sent_again(client):
    head, organization = founder()
    request = asked(organization, head, code=OTHER_CODE)
    client.force_login(UserFactory(moderator=True))
    address = f"/accounts/verifications/{request.pk}/"
    assert "请写明退回的理由" in client.post(address, {"act": "return", "version": 1, "note": " "}).content.decode()
    client.post(address, {"act": "return", "version": 1, "note": "代码与执照不一致"})
    client.force_login(head)
    address = f"/accounts/organizations/{organization.number}/verify/"
    assert "代码与执照不一致" in client.get(address).content.decode()
    data = verify_data(version=2)
    data.pop("evidence")
    assert client.post(address, {**data, "version": 1}).status_code == 409
    assert client.post(address, data).status_code == 302
    request = VerificationRequest.objects.get()
    assert (request.state, request.credit_code) == ("submitted", CODE)


def test_ones_own_request_cannot_be_decided_on_the_page(client):
    staff = UserFactory(moderator=True)
    request = asked(imported(), staff)
    client.force_login(staff)
    page = client.get(f"/accounts/verifications/{request.pk}/").content.decode()
    assert "核实通过</button>" not in page
    for act in ("verify", "return"):
        answer = client.post(f"/accounts/verifications/{request.pk}/", {"act": act, "version": 1, "note": "好"})
        assert answer.status_code == 403
    assert VerificationRequest.objects.get().state == "submitted"


def test_without_both_guards_ones_own_request_would_pass(client, monkeypatch):
    """The negative control: page and service ask the same rule; with it gone the attack works."""
    staff = UserFactory(moderator=True)
    organization = imported()
    request = asked(organization, staff)
    flow = VerificationRequest.FLOW
    move = flow.moves["verify"]
    moves = {**flow.moves, "verify": type(move)(move.label, move.sources, move.target, lambda record, user: True)}
    monkeypatch.setattr(VerificationRequest, "FLOW", type(flow)("verification", moves))
    client.force_login(staff)
    client.post(f"/accounts/verifications/{request.pk}/", {"act": "verify", "version": 1})
    assert Organization.objects.get(pk=organization.pk).is_verified


def test_queue_request_and_document_are_for_staff_and_the_applicant(client):
    head, organization = founder()
    request = asked(organization, head)
    pages = [f"/accounts/verifications/{request.pk}/", f"/accounts/verifications/{request.pk}/file/"]
    client.force_login(member(OrganizationFactory()))
    assert {client.get(page).status_code for page in [*pages, "/accounts/verifications/"]} == {404}
    client.force_login(head)
    assert client.get(pages[0]).status_code == 200
    document = client.get(pages[1])
    assert document.status_code == 200
    document.getvalue()  # to its end, which closes the file
    assert client.get("/accounts/verifications/").status_code == 404
    client.logout()
    assert {client.get(page).status_code for page in pages} == {302}


def test_two_moderators_at_once_the_second_sees_409_with_both(client):
    head, organization = founder()
    request = asked(organization, head)
    services.return_verification(request, by=UserFactory(moderator=True), reason="缺章")
    client.force_login(UserFactory(moderator=True))
    answer = client.post(
        f"/accounts/verifications/{request.pk}/", {"act": "verify", "version": 1, "note": "我的意见在此"}
    )
    assert answer.status_code == 409
    assert "我的意见在此" in answer.content.decode()
    assert "缺章" in answer.content.decode()


def test_a_claim_by_its_number_and_then_verified(client):
    organization = imported()
    user = UserFactory()
    client.force_login(user)
    query = {"q": organization.name}
    page = client.get(f"/accounts/organizations/{organization.number}/join/", query).content.decode()
    assert "认领这个单位" in page
    answer = client.post(f"/accounts/organizations/{organization.number}/verify/", verify_data(q=organization.name))
    assert answer["Location"] == "/accounts/"
    services.verify(VerificationRequest.objects.get(), by=UserFactory(moderator=True))
    assert fresh(user).is_head_of(organization)


def test_the_queue_costs_the_same_for_many(client, django_assert_max_num_queries):
    for number in range(12):
        head, organization = founder(f"队列测试{number}号有限公司")
        asked(organization, head)
    client.force_login(UserFactory(moderator=True))
    client.get("/accounts/verifications/")
    with django_assert_max_num_queries(20):
        page = client.get("/accounts/verifications/").content.decode()
    assert page.count("队列测试") == 12
    assert staff_views.PAGE >= 12


def test_an_organisation_page_stays_within_its_queries(client, django_assert_max_num_queries):
    head, organization = founder()
    for _ in range(15):
        MembershipFactory(organization=organization)
        MembershipFactory(organization=organization, requested=True)
    client.force_login(head)
    with django_assert_max_num_queries(25):
        client.get(f"/accounts/organizations/{organization.number}/")


def test_what_waits_for_whom(client):
    from marketplace.accounts.selectors import waiting_for

    head, organization = founder()
    assert [w.title for w in waiting_for(head, organization)] == ["为本单位申请核实"]
    MembershipFactory(organization=organization, requested=True, user=UserFactory(name="乌云"))
    request = asked(organization, head)
    assert [w.title for w in waiting_for(fresh(head), organization)] == ["批准 乌云 加入单位"]
    staff = UserFactory(moderator=True)
    assert [w.url for w in waiting_for(staff, None)] == [f"/accounts/verifications/{request.pk}/"]
    services.return_verification(request, by=staff, reason="缺章")
    assert "更正并重新提交核实申请" in [w.title for w in waiting_for(fresh(head), organization)]
    assert waiting_for(UserFactory(), None) == []
    assert User.objects.count() == 4


@pytest.mark.parametrize("who", ["visitor", "person", "member"])
def test_acting_is_an_organisation_or_none_and_no_proxy_of_none(client, who):
    if who != "visitor":
        client.force_login(UserFactory() if who == "person" else founder()[0])
    acting = client.get("/accounts/terms/").wsgi_request.acting
    assert (acting is None) == (who != "member")
    assert who != "member" or isinstance(acting, Organization)
