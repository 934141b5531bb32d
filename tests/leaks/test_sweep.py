"""Nothing that is hidden comes to light: every surface, every role, each hidden word; and its owner finds it."""

from __future__ import annotations

import logging
import os
from urllib.parse import quote, unquote

import pytest

from search.models import SearchAlarm, SearchChange

from . import surfaces
from .canaries import CONTROL, ROLES, VISITOR, plain
from .snapshots import normal, snapshot

pytestmark = [pytest.mark.slow]

# These look at everything; the others share the addresses among them, unless the whole suite runs.
THOROUGH = (VISITOR, "owner")
# So many two-character words with their spaces fit the box.
AT_ONCE = 60


class Kept(logging.Handler):
    """Every record of every logger, at every level."""

    def __init__(self) -> None:
        super().__init__(0)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(unquote(record.getMessage()))


@pytest.fixture
def logged():
    kept, root = Kept(), logging.getLogger()
    before = root.level
    root.addHandler(kept)
    root.setLevel(1)
    yield kept
    root.setLevel(before)
    root.removeHandler(kept)


def test_there_are_enough_hidden_words(market):
    assert len(market.canaries.planted) >= 60
    assert len({one.word for one in market.canaries.planted}) == len(market.canaries.planted)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_reads_what_is_not_for_him(market, logged, role):
    client, found, seen = surfaces.client_of(market, role), {}, set()
    addresses = [a for some in surfaces.everything(market).values() for a in some]
    if role not in THOROUGH and not os.environ.get("TEST_FULL"):
        addresses = addresses[ROLES.index(role) % 4 :: 4]
    for address in addresses:
        text = surfaces.read(client, address)
        seen |= {one.where for one in market.canaries.on(text)}
        if words := market.canaries.hidden_from(role, text):
            found[address] = words
    assert found == {}
    if role == "owner":
        missing = [one.where for one in market.canaries.planted if one.is_owners and one.where not in seen]
        assert missing == [], "the owner does not find what is his"
    assert [line for line in logged.lines if market.canaries.on(line)] == []


@pytest.mark.parametrize("role", ROLES)
def test_no_words_find_what_the_index_must_not_hold(market, role):
    """Loosened, a question finds whatever holds one of its words: all hidden words are asked for at once."""
    client, words = surfaces.client_of(market, role), [one.word for one in market.canaries.planted]
    for start in range(0, len(words), AT_ONCE):
        typed = quote(" ".join(words[start : start + AT_ONCE]))
        body = client.get(f"/api/v1/search/?q={typed}&page_size=100").json()
        assert (body["count"], body["counts"]) == (0, dict.fromkeys(body["counts"], 0)), body["results"]
        for kind in ("achievement", "demand", "expert", "project"):
            assert client.get(f"/api/v1/{kind}s/?q={typed}").json()["count"] == 0


@pytest.mark.parametrize("role", [VISITOR, "newcomer", "unverified", "requester"])
def test_a_hidden_word_is_answered_like_one_that_stands_nowhere(market, role):
    """Status, way, counts, facets and every sentence: nothing tells a hidden word from an unknown one."""
    client = surfaces.client_of(market, role)
    for address in ("/search/?q={}", "/achievements/?q={}", "/api/v1/search/?q={}"):
        known = _answer(client, address, CONTROL)
        for one in market.canaries.planted[:: 1 if role == VISITOR else 4]:
            assert _answer(client, address, one.word) == known, f"{one.where} on {address}"
        if role != VISITOR:
            break


def _answer(client, address: str, word: str) -> str:
    response = client.get(address.format(quote(word)))
    text = f"{response.status_code} {response.headers.get('Location', '')} {response.content.decode()}"
    return normal(text).replace(word, "…").replace(quote(word), "…")


def test_a_visitor_sees_the_market_as_it_was_without_the_hidden(market):
    """Totals, facets, orders and filters: no count tells that something is there."""
    assert snapshot() == market.before


def test_the_database_shows_the_same_where_the_engine_is_down(market, monkeypatch):
    from search import engines

    def refuse():
        raise engines.EngineDown("down for a test")

    monkeypatch.setattr("search.checked.get_engine", refuse)
    words = [one.word for one in market.canaries.planted]
    for n, role in enumerate(ROLES):
        client = surfaces.client_of(market, role)
        for address in surfaces.lists() if role == VISITOR else surfaces.lists()[n :: 2 * len(ROLES)]:
            assert market.canaries.hidden_from(role, surfaces.read(client, address)) == [], address
        for word in words[n :: 3 if role == VISITOR else 40]:
            body = client.get(f"/api/v1/search/?q={quote(word)}").json()
            assert (body["fallback"], body["count"]) == (True, 0), word


def test_what_a_stranger_may_not_know_of_is_404_like_what_never_was(market):
    client = surfaces.client_of(market, VISITOR)
    hidden = ("draft", "submitted", "returned", "L3", "closed a moment ago", "astray")
    for name, listing in market.listings.items():
        if not name.startswith(hidden):
            continue
        kind, number = listing.KIND, listing.record.number
        nothing = f"{number[:8]}0000ZZ"
        for address in (f"/{kind}s/%s/", f"/api/v1/{kind}s/%s/"):
            answers = [client.get(address % one) for one in (number, nothing)]
            texts = [
                normal(a.content.decode()).replace(n, "…") for a, n in zip(answers, (number, nothing), strict=True)
            ]
            assert [a.status_code for a in answers] == [404, 404], name
            assert texts[0] == texts[1], name


def test_what_the_index_wrongly_holds_raises_an_alarm_and_is_repaired(market):
    listing = market.listings["astray"]
    client = surfaces.client_of(market, VISITOR)
    assert client.get("/achievements/?q=除氟").status_code == 200
    alarm = SearchAlarm.objects.get(key=listing.record.number, place="achievements")
    assert (alarm.kind, alarm.is_lag) == ("hidden_hit", False)
    assert SearchChange.objects.filter(key=listing.record.number, kind="achievement").exists()
    assert client.get("/achievements/?q=除氟").status_code == 200
    # From now on the engine itself leaves it out: nothing to be alarmed about.
    assert SearchAlarm.objects.get(key=listing.record.number, place="achievements").count == 1
    assert "矿井水除氟" in plain(client.get("/achievements/?q=除氟").content.decode())


def test_totals_are_right_where_a_page_was_cut(market):
    client = surfaces.client_of(market, VISITOR)
    body = client.get("/api/v1/achievements/?q=除氟&page_size=100").json()
    assert body["count"] == len(body["results"])
