"""The site's application, with the shim applied to it and all that a first request loads: a worker is forked whole."""

from __future__ import annotations

from .child import prepare

prepare()

from marketplace.operations import startup  # noqa: E402
from marketplace.wsgi import application  # noqa: E402

startup.warm_up()

__all__ = ["application"]
