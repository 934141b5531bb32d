"""What every test shares: a database from a template, no network but loopback, a scratch DATA_DIR."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from functools import lru_cache
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

from marketplace import guards

# A busy machine is slow to draw examples: that says nothing about our code.
hypothesis.settings.register_profile("ours", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("ours")

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    # Connections to other hosts are refused; sockets to this machine are how a browser test reaches its server.
    config.option.allow_hosts = "127.0.0.1,::1,localhost"


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
    shutil.rmtree(Path(settings.DATA_DIR), ignore_errors=True)


@lru_cache(maxsize=1)
def _template() -> Path:
    """A migrated database, keyed by everything that a migrate writes."""
    digest = hashlib.sha256((ROOT / "requirements" / "base.txt").read_bytes())
    watched = [*ROOT.glob("**/migrations/*.py"), *ROOT.glob("*/data/*.json"), *ROOT.glob("marketplace/*/data/*.json")]
    watched += [
        *ROOT.glob("marketplace/*/apps.py"),
        ROOT / "marketplace/guards.py",
        ROOT / "marketplace/accounts/roles.py",
    ]
    watched += [
        *ROOT.glob("marketplace/*/models/*.py"),
        *ROOT.glob("marketplace/*/models.py"),
        ROOT / "cms/taxonomy.py",
    ]
    for path in sorted(p for p in set(watched) if ".venv" not in p.parts and p.is_file()):
        digest.update(path.as_posix().encode() + path.read_bytes())
    return ROOT / "var" / "test" / f"template-{digest.hexdigest()[:16]}.sqlite3"


def _copy_from(template: Path) -> None:
    connection.ensure_connection()
    source = sqlite3.connect(template)
    try:
        source.backup(connection.connection)
    finally:
        source.close()
    ContentType.objects.clear_cache()


@pytest.fixture(scope="session")
def django_db_setup(request, django_test_environment, django_db_blocker, django_db_modify_db_settings):
    """Migrating takes 8 seconds; on SQLite a migrated file is kept and copied into memory, also after each flush."""
    from django.test.utils import setup_databases, teardown_databases

    with django_db_blocker.unblock():
        if connection.vendor != "sqlite":
            old = setup_databases(verbosity=0, interactive=False)
            yield
            teardown_databases(old, verbosity=0)
            return
        template = _template()
        name = connection.creation._get_test_db_name()
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        if not template.exists():
            from django.core.management import call_command

            call_command("migrate", verbosity=0, interactive=False)
            template.parent.mkdir(parents=True, exist_ok=True)
            draft = template.with_suffix(f".{os.getpid()}")
            target = sqlite3.connect(draft)
            connection.connection.backup(target)
            target.close()
            draft.replace(template)
            for old_file in template.parent.glob("template-*.sqlite3"):
                if old_file != template:
                    old_file.unlink(missing_ok=True)
        _copy_from(template)
    yield


@pytest.fixture(autouse=True, scope="session")
def flush_past_the_guards():
    """A TransactionTestCase empties tables that nobody may empty. On SQLite the template is laid over the database
    again (code lists included); elsewhere guards come off around the flush, in tests alone."""
    plain = TransactionTestCase._fixture_teardown

    def teardown(self):
        if connection.vendor == "sqlite":
            _copy_from(_template())
            return
        guards.remove()
        try:
            plain(self)
        finally:
            guards.install()

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = plain
