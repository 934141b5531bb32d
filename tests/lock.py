"""The locks and what they were made from: `python -m tests.lock` makes them anew, `--check` only says what is wrong.

Asked without a network: each lock names in its first line the hash of its .in files, pins every requirement within its
bounds, has hashes for all and addresses for none.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
# A lock and the .in files it answers, the last one being its own.
LOCKS = {"base.txt": ("base.in",), "dev.txt": ("base.in", "dev.in")}
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def head(sources: tuple[str, ...], folder: Path = FOLDER) -> str:
    """The first line of the lock of these .in files."""
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in sources))
    return f"# Made from {' and '.join(sources)}, sha256 {digest.hexdigest()}"


def wanted(name: str, folder: Path = FOLDER) -> list[Requirement]:
    """The requirements that one .in file writes itself."""
    lines = (line.split("#")[0].strip() for line in (folder / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def pins(name: str, folder: Path = FOLDER) -> dict[str, Version]:
    """Name → version of everything a lock installs."""
    text = (folder / name).read_text()
    return {found[1].lower().replace("_", "-"): Version(found[2]) for found in PIN.finditer(text)}


def problems(folder: Path = FOLDER) -> list[str]:
    """Every disagreement, one line each; empty when locks and requirements are in step."""
    found = []
    for lock, sources in LOCKS.items():
        text = (folder / lock).read_text()
        if text.splitlines()[0] != head(sources, folder):
            found.append(f"{lock}: made from other requirements; run python -m tests.lock")
        pinned = pins(lock, folder)
        for requirement in (r for source in sources for r in wanted(source, folder)):
            version = pinned.get(requirement.name.lower().replace("_", "-"))
            if version is None:
                found.append(f"{lock}: {requirement.name} is not locked")
            elif not requirement.specifier.contains(version, prereleases=True):
                found.append(f"{lock}: {requirement.name} {version} is outside {requirement.specifier}")
            if not any(s.operator in (">=", "==", "~=") for s in requirement.specifier):
                found.append(f"{', '.join(sources)}: {requirement.name} has no lower bound")
        blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
        found += [f"{lock}: {PIN.match(b)[1]} has no hash" for b in blocks if PIN.match(b) and "--hash=" not in b]  # type: ignore[index]
        if "://" in text:
            found.append(f"{lock}: names an address")
    base, dev = pins("base.txt", folder), pins("dev.txt", folder)
    found += [f"dev.txt: {n} is not the {v} of base.txt" for n, v in base.items() if dev.get(n) != v]
    return found


def resolve() -> None:
    """Make both locks anew with uv; dev within what base chose."""
    for lock, sources in LOCKS.items():
        path = FOLDER / lock
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-header", f"requirements/{sources[-1]}", "--output-file", str(path)]
        if lock != "base.txt":
            command += ["--constraints", "requirements/base.txt"]
        subprocess.run(command, cwd=ROOT, check=True)
        path.write_text(f"{head(sources)}\n{path.read_text()}")


if __name__ == "__main__":
    if "--check" not in sys.argv:
        resolve()
    lines = problems()
    sys.stdout.writelines(line + "\n" for line in lines)
    sys.exit(1 if lines else 0)
