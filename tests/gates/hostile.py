"""What people and programs type to break a search: seeded, so that a finding can be asked for again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, urlencode

# Words of query languages and of our own fields; the gate's listings contain none of them, so that whatever these find
# was found by something else than their text.
ABSENT = [
    "kind",
    "owner",
    "version",
    "disclosure_level",
    "title_en",
    "match_all",
    "query_string",
    "wildcard",
    "regexp",
    "script",
    "_id",
    "_source",
    "AND",
    "OR",
    "NOT",
    "TO",
    "null",
    "true",
    "DROP",
    "SELECT",
    "UNION",
    "sleep",
    "alert",
    "onerror",
    "drafts",
    "live",
    "record",
    "zqxj",
]
PRESENT = ("除氟", "储能", "结晶", "膜浓缩", "煤", "gmbasex7", "装置", "运行")
KINDS = ("achievement", "demand", "expert", "project")
SYNTAX = (
    "{0}:{1}",
    "{0}:*",
    "*:* {0}",
    "{0}:[* TO *]",
    "({0} OR {1})",
    "+{0} -{1}",
    '"{0} {1}"~5',
    "{0}^1000",
    "{0}~2",
    "/{0}.*/",
    "{0}?*",
    "NOT {0}",
    '{{"query":{{"match_all":{{"{0}":"{1}"}}}}}}',
    "') OR {0}='{1}'--",
    "<script>{0}({1})</script>",
    "${{{0}}}",
    "{{{{{0}}}}}",
    "../../{0}/{1}",
    "{0}%{1}",
    "{0}\\{1}",
    "{0} && !{1}",
    "[{0} TO {1}]",
    "{0}:>=1 || {1}:<9",
    "_exists_:{0}",
)
ODD = (
    "\x00", "\x00除氟\x00", "\ud800", "\ufffe\uffff", "\u202e除氟\u202c", "\u200b" * 50, "é" * 30, "e\u0301" * 40,
    "👩‍👩‍👧‍👦" * 20,
    "Ａ" * 60, "㍿㌀㋿", "𠮷𠀋" * 10, "ﷺ" * 30, "\t\r\n\x0b", "' \" ` ; -- #", "*", "?", "**", "(", ")",
    "[", "]", "{", "}", "\\", "\\\\", "/", ":", "::", "^", "~", "!", "+", "-", "&&", "||", "。，、", "\x7f" * 20,
    "٣٤٥", "א" * 30, "ไทย", "한국어", "ا" * 100, "\U0010ffff", "%", "%%", "%s%n", "0x00", "NaN", "1e309", "-1",
)  # fmt: skip
# Values that no parameter has.
VALUES = (
    "", "-1", "0", "1e9", "999999999999999999999", "NaN", "None", "*", "%00", "'", "150600'--", "15 OR 1=1", "[]",
    "{}", "../..", "L3", "draft", "\u202e15", "１５０６０２", "150602,150623", "true", "a" * 300, "07*", "*:*",
)  # fmt: skip
PARAMETERS = [
    "technology_field",
    "industry",
    "key_technology",
    "region",
    "availability",
    "owner",
    "ordering",
    "trl_min",
    "trl_band",
    "price_band",
    "transfer_mode",
    "achievement_type",
    "demand_type",
    "stage",
    "page",
    "page_size",
    "scope",
    "kind",
    "lang",
]
# Names of columns and fields: nothing may listen to them.
UNKNOWN = [
    "live",
    "disclosure_level",
    "record__owner",
    "record__owner__email",
    "latest_revision",
    "is_anonymous",
    "id",
    "pk",
    "q__contains",
    "fields",
    "facets",
    "filters",
    "excluding",
    "size",
    "from",
    "sort",
    "_source",
    "query",
    "version",
    "contact_phone",
    "draft",
    "preview",
]
ORDERINGS = (
    "price",
    "-price",
    "-trl",
    "-updated_at",
    "contact_phone",
    "-record__owner__email",
    "?",
    "RANDOM()",
    "_score",
)


@dataclass(frozen=True)
class Question:
    """One request. `judged`: how its answer is looked at beyond its status.

    "nothing"   the text stands in no listing: the total must be 0
    "same"      the parameters mean nothing: the total must be that of `like`
    "kind"      every row must be of `kind` and in `region`
    """

    path: str
    judged: str = ""
    like: str = ""
    kind: str = ""
    region: str = ""


def questions(chance: random.Random, count: int) -> Iterator[Question]:
    """`count` hostile requests over the search page, the API, the lists and their parameters."""
    makers = (_absent, _absent, _syntax, _odd, _long, _deep, _parameters, _many, _unknown, _filtered, _raw)
    for place in range(count):
        yield makers[place % len(makers)](chance)


def _surface(chance: random.Random, **values: str) -> str:
    kind = chance.choice(KINDS)
    path = chance.choice(("/search/", "/api/v1/search/", f"/{kind}s/", f"/api/v1/{kind}s/"))
    return f"{path}?{_encoded(values)}"


def _encoded(values: dict[str, str]) -> str:
    # A lone surrogate goes over the wire as the three bytes that some clients send.
    return urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in values.items()})


def _absent(chance: random.Random) -> Question:
    typed = chance.choice(SYNTAX).format(chance.choice(ABSENT), chance.choice(ABSENT))
    kind = chance.choice(KINDS)
    path = chance.choice(("/api/v1/search/", f"/api/v1/{kind}s/"))
    return Question(f"{path}?{_encoded({'q': typed})}", "nothing")


def _syntax(chance: random.Random) -> Question:
    typed = chance.choice(SYNTAX).format(chance.choice(PRESENT), chance.choice(ABSENT))
    return Question(_surface(chance, q=typed))


def _odd(chance: random.Random) -> Question:
    typed = "".join(chance.choice((*ODD, *PRESENT)) for _ in range(chance.randint(1, 6)))
    return Question(_surface(chance, q=typed))


def _long(chance: random.Random) -> Question:
    some = chance.choice(("除", "除氟", "a", "a ", "\u0301", "(", '"', "氟 ", "x-", "1.5/"))
    typed = some * chance.choice((50, 200, 800, 2500))
    # What is longer than a request line may be is refused by the server, not by the search.
    return Question(_surface(chance, q=typed)[: chance.choice((2000, 7000, 9000))])


def _deep(chance: random.Random) -> Question:
    page = chance.choice(("0", "-1", "1", "500", "501", "10000", "99999999", "1e6", "二", "１", "9" * 40, "1.5", ""))
    size = chance.choice(("", "0", "-5", "1", "100", "101", "100000", "x"))
    return Question(_surface(chance, q=chance.choice(("", *PRESENT)), page=page, page_size=size))


def _parameters(chance: random.Random) -> Question:
    names = chance.sample(PARAMETERS, chance.randint(1, 4))
    values = {name: chance.choice((*VALUES, *ORDERINGS)) for name in names}
    return Question(_surface(chance, q=chance.choice(("", *PRESENT)), **values))


def _many(chance: random.Random) -> Question:
    name = chance.choice(PARAMETERS)
    value = chance.choice(("150602", "07", "x", "0"))
    pairs = "&".join(f"{name}={value}{place if value == 'x' else ''}" for place in range(chance.choice((41, 200, 500))))
    return Question(f"{_surface(chance, q=chance.choice(PRESENT))}&{pairs}")


def _unknown(chance: random.Random) -> Question:
    kind, typed = chance.choice(KINDS), chance.choice(("", "装置", "运行"))
    like = f"/api/v1/{kind}s/?{_encoded({'q': typed})}"
    more = {name: chance.choice(VALUES) for name in chance.sample(UNKNOWN, 3)}
    return Question(f"{like}&{_encoded(more)}".replace("%2500", "0"), "same", like=like)


def _filtered(chance: random.Random) -> Question:
    kind, region = chance.choice(KINDS), chance.choice(("150602", "150623"))
    typed = chance.choice(SYNTAX).format(chance.choice(PRESENT), chance.choice(ABSENT))
    path = f"/api/v1/{kind}s/?{_encoded({'q': typed, 'region': region, 'page_size': '100'})}"
    return Question(path, "kind", kind=kind, region=region)


def _raw(chance: random.Random) -> Question:
    """Bytes that are no UTF-8, percent signs that lead nowhere."""
    raw = bytes(chance.randrange(256) for _ in range(chance.randint(1, 40)))
    typed = quote_from_bytes(raw) + chance.choice(("", "%", "%zz", "%u9664", "+"))
    kind = chance.choice(KINDS)
    return Question(f"{chance.choice(('/search/', f'/{kind}s/', '/api/v1/search/', f'/api/v1/{kind}s/'))}?q={typed}")
