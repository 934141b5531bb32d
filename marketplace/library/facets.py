"""What stands beside a list: facets with counts, chips of what was chosen, and what giving one up would bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from cms.models import (
    AchievementType,
    Availability,
    DemandType,
    Industry,
    KeyTechnology,
    Project,
    Region,
    TechnologyField,
    TransferMode,
)
from cms.taxonomy import area_prefix
from marketplace.accounts.models import Organization
from search.query import NEGOTIABLE

from .filters import ListingFilterSet
from .finding import ask

CITY = "150600"
# How many of a facet's values may be listed; the rest can be reached by narrowing.
OPTIONS = 24
# How many filters an empty list tries to give up, each one question to the engine.
DROPS = 6

CODES: dict[str, Any] = {
    "technology_field": TechnologyField,
    "industry": Industry,
    "key_technology": KeyTechnology,
    "region": Region,
    "transfer_mode": TransferMode,
    "achievement_type": AchievementType,
    "demand_type": DemandType,
}
NESTED = ("technology_field", "region")


@dataclass
class Option:
    """One value of a facet. `count` is None where nobody counted."""

    value: str
    label: str
    count: int | None
    checked: bool


@dataclass
class Facet:
    name: str
    label: str
    options: list[Option] = field(default_factory=list)


def band_labels() -> dict[str, dict[str, str]]:
    """Words of the values that are no code of a list."""
    return {
        "trl_band": {
            "1-3": _("TRL 1–3　原理与验证"),
            "4-6": _("TRL 4–6　小试与中试"),
            "7-9": _("TRL 7–9　示范与应用"),
        },
        "price_band": {
            NEGOTIABLE: _("面议"),
            "0-50": _("50 以下"),
            "50-200": _("50–200"),
            "200-": _("200 以上"),
        },
        "availability": {value: str(label) for value, label in Availability.choices},
        "stage": {value: _(label) for value, label in Project.STAGES},
    }


class Labels:
    """Names of codes, each list read once a page and only for the codes that are shown."""

    def __init__(self, user: Any = None) -> None:
        self._bands = band_labels()
        self._user = user

    def of(self, name: str, codes: Iterable[str]) -> dict[str, str]:
        """code → words, in the list's own order; unknown codes are left out."""
        wanted = list(codes)
        if name in self._bands:
            return {code: words for code, words in self._bands[name].items() if code in wanted}
        if name == "owner":
            # A number in the address must not tell the name of an organisation that nobody may know of.
            known = Organization.objects.visible_to(self._user).filter(number__in=wanted)
            return {o.number: o.name for o in known}
        if name not in CODES:
            return {}
        return {row.pk: str(row) for row in CODES[name].objects.filter(pk__in=wanted)}


def build(filters: ListingFilterSet, counts: Mapping[str, Mapping[str, int]], labels: Labels) -> list[Facet]:
    """The facets of a list in their order. Without counts (engine down) short code lists stand without figures."""
    found = []
    for name in filters.SHOWN:
        chosen = filters.codes(name)
        counted = counts.get(name)
        maker = {"technology_field": _fields, "region": _areas}.get(name, _plain)
        options = maker(name, chosen, counted, labels)
        if options:
            found.append(Facet(name, str(filters.filters[name].label), options))
    return found


def _plain(name: str, chosen: list[str], counted: Mapping[str, int] | None, labels: Labels) -> list[Option]:
    if counted is None:
        short = list(band_labels().get(name, {})) or (
            [] if name in ("key_technology", "industry") else _all_codes(name)
        )
        codes = list(dict.fromkeys([*short, *chosen]))
    else:
        # Only the lowest level is listed: KI1 stands above KI1-1 in the index, not beside the list.
        codes = [c for c in counted if name != "key_technology" or "-" in c] + [c for c in chosen if c not in counted]
    options = [
        Option(code, label, None if counted is None else counted.get(code, 0), code in chosen)
        for code, label in labels.of(name, codes).items()
    ]
    if name in ("key_technology", "industry"):
        options.sort(key=lambda o: -(o.count or 0))
    return options[:OPTIONS]


def _all_codes(name: str) -> list[str]:
    return list(CODES[name].objects.filter(is_active=True).values_list("pk", flat=True)) if name in CODES else []


def _fields(name: str, chosen: list[str], counted: Mapping[str, int] | None, labels: Labels) -> list[Option]:
    """Main fields by number of hits; under a chosen one its second level."""
    prefixes = {area_prefix(code) for code in chosen}
    opened = {code[:2] for code in prefixes}
    if counted is None:
        tops = list(TechnologyField.objects.filter(pk__regex=r"^..$").values_list("pk", flat=True))
        below = sorted(p for p in prefixes if len(p) > 2)
    else:
        tops = sorted((c for c in counted if len(c) == 2), key=lambda c: (-counted[c], c))
        below = sorted(c for c in counted if len(c) == 4 and c[:2] in opened)
    below = list(dict.fromkeys([*below, *(p for p in prefixes if len(p) > 2)]))
    tops = list(dict.fromkeys([*tops, *(p for p in prefixes if len(p) == 2)]))
    names = labels.of(name, [*tops, *below])
    options = []
    for top in tops:
        options += _one(top, names.get(top), counted, prefixes)
        for code in below:
            if code[:2] == top:
                options += _one(code, f"— {names[code]}" if code in names else None, counted, prefixes)
    return options


