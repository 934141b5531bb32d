"""The entry of every process under test: `python -m tests.gates.child VERB …`, with the shim applied.

site              gunicorn as the product configures it, the application loaded before the worker is forked
manage COMMAND …  manage.py
celery …          Celery's own command line
load …            20 acts a second (tests.gates.load)
act NAME …        one call, its answer printed as JSON (tests.gates.acts)
"""

from __future__ import annotations

import os
import sys


def prepare() -> None:
    """Django with our shim; nothing is connected to yet."""
    from . import shim

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.base")
    import django

    django.setup()
    shim.early()
    shim.late()


def main() -> None:
    verb, *rest = sys.argv[1:]
    if verb == "site":
        # The configuration names an application that prepares itself, so that the worker is forked from it.
        from gunicorn.app.wsgiapp import run

        sys.argv = ["gunicorn", "--config", "python:tests.gates.served"]
        run()
        return
    prepare()
    if verb == "manage":
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", *rest])
    elif verb == "celery":
        from celery.__main__ import main as celery

        sys.argv = ["celery", *rest]
        celery()
    elif verb == "load":
        from . import load

        load.main(rest)
    elif verb == "act":
        from . import acts

        acts.main(rest)
    else:
        sys.exit(f"no such verb: {verb}")


if __name__ == "__main__":
    main()
