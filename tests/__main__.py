"""`./run test`: the fast set on two cores, in the defaults alone whatever the shell has set."""

from __future__ import annotations

import os
import sys

import pytest

# Settings of a real market must not reach a test.
OURS = ("DATABASE_URL", "SEARCH_URL", "EMAIL_URL", "DEMO", "SITE_URL", "HOST", "PORT", "SECRET_KEY", "ALLOWED_HOSTS")


def arguments(given: list[str]) -> list[str]:
    """What pytest is told: two processes, a file never split, unless the caller asks for single tests or a debugger."""
    chosen = any(not one.startswith("-") for one in given)
    alone = any(one.startswith(("-n", "--numprocesses", "--pdb", "--trace", "-p")) for one in given)
    return given if chosen or alone else ["-n", "2", "--dist", "loadfile", *given]


if __name__ == "__main__":
    for name in OURS:
        os.environ.pop(name, None)
    os.environ["DJANGO_SETTINGS_MODULE"] = "marketplace.settings.test"
    code = int(pytest.main(arguments(sys.argv[1:])))
    # pytest: 1 tests failed, 2 interrupted, 3 internal, 4 usage, 5 nothing collected.
    sys.exit(code if code in (0, 1) else 2)
