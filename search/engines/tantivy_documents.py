"""The fields of the embedded index, and how a document is written into them."""

from __future__ import annotations

import zlib
from datetime import datetime
from decimal import Decimal

import tantivy

from ..query import FACETS, Document
from ..text import tokens

# Stands in `kind` of what was removed: it keeps the version, so that a late older change cannot bring it back.
TOMBSTONE = "~"
WHITESPACE = "whitespace"

# A price in 分 must fit beside the tie-breaking bits of its ordering: up to 10^12 分 = 100 亿元.
_TIE_BITS = 20
_TOP = (1 << 62) - (1 << _TIE_BITS)
PRICE_LIMIT = Decimal(10) ** 10


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
    for name in ("trl", "price", "published_at", "updated_at"):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ORDER_FIELDS.values():
        builder.add_integer_field(name, fast=True)
    return builder.build()


def prepare(index: tantivy.Index) -> tantivy.Index:
    """Do what every opening needs: the tokenizer is not kept in the index; the reader is told when to look again."""
    index.register_tokenizer(WHITESPACE, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    index.config_reader("manual")
    return index


# Orderings of the list → the field whose greatest values come first. One number holds the value and, in its low bits, a
# hash of the id: equal values keep one order through merges and rebuilds, so that no row is skipped between two pages.
ORDER_FIELDS = {
    "-published_at": "order_published",
    "-updated_at": "order_updated",
    "price": "order_cheap",
    "-price": "order_dear",
    "-trl": "order_trl",
}


def fen(amount: Decimal) -> int:
    """元 → whole 分, for ranges and orderings only."""
    return int((amount * 100).to_integral_value())


def seconds(moment: datetime) -> int:
    """Seconds since 1970, UTC."""
    return int(moment.timestamp())


def _order(value: int | None, document_id: str) -> int:
    """Value and tie-breaker in one number; what has no value comes last whichever way the list runs."""
    tie = zlib.crc32(document_id.encode()) & ((1 << _TIE_BITS) - 1)
    return (((value + 1) << _TIE_BITS) if value is not None else 0) | tie


def document(given: Document) -> tantivy.Document:
    """Write one document. Raises ValueError where a value cannot stand in the index."""
    if given.kind == TOMBSTONE or not given.id or not given.kind:
        raise ValueError("a document needs an id and a kind")
    if given.price is not None and not 0 <= given.price < PRICE_LIMIT:
        raise ValueError(f"price {given.price} is outside 0 to {PRICE_LIMIT} 元")
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
    price = None if given.price is None else fen(given.price)
    published = None if given.published_at is None else seconds(given.published_at)
    updated = None if given.updated_at is None else seconds(given.updated_at)
    for name, value in (("trl", given.trl), ("price", price), ("published_at", published), ("updated_at", updated)):
        if value is not None:
            written.add_integer(name, value)
    top = None if price is None else (_TOP >> _TIE_BITS) - price
    orders = {"published": published, "updated": updated, "cheap": top, "dear": price, "trl": given.trl}
    for order, value in orders.items():
        written.add_integer(f"order_{order}", _order(value, given.id))
    return written


def tombstone(document_id: str, version: int) -> tantivy.Document:
    """What stays of a removed document: its id and the version that removed it, without any text."""
    written = tantivy.Document()
    written.add_text("id", document_id)
    written.add_text("kind", TOMBSTONE)
    written.add_unsigned("version", version)
    return written
