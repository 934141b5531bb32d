"""How a visitor sees the market through the search: results, totals, facets, in every order."""

from __future__ import annotations

import json
import re
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.test import Client

from cms.models import KINDS
from marketplace.library import finding
from marketplace.library.filters import FILTERSETS

from . import surfaces
from .canaries import plain

# What differs between two loads of one page by right.
_VARYING = re.compile(
    r'name="csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"|nonce-[\w+/=-]+|<span class="code">[0-9A-F]{8}</span>|'
    r"<p>[-\d: ]{16} 的索引</p>"
)
QUESTIONS = ("", "q=除氟", "q=装置&region=150602", "region=150622", "technology_field=07", "availability=open")


def snapshot() -> dict[str, Any]:
    """Totals, facets with all their values and rows by question; pages word for word."""
    seen: dict[str, Any] = {}
    for kind in KINDS:
        for question in QUESTIONS:
            for ordering in FILTERSETS[kind].ORDERED:
                seen[f"{kind} {question} {ordering}"] = _asked(kind, question, ordering)
    client = Client()
    for address in surfaces.lists():
        text = normal(surfaces.read(client, address))
        if address.startswith("/api/"):
            seen[address] = _without_scores(text)
        elif "q=" not in address:
            seen[address] = text
        elif "page=" not in address and not address.endswith(surfaces.WORD):
            # By relevance equal rows may change places (see `_asked`); each page here holds all of its rows.
            seen[address] = sorted(text.splitlines())
    return seen


def _asked(kind: str, question: str, ordering: str) -> Any:
    filters = FILTERSETS[kind](QueryDict(f"{question}&ordering={ordering}"), user=AnonymousUser())
    found = finding.find(filters, AnonymousUser(), page_size=100, facets=list(filters.coded))
    numbers = [row.record.number for row in found.rows]
    # By relevance equal rows may change places: rarity is counted over all that the index ever held.
    rows = numbers if ordering else sorted(numbers)
    return found.total, {name: dict(counts) for name, counts in found.facets.items()}, rows, found.relaxed


def _without_scores(text: str) -> Any:
    body = json.loads(text[text.index("\n") :])
    rows = [{k: v for k, v in row.items() if k != "score"} for row in body.get("results", [])]
    return body | {"results": sorted(rows, key=lambda row: row["number"])}


def normal(text: str) -> str:
    """A page without what is new at each load."""
    return _VARYING.sub("", plain(text))
