"""Organisations in the search box: full name now or before, short name, credit code or number lead to their page."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from cms.identifiers import half_width
from cms.numbers import normalise
from search.resolve import Resolved

from .models import Organization
from .models.organizations import fold

# More that share a short name are no exact answer: the words are searched then.
MOST = 3


def organizations(typed: str, user: Any) -> list[Resolved]:
    """The organisations that this text names exactly and that this person may know of."""
    seen = Organization.objects.visible_to(user)
    number, code = normalise(typed), half_width(typed)
    if number:
        rows = seen.filter(number=number)
    elif len(code) == 18 and code.isascii():
        rows = seen.filter(credit_code=code)
    elif len(typed.strip()) >= 2:
        rows = seen.filter(Q(names__folded=fold(typed)) | Q(short_name=typed.strip())).distinct()
    else:
        return []
    found = list(rows[: MOST + 1])
    if len(found) > MOST:
        return []
    return [
        Resolved("organization", row.name, row.get_absolute_url(), filters={"owner": (str(row.pk),)}) for row in found
    ]
