"""Settings: production says everything that is missing at once; the README's table is the code's."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

from marketplace.operations.management.commands.settings_table import table
from marketplace.settings.environment import VARIABLES, data_dir, secret_key
from tests import databases
from tests.check import PRODUCTION
from tests.conftest import ROOT


def _start(code: str = "import django; django.setup()", **environment: str) -> subprocess.CompletedProcess[str]:
    ours = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "DJANGO_SETTINGS_MODULE": "marketplace.settings.production"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**ours, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_lists_everything_that_is_missing_at_once():
    done = _start()
    assert done.returncode != 0
    for variable in VARIABLES:
        if variable.needed_in_production and variable.name != "DJANGO_SETTINGS_MODULE":
            assert f"{variable.name}：没有设置" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DEMO", "1", "不能装演示数据"),
        ("SECRET_KEY", "short", "只有 5 个字符"),
        ("SITE_URL", "http://market.example.org", "https"),
        ("ALLOWED_HOSTS", "a.example.org,*", "不能写 *"),
        ("TRUSTED_PROXIES", "0", "至少 1"),
        ("DATABASE_URL", "sqlite:///x.sqlite3", "PostgreSQL"),
    ],
)
def test_production_refuses_what_is_unsafe(tmp_path, name, value, says):
    done = _start(**{**PRODUCTION, "DATA_DIR": str(tmp_path), name: value})
    assert done.returncode != 0
    assert says in done.stderr


def test_mail_of_a_production_site_comes_from_its_own_domain(tmp_path):
    show = "from django.conf import settings; print(ascii((settings.DEFAULT_FROM_EMAIL, settings.SERVER_EMAIL)))"
    done = _start(show, **{**PRODUCTION, "DATA_DIR": str(tmp_path), "SITE_URL": "https://market.test:8443"})
    assert done.returncode == 0, done.stderr
    assert "<noreply@market.test>" in done.stdout
    assert "example.org" not in done.stdout


def test_a_relative_folder_is_meant_from_where_one_stands(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", "second")
    assert data_dir() == tmp_path / "second"
    monkeypatch.delenv("DATA_DIR")
    assert data_dir() == ROOT / "var"


def test_the_key_is_made_once_and_for_its_owner_alone(monkeypatch, tmp_path):
    monkeypatch.delenv("SECRET_KEY")
    made = secret_key(tmp_path)
    assert len(made) >= 50
    assert secret_key(tmp_path) == made
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_used_is_named_with_the_cure(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("SECRET_KEY")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SystemExit) as ended:
        secret_key(tmp_path / "file" / "market")
    assert ended.value.code == 2
    assert "DATA_DIR 不能使用" in capsys.readouterr().err


def test_tests_never_touch_a_real_market():
    assert "market-test-" in str(settings.DATA_DIR)


def test_the_readme_holds_exactly_the_table_of_the_code():
    assert table() in (ROOT / "README.md").read_text(encoding="utf-8")


SHOW = (
    "import marketplace.wsgi; from django.db import connection; cursor = connection.cursor()\n"
    "for name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout'):\n"
    "    print(name, *cursor.execute(f'SHOW {name}').fetchone())\n"
    "print(connection.settings_dict['CONN_MAX_AGE'], connection.settings_dict['CONN_HEALTH_CHECKS'])"
)


@pytest.mark.postgres
def test_on_postgresql_a_page_waits_for_nothing_without_end_and_a_command_may_take_its_time(tmp_path):
    ours = {
        **PRODUCTION,
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": databases.url("postgres"),
        "DJANGO_SETTINGS_MODULE": "marketplace.settings.base",
    }
    page = _start(SHOW, **ours).stdout.split()
    assert page == ["lock_timeout", "10s", "statement_timeout", "30s", "idle_in_transaction_session_timeout", "5min",
                    "600", "True"]  # fmt: skip
    command = SHOW.replace("marketplace.wsgi;", "django; django.setup();")
    assert "statement_timeout 0\n" in _start(command, **ours).stdout
    told = {**ours, "DATABASE_URL": ours["DATABASE_URL"] + "?options=-c%20lock_timeout=3s"}
    assert "lock_timeout 3s\n" in _start(SHOW, **told).stdout
