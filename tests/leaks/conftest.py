"""One market for all tests of a file: made once, inside a transaction that is rolled back at the end."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import override_settings

from search import engines

from .scene import hide_things, open_market
from .snapshots import snapshot


@pytest.fixture(scope="module")
def database(django_db_setup, django_db_blocker, tmp_path_factory):
    """A database and an index of this file alone."""
    with django_db_blocker.unblock(), override_settings(DATA_DIR=tmp_path_factory.mktemp("leaks")):
        engines.close_engine()
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        engines.close_engine()


@pytest.fixture(scope="module")
def market(database):
    """The market with everything hidden in it; `market.before` is how a visitor saw it without."""
    made = open_market()
    made.before = snapshot()
    hide_things(made)
    return made


@pytest.fixture(autouse=True)
def undone(request):
    """What one test writes is gone before the next."""
    if "market" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("market")
    point = transaction.savepoint()
    yield
    transaction.savepoint_rollback(point)
