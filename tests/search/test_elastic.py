"""The engine on Elasticsearch: what all engines do, and what only servers behind a network can get wrong."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from search.engines.elastic import ElasticEngine

from .engine_tests import EngineTests

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def engine() -> Iterator[ElasticEngine]:
    opened = ElasticEngine(os.environ["TEST_SEARCH_URL"].split(","), prefix=f"test-{uuid.uuid4().hex[:12]}")
    opened.rebuild([])
    yield opened
    opened.indexes.remove_all()
    opened.close()


class TestElastic(EngineTests):
    pass
