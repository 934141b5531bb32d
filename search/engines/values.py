"""What both engines keep of a document beside its words: the same numbers, so that both list in the same order."""

from __future__ import annotations

import zlib
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..query import Document

# Stands in `kind` of what was removed: it keeps the version, so that a late older change cannot bring it back.
TOMBSTONE = "~"

# A price in 分 must fit beside the tie-breaking bits of its ordering: up to 10^12 分 = 100 亿元.
_TIE_BITS = 20
_TOP = (1 << 62) - (1 << _TIE_BITS)
PRICE_LIMIT = Decimal(10) ** 10

# Numbers that ranges are asked of.
NUMBERS = ("trl", "price", "published_at", "updated_at")
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


def bound(value: Any) -> int:
    """A range's bound as the index holds it: 分, seconds, or the number itself."""
    if isinstance(value, Decimal):
        return fen(value)
    return seconds(value) if isinstance(value, datetime) else int(value)


def _order(value: int | None, document_id: str) -> int:
    """Value and tie-breaker in one number; what has no value comes last whichever way the list runs."""
    tie = zlib.crc32(document_id.encode()) & ((1 << _TIE_BITS) - 1)
    return (((value + 1) << _TIE_BITS) if value is not None else 0) | tie


def check(given: Document) -> None:
    """Raise ValueError where a value cannot stand in an index."""
    if given.kind == TOMBSTONE or not given.id or not given.kind:
        raise ValueError("a document needs an id and a kind")
    if given.price is not None and not 0 <= given.price < PRICE_LIMIT:
        raise ValueError(f"price {given.price} is outside 0 to {PRICE_LIMIT} 元")


def numbers(given: Document) -> dict[str, int]:
    """The values of NUMBERS that the document states, and those of all ORDER_FIELDS."""
    price = None if given.price is None else fen(given.price)
    published = None if given.published_at is None else seconds(given.published_at)
    updated = None if given.updated_at is None else seconds(given.updated_at)
    stated = {"trl": given.trl, "price": price, "published_at": published, "updated_at": updated}
    top = None if price is None else (_TOP >> _TIE_BITS) - price
    orders = {"published": published, "updated": updated, "cheap": top, "dear": price, "trl": given.trl}
    found = {name: value for name, value in stated.items() if value is not None}
    return found | {f"order_{name}": _order(value, given.id) for name, value in orders.items()}
