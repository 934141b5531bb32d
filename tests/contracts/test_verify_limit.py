"""Trying codes: so many unknown ones a minute from one address, whoever else stands behind the same proxy."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from marketplace.contracts.views import public

pytestmark = pytest.mark.django_db

UNKNOWN = "/verify/0000-0000-0000/"


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()
    yield
    cache.clear()


def test_one_address_tries_so_many_unknown_codes(client):
    answers = [client.get(UNKNOWN).status_code for _n in range(public.TRIES + 1)]
    assert answers == [404] * public.TRIES + [429]


def test_behind_a_proxy_one_visitor_does_not_use_up_anothers_tries(client, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    first, second = {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}, {"HTTP_X_FORWARDED_FOR": "203.0.113.8"}
    for _n in range(public.TRIES):
        client.get(UNKNOWN, **first)
    assert client.get(UNKNOWN, **first).status_code == 429
    assert client.get(UNKNOWN, **second).status_code == 404
