"""Word lists of the search, as text files: words separated by white space, lines beginning with # are remarks."""

from pathlib import Path

_FOLDER = Path(__file__).parent


def read_words(name: str) -> list[str]:
    """All words of one list, in order."""
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]
