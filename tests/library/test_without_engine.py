"""Where the engine is down the database answers within bounds, and says so where there may be more."""

from __future__ import annotations

import re

import pytest

from marketplace.library import finding
from tests.library.factories import published

pytestmark = pytest.mark.django_db


def text_of(client, address: str) -> str:
    """The page's words as a person reads them: without marks, with plain spaces."""
    page = client.get(address).content.decode().replace("\u00a0", " ")
    return re.sub(r"</?mark>", "", page)


def three(kind: str = "achievement") -> list:
    return [published(kind, title=f"高盐废水除氟装置第{n}套") for n in range(3)]


def test_what_is_in_the_window_is_whole_and_nothing_is_said_of_more(client, engine_down):
    three()
    page = text_of(client, "/achievements/?q=除氟")
    assert "检索服务暂时不可用" in page
    assert "只查了最近登记" not in page


@pytest.mark.parametrize("address", ["/achievements/?q=除氟", "/achievements/", "/search/?q=除氟"])
def test_only_the_newest_of_a_kind_are_read_and_the_page_says_so(client, engine_down, monkeypatch, address):
    first, second, third = three()
    monkeypatch.setattr(finding, "WINDOW", third.pk - first.pk)
    page = text_of(client, address)
    assert "每类只查了最近登记的" in page
    assert second.title in page
    assert third.title in page
    assert first.title not in page


def test_no_more_than_the_limit_is_counted(client, engine_down, monkeypatch):
    three()
    monkeypatch.setattr(finding, "DEPTH_LIMIT", 2)
    page = text_of(client, "/achievements/?q=除氟")
    assert "共 2 项" in page
    assert "最多列出 2 条" in page


def test_the_pages_of_the_box_run_through_the_kinds_in_order(client, engine_down):
    supply, needs = three(), three("demand")
    rows = []
    for page in (1, 2, 3):
        body = client.get(f"/api/v1/search/?q=除氟&page_size=2&page={page}").json()
        assert (body["fallback"], body["count"], body["counts"]["demand"]) == (True, 6, 3)
        rows += [row["number"] for row in body["results"]]
    assert rows == [one.record.number for one in (*reversed(supply), *reversed(needs))]
    assert client.get("/api/v1/search/?q=除氟&page_size=2&page=4").status_code == 404


def test_an_empty_list_does_not_ask_the_database_for_every_filter_it_could_drop(
    client, engine_down, django_assert_max_num_queries
):
    three()
    with django_assert_max_num_queries(12):
        page = client.get("/achievements/?q=没有的字&region=15&technology_field=07&trl_band=4-6&price_band=0-50")
    assert page.status_code == 200
