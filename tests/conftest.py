"""What every test shares: a database from a template, no network but loopback, a scratch DATA_DIR."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from django.conf import settings
from django.test import TransactionTestCase

from . import databases
from .races import elsewhere

__all__ = ["elsewhere"]

# A busy machine is slow to draw examples: that says nothing about our code.
hypothesis.settings.register_profile("ours", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("ours")

ROOT = databases.ROOT


def pytest_configure(config: pytest.Config) -> None:
    # Connections to other hosts are refused; sockets to this machine are how a browser test reaches its server.
    config.option.allow_hosts = "127.0.0.1,::1,localhost"
    # Names what the processes of this run put on shared servers; those of xdist inherit it.
    os.environ.setdefault("TEST_RUN", uuid4().hex[:8])


def pytest_unconfigure(config: pytest.Config) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        databases.clear()


# What a marked test needs, and how to get it: without it the test is skipped, and the end of the run says so aloud.
NEEDS = {
    "browser": (lambda: shutil.which("chromium-headless-shell"), "浏览器测试没有运行：找不到 chromium-headless-shell"),
    "judged": (lambda: os.environ.get("JUDGED_DATA"), "判断数据的测试没有运行：没有设 JUDGED_DATA"),
    # Set by `./run test --full`, which starts the servers.
    "postgres": (lambda: os.environ.get("TEST_DATABASE_URL"), "PostgreSQL 的测试没有运行：用 ./run test --full"),
    "redis": (lambda: os.environ.get("TEST_REDIS_URL"), "Redis 的测试没有运行：用 ./run test --full"),
    "elasticsearch": (lambda: os.environ.get("TEST_SEARCH_URL"), "Elasticsearch 的测试没有运行：用 ./run test --full"),
    "full": (lambda: os.environ.get("TEST_FULL"), "自己启动服务器的测试没有运行：用 ./run test --full"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for name, (present, reason) in NEEDS.items():
        if not present():
            for item in items:
                if item.get_closest_marker(name):
                    item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for _present, reason in NEEDS.values():
        count = sum(reason in text for text in skipped)
        if count:
            terminalreporter.write_line(f"{reason}（{count} 个）", yellow=True)


@pytest.fixture(autouse=True, scope="session")
def scratch_folder():
    """The DATA_DIR that settings.test made goes with the run."""
    yield
    # One that the caller named is his.
    if not os.environ.get("TEST_DATA_DIR"):
        shutil.rmtree(Path(settings.DATA_DIR), ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(request, django_test_environment, django_db_blocker, django_db_modify_db_settings):
    """A copy of a template that was migrated once; see tests/databases.py."""
    with django_db_blocker.unblock(), databases.prepared():
        yield


@pytest.fixture(autouse=True, scope="session")
def refill_after_a_flush():
    """A TransactionTestCase would empty tables that nobody may empty: it gets a copy of the template again."""
    plain = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda self: databases.refill()
    yield
    TransactionTestCase._fixture_teardown = plain
