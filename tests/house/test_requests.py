"""Odd requests: a host that is not ours, HEAD."""

from __future__ import annotations

import pytest
from django.test import Client

from marketplace.middleware import ReferenceMiddleware

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("host", ["evil.example.com", "a@b"])
@pytest.mark.parametrize("path", ["/", "/accounts/password/reset/", "/api/v1/achievements/"])
def test_a_host_that_is_not_ours_is_a_bad_request(settings, host, path):
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = Client(raise_request_exception=False).get(path, headers={"host": host})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "这个域名不是本站的" in text
    assert "example.com" not in text


def test_head_has_the_length_and_no_body(rf):
    from django.http import HttpResponse

    answer = ReferenceMiddleware(lambda request: HttpResponse("十个字节以上的正文"))(rf.head("/"))
    assert answer.content == b""
    assert answer["Content-Length"] == str(len("十个字节以上的正文".encode()))
