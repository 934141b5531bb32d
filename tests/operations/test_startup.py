"""Each step of a start works once and finds nothing to do the second time."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from allauth.account.models import EmailAddress

from marketplace import guards
from marketplace.accounts.models import User
from marketplace.demo.models import DemoAccount, DemoLoad
from marketplace.operations import startup
from tests.conftest import ROOT
from tests.factories import UserFactory
from tests.operations.markets import Market

pytestmark = pytest.mark.django_db


def test_nothing_is_migrated_and_no_guard_put_twice():
    assert startup.pending_migrations() == []
    assert startup.migrate() == 0
    guards.remove(trigger="report_moves")
    assert startup.put_guards() == ["report_moves"]
    assert startup.put_guards() == []
    assert guards.missing() == []


def test_static_files_are_collected_again_only_when_a_source_changed(settings, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.css").write_text("a {}")
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [source], tmp_path / "static"
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    from django.contrib.staticfiles.finders import get_finder

    get_finder.cache_clear()
    assert startup.collect_static()
    assert not startup.collect_static()
    (source / "a.css").write_text("a { color: red }")
    assert startup.collect_static()
    assert (tmp_path / "static/a.css").read_text() == "a { color: red }"
    get_finder.cache_clear()


def test_the_demo_is_loaded_into_an_empty_market_alone_and_once(monkeypatch):
    loads = []
    monkeypatch.setattr(startup, "get_commands", lambda: {"seed_demo": "demo"})
    monkeypatch.setattr(startup, "call_command", lambda name, **kwargs: loads.append(name))
    assert startup.load_demo() == "新装入"
    somebody = UserFactory()
    assert startup.load_demo().startswith("没有装入")
    DemoAccount.objects.create(role="company", user=somebody, title="企业", hint="发需求")
    assert startup.load_demo() == "新装入"  # a load that was cut off goes on
    DemoLoad.objects.create(seed=1, day="2026-11-24")
    assert startup.load_demo() == "已有"
    assert loads == ["seed_demo", "seed_demo"]


def test_an_empty_market_gets_one_administrator_who_can_sign_in_at_once(client):
    password = startup.make_administrator()
    admin = User.objects.get()
    assert admin.check_password(password)
    assert admin.is_administrator
    assert EmailAddress.objects.filter(user=admin, verified=True, primary=True).exists()
    assert client.login(email=admin.email, password=password)
    assert startup.make_administrator() == ""
    assert User.objects.count() == 1


def test_the_greeting_names_the_address_and_the_demo_accounts(settings, capsys):
    settings.HOST, settings.PORT = "0.0.0.0", 8123  # noqa: S104
    startup.greet()
    assert "http://127.0.0.1:8123/" in capsys.readouterr().out
    settings.DEMO = True
    DemoAccount.objects.create(role="broker", user=UserFactory(), title="技术经理人：李经纪", hint="撮合")
    startup.greet()
    assert "技术经理人：李经纪（撮合）" in capsys.readouterr().out


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _serving(folder, **environment):
    """A market of its own, served on a free port: (market, port, process)."""
    market = Market(folder).migrated()
    port = _free_port()
    started = subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "serve"],
        env=market.environment(PORT=str(port), **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        yield market, port, started
    finally:
        if started.poll() is None:
            started.kill()
        started.wait()
        started.stdout.close()


@pytest.fixture
def site(tmp_path):
    with _serving(tmp_path / "var") as serving:
        yield serving


def _get(port: int, path: str) -> tuple[int, str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as response:
        return response.status, response.read().decode()


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_the_site_starts_gets_ready_refuses_a_second_one_and_ends_on_a_signal(site, sent):
    market, port, started = site
    said = ""
    while "网站已就绪" not in said:
        line = started.stdout.readline()
        assert line, said
        said += line
    assert "密码" in said
    assert _get(port, "/healthz") == (200, "ok\n")
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            assert _get(port, "/readyz")[0] == 200
            break
        except urllib.error.HTTPError as error:
            error.close()
            time.sleep(0.2)
    else:
        pytest.fail("never ready")
    second = market.run("serve", PORT=str(_free_port()))
    assert second.returncode == 2
    assert "已有一个网站" in second.stderr
    began = time.monotonic()
    started.send_signal(sent)
    started.wait(timeout=10)
    assert time.monotonic() - began < 10
    assert market.people() == [startup.FIRST_ADMINISTRATOR]
    assert not (market.folder / "market.sqlite3-wal").exists()


@pytest.mark.slow
def test_a_search_engine_that_does_not_exist_exits_2(tmp_path):
    done = Market(tmp_path / "var").migrated().run("serve", PORT=str(_free_port()), SEARCH_URL="solr://127.0.0.1:8983")
    assert done.returncode == 2
    assert "SEARCH_URL" in done.stderr


@pytest.mark.slow
def test_a_search_engine_that_does_not_answer_keeps_no_site_from_starting(tmp_path):
    with _serving(tmp_path / "var", SEARCH_URL=f"http://127.0.0.1:{_free_port()}") as (_market, port, started):
        said = ""
        while "网站已就绪" not in said:
            line = started.stdout.readline()
            assert line, said
            said += line
        status, page = _get(port, "/achievements/")
        assert status == 200
        assert "检索" in page
        with pytest.raises(urllib.error.HTTPError) as unready:
            _get(port, "/readyz")
        assert unready.value.code == 503
        unready.value.close()
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=10) == 0
