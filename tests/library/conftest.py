from __future__ import annotations

import pytest

from search import engines
from tests.search.markets import fresh_market


@pytest.fixture
def engine(settings, tmp_path, monkeypatch):
    """An empty index of this test alone."""
    with fresh_market(settings, tmp_path, monkeypatch):
        made = engines.get_engine()
        if made.needs_rebuild():
            made.rebuild([])
        yield made


@pytest.fixture
def engine_down(monkeypatch):
    """The engine cannot answer."""

    def refuse():
        raise engines.EngineDown("down for a test")

    monkeypatch.setattr("search.checked.get_engine", refuse)
