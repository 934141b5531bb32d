"""A market of its own for one test, on whichever engine the run is for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from search import changes
from search.engines import close_engine, open_engine


@contextmanager
def fresh_market(settings: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The index lies in this folder, or under a prefix of its own that is removed at the end."""
    settings.DATA_DIR = folder
    settings.SEARCH_PREFIX = f"test-{os.getpid()}-{uuid4().hex[:8]}"
    monkeypatch.setattr(changes, "_last_rebuild", None)
    monkeypatch.setattr(changes, "_refused", 0)
    address, prefix = settings.SEARCH_URL, settings.SEARCH_PREFIX
    close_engine()
    try:
        yield
    finally:
        close_engine()
        if address.startswith("http"):
            made = open_engine(address, folder, prefix=prefix)
            made.indexes.remove_all()
            made.close()
