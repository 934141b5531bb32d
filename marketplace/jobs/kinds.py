"""Which function does the jobs of a kind: apps register theirs, services and runner look them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .models import Job

Function = Callable[[Job, Any], None]
_functions: dict[str, Function] = {}


def register(kind: str, function: Function) -> None:
    """Say which function does the jobs of a kind. Raises ValueError where another function has the name."""
    if _functions.setdefault(kind, function) is not function:
        raise ValueError(f"another function already does jobs of kind {kind}")


def function_for(kind: str) -> Function | None:
    return _functions.get(kind)
