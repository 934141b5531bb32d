"""Each act of applicant and office: what it does, who may do it, from which state, and what it leaves alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from marketplace import workflow
from marketplace.contracts import due, items, selectors, services
from marketplace.contracts.models import Contract, ContractFile, Registration, RuleSet, TurnoverEntry
from marketplace.notifications.models import Notice
from marketplace.workflow import Conflict, MoveNotAllowed
from tests.contracts.factories import Scene, pdf
from tests.factories import MembershipFactory, OfficeFactory, OfficerFactory, OrganizationFactory, UserFactory, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return Scene()


def state(registration) -> str:
    return Registration.objects.get(pk=registration.pk).state


STATES = ["draft", "submitted", "accepted", "supplement", "expert_review", "second_review", "registered", "refused"]


def at(scene: Scene, name: str) -> Registration:
    """A registration in that state."""
    if name == "draft":
        return scene.filled().registration
    if name == "submitted":
        return scene.submitted()
    if name == "second_review":
        return scene.at_second()
    if name == "registered":
        return scene.recognised()
    registration = scene.accepted()
    if name == "supplement":
        scene.judge(registration, files="缺印章")
        services.ask_supplement(registration, by=scene.first)
    if name == "expert_review":
        services.escalate(registration, by=scene.first, reason="类别有争议")
        scene.judge(registration)
    if name == "refused":
        services.refuse(registration, by=scene.first, reason_code="R05")
    return registration


ACTS = {
    "submit": ({"draft"}, lambda s, r: services.submit(r, by=s.applicant, on_behalf_of=s.seller)),
    "accept": ({"submitted"}, lambda s, r: services.accept(r, by=s.first)),
    "reject_form": ({"submitted"}, lambda s, r: services.reject_form(r, by=s.first, reason="不是卖方")),
    "supply": ({"supplement"}, lambda s, r: services.supply(r, by=s.applicant, on_behalf_of=s.seller)),
    "escalate": (
        {"accepted", "second_review"},
        lambda s, r: services.escalate(r, by=s.first, reason="有争议"),
    ),
    "return": ({"second_review"}, lambda s, r: services.return_to_first(r, by=s.second, reason="请再看")),
    "recognise": ({"second_review"}, lambda s, r: services.recognise(r, by=s.second)),
    "refuse": (
        {"accepted", "second_review"},
        lambda s, r: services.refuse(r, by=s.second if r.state == "second_review" else s.first, reason_code="R01"),
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_from_every_state_only_its_own_acts_are_possible(scene, name):
    registration = at(scene, name)
    for act, (states, run) in ACTS.items():
        if name in states:
            continue
        fresh = Registration.objects.get(pk=registration.pk)
        with pytest.raises(MoveNotAllowed):
            run(scene, fresh)
        assert state(registration) == name, act


@pytest.mark.parametrize("act", list(ACTS))
def test_a_stranger_may_do_nothing_of_it(scene, act):
    states, _run = ACTS[act]
    registration = at(scene, sorted(states)[0])
    stranger = UserFactory()
    elsewhere = (
        OfficerFactory(office=OfficeFactory(territory="6501")).user if act not in ("submit", "supply") else stranger
    )
    calls = {
        "submit": lambda u: services.submit(registration, by=u, on_behalf_of=scene.seller),
        "accept": lambda u: services.accept(registration, by=u),
        "reject_form": lambda u: services.reject_form(registration, by=u, reason="不是卖方"),
        "supply": lambda u: services.supply(registration, by=u, on_behalf_of=scene.seller),
        "escalate": lambda u: services.escalate(registration, by=u, reason="有争议"),
        "return": lambda u: services.return_to_first(registration, by=u, reason="请再看"),
        "recognise": lambda u: services.recognise(registration, by=u),
        "refuse": lambda u: services.refuse(registration, by=u, reason_code="R01"),
    }
    before = state(registration)
    for user in (stranger, elsewhere):
        with pytest.raises((MoveNotAllowed, PermissionDenied)):
            calls[act](user)
    assert state(registration) == before


def test_an_officer_never_handles_a_contract_of_his_own_organisation(scene):
    registration = scene.submitted()
    MembershipFactory(user=scene.first, organization=scene.seller)
    own = type(scene.first).objects.get(pk=scene.first.pk)
    with pytest.raises(MoveNotAllowed, match="不能由您本人办理"):
        services.accept(registration, by=own)
    assert state(registration) == "submitted"


def test_an_officer_who_left_his_post_may_do_nothing(scene):
    registration = scene.submitted()
    scene.first.officer_posts.update(is_active=False)
    with pytest.raises(MoveNotAllowed):
        services.accept(registration, by=scene.first)


def test_acceptance_sets_the_clock_by_the_rules_of_that_day(scene):
    with time_machine.travel(dt.datetime(2026, 3, 2, 10), tick=False):
        registration = scene.accepted()
        assert (registration.rule_set_id, registration.accepted_on) == ("RS2026", dt.date(2026, 3, 2))
        # Fifteen working days, over no holiday.
        assert (registration.due_on, registration.is_due_estimated) == (dt.date(2026, 3, 23), False)
        large = scene.accepted(amount_total=Decimal(5000000), amount_tech=Decimal(5000000))
        assert large.due_on == services.office.workdays.working_days_after(dt.date(2026, 3, 2), 30)
    with time_machine.travel(dt.datetime(2026, 1, 20, 10), tick=False):
        old = scene.accepted()
        assert (old.rule_set_id, old.due_on) == ("RS2001", dt.date(2026, 2, 19))


def test_a_limit_over_an_unpublished_calendar_is_estimated_and_says_so(scene):
    with time_machine.travel(dt.datetime(2026, 12, 20, 10), tick=False):
        registration = scene.accepted()
    assert registration.is_due_estimated
    assert registration.due_on == dt.date(2027, 1, 10)


def test_a_threshold_is_data(scene):
    RuleSet.objects.filter(key="RS2026").update(large_amount=Decimal(100000))
    registration = scene.judge(scene.accepted())
    with pytest.raises(MoveNotAllowed, match="须先送专家评议"):
        services.pass_first(registration, by=scene.first)


@pytest.mark.parametrize(("tech", "needed"), [("4999999.99", False), ("5000000.00", True), ("5000000.01", True)])
def test_an_expert_is_needed_from_the_large_amount_on(scene, tech, needed):
    registration = scene.judge(scene.accepted(amount_total=Decimal(tech), amount_tech=Decimal(tech)))
    assert services.needs_expert(registration) is needed
    if needed:
        with pytest.raises(MoveNotAllowed, match="专家"):
            services.pass_first(registration, by=scene.first)
    else:
        assert services.pass_first(registration, by=scene.first).state == "second_review"


def test_a_large_contract_is_recognised_with_the_experts_opinion_only(scene):
    amounts = {"amount_total": Decimal(8000000), "amount_tech": Decimal(8000000)}
    registration = scene.accepted(**amounts)
    scene.opinion(registration)
    opinion = registration.opinions.get()
    assert (opinion.expert_name, opinion.file.kind) == ("专家甲", "expert")
    registration.opinions.all().delete()
    with pytest.raises(MoveNotAllowed, match="缺专家意见"):
        services.recognise(registration, by=scene.second)
    assert TurnoverEntry.objects.count() == 0
    other = scene.accepted(**amounts)
    scene.opinion(other)
    assert services.recognise(other, by=scene.second).state == "registered"


def test_an_expert_who_finds_no_technology_stops_the_recognition(scene):
    registration = scene.accepted(disputed=True)
    scene.opinion(registration, conclusion="not_technology")
    with pytest.raises(MoveNotAllowed, match="不属于技术合同"):
        services.recognise(registration, by=scene.second)
    assert services.refuse(registration, by=scene.second, reason_code="R07").state == "refused"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"expert_name": " "}, MoveNotAllowed),
        ({"conclusion": "yes"}, MoveNotAllowed),
        ({"opinion": ""}, MoveNotAllowed),
        ({"given_on": dt.date(2999, 1, 1)}, MoveNotAllowed),
        ({"file": pdf("x", "意见.exe")}, ValidationError),
    ],
)
def test_an_opinion_without_its_parts_changes_nothing(scene, changes, error):
    registration = scene.accepted(disputed=True)
    with pytest.raises(error):
        scene.opinion(registration, **changes)
    assert state(registration) == "expert_review"
    assert not ContractFile.objects.filter(kind="expert").exists()


def test_returning_needs_a_reason_and_lists_what_to_mend(scene):
    registration = scene.accepted()
    with pytest.raises(MoveNotAllowed, match="没有退回任何事项"):
        services.ask_supplement(registration, by=scene.first)
    with pytest.raises(MoveNotAllowed, match="请写明理由"):
        services.mark(registration, by=scene.first, marks={"amount_tech": ("return", " ")})
    scene.judge(registration, amount_tech="扣除与附件二不符")
    services.ask_supplement(registration, by=scene.first, note="并请盖章")
    assert registration.supplement_note == "技术交易额：扣除与附件二不符\n并请盖章"
    assert registration.supplement_due_on == timezone.localdate() + dt.timedelta(days=30)
    notice = Notice.objects.get(recipient=scene.applicant, kind="contracts/notices/supplement")
    assert "扣除与附件二不符" in notice.text


def test_supplying_restarts_the_clock_and_keeps_the_passes_of_what_stayed(scene):
    with time_machine.travel(dt.datetime(2026, 3, 2, 10), tick=False):
        registration = scene.judge(scene.accepted(), summary="看不出技术内容")
        services.ask_supplement(registration, by=scene.first)
    with time_machine.travel(dt.datetime(2026, 3, 16, 10), tick=False):
        services.fill(
            registration.contract,
            by=scene.applicant,
            on_behalf_of=scene.seller,
            fields={
                "summary": "研制除氟填料，含氟废水由 12 mg/L 降到 1 mg/L。",
                "filler": "填报人丙",
                "payment_method_id": "P1",
            },
        )
        services.supply(registration, by=scene.applicant, on_behalf_of=scene.seller)
        assert (registration.accepted_on, registration.review_round) == (dt.date(2026, 3, 16), 2)
        left = [item.key for item in services.unmarked(registration)]
    # The returned item, and what was changed without being asked for.
    assert left == ["payment", "summary"]


def test_first_review_passes_only_when_every_item_did(scene):
    registration = scene.accepted()
    with pytest.raises(MoveNotAllowed, match="还有 14 项没有通过"):
        services.pass_first(registration, by=scene.first)
    assert state(registration) == "accepted"


def test_a_doubt_must_be_answered(scene):
    registration = scene.accepted(
        contract_type_id="TT3",
        seller_is_state_institution=True,
        pricing_mode="agreement",
        summary="除氟填料制备技术秘密转让，含配方和工艺规程，受让方独家使用。",
    )
    scene.judge(registration)
    with pytest.raises(MoveNotAllowed, match="没有公示起止日期"):
        services.pass_first(registration, by=scene.first)
    services.pass_first(registration, by=scene.first, warning_answer="已在校内公示，证明已补")
    assert registration.warning_answer == "已在校内公示，证明已补"


def test_a_return_to_first_review_begins_a_new_round_with_another_reviewer_possible(scene):
    registration = scene.at_second()
    with pytest.raises(MoveNotAllowed, match="请写明退回初审的理由"):
        services.return_to_first(registration, by=scene.second, reason=" ")
    services.return_to_first(registration, by=scene.second, reason="金额请再核")
    assert (registration.review_round, registration.first_reviewer) == (2, None)
    assert len(services.unmarked(registration)) == len(items.of(services.loaded(registration.contract_id)))


def test_a_rejected_form_is_a_draft_again_and_can_be_handed_in(scene):
    registration = scene.submitted()
    services.reject_form(registration, by=scene.first, reason="请改由学院提交")
    assert registration.state == "draft"
    assert services.submit(registration, by=scene.applicant, on_behalf_of=scene.seller).state == "submitted"


def test_a_stale_page_cannot_decide(scene):
    registration = scene.at_second()
    seen = registration.version
    services.return_to_first(Registration.objects.get(), by=scene.second, reason="再看")
    with pytest.raises(Conflict):
        services.recognise(Registration.objects.get(), by=scene.second, seen=seen)
    with pytest.raises(Conflict):
        services.refuse(registration, by=scene.second, reason_code="R01")
    assert state(registration) == "accepted"


def test_negative_control_of_the_version_check(scene, monkeypatch):
    """Without compare-and-set the later of two decisions overwrites the first."""
    first, second = scene.accepted(), None
    second = Registration.objects.get(pk=first.pk)
    services.refuse(first, by=scene.first, reason_code="R01")

    def careless(self, **changes):
        type(self)._base_manager.filter(pk=self.pk).update(**changes)
        for name, value in changes.items():
            setattr(self, name, value)

    with pytest.raises(Conflict):
        services.refuse(second, by=scene.first, reason_code="R02")
    monkeypatch.setattr(workflow.FlowMixin, "change", careless)
    services.refuse(second, by=scene.first, reason_code="R02")
    assert Registration.objects.get().refusal_reason_id == "R02"


def test_what_was_not_supplied_in_time_lapses_once(scene):
    registration = scene.judge(scene.accepted(), files="缺印章")
    services.ask_supplement(registration, by=scene.first)
    with pytest.raises(MoveNotAllowed, match="补正期限还没有到"):
        services.lapse(registration)
    with time_machine.travel(timezone.now() + dt.timedelta(days=25)):
        assert due.run()["supplement_reminders"] == 1
        assert due.run()["supplement_reminders"] == 0
    with time_machine.travel(timezone.now() + dt.timedelta(days=31)):
        assert due.run()["lapsed"] == 1
        assert due.run()["lapsed"] == 0
    fresh = Registration.objects.get()
    assert (fresh.state, fresh.refusal_reason_id) == ("refused", "R05")
    assert Notice.objects.filter(recipient=scene.applicant, kind="contracts/notices/refused").count() == 1


def test_officers_are_reminded_before_a_limit_and_late_cases_are_marked(scene):
    registration = scene.accepted()
    with time_machine.travel(dt.datetime.combine(registration.due_on, dt.time(10)) + dt.timedelta(days=1)):
        due.run()
        due.run()
        assert Notice.objects.filter(recipient=scene.first, kind="contracts/notices/due_soon").count() == 1
        assert selectors.is_late(Registration.objects.get())
        assert selectors.waiting_for(scene.first, None)[0].is_late


def test_every_act_is_written_down_with_person_and_organisation(scene):
    registration = scene.recognised()
    rows = [(e.action, e.user, (e.data.get("on_behalf_of") or {}).get("id")) for e in workflow.history(registration)]
    assert rows[:4] == [
        ("registration.recognise", scene.second, None),
        ("registration.pass", scene.first, None),
        ("registration.accept", scene.first, None),
        ("registration.submit", scene.applicant, scene.seller.pk),
    ]
    newest = next(iter(workflow.history(registration)))
    assert newest.data["number"] == registration.registration_number


def test_a_draft_that_no_office_saw_can_be_deleted_and_no_other(scene):
    contract = scene.filled()
    services.discard(contract, by=scene.applicant, on_behalf_of=scene.seller)
    assert Registration.objects.count() == 0
    registration = scene.submitted()
    services.reject_form(registration, by=scene.first, reason="改")
    with pytest.raises(MoveNotAllowed, match="提交过的申请不能删除"):
        services.discard(registration.contract, by=scene.applicant, on_behalf_of=scene.seller)


def test_registration_counts_on_the_local_day(scene):
    # 31 December 23:59 in Shanghai is 15:59 UTC; a minute later it is next year's.
    moment = dt.datetime(2026, 12, 31, 15, 59, 30, tzinfo=dt.UTC)
    with time_machine.travel(moment - dt.timedelta(days=2), tick=False):
        first, second = scene.at_second(), scene.at_second()
    with time_machine.travel(moment, tick=False):
        assert services.recognise(first, by=scene.second).registered_on == dt.date(2026, 12, 31)
    with time_machine.travel(moment + dt.timedelta(minutes=1), tick=False):
        registration = services.recognise(second, by=scene.second)
    assert registration.registered_on == dt.date(2027, 1, 1)
    assert registration.registration_number.startswith("2027")
    assert registration.registration_number.endswith("000001")
    assert registration.entries.get().entered_on == dt.date(2027, 1, 1)


def test_another_organisation_cannot_use_or_read_it(scene):
    contract = scene.filled()
    stranger_of = OrganizationFactory()
    stranger = member(stranger_of)
    assert not Contract.objects.visible_to(stranger).exists()
    assert not Registration.objects.visible_to(stranger).exists()
    with pytest.raises(MoveNotAllowed):
        services.fill(contract, by=stranger, on_behalf_of=stranger_of, fields={"filler": "别人"})