def _areas(name: str, chosen: list[str], counted: Mapping[str, int] | None, labels: Labels) -> list[Option]:
    """This city first (with its banners once it is chosen), then other cities by number of hits."""
    prefixes = {area_prefix(code) for code in chosen}
    here = area_prefix(CITY)
    shown = [here]
    if counted is not None:
        if any(p.startswith(here) for p in prefixes):
            shown += sorted(c for c in counted if len(c) == 6 and c.startswith(here))
        shown += sorted((c for c in counted if len(c) == 4 and c != here), key=lambda c: (-counted[c], c))
    shown = list(dict.fromkeys([*shown, *sorted(prefixes)]))[: OPTIONS * 2]
    full = {p: p.ljust(6, "0") for p in shown}
    names = labels.of(name, full.values())
    options = []
    for prefix in shown:
        if full[prefix] not in names and len(prefix) == 4:
            # A municipality's districts stand under no city: its province is what people know.
            continue
        label = names.get(full[prefix], prefix)
        count = None if counted is None else counted.get(prefix, 0)
        if count == 0 and prefix not in prefixes:
            continue
        inner = len(prefix) == 6 and prefix.startswith(here)
        options.append(Option(full[prefix], f"— {label}" if inner else label, count, prefix in prefixes))
    return options[:OPTIONS] + _provinces(counted, names, prefixes, labels, shown)


def _provinces(
    counted: Mapping[str, int] | None, names: Mapping[str, str], prefixes: set[str], labels: Labels, shown: list[str]
) -> list[Option]:
    """Provinces whose cities have no name of their own in the list (the four municipalities)."""
    missing = {p[:2] for p in shown if len(p) == 4 and p.ljust(6, "0") not in names} - prefixes
    if not missing or counted is None:
        return []
    found = labels.of("region", [p.ljust(6, "0") for p in sorted(missing)])
    return [Option(code, label, counted.get(area_prefix(code), 0), False) for code, label in found.items()]


def _one(code: str, label: str | None, counted: Mapping[str, int] | None, prefixes: set[str]) -> list[Option]:
    if label is None:
        return []
    return [Option(code, label, None if counted is None else counted.get(code, 0), code in prefixes)]


@dataclass
class Chip:
    """One chosen value, with the address of the list without it."""

    name: str
    value: str
    key: str
    label: str
    href: str


def chips(filters: ListingFilterSet, query: QueryDict, labels: Labels) -> list[Chip]:
    """Every chosen value but the text and the order, in the order of the filters."""
    found = []
    for name in filters.coded:
        values = filters.codes(name)
        if not values:
            continue
        codes = [area_prefix(v).ljust(6, "0") for v in values] if name == "region" else values
        if name == "technology_field":
            codes = [area_prefix(v) for v in values]
        names = labels.of(name, codes)
        for value, code in zip(values, codes, strict=True):
            label = names.get(code, value).replace("　", " ")
            found.append(Chip(name, value, str(filters.filters[name].label), label, without(query, name, value)))
    if level := filters.values.get("trl_min"):
        found.append(Chip("trl_min", str(level), _("成熟度"), f"TRL ≥ {level}", without(query, "trl_min")))
    return found


def without(query: QueryDict, name: str, value: str | None = None) -> str:
    """The list's address with one value (or a whole parameter) given up, from its first page."""
    return f"?{_less(query, name, value).urlencode()}"


def _less(query: QueryDict, name: str, value: str | None) -> QueryDict:
    copy = query.copy()
    copy.pop("page", None)
    kept = [] if value is None else [v for v in copy.getlist(name) if v.strip() != value]
    copy.pop(name, None)
    if kept:
        copy.setlist(name, kept)
    return copy


def drops(filters: ListingFilterSet, query: QueryDict, chosen: list[Chip], user: Any) -> list[dict[str, Any]]:
    """For an empty list: which filter to give up and how many that would give; only those that give some."""
    found = []
    for chip in chosen[:DROPS]:
        total = _total(type(filters)(_less(query, chip.name, chip.value), user=user), user)
        if total:
            label = _("不限%(key)s：%(value)s") % {"key": chip.key, "value": chip.label}
            found.append({"label": label, "href": chip.href, "count": total})
    if len(chosen) > 1 and not found:
        bare = QueryDict(mutable=True)
        if query.get("q"):
            bare["q"] = query["q"]
        total = _total(type(filters)(bare, user=user), user)
        if total:
            found.append({"label": _("去掉全部条件"), "href": f"?{bare.urlencode()}", "count": total})
    return found


def _total(filters: ListingFilterSet, user: Any) -> int:
    results = ask(filters.to_query(page_size=1), user, place=f"{filters.KIND}s")
    # A loosened search would promise what the words do not hold; without an engine each count would read every text.
    return 0 if results is None or results.relaxed else results.total


def sorts(filters: ListingFilterSet, query: QueryDict) -> list[dict[str, Any]]:
    """The orders of the list: label, address, which one is current. Relevance only where something was typed."""
    typed = bool(filters.values.get("q"))
    current = filters.values.get("ordering", "") or ("" if typed else "-updated_at")
    labels = {
        "": _("相关度"),
        "-updated_at": _("最近更新"),
        "-published_at": _("最新发布"),
        "price": _("价格低到高"),
        "-price": _("价格高到低"),
        "-trl": _("成熟度"),
    }
    found = []
    for value in filters.ORDERED:
        if value == "" and not typed:
            continue
        copy = _less(query, "ordering", None)
        if value:
            copy["ordering"] = value
        found.append({"label": labels[value], "href": f"?{copy.urlencode()}", "current": value == current})
    return found
