"""How gunicorn runs the site: in the default mode one process with threads, which alone writes the embedded index.

There the state is one SQLite file and one index, so a second process would only wait for the first; threads share both
and keep the whole site under 400 MB. With REDIS_URL, workers do what the threads of housekeeping do here, and
WEB_CONCURRENCY says how many processes answer. `manage.py serve` starts it with everything prepared.
"""

from __future__ import annotations

import os
from typing import Any

_host = os.environ.get("HOST") or "127.0.0.1"
_port = os.environ.get("PORT") or "8000"

bind = f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"
wsgi_app = "marketplace.wsgi:application"
workers = int(os.environ.get("WEB_CONCURRENCY") or 1) if os.environ.get("REDIS_URL") else 1
worker_class = "gthread"
threads = 8
timeout = 120
# A stop must be over within 10 seconds, also with a slow download open.
graceful_timeout = 7
keepalive = 5
limit_request_line = 8190
# The heartbeat file lies in memory where there is such a folder: on a busy disk a worker would look hung.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
loglevel = "warning"
control_socket_disable = True
# Only a proxy that the operator named may say which scheme the visitor used.
forwarded_allow_ips = "*" if int(os.environ.get("TRUSTED_PROXIES") or 0) else "127.0.0.1,::1"
proc_name = "technology-market"


def when_ready(server: Any) -> None:
    """The port is ours: begin worker and beat where one command is to start everything."""
    from marketplace.operations import companions

    companions.start()


def on_exit(server: Any) -> None:
    """End what was started beside the site."""
    from marketplace.operations import companions

    companions.stop()


def post_worker_init(worker: Any) -> None:
    """The application is loaded: begin the housekeeping and, at the first start, say where the site is."""
    from marketplace.operations import housekeeping, startup

    startup.warm_up()
    housekeeping.start()
    if worker.age == 1:
        startup.greet()


def worker_exit(server: Any, worker: Any) -> None:
    """Give the index and the lock back, so that the next process need not wait."""
    from marketplace.operations import housekeeping

    housekeeping.stop()
