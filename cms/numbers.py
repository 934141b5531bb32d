"""Numbers that are a record's address and its name: kind, year, six of Crockford's characters (CG-2026-7K3QX9).

Random, so that nobody can walk through them; never reused; no I, L, O, U that a reader could mistake.
"""

from __future__ import annotations

import re
import secrets

from django.db import models
from django.utils import timezone

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIXES = ("CG", "XQ", "ZJ", "XM", "JG", "JJ", "DW", "DJ", "HT", "ZC", "DD")
PATTERN = re.compile(rf"^({'|'.join(PREFIXES)})-(\d{{4}})-([{ALPHABET}]{{6}})$")


def new_number(prefix: str, year: int | None = None) -> str:
    """Return a fresh number; the column's unique constraint stands behind the (1 in 10⁹) chance of a repeat."""
    year = year or timezone.localdate().year
    return f"{prefix}-{year}-" + "".join(secrets.choice(ALPHABET) for _ in range(6))


def normalise(text: str) -> str | None:
    """Return the number that a person typed, tidied (case, O for 0, I and L for 1, spaces), or None if it is none."""
    raw = re.sub(r"[\s_—–－]+", "-", text.strip().upper()).replace("--", "-")
    parts = raw.split("-")
    if len(parts) != 3:
        return None
    tail = parts[2].translate(str.maketrans("OIL", "011"))
    number = "-".join((parts[0], parts[1], tail))
    return number if PATTERN.match(number) else None


class NumberField(models.CharField):
    """A unique, unchanging number of one kind, made when the row is first saved."""

    def __init__(self, *args: object, prefix: str = "", **kwargs: object) -> None:
        self.prefix = prefix
        kwargs.setdefault("max_length", 16)
        kwargs.setdefault("unique", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def deconstruct(self):  # type: ignore[no-untyped-def]
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "prefix": self.prefix}

    def pre_save(self, instance: models.Model, add: bool) -> str:
        value = getattr(instance, self.attname)
        if not value:
            value = new_number(self.prefix or instance.number_prefix)  # type: ignore[attr-defined]
            setattr(instance, self.attname, value)
        return value
