"""A market of one's own for each story."""

from __future__ import annotations

import pytest

from tests.search.markets import fresh_market

from .browsing import browser
from .city import City
from .demo import demo_market, demo_site

__all__ = ["browser", "city", "demo_market", "demo_site"]


@pytest.fixture
def city(transactional_db, settings, tmp_path, monkeypatch):
    """An empty market with its staff: transactions are real, so that mails and the index see what was committed."""
    settings.MEDIA_ROOT = tmp_path / "media"
    with fresh_market(settings, tmp_path, monkeypatch):
        yield City()
