"""What drf-spectacular asks while it writes the schema."""

from __future__ import annotations

from typing import Any


def told_in_chinese(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """Docstrings are for those who read the code: leave them out of what is published."""
    for component in result.get("components", {}).get("schemas", {}).values():
        component.pop("description", None)
    return result


def only_ours(endpoints: list[Any]) -> list[Any]:
    """Keep Wagtail's admin API out of the published schema."""
    return [row for row in endpoints if row[0].startswith("/api/v1/")]
