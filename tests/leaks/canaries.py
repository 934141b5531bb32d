"""Words that stand in one place of the market alone, and who may read each of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

# Rare characters (CJK extension A): no text of the site, of the demo or of a code list has them.
_FIRST = 0x3500

VISITOR = "visitor"
STAFF = frozenset({"moderator", "administrator"})
# Everybody of the market, by role.
ROLES = (
    VISITOR, "newcomer", "unverified", "requester", "company", "institute", "broker", "grantee", "partner",
    "registrar", "editor", "moderator", "administrator", "owner",
)  # fmt: skip
VERIFIED = frozenset({"company", "institute", "broker", "grantee", "partner", "owner"}) | STAFF


@dataclass(frozen=True)
class Canary:
    """A word, what it stands in, who may read it, and whether its owner must find it on pages of his own."""

    word: str
    where: str
    readers: frozenset[str]
    is_owners: bool


@dataclass
class Canaries:
    """All words that were planted; `plant(where, readers)` gives the next one."""

    planted: list[Canary] = field(default_factory=list)

    def plant(self, where: str, readers: Iterable[str] = (), *, shown: bool = True) -> str:
        """A new word for a place. readers: roles beside nobody; shown: it stands on a page of its owner."""
        first = _FIRST + 2 * len(self.planted)
        may = frozenset(readers)
        word = chr(first) + chr(first + 1)
        self.planted.append(Canary(word, where, may, shown and "owner" in may))
        return word

    def word(self, where: str) -> str:
        return next(one.word for one in self.planted if one.where == where)

    def on(self, text: str) -> list[Canary]:
        """Those that stand in a text."""
        words = set(re.findall(r"[\u3500-\u4dbf]{2}", plain(text)))
        return [one for one in self.planted if one.word in words]

    def hidden_from(self, role: str, text: str) -> list[str]:
        """Where the words of a text come from that this role must not read."""
        return sorted(one.where for one in self.on(text) if role not in one.readers)


def plain(text: str) -> str:
    """A text as it is read: JSON's escapes resolved, marks of found words taken away."""
    resolved = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"</?(mark|wbr)[^>]*>", "", resolved)


# A word of the same kind that stands nowhere: what is asked for it is the measure of what may be said of a hidden one.
CONTROL = chr(0x4DB0) + chr(0x4DB1)
