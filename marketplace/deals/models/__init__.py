"""Suggestions that were kept, and what people made of them."""

from .deals import Deal, Offer
from .inquiries import DECLINE_REASONS, SHARES, Inquiry
from .matches import Comparison, Match, MatchDue

__all__ = ["DECLINE_REASONS", "SHARES", "Comparison", "Deal", "Inquiry", "Match", "MatchDue", "Offer"]
