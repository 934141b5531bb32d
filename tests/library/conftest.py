from __future__ import annotations

import pytest

from search import engines


@pytest.fixture
def engine(settings, tmp_path):
    """An empty index of this test alone."""
    settings.DATA_DIR = tmp_path
    engines.close_engine()
    yield engines.get_engine()
    engines.close_engine()


@pytest.fixture
def engine_down(monkeypatch):
    """The engine cannot answer."""

    def refuse():
        raise engines.EngineDown("down for a test")

    monkeypatch.setattr("search.checked.get_engine", refuse)
