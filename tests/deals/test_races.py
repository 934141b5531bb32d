"""Two at once: one wins, the other is told. Raced with threads on a database of their own."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.deals import services, suggesting
from marketplace.deals.models import Deal, Inquiry, MatchDue, Offer
from marketplace.workflow import Conflict, FlowMixin, MoveNotAllowed
from tests.races import together

from . import factories

pytestmark = pytest.mark.django_db


def kinds(answers: list[Any]) -> list[str]:
    return sorted("refused" if isinstance(a, MoveNotAllowed) else type(a).__name__ for a in answers)


def test_accepting_and_declining_at_once_has_one_winner(elsewhere):
    of, row = elsewhere(lambda: (s := factories.sides(), factories.inquiry(s)))
    mine, theirs = elsewhere(lambda: (Inquiry.objects.get(pk=row.pk), Inquiry.objects.get(pk=row.pk)))
    answers = together(
        [
            lambda: services.accept(mine, by=of.buyer),
            lambda: services.decline(theirs, by=of.buyer, reason="price"),
        ]
    )
    assert [isinstance(a, Conflict) for a in answers].count(True) == 1
    state, deals = elsewhere(lambda: (Inquiry.objects.get(pk=row.pk).state, Deal.objects.count()))
    assert (state, deals) in (("accepted", 1), ("declined", 0))


def test_control_without_the_version_check_both_answers_would_stand(elsewhere, monkeypatch):
    """Negative control: with a change that does not compare versions, an inquiry is accepted and declined."""

    def blind(self, **changes):
        type(self)._base_manager.filter(pk=self.pk).update(**{k: v for k, v in changes.items() if k != "state"})
        for name, value in changes.items():
            setattr(self, name, value)

    of, row = elsewhere(lambda: (s := factories.sides(), factories.inquiry(s)))
    mine, theirs = elsewhere(lambda: (Inquiry.objects.get(pk=row.pk), Inquiry.objects.get(pk=row.pk)))
    monkeypatch.setattr(FlowMixin, "change", blind)
    answers = together(
        [
            lambda: services.accept(mine, by=of.buyer),
            lambda: services.decline(theirs, by=of.buyer, reason="price"),
        ]
    )
    assert not any(isinstance(a, Exception) for a in answers)
    reason, deals = elsewhere(lambda: (Inquiry.objects.get(pk=row.pk).decline_reason, Deal.objects.count()))
    assert (reason, deals) == ("price", 1)


def test_the_same_inquiry_sent_eight_times_at_once_is_one(elsewhere):
    of = elsewhere(factories.sides)
    answers = together([lambda: factories.inquiry(of) for _n in range(8)])
    assert kinds(answers) == ["Inquiry"] + ["refused"] * 7
    assert all(isinstance(a, Inquiry | services.AlreadyOpen) for a in answers)
    assert elsewhere(Inquiry.objects.count) == 1


def test_accepting_an_offer_while_it_is_replaced_has_one_winner(elsewhere):
    def scene():
        sides = factories.sides()
        deal = factories.deal(sides)
        return sides, factories.offer(sides, deal), Deal.objects.get(pk=deal.pk)

    of, offer, deal = elsewhere(scene)
    answers = together(
        [
            lambda: services.accept_offer(offer, by=of.buyer),
            lambda: factories.offer(of, deal),
        ]
    )
    assert [isinstance(a, MoveNotAllowed) for a in answers].count(True) == 1
    state, accepted, made = elsewhere(
        lambda: (
            Deal.objects.get(pk=deal.pk).state,
            Offer.objects.filter(state="accepted").count(),
            Offer.objects.filter(state="made").count(),
        )
    )
    assert (state, accepted, made) in (("terms", 1, 0), ("contacted", 0, 1))


def test_two_offers_at_once_leave_one_open(elsewhere):
    of, deal = elsewhere(lambda: (s := factories.sides(), factories.deal(s)))
    one, two = elsewhere(lambda: (Deal.objects.get(pk=deal.pk), Deal.objects.get(pk=deal.pk)))
    answers = together([lambda: factories.offer(of, one), lambda: factories.offer(of, two)])
    assert [isinstance(a, Conflict) for a in answers].count(True) == 1
    assert elsewhere(lambda: Offer.objects.filter(state="made").count()) == 1


def test_a_due_row_is_claimed_by_one_of_eight_workers(elsewhere):
    def scene():
        factories.sides()
        return MatchDue.objects.select_related("record").first()

    due = elsewhere(scene)
    answers = together([lambda: suggesting._claim(due) for _n in range(8)])
    assert answers.count(True) == 1
    assert answers.count(False) == 7
