"""Everything that a clock makes due, app by app: expiry, limits, lapses, mails that were missed.

Each app that has such duties keeps a module `due` with `run() -> dict[str, int]`: what it did, counted. A run may come
at any time and twice; one app that fails does not stop the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

from django.apps import apps
from django.utils.module_loading import module_has_submodule

logger = logging.getLogger(__name__)

OURS = ("marketplace.", "search", "cms")
# Sends what the others wrote, so it comes last.
LAST = "marketplace.notifications"


@dataclass
class Outcome:
    """What one run did: counts by app, and the Chinese-readable error of each app that failed."""

    done: dict[str, dict[str, int]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def duties() -> dict[str, Callable[[], dict[str, int]]]:
    """Each app's `due.run`, from the lowest app to the highest, notices last."""
    configs = [c for c in reversed(list(apps.get_app_configs())) if c.name.startswith(OURS)]
    configs.sort(key=lambda c: c.name == LAST)
    return {
        config.label: import_module(f"{config.name}.due").run
        for config in configs
        # This module itself runs them; it has no duty of its own.
        if config.name != "marketplace.operations" and module_has_submodule(config.module, "due")
    }


def run(wanted: dict[str, Callable[[], dict[str, int]]] | None = None) -> Outcome:
    """Run every app's duties once."""
    outcome = Outcome()
    for label, act in (duties() if wanted is None else wanted).items():
        try:
            outcome.done[label] = act()
        except Exception as error:
            logger.exception("due: %s failed", label)
            outcome.failed[label] = f"{type(error).__name__}: {error}"
    return outcome


def run_logged() -> Outcome:
    """The site's own minute: what was done goes to the log, silence where nothing was."""
    outcome = run()
    did = {label: {k: n for k, n in counts.items() if n} for label, counts in outcome.done.items()}
    if any(did.values()):
        logger.info("due: %s", {label: counts for label, counts in did.items() if counts})
    return outcome
