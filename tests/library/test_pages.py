"""Lists and details answer, with what they show and what they do not."""

from __future__ import annotations

import pytest

from tests.factories import kpi, patent, target
from tests.library.factories import FACTORIES, index, published

pytestmark = pytest.mark.django_db

CHILDREN = {
    "achievement": {"kpis": lambda: [kpi()], "patents": lambda: [patent()]},
    "demand": {"targets": lambda: [target()]},
}


@pytest.mark.parametrize("kind", FACTORIES)
def test_list_and_detail_show_the_listing(client, engine, kind):
    children = {name: make() for name, make in CHILDREN.get(kind, {}).items()}
    listing = published(kind, **children)
    index()
    page = client.get(f"/{kind}s/")
    assert page.status_code == 200
    assert listing.title in page.content.decode()
    detail = client.get(listing.get_absolute_url())
    assert detail.status_code == 200
    text = detail.content.decode()
    assert listing.title in text
    assert listing.record.number in text
