"""The kept reasons of a match say only what any visitor may still read of both sides."""

from __future__ import annotations

import pytest

from marketplace.deals import suggesting
from marketplace.deals.models import Match
from search import changes, listings, matching
from tests.factories import kpi, target
from tests.library.conftest import engine
from tests.library.factories import published

__all__ = ["engine"]

pytestmark = pytest.mark.django_db

SECRET = "膜蒸馏结晶蒸发器"


def matched(level: str = "L0"):
    """A need and its answer that share a phrase of the body and a figure."""
    need = published("demand", title="矿井水除氟", body=f"想用{SECRET}处理", targets=[target(name="出水氟离子")])
    answer = published(
        "achievement",
        title="矿井水除氟成套装置",
        body=f"以{SECRET}浓缩",
        kpis=[kpi(name="出水氟离子")],
        disclosure_level=level,
    )
    changes.rebuild()
    changes.drain()
    suggesting.suggest(need.record, quiet=True)
    return need, answer


def said(client, need, answer) -> str:
    """All that the API and both pages tell a visitor of the match."""
    api = client.get(f"/api/v1/demands/{need.number}/matches/").json()["results"]
    assert [row["number"] for row in api] == [answer.number]
    reasons = str(api[0]["reasons"])
    return reasons + client.get(answer.get_absolute_url()).content.decode().replace(f"想用{SECRET}", "")


def close(answer) -> None:
    answer.disclosure_level = "L2"
    answer.save_revision().publish()


def test_a_phrase_and_a_figure_of_open_texts_are_said(client, engine):
    need, answer = matched()
    assert SECRET in said(client, need, answer)
    assert "0.8" in said(client, need, answer)


def test_what_was_closed_since_is_not_said_before_the_next_comparison(client, engine):
    need, answer = matched()
    close(answer)
    assert Match.objects.current().get().reasons["phrases"]
    api = client.get(f"/api/v1/demands/{need.number}/matches/").json()["results"][0]
    assert SECRET not in str(api)
    assert api["reasons"]["conditions"] == []
    assert "0.8" not in str(api)


def test_without_looking_again_the_closed_text_would_be_said(client, engine, monkeypatch):
    need, answer = matched()
    close(answer)
    monkeypatch.setattr("marketplace.deals.cards.reasons_now", lambda match: match.reasons)
    assert SECRET in str(client.get(f"/api/v1/demands/{need.number}/matches/").json())


def test_reasons_are_made_of_public_texts_alone(engine, monkeypatch):
    need, answer = matched(level="L1")
    assert SECRET not in str([c.reasons.as_json() for c in matching.candidates(need)])
    monkeypatch.setattr(listings, "public_texts", lambda listing: {"title": listing.title, "body": listing.body})
    assert SECRET in str([c.reasons.as_json() for c in matching.candidates(need)])
    assert answer.number


def test_a_listing_that_was_closed_a_moment_ago_answers_nothing_by_its_old_words(engine):
    need, answer = matched()
    close(answer)
    assert answer.number not in [c.record.number for c in matching.candidates(need)]
