"""Suggestions that were kept, and what people made of them."""

from .deals import Deal, Offer
from .inquiries import DECLINE_REASONS, Inquiry
from .matches import Match, MatchDue

__all__ = ["DECLINE_REASONS", "Deal", "Inquiry", "Match", "MatchDue", "Offer"]
