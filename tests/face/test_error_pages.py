"""Error pages say what happened, whether it was saved and what to do, even when the context is missing."""

from __future__ import annotations

import re

import pytest
from django.template import Context, engines
from django.template.loader import render_to_string
from django.test import RequestFactory

PAGES = ["400", "403", "404", "409", "410", "413", "429", "500"]


@pytest.mark.parametrize("code", PAGES)
def test_a_page_needs_no_context_at_all(code):
    # The engine's own template takes no context processors: as bare as it can be.
    html = engines["django"].engine.get_template(f"{code}.html").render(Context({}))
    assert re.search(r"<title>\s*错误：", html)
    assert html.count("<h1>") == 1
    for question in ("发生了什么", "保存了吗", "可以怎么做"):
        assert question in html
    assert code in html


@pytest.mark.parametrize("code", PAGES)
def test_a_page_gives_the_reference(code):
    assert "R-7K3Q-0931" in render_to_string(f"{code}.html", {"reference": "R-7K3Q-0931"})


@pytest.mark.parametrize("code", [p for p in PAGES if p != "500"])
def test_the_detail_takes_the_place_of_the_general_words(code):
    html = render_to_string(f"{code}.html", {"detail": "一次最多提交 12 MB<b>"})
    assert "一次最多提交" in html
    assert "MB&lt;b&gt;" in html or "MB</span>&lt;b&gt;" in html


def test_404_and_410_offer_the_search_box():
    for code in ("404", "410"):
        assert 'role="search"' in render_to_string(f"{code}.html")


def test_409_shows_both_versions_and_escapes_them():
    html = render_to_string("409.html", {"mine": {"标题": "甲<script>"}, "theirs": {"标题": "乙"}})
    assert "甲&lt;script&gt;" in html
    assert "乙" in html
    assert "您填写的" in html


@pytest.mark.django_db
def test_an_unknown_address_gets_the_page_with_a_request(client):
    response = client.get("/no-such-page/")
    assert response.status_code == 404
    assert "没有找到这个页面" in response.content.decode()


def test_500_reads_nothing_from_the_request():
    request = RequestFactory().get("/")
    html = render_to_string("500.html", {}, request)
    assert "系统出错" in html
    assert "csrf" not in html
