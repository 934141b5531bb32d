"""docker/'s files, read; and each command of a service as it is started without a container engine."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import yaml

from tests.databases import ROOT

DOCKER = ROOT / "docker"


def compose() -> dict:
    """compose.yaml with its anchors resolved, variables as they are written."""
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def environment_file() -> dict[str, str]:
    """The names and values of .env.example."""
    lines = (DOCKER / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def answers() -> dict[str, str]:
    """.env as an operator fills it in."""
    return {name: value or secrets.token_hex(32) for name, value in environment_file().items()}


def fill(text: str, values: dict[str, str]) -> str:
    """Put in variables as compose does: `${NAME:?}` and `${NAME:-otherwise}`."""

    def value(found: re.Match) -> str:
        name, otherwise = found.groups()
        return values.get(name) or (otherwise or "")

    return re.sub(r"\$\{(\w+)(?::\?|:-([^}]*))\}", value, text)


def filled(environment: dict[str, str], values: dict[str, str] | None = None) -> dict[str, str]:
    """A service's environment with the operator's values in it."""
    given = answers() if values is None else values
    return {name: fill(str(text), given) for name, text in environment.items()}


def nginx_configuration(folder: Path, *, http: int, https: int, site: int, data: Path) -> str:
    """The shipped nginx.conf with the paths and ports of this machine."""
    text = (DOCKER / "nginx.conf").read_text()
    places = {
        "listen 8080;": f"listen 127.0.0.1:{http};",
        "listen 8443 ssl": f"listen 127.0.0.1:{https} ssl",
        "server web:8000": f"server 127.0.0.1:{site}",
        "/etc/nginx/certs/": f"{folder}/certs/",
        "/srv/data/": f"{data}/",
        "/srv/pages/": f"{DOCKER}/pages/",
        "/tmp/": f"{folder}/temp/",  # noqa: S108 (what stands in the file)
        # Standard output may be a file that nginx cannot open by that name.
        "/dev/stdout": f"{folder}/access.log",
    }
    for there in places:
        assert there in text, there
    # In one pass: what was put in is not looked at again.
    return re.sub("|".join(map(re.escape, places)), lambda found: places[found[0]], text)
