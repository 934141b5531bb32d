"""The fields of the embedded index, and how a document is written into them."""

from __future__ import annotations

import tantivy

from ..query import FACETS, Document
from ..text import tokens
from .values import NUMBERS, ORDER_FIELDS, TOMBSTONE, check, numbers

WHITESPACE = "whitespace"


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


def document(given: Document) -> tantivy.Document:
    """Write one document. Raises ValueError where a value cannot stand in the index."""
    check(given)
    written = tantivy.Document()
    written.add_text("id", given.id)
    written.add_text("kind", given.kind)
    written.add_unsigned("version", given.version)
    analysed = tokens(given.text)
    written.add_text("uni", " ".join(analysed.uni))
    written.add_text("bi", " ".join(analysed.bi))
    for facet, codes in given.all_terms().items():
        for code in codes:
            written.add_text(facet, code)
    for name, value in numbers(given).items():
        written.add_integer(name, value)
    return written


def tombstone(document_id: str, version: int) -> tantivy.Document:
    """What stays of a removed document: its id and the version that removed it, without any text."""
    written = tantivy.Document()
    written.add_text("id", document_id)
    written.add_text("kind", TOMBSTONE)
    written.add_unsigned("version", version)
    return written
