"""Two at once: one number, one entry, one winner. Raced with threads on a database of their own."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from marketplace.contracts import numbering, services, territory
from marketplace.contracts.models import NumberCounter, Office, Party, Registration, TurnoverEntry
from marketplace.contracts.services import drafting
from marketplace.workflow import Conflict, MoveNotAllowed
from tests.contracts.factories import Scene, pdf
from tests.races import Halfway, together

pytestmark = pytest.mark.django_db


def test_two_recognitions_at_once_give_one_number_and_one_entry(elsewhere):
    def set_up():
        scene = Scene()
        return scene.second, scene.at_second().pk

    second, pk = elsewhere(set_up)
    first, other = elsewhere(lambda: (Registration.objects.get(pk=pk), Registration.objects.get(pk=pk)))
    answers = together([lambda r=r: services.recognise(r, by=second) for r in (first, other)])
    assert sorted(type(a).__name__ for a in answers) == ["Conflict", "Registration"]

    def look():
        return (
            Registration.objects.get(pk=pk).state,
            TurnoverEntry.objects.count(),
            list(NumberCounter.objects.values_list("last", flat=True)),
        )

    assert elsewhere(look) == ("registered", 1, [1])


def test_passing_and_refusing_at_once_has_one_winner(elsewhere):
    def set_up():
        scene = Scene()
        return scene.first, scene.judge(scene.accepted()).pk

    first, pk = elsewhere(set_up)
    a, b = elsewhere(lambda: (Registration.objects.get(pk=pk), Registration.objects.get(pk=pk)))
    answers = together(
        [
            lambda: services.pass_first(a, by=first, warning_answer="已核对"),
            lambda: services.refuse(b, by=first, reason_code="R01"),
        ]
    )
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    assert elsewhere(lambda: Registration.objects.get(pk=pk).state) in ("second_review", "refused")


def test_eight_threads_take_numbers_without_gap_or_repeat(elsewhere):
    office = elsewhere(lambda: Scene().office)

    def take() -> list[str]:
        mine = []
        for _n in range(6):
            with transaction.atomic():
                mine.append(numbering.next_number(Office.objects.get(pk=office.pk), 2026))
        return mine

    answers = together([take] * 8)
    numbers = sorted(number for answer in answers for number in answer)
    prefix = f"20261506{office.point}"
    assert numbers == [f"{prefix}{n:06d}" for n in range(1, 49)]


def test_submitting_the_same_form_twice_at_once_is_one_application(elsewhere):
    def set_up():
        scene = Scene()
        contract = scene.filled()
        return scene.applicant, scene.seller, contract.registration.pk

    applicant, seller, pk = elsewhere(set_up)
    rows = elsewhere(lambda: [Registration.objects.get(pk=pk) for _n in range(4)])
    answers = together([lambda r=r: services.submit(r, by=applicant, on_behalf_of=seller) for r in rows])
    assert sum(isinstance(a, Registration) for a in answers) == 1
    assert elsewhere(lambda: Registration.objects.get(pk=pk).version) == 2


def test_a_form_emptied_while_it_is_handed_in_is_not_submitted_incomplete(elsewhere, monkeypatch):
    """The applicant's colleague takes the buyer out; the submission that comes in meanwhile judges what then stands."""
    scene, contract = elsewhere(lambda: (s := Scene(), s.filled()))
    race = Halfway()
    plain = drafting._replace_parties

    def slowly(*arguments):
        plain(*arguments)
        race.stop()

    monkeypatch.setattr(drafting, "_replace_parties", slowly)
    filled, submitted = race.race(
        lambda: services.fill(contract, by=scene.applicant, on_behalf_of=scene.seller, buyers=[]),
        lambda: services.submit(
            Registration.objects.get(contract=contract), by=scene.applicant, on_behalf_of=scene.seller
        ),
    )
    assert not isinstance(filled, Exception), filled
    assert isinstance(submitted, services.FormIncomplete), submitted
    assert elsewhere(lambda: Registration.objects.get(contract=contract).state) == "draft"


@pytest.mark.parametrize("act", ["fill", "attach", "discard"])
def test_a_form_that_is_being_handed_in_can_no_longer_be_changed(elsewhere, monkeypatch, act):
    scene, contract = elsewhere(lambda: (s := Scene(), s.filled()))
    race = Halfway()
    plain = territory.office_for

    def slowly(contract):
        race.stop()
        return plain(contract)

    monkeypatch.setattr(territory, "office_for", slowly)
    mine = {"by": scene.applicant, "on_behalf_of": scene.seller}
    acts = {
        "fill": lambda: services.fill(contract, buyers=[], **mine),
        "attach": lambda: services.attach(contract, pdf("后来的"), kind="other", **mine),
        "discard": lambda: services.discard(contract, **mine),
    }
    submitted, changed = race.race(
        lambda: services.submit(Registration.objects.get(contract=contract), **mine), acts[act]
    )
    assert isinstance(submitted, Registration), submitted
    assert isinstance(changed, MoveNotAllowed), changed
    state, buyers = elsewhere(
        lambda: (
            Registration.objects.get(contract=contract).state,
            Party.objects.filter(contract=contract, side="buyer").count(),
        )
    )
    assert (state, buyers) == ("submitted", 1)


def test_submitting_a_draft_that_was_just_deleted_is_told_in_words(elsewhere):
    scene, contract = elsewhere(lambda: (s := Scene(), s.filled()))
    mine = {"by": scene.applicant, "on_behalf_of": scene.seller}
    registration = elsewhere(lambda: Registration.objects.get(contract=contract))
    elsewhere(lambda: services.discard(contract, **mine))
    assert isinstance(elsewhere(lambda: services.submit(registration, **mine)), MoveNotAllowed)


def test_the_guard_itself_sees_a_submission_that_is_not_committed_yet(elsewhere):
    """Whatever code forgets the lock: a row that would slip in beside a submission waits for it and is refused."""
    scene, contract = elsewhere(lambda: (s := Scene(), s.filled()))
    race = Halfway()

    def submit():
        with transaction.atomic():
            Registration.objects.filter(contract=contract).update(state="submitted", submitted_at=timezone.now())
            race.stop()

    submitted, slipped_in, *_ = race.race(
        submit, lambda: Party.objects.create(contract=contract, **scene.party(scene.buyer, "buyer", is_lead=False))
    )
    assert submitted is None
    assert isinstance(slipped_in, IntegrityError), slipped_in
    assert "the form was submitted" in str(slipped_in)
