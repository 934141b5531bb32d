"""The fields of the index on Elasticsearch, and how a document is written into them.

`uni` and `bi` are our tokens separated by spaces, split at white space on the server: no analysis of its own, no
plugin, the same terms as in the embedded index. Everything else is keywords and whole numbers. Of a document only its
kind stays readable (`_source`); its version is Elasticsearch's own external `_version`.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from elasticsearch.dsl import Keyword, Long, Mapping, Text

from ..query import FACETS, SCHEMA_VERSION, Document
from ..text import ANALYZER_VERSION, spaced
from .values import NUMBERS, ORDER_FIELDS, TOMBSTONE, check, numbers

SIMILARITY = "ours"
# Lucene's BM25 leaves out the factor k1 + 1 that tantivy's has: with it both engines give the same scores.
SCALE = 2.2


def mapping() -> Mapping:
    """Build the mapping. `strict`: a field that nobody declared is refused, not guessed."""
    built = Mapping()
    built.meta("dynamic", "strict")
    built.meta("_source", includes=["kind"])
    for name in ("uni", "bi"):
        built.field(name, Text(analyzer="whitespace", index_options="freqs", similarity=SIMILARITY))
    for name in ("id", "kind", *FACETS):
        built.field(name, Keyword())
    for name in NUMBERS:
        built.field(name, Long())
    # When the index took it in, in milliseconds: what a page says of the index's age.
    built.field("indexed_at", Long())
    for name in ORDER_FIELDS.values():
        built.field(name, Long(index=False))
    return built


def template(prefix: str, shards: int, replicas: int) -> dict[str, Any]:
    """The template of all indexes with this prefix. A late write never makes an index by accident."""
    index = {
        "number_of_shards": shards,
        "number_of_replicas": replicas,
        "similarity": {SIMILARITY: {"type": "BM25", "k1": 1.2, "b": 0.75}},
    }
    return {
        "index_patterns": [prefix, f"{prefix}-*"],
        # A longer prefix beats a shorter one that it begins with.
        "priority": 100 + len(prefix),
        "allow_auto_create": False,
        "template": {"settings": {"index": index}, "mappings": mapping().to_dict()},
    }


def about() -> dict[str, Any]:
    """What `_meta` of a new index says: which analyser and fields it was made with, and when."""
    return {
        "analyzer_version": ANALYZER_VERSION,
        "schema_version": SCHEMA_VERSION,
        "built_at": datetime.now(UTC).isoformat(),
    }


def outdated(known: dict[str, Any]) -> str:
    """Why an index with this `_meta` cannot be asked by this code; empty when it can."""
    for name, wanted in (("analyzer_version", ANALYZER_VERSION), ("schema_version", SCHEMA_VERSION)):
        if known.get(name) != wanted:
            return f"the index was made with {name} {known.get(name)}, this code has {wanted}"
    return ""


def is_newer(known: dict[str, Any]) -> bool:
    """True where a later version than this code made the index: it is not ours to make anew."""
    return any(known.get(name, 0) > wanted for name, wanted in about().items() if name != "built_at")


def _line(row: dict[str, Any]) -> bytes:
    """One line of a bulk request. Raises ValueError for a text that is no Unicode."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def document(given: Document) -> tuple[bytes, bytes]:
    """The two lines by which a document is indexed, unless the same version or a newer one is known.

    Raises ValueError where a value cannot stand in the index.
    """
    check(given)
    uni, bi = spaced(given.text)
    row: dict[str, Any] = {
        "id": given.id,
        "kind": given.kind,
        "uni": uni,
        "bi": bi,
        "indexed_at": time.time_ns() // 1_000_000,
    }
    row |= given.all_terms()
    row |= numbers(given)
    action = {"index": {"_id": given.id, "version": given.version, "version_type": "external"}}
    return _line(action), _line(row)


def tombstone(document_id: str, version: int) -> tuple[bytes, bytes]:
    """The two lines by which a document is removed: what stays is its version. It beats a document of the same one."""
    row = {"id": document_id, "kind": TOMBSTONE, "indexed_at": time.time_ns() // 1_000_000}
    action = {"index": {"_id": document_id, "version": version, "version_type": "external_gte"}}
    return _line(action), _line(row)
