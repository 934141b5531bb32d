"""What docker/ ships fits the settings: every variable given, images pinned, health checks on each, no secret."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import yaml

from marketplace.settings.environment import VARIABLES
from tests.conftest import ROOT

from .stack import DOCKER, compose, environment_file, filled

SITE = ("migrate", "web", "worker", "beat")
SERVERS = ("nginx", "postgres", "redis", "elasticsearch")


@pytest.fixture(scope="module")
def services():
    return compose()["services"]


def refused(environment):
    """What production says that it lacks; empty when it starts."""
    done = subprocess.run(
        [sys.executable, "-c", "import marketplace.settings.production"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr if done.returncode else ""


def test_every_service_is_there(services):
    assert set(services) == {*SITE, *SERVERS}


@pytest.mark.parametrize("name", SITE)
def test_a_process_of_the_site_has_what_production_needs(services, name):
    given = filled(services[name]["environment"])
    assert refused(given) == ""
    assert {v.name for v in VARIABLES if v.needed_in_production} <= set(given)
    # A misspelt name would be silently without effect.
    assert set(given) <= {v.name for v in VARIABLES} | {"REMAP_SIGTERM"}
    assert given["REDIS_URL"]
    assert given["SEARCH_URL"].startswith("http")


def test_a_stopped_worker_gives_back_what_it_cannot_finish(services):
    assert services["worker"]["environment"]["REMAP_SIGTERM"] == "SIGQUIT"


def test_the_example_has_every_variable_that_compose_asks_for_and_no_other():
    asked = set(re.findall(r"\$\{(\w+)", (DOCKER / "compose.yaml").read_text()))
    assert set(environment_file()) == asked


def test_what_must_be_secret_is_empty_in_the_example():
    example = environment_file()
    assert [name for name in example if not example[name]] == ["SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"]
    # Without a value compose refuses to start instead of taking an empty one.
    text = (DOCKER / "compose.yaml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        assert not re.search(rf"\$\{{{name}(?!:\?\}})", text)


def test_the_filled_in_file_is_never_committed():
    ignored = subprocess.run(
        ["git", "check-ignore", "docker/.env", "docker/certs/privkey.pem"], cwd=ROOT, capture_output=True, text=True
    )
    assert ignored.stdout.split() == ["docker/.env", "docker/certs/privkey.pem"]


def test_images_are_pinned_to_a_release(services):
    images = {one["image"] for one in services.values()}
    images |= set(re.findall(r"^FROM (\S+)", (DOCKER / "Dockerfile").read_text(), re.MULTILINE))
    for image in images:
        assert re.search(r":\d+\.\d+(\.\d+)?(-[\w.-]+)?$", image), image


def test_the_servers_are_of_the_kind_that_the_tests_run_on(services):
    from tests.servers.elastic_install import VERSION

    assert services["elasticsearch"]["image"] == f"elasticsearch:{VERSION}"
    assert services["postgres"]["image"].startswith("postgres:15.")
    assert services["redis"]["image"].startswith("redis:7.")


@pytest.mark.parametrize("name", ["web", "worker", "beat", *SERVERS])
def test_each_has_a_health_check_and_comes_back(services, name):
    check = services[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries"} <= set(check)
    assert services[name]["restart"] == "unless-stopped"
    assert "max-size" in services[name]["logging"]["options"]


def test_nothing_starts_before_what_it_needs(services):
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert set(services["migrate"]["depends_on"]) == {"postgres", "redis", "elasticsearch"}
    for one in services.values():
        for other, about in one.get("depends_on", {}).items():
            assert about["condition"] in ("service_healthy", "service_completed_successfully")
            assert other == "migrate" or "healthcheck" in services[other]


def test_only_nginx_can_be_reached(services):
    assert [name for name in services if "ports" in services[name]] == ["nginx"]


def test_all_state_lies_on_volumes(services):
    volumes = set(compose()["volumes"])
    used = {mount.split(":")[0] for one in services.values() for mount in one["volumes"]}
    assert volumes == {name for name in used if not name.startswith(".")}
    for mount in services["nginx"]["volumes"]:
        assert mount.endswith(":ro")
        path = mount.split(":")[0]
        assert not path.startswith(".") or path == "./certs" or (DOCKER / path).exists()


def test_the_image_runs_as_nobody_special_from_the_hashed_lock():
    text = (DOCKER / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert re.search(r"^USER market$", text, re.MULTILINE)
    uid = re.search(r"useradd --uid (\d+)", text)[1]
    assert compose()["services"]["nginx"]["user"] == f"{uid}:{uid}"
    # What it copies exists, and the folder it is built from sends no more than that.
    copied = [path for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE) for path in line.split()]
    assert copied
    allowed = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    for path in copied:
        assert (ROOT / path).exists(), path
        assert f"!{path}" in allowed, path


def test_nginx_takes_no_more_than_the_site():
    from django.conf import settings

    size = re.search(r"client_max_body_size (\d+)m;", (DOCKER / "nginx.conf").read_text())[1]
    assert int(size) * 1024 * 1024 == settings.REQUEST_BODY_LIMIT


def test_the_time_outs_of_nginx_fit_those_of_the_site():
    from marketplace import gunicorn

    text = (DOCKER / "nginx.conf").read_text()
    assert int(re.search(r"proxy_read_timeout (\d+)s;", text)[1]) >= gunicorn.timeout
    grace = compose()["services"]["web"]["stop_grace_period"]
    assert int(grace.rstrip("s")) > gunicorn.graceful_timeout


@pytest.mark.parametrize("name", ["413", "429", "502"])
def test_its_pages_are_in_chinese_and_whole(name):
    page = (DOCKER / f"pages/{name}.html").read_text()
    assert 'lang="zh-Hans"' in page
    assert "http" not in page
    assert f"/pages/{name}.html" in (DOCKER / "nginx.conf").read_text()


def test_the_compose_file_is_plain_yaml():
    assert yaml.safe_load((DOCKER / "compose.yaml").read_text())["name"]
