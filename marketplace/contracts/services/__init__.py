"""Every act on a technology contract: keyword-only, one transaction each, `by` the person, `on_behalf_of` for whom."""

from .common import FormIncomplete, loaded
from .decision import lapse, obstacles, recognise, refuse
from .drafting import attach, discard, draft, draft_by_hand, fill, party_of, remove_file
from .office import (
    accept,
    ask_supplement,
    conclude,
    escalate,
    mark,
    marks_of,
    needs_expert,
    pass_first,
    reject_form,
    return_to_first,
    rule_set_on,
    submit,
    supply,
    unmarked,
)

__all__ = [
    "FormIncomplete",
    "accept",
    "ask_supplement",
    "attach",
    "conclude",
    "discard",
    "draft",
    "draft_by_hand",
    "escalate",
    "fill",
    "lapse",
    "loaded",
    "mark",
    "marks_of",
    "needs_expert",
    "obstacles",
    "party_of",
    "pass_first",
    "recognise",
    "refuse",
    "reject_form",
    "remove_file",
    "return_to_first",
    "rule_set_on",
    "submit",
    "supply",
    "unmarked",
]
