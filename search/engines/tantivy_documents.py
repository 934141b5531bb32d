"""The fields of the embedded index, and how a document is written into them."""

from __future__ import annotations

import tantivy

from ..query import FACETS, Document
from ..text import spaced
from .values import NUMBERS, ORDER_FIELDS, TOMBSTONE, check, numbers

WHITESPACE = "whitespace"
# Of these fields and how they are kept: another one means a rebuild, as another SCHEMA_VERSION does.
LAYOUT_VERSION = 2
# The id once more as two numbers, which are read for many hits at once; a longer id is read from the store alone.
ID_NUMBERS = ("id_first", "id_last")
_HALF, _WHOLE = 8, 16


def schema() -> tantivy.Schema:
    """Build the schema. `uni` and `bi` are our tokens separated by spaces; all else is raw terms and numbers."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("kind", stored=True, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("uni", tokenizer_name=WHITESPACE, index_option="freq")
    builder.add_text_field("bi", tokenizer_name=WHITESPACE, index_option="freq")
    for name in FACETS:
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("version", stored=True, fast=True)
    for name in (*ID_NUMBERS, "removed"):
        builder.add_unsigned_field(name, fast=True)
    for name in NUMBERS:
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ORDER_FIELDS.values():
        builder.add_integer_field(name, fast=True)
    return builder.build()


def prepare(index: tantivy.Index) -> tantivy.Index:
    """Do what every opening needs: the tokenizer is not kept in the index; the reader is told when to look again."""
    index.register_tokenizer(WHITESPACE, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    index.config_reader("manual")
    return index


def _named(document_id: str, version: int, *, removed: bool) -> tantivy.Document:
    """A document's name and version: what is read back of it."""
    written = tantivy.Document()
    written.add_text("id", document_id)
    written.add_unsigned("version", version)
    written.add_unsigned("removed", int(removed))
    for name, number in zip(ID_NUMBERS, pack(document_id), strict=True):
        written.add_unsigned(name, number)
    return written


def pack(document_id: str) -> tuple[int, int]:
    """The id's bytes as two numbers; (0, 0) for one that does not fit into them."""
    raw = document_id.encode()
    if len(raw) > _WHOLE or b"\0" in raw:
        return 0, 0
    raw = raw.ljust(_WHOLE, b"\0")
    return int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big")


def unpack(first: int, last: int) -> str:
    """The id of two numbers; empty where it did not fit."""
    return (first << 64 | last).to_bytes(_WHOLE, "big").rstrip(b"\0").decode()


def document(given: Document) -> tantivy.Document:
    """Write one document. Raises ValueError where a value cannot stand in the index."""
    check(given)
    written = _named(given.id, given.version, removed=False)
    written.add_text("kind", given.kind)
    uni, bi = spaced(given.text)
    written.add_text("uni", uni)
    written.add_text("bi", bi)
    for facet, codes in given.all_terms().items():
        for code in codes:
            written.add_text(facet, code)
    for name, value in numbers(given).items():
        written.add_integer(name, value)
    return written


def tombstone(document_id: str, version: int) -> tantivy.Document:
    """What stays of a removed document: its id and the version that removed it, without any text."""
    written = _named(document_id, version, removed=True)
    written.add_text("kind", TOMBSTONE)
    return written
