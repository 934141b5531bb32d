"""Gunicorn's configuration for a site under test: the product's own, loaded before the fork, with the shim applied.

A worker that is killed is forked again within a tenth of a second, which makes three hundred kills affordable; what is
killed is the process that serves, writes and keeps house, as in the product.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from marketplace import gunicorn as product
from marketplace.gunicorn import *  # noqa: F403

preload_app = True
wsgi_app = "tests.gates.application:application"


def post_worker_init(worker: Any) -> None:
    product.post_worker_init(worker)
    if os.environ.get("GATE_LOAD"):
        from . import load

        # In the process that is killed: death then comes in mid-save, in mid-drain, between the two.
        threading.Thread(target=load.from_environment, args=(os.environ["GATE_LOAD"],), daemon=True).start()
