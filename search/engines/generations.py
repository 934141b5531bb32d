"""The folders of the embedded engine: which generation answers, what it was made with, and what may be cleared away."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..query import SCHEMA_VERSION
from ..text import ANALYZER_VERSION
from . import EngineDown
from .tantivy_documents import LAYOUT_VERSION

_GENERATION = re.compile(r"g\d{6,}")


def _versions() -> dict[str, int]:
    """What an index must have been made with to be asked by this code."""
    return {
        "analyzer_version": ANALYZER_VERSION,
        "schema_version": SCHEMA_VERSION,
        "layout_version": LAYOUT_VERSION,
    }


def current(folder: Path) -> Path:
    """The generation that answers. Raises EngineDown where there is none."""
    try:
        name = (folder / "CURRENT").read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EngineDown("there is no index yet") from error
    if not _GENERATION.fullmatch(name):
        raise EngineDown(f"CURRENT names no generation: {name[:20]!r}")
    return folder / name


def begin(folder: Path) -> Path:
    """Make the folder of the next generation."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = [int(p.name[1:]) for p in folder.glob("g[0-9]*") if p.name[1:].isdigit()]
    new = folder / f"g{max(taken, default=0) + 1:06d}"
    new.mkdir()
    return new


def seal(generation: Path) -> None:
    """Write down what a generation was made with: without that nobody opens it."""
    about = {**_versions(), "built_at": datetime.now(UTC).isoformat()}
    _write(generation / "about.json", json.dumps(about))


def swap(folder: Path, generation: Path) -> None:
    """From here on this generation answers; all others go."""
    _write(folder / "CURRENT", generation.name)
    (folder / "DAMAGED").unlink(missing_ok=True)
    clear(folder, keep=generation)


def clear(folder: Path, *, keep: Path) -> None:
    """Remove every generation but one: what was replaced, and what a process left half made when it died."""
    for old in folder.glob("g[0-9]*"):
        if old != keep:
            shutil.rmtree(old, ignore_errors=True)


def about(generation: Path) -> dict[str, Any]:
    """What a generation was made with; empty where that cannot be read."""
    try:
        found = json.loads((generation / "about.json").read_text())
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def outdated(generation: Path) -> str:
    """Why a generation cannot be asked by this code; empty when it can."""
    known = about(generation)
    for name, wanted in _versions().items():
        if known.get(name) != wanted:
            return f"the index was made with {name} {known.get(name)}, this code has {wanted}"
    return ""


def _write(path: Path, text: str) -> None:
    """Replace a small file in one step, so that a crash leaves the old or the new one, never half."""
    new = path.with_suffix(".new")
    with open(new, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
