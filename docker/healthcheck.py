"""Health of a container: `healthcheck.py web` asks the site as nginx does, `healthcheck.py tasks` whether a task that
beat sent a moment ago was done by a worker."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request


def web() -> str:
    """What is wrong with the site in this container; empty when it answers."""
    port = os.environ.get("PORT") or "8000"
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0]
    # Without the header it would send us to https, which only nginx speaks.
    headers = {"Host": host, "X-Forwarded-Proto": "https"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/healthz", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 (our own address)
            return "" if answer.status == 200 else f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        with error:
            return f"HTTP {error.code}"
    except OSError as error:
        return str(error)


def tasks() -> str:
    """What is wrong with worker and beat; empty when the last task that went through both is recent."""
    sys.path.insert(0, os.getcwd())
    import django

    django.setup()
    from marketplace.operations.heartbeat import lacks_of_workers

    return "\n".join(lacks_of_workers())


if __name__ == "__main__":
    wrong = {"web": web, "tasks": tasks}[sys.argv[1]]()
    sys.stdout.write(f"{wrong or 'ok'}\n")
    sys.exit(1 if wrong else 0)
