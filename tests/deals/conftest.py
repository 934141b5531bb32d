"""Each test that asks for `index` has a search index in a folder of its own."""

from __future__ import annotations

import pytest

from search import changes
from search.engines import close_engine


@pytest.fixture
def index(tmp_path, settings, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(changes, "_last_rebuild", None)
    close_engine()
    yield
    close_engine()
