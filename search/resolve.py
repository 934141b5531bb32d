"""Names, codes and numbers are looked up, not ranked: what was typed into the box is asked of the database first.

    for found in resolve(typed, user):
        found.what       # listing, patent, organization, person
        found.url        # jump there (one exact thing), or "" where `filters` or `numbers` narrow the list

search knows no organisations: the app that does adds `resolvers.register(callable)` from its `ready()`, with
`callable(typed, user) -> Iterable[Resolved]`. Only what `.visible_to(user)` gives is ever answered.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from cms import numbers
from cms.identifiers import check_patent_number, half_width
from cms.models import Achievement, Expert, Listing, ListingRecord, listing_model

logger = logging.getLogger(__name__)

# More people of one name, or more listings with one patent, are narrowed by the list's own filters.
MOST = 20
_NAME_SEPARATORS = re.compile(r"[、，,;；\s]+")
# A person's name: two to four characters, or longer with the dot that Mongolian and foreign names are written with.
_PERSON = re.compile(r"[\u3400-\u9fff\U00020000-\U000323af]{2,4}|[\u3400-\u9fff·•]{3,20}")
_KINDS = {prefix: kind for kind, prefix in ListingRecord.PREFIX.items()}


@dataclass(frozen=True)
class Resolved:
    """One thing that was meant: a page to jump to, filters for the list, or the numbers of the listings it names."""

    what: str
    label: str
    url: str = ""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()


Resolver = Callable[[str, Any], Iterable[Resolved]]


class Resolvers:
    """What higher apps look up: organisations by name and credit code, agencies, registered contracts."""

    def __init__(self) -> None:
        self._known: dict[str, Resolver] = {}

    def register(self, resolver: Resolver) -> None:
        """Add a look-up; registering the same function again changes nothing."""
        self._known[f"{resolver.__module__}.{resolver.__qualname__}"] = resolver

    def __call__(self, typed: str, user: Any) -> list[Resolved]:
        return [found for resolver in self._known.values() for found in resolver(typed, user)]


resolvers = Resolvers()


def resolve(typed: str, user: Any) -> list[Resolved]:
    """What the typed text names exactly, numbers before names; empty for ordinary words."""
    text = typed.strip()
    if not text or len(text) > 120:
        return []
    found = _listing(text, user) + _patent(text, user)
    # A number is one thing; nobody of that name need be looked for.
    return found or [*resolvers(text, user), *_people(text, user)]


def _listing(text: str, user: Any) -> list[Resolved]:
    number = numbers.normalise(text)
    kind = _KINDS.get(number.split("-")[0]) if number else None
    if number is None or kind is None:
        return []
    row = listing_model(kind).objects.visible_to(user).filter(record__number=number).select_related("record").first()
    if row is None:
        return []
    return [Resolved("listing", f"{number} {row.title}", row.get_absolute_url(), numbers=(number,))]


def _patent(text: str, user: Any) -> list[Resolved]:
    if not re.fullmatch(r"(ZL|CN)?[\d.]{8,15}[\dX]?", half_width(text)):
        return []
    try:
        number = check_patent_number(text).value
    except ValidationError:
        # A wrong number is no error in a search box: it is only not a patent.
        return []
    spellings = {number, number.replace(".", ""), f"ZL{number}", f"ZL{number.replace('.', '')}"}
    rows = (
        Achievement.objects.visible_to(user).filter(patents__number__in=spellings).select_related("record").distinct()
    )
    seen = _readable(rows[:MOST], user)
    if not seen:
        return []
    label = _("专利 %(number)s") % {"number": number}
    url = seen[0].get_absolute_url() if len(seen) == 1 else ""
    return [Resolved("patent", label, url, numbers=tuple(row.number for row in seen))]


def _people(text: str, user: Any) -> list[Resolved]:
    if not _PERSON.fullmatch(text):
        return []
    experts = Expert.objects.visible_to(user).filter(title=text).select_related("record")[:MOST]
    found = [
        Resolved("person", _("专家 %(name)s") % {"name": text}, row.get_absolute_url(), numbers=(row.number,))
        for row in experts
    ]
    # Asked of itself the column is read from its index, not from rows with all their texts.
    holding = Achievement.objects.filter(inventors__contains=text).order_by().values("pk")
    rows = Achievement.objects.visible_to(user).filter(pk__in=holding).select_related("record")[: MOST * 2]
    named = [row for row in _readable(rows, user) if text in _NAME_SEPARATORS.split(row.inventors)][:MOST]
    if named:
        label = _("完成人 %(name)s 的成果") % {"name": text}
        found.append(Resolved("person", label, numbers=tuple(row.number for row in named)))
    return found


def _readable(rows: Iterable[Listing], user: Any) -> list[Listing]:
    """Of listings whose detail is restricted only those that this person may read: else a name would find its
    holder.
    """
    return [row for row in rows if row.body_visible_to(user)]
