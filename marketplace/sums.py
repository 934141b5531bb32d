"""Sums of amounts in the database, exact on both. SQLite keeps decimals as floats and adds them as floats."""

from __future__ import annotations

from django.db.models import BigIntegerField, F, Sum
from django.db.models.functions import Cast, Round


def in_fen(name: str) -> Sum:
    """The sum of an amount (a column or annotation of 元) in whole 分, 0 where there is none; `money.from_fen` gives
    元. Whole numbers are added exactly."""
    return Sum(Cast(Round(F(name) * 100), BigIntegerField()), default=0)
