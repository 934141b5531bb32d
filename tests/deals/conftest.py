"""Each test that asks for `index` has a search index of its own."""

from __future__ import annotations

import pytest

from tests.search.markets import fresh_market


@pytest.fixture
def index(tmp_path, settings, monkeypatch):
    with fresh_market(settings, tmp_path, monkeypatch):
        yield
