"""Reading what goes into the index: a fixed number of queries a page, and what the related rows say."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.models import KINDS
from search import listings, sources
from search.query import Document
from tests.factories import AchievementFactory, DemandFactory, ExpertFactory, ProjectFactory, kpi, target

pytestmark = pytest.mark.django_db


def _publish() -> None:
    """One listing of each kind with codes and figures, and one that shows its title and summary alone."""
    full = {"industries": ["26", "07"], "key_technologies": ["KI1-2"]}
    AchievementFactory(published=True, **full, transfer_modes=["M2", "M1"], kpis=[kpi(), kpi("能耗", "range", "3")])
    AchievementFactory(published=True, **full, disclosure_level="L1", kpis=[kpi()])
    DemandFactory(published=True, **full, cooperation_modes=["M3"], targets=[target()])
    ExpertFactory(published=True, **full)
    ProjectFactory(published=True, **full)


def _read() -> tuple[dict[str, Document], int]:
    failed: dict[str, str] = {}
    with CaptureQueriesContext(connection) as queries:
        found = {document.id: document for document in sources.everything(failed)}
    assert not failed
    return found, len(queries)


def test_rows_read_in_bulk_say_what_the_related_rows_say() -> None:
    _publish()
    plainly: list[Any] = [listings.to_document(row) for kind in KINDS for row in listings.public_rows(kind)]
    read, _ = _read()
    assert read == {document.id: document for document in plainly}
    assert len(read) == 5
    assert any(document.terms.get("transfer_mode") == ["M1", "M2"] for document in read.values())
    assert sum("figures" in document.extra for document in read.values()) == 2


def test_more_rows_of_a_page_need_no_more_queries() -> None:
    _publish()
    read, queries = _read()
    _publish()
    more, again = _read()
    assert (len(read), len(more)) == (5, 10)
    assert again == queries
