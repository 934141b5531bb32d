"""Two at once: one number, one entry, one winner. Raced with threads on a database file, as the site runs on SQLite."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

from marketplace.contracts import numbering, services
from marketplace.contracts.models import NumberCounter, Office, Registration, TurnoverEntry
from marketplace.workflow import Conflict
from tests.conftest import _template
from tests.contracts.factories import Scene

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="copies a SQLite file"),
]


@pytest.fixture
def elsewhere(tmp_path):
    """Runs an act in a new thread on a database file of its own; errors come back."""
    path = tmp_path / "market.sqlite3"
    shutil.copy(_template(), path)
    configured = connections.settings["default"]
    before, configured["NAME"] = configured["NAME"], str(path)
    yield lambda act: together([act])[0]
    configured["NAME"] = before


def together(acts: list[Callable[[], Any]]) -> list[Any]:
    gate = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(n: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait(20)
            answers[n] = act()
        except Exception as error:
            answers[n] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    return answers


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
