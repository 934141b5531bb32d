"""Every act on matches, inquiries, deals and offers, under one name for those who call them.

Each is one transaction with keyword-only arguments; `by` is the person, `on_behalf_of` the organisation he acts for.
"""

from .dealing import lose, mark_registered, mark_signed, plan_next, win
from .inquiring import AlreadyOpen, accept, decline, inquire, lapse, recall
from .offering import accept_offer, decline_offer, offer
from .suggesting import suggest, work_off_due

__all__ = [
    "AlreadyOpen",
    "accept",
    "accept_offer",
    "decline",
    "decline_offer",
    "inquire",
    "lapse",
    "lose",
    "mark_registered",
    "mark_signed",
    "offer",
    "plan_next",
    "recall",
    "suggest",
    "win",
    "work_off_due",
]
