"""The shipped stack runs: production settings, PostgreSQL, Redis, Elasticsearch, a worker, beat, nginx with TLS before
it; a need that is posted through all of them finds its match."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time

import pytest

from tests.journeys.city import Member, Moderator, in_days
from tests.journeys.people import PASSWORD
from tests.journeys.test_walk import ACHIEVEMENT, DEMAND

from .running import HOST, Stack, run

pytestmark = [pytest.mark.full, pytest.mark.slow]

# As an administrator makes accounts: with a password, the address known to be theirs.
PEOPLE = """
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from marketplace.accounts.models import User
from marketplace.accounts.roles import MODERATOR
for name, email in {people!r}:
    user = User.objects.create_user(email, {password!r}, name=name)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    if email.startswith("moderator"):
        user.groups.add(Group.objects.get(name=MODERATOR))
"""
NAMES = [("莫言审", "moderator@example.org"), ("云起", "company@example.org"), ("苏格", "university@example.org")]


def until(seconds, ask, what):
    """Ask again and again until the answer is true; gives the seconds it took."""
    began = time.monotonic()
    while not ask():
        assert time.monotonic() - began < seconds, f"{what} not within {seconds} s"
        time.sleep(0.5)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def test_an_empty_market_gets_an_administrator_once(stack):
    assert re.search(r"口令 \w{16}", stack.prepared)
    done = run(
        stack.services["migrate"]["command"], {**stack.environment, "BUILT_STATIC": f"{stack.folder}/built/static"}
    )
    assert done.returncode == 0
    assert "口令" not in done.stdout


def test_the_health_checks_of_the_servers_pass(stack):
    """With the ports of this machine in them."""
    values = {"REDISCLI_AUTH": stack.values["REDIS_PASSWORD"], "PATH": stack.environment["PATH"]}
    for name, there, here in (
        ("redis", "redis-cli", f"redis-cli -p {stack.redis.port}"),
        ("elasticsearch", ":9200", f":{stack.elasticsearch.port}"),
        ("nginx", ":8080", f":{stack.http}"),
        ("postgres", "pg_isready", f"pg_isready -h 127.0.0.1 -p {stack.postgres.port}"),
    ):
        kind, *words = stack.services[name]["healthcheck"]["test"]
        command = " ".join(words).replace(there, here)
        if kind == "CMD-SHELL" or shutil.which(words[0], path=values["PATH"]):
            done = subprocess.run(["sh", "-c", command], env=values, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (name, done.stdout, done.stderr)


def test_the_site_answers_through_nginx_and_gets_ready(stack):
    visitor = stack.client()
    assert stack.processes["web"].health().returncode == 0
    assert visitor.get("/healthz").status_code == 200
    until(120, lambda: visitor.get("/readyz").status_code == 200, "ready")
    home = visitor.get("/")
    assert home.status_code == 200
    assert "max-age=31536000" in home["Strict-Transport-Security"]
    assert "nginx/" not in home.get("Server")


def test_worker_and_beat_are_healthy_when_a_task_has_gone_through_both(stack):
    for name in ("worker", "beat"):
        until(120, lambda name=name: stack.processes[name].health().returncode == 0, f"{name} healthy")


def test_plain_http_is_sent_to_tls(stack):
    with socket.create_connection(("127.0.0.1", stack.http), 10) as line:
        line.sendall(f"GET /search/?q=a HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        answer = line.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 301")
    assert f"Location: https://{HOST}/search/?q=a" in answer


def test_nginx_serves_static_files_for_a_year_and_compressed(stack):
    visitor = stack.client()
    path = re.search(r'href="(/static/[^"]+\.css)"', visitor.get("/").content.decode())[1]
    answer = visitor.send("GET", path, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers.get_all("Cache-Control")[-1]


def test_media_run_nothing_and_documents_go_through_the_site(stack):
    for name in ("images/one.svg", "documents/two.pdf"):
        path = stack.data / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    visitor = stack.client()
    answer = visitor.get("/media/images/one.svg")
    assert answer.status_code == 200
    assert "sandbox" in answer["Content-Security-Policy"]
    assert visitor.get("/media/documents/two.pdf").status_code == 404
    assert visitor.get("/media/../private/").status_code in (400, 404)


def test_what_is_too_large_is_refused_before_it_is_sent(stack):
    visitor = stack.client()
    answer = visitor.send("POST", "/accounts/login/", headers={"Content-Length": str(25 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "24 MB" in answer.content.decode()


def test_a_visitor_cannot_choose_his_address(stack):
    """The limit for one address counts a forged header for nothing."""
    visitor = stack.client()
    codes = [
        visitor.send("GET", "/accounts/login/", headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
        for number in range(40)
    ]
    assert 429 in codes
    time.sleep(12)


def test_a_posted_need_finds_its_match(stack):
    stack.manage("shell", "--no-imports", "-c", PEOPLE.format(people=NAMES, password=PASSWORD))
    moderator, company, university = Moderator(*NAMES[0]), Member(*NAMES[1]), Member(*NAMES[2])
    for person in (moderator, company, university):
        person.client = stack.client()
        person.signs_in()
    company.founds("砚北测试煤化工有限公司", region="150622", serial="MA0W0001")
    university.founds("朔北测试大学", region="150603", serial="MA0W0002", kind="university", state=True)
    for name in (company.organization, university.organization):
        moderator.verifies(name)
    demand = company.posts("demand", **DEMAND, deadline=in_days(90))
    achievement = university.posts("achievement", **ACHIEVEMENT)
    visitor = stack.client()
    assert visitor.get(f"/demands/{demand}/").status_code == 404
    moderator.approves(demand)
    moderator.approves(achievement)

    until(30, lambda: achievement in visitor.get("/search/?q=除氟").content.decode(), "found")
    until(60, lambda: achievement in visitor.get(f"/demands/{demand}/").content.decode(), "matched")
    company.opens(f"/demands/{demand}/matches/").says(ACHIEVEMENT["title"], "出水氟离子")
    # In the index of the Elasticsearch of this stack, by a worker.
    assert stack.elasticsearch.get("/market/_count")["count"] >= 2


def test_nginx_says_so_in_words_while_the_site_is_away(stack):
    visitor = stack.client()
    web = stack.processes["web"]
    web.stop()
    answer = visitor.get("/")
    assert answer.status_code == 502
    assert "网站暂时不能应答" in answer.content.decode()
    web.start()
    until(60, lambda: visitor.get("/").status_code == 200, "back")


def test_each_process_ends_by_itself_within_its_grace(stack):
    for name in ("beat", "worker", "web"):
        process = stack.processes[name]
        began = time.monotonic()
        process.stop()
        assert time.monotonic() - began < process.STOP_SECONDS, f"{name} had to be killed"
