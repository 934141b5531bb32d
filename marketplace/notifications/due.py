"""What the clock does for notices: mails that did not leave at once are tried again."""

from __future__ import annotations

from .sending import send_waiting


def run() -> dict[str, int]:
    """Send what is due; safe at any time and twice."""
    return send_waiting()
