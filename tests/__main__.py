"""`./run test`: the fast set on two cores in the defaults alone, whatever the shell has set; --full on real servers."""

from __future__ import annotations

import os
import sys

import pytest

# Settings of a real market must not reach a test.
OURS = ("DATABASE_URL", "SEARCH_URL", "SEARCH_PREFIX", "SEARCH_SHARDS", "SEARCH_REPLICAS", "REDIS_URL", "EMAIL_URL")
OURS += ("DEMO", "SITE_URL", "HOST", "PORT", "SECRET_KEY", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "DATA_DIR")
# Only --full puts tests on servers, and on its own.
SERVERS = ("TEST_DATABASE_URL", "TEST_SEARCH_URL", "TEST_REDIS_URL", "TEST_FULL")


def arguments(given: list[str]) -> list[str]:
    """What pytest is told: two processes, a file never split, unless the caller asks for single tests or a debugger."""
    chosen = any(not one.startswith("-") for one in given)
    alone = any(one.startswith(("-n", "--numprocesses", "--pdb", "--trace", "-p")) for one in given)
    return given if chosen or alone else ["-n", "2", "--dist", "loadfile", *given]


def main(given: list[str]) -> int:
    """0 passed, 1 failed, 2 could not run."""
    for name in (*OURS, *SERVERS):
        os.environ.pop(name, None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "marketplace.settings.test"
    if "--full" in given:
        from tests import full

        return full.main(given, arguments)
    code = int(pytest.main(arguments(given)))
    # pytest: 1 tests failed, 2 interrupted, 3 internal, 4 usage, 5 nothing collected.
    return code if code in (0, 1) else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
