"""Listings in bulk for benchmarks: published, of the product's own row shapes, and never to be taken for real.

Written by bulk inserts and not through the services, for 400,000 of them are wanted in minutes: they have no revisions,
no log rows, no `SearchChange` (the caller makes the index anew) and no matches. Titles begin with 〔合成〕, owners are
organisations named 合成单位 …, records are `imported` with the source number `synthetic-<seed>-<n>`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from django.db import connection, models, transaction

from cms.models import (
    Achievement,
    AchievementType,
    Demand,
    DemandType,
    Expert,
    Industry,
    KeyTechnology,
    Kpi,
    ListingRecord,
    Project,
    Region,
    Target,
    TechnologyField,
    TransferMode,
)
from cms.models.record import Availability, Source
from cms.numbers import ALPHABET
from marketplace.accounts.models import Organization, OrganizationName
from marketplace.accounts.models.organizations import fold

from . import clock
from .synthetic_texts import Texts

CHUNK = 2_000
PER_OWNER = 100
SOURCE = "synthetic"
OWNER_NAME = "合成单位"

# Shares of a hundred.
KINDS = ["achievement"] * 75 + ["demand"] * 23 + ["expert", "project"]
LEVELS = ["L0"] * 94 + ["L1"] * 4 + ["L2"] * 2
STATES = [Availability.OPEN] * 88 + [Availability.NEGOTIATING] * 8 + [Availability.TRANSFERRED] * 4
FIGURES = [("处理量", "t/d"), ("回收率", "%"), ("能耗", "kWh/t"), ("寿命", "h"), ("浓度", "mg/L"), ("功率", "kW")]
WAN = Decimal(10_000)
# Steps through all 32⁶ tails of a number without meeting one twice: odd, hence coprime to a power of two.
_STRIDE = 0x2545F491
_TAILS = 32**6

_MODELS: dict[str, type[Any]] = {"achievement": Achievement, "demand": Demand, "expert": Expert, "project": Project}
_MODES = {"achievement": "transfer_modes", "demand": "cooperation_modes"}
_FIGURES_OF: dict[str, tuple[type[Any], str]] = {"achievement": (Kpi, "achievement"), "demand": (Target, "demand")}


@dataclass
class _One:
    """One listing with the codes and figures that are written after it has a key."""

    record: ListingRecord
    listing: Any
    codes: dict[str, list[str]]
    figures: list[dict[str, Any]]


@dataclass
class Maker:
    """Makes the rows of one seed and day, in order. `taken`: numbers that stand in the market already."""

    seed: int
    day: dt.date
    owners: list[Organization]
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.chance = Random(f"synthetic-{self.seed}")
        self.texts = Texts(self.chance)
        self.codes = {
            name: list(model.objects.order_by("pk").values_list("pk", flat=True))
            for name, model in (
                ("types", AchievementType),
                ("demand_types", DemandType),
                ("industries", Industry),
                ("key_technologies", KeyTechnology),
                ("modes", TransferMode),
            )
        }
        fields = TechnologyField.objects.order_by("pk").values_list("pk", flat=True)
        self.codes["fields"] = [code for code in fields if len(code) == 4]
        regions = Region.objects.order_by("pk").values_list("pk", flat=True)
        # Half of the listings are the city's own.
        self.codes["home"] = [code for code in regions if code.startswith("1506") and code != "150600"]
        self.codes["regions"] = [code for code in regions if code.endswith("00") and not code.endswith("0000")]

    def number(self, kind: str, n: int) -> str:
        """A number from the place in the row: the same each time, and none twice."""
        while True:
            tail, left = "", (n * _STRIDE + self.seed * 7919) % _TAILS
            for _ in range(6):
                left, digit = divmod(left, 32)
                tail = ALPHABET[digit] + tail
            number = f"{ListingRecord.PREFIX[kind]}-{self.day.year}-{tail}"
            if number not in self.taken:
                return number
            n += _TAILS // 2

    def one(self, n: int) -> _One:
        """The n-th listing, unsaved."""
        chance = self.chance
        kind = chance.choice(KINDS)
        published = clock.moment(self.day, 9) - dt.timedelta(minutes=chance.randrange(60, 500_000))
        changed = published + (clock.moment(self.day, 9) - published) * chance.random()
        record = ListingRecord(
            kind=kind,
            number=self.number(kind, n),
            owner=chance.choice(self.owners),
            availability=chance.choice(STATES),
            valid_until=self.day + dt.timedelta(days=chance.randrange(1, 365)),
            source=Source.IMPORTED,
            external_id=f"{SOURCE}-{self.seed}-{n}",
            first_published_at=published,
            changed_at=changed,
        )
        listing = _MODELS[kind](record=record, live=True, **self._words(kind, published), **self._own(kind))
        listing.has_unpublished_changes = False
        codes = {
            "industries": chance.sample(self.codes["industries"], chance.randint(1, 2)),
            "key_technologies": chance.sample(self.codes["key_technologies"], chance.randint(0, 2)),
        }
        if kind in _MODES:
            codes[_MODES[kind]] = chance.sample(self.codes["modes"], chance.randint(1, 2))
        return _One(record, listing, codes, self._figures(kind))

    def _words(self, kind: str, published: dt.datetime) -> dict[str, Any]:
        chance, texts = self.chance, self.texts
        region = chance.choice(self.codes["home"] if chance.random() < 0.5 else self.codes["regions"])
        long = {"achievement": 400, "demand": 260}.get(kind, 160)
        return {
            "title": texts.title(),
            "summary": texts.text(80),
            "body": texts.body(chance.randint(long * 3 // 4, long * 5 // 4)),
            "keywords": texts.keywords(),
            "technology_field_id": chance.choice(self.codes["fields"]),
            "region_id": region,
            "disclosure_level": chance.choice(LEVELS),
            "first_published_at": published,
            "last_published_at": published,
        }

    def _own(self, kind: str) -> dict[str, Any]:
        chance = self.chance
        amount = WAN * chance.randint(1, 60) * chance.choice((1, 5, 10))
        if kind == "achievement":
            negotiable = chance.random() < 0.4
            return {
                "achievement_type_id": chance.choice(self.codes["types"]),
                "problem": self.texts.text(60),
                "trl": chance.choice((None, *range(1, 10))),
                "price_type": "negotiable" if negotiable else "range",
                "price_min": None if negotiable else amount,
                "price_max": None if negotiable else amount * 2,
            }
        if kind == "demand":
            negotiable = chance.random() < 0.3
            return {
                "demand_type_id": chance.choice(self.codes["demand_types"]),
                "problem": self.texts.text(160),
                "is_budget_negotiable": negotiable,
                "budget_min": None if negotiable else amount,
                "budget_max": None if negotiable else amount * 2,
                "deadline": self.day + dt.timedelta(days=chance.randrange(5, 300)),
                "is_anonymous": chance.random() < 0.1,
            }
        if kind == "expert":
            return {"position": "研究员", "services": self.texts.keywords()}
        return {
            "stage": chance.choice(("planned", "recruiting")),
            "wanted": self.texts.text(120),
            "budget": amount * 100,
        }

    def _figures(self, kind: str) -> list[dict[str, Any]]:
        if kind not in _FIGURES_OF:
            return []
        chosen = self.chance.sample(FIGURES, 2)
        return [
            {"name": name, "unit": unit, "operator": "ge", "value": Decimal(self.chance.randint(1, 9_999)) / 10}
            for name, unit in chosen
        ]


def make_owners(count: int, seed: int) -> list[Organization]:
    """The owners of one seed; those that stand already are taken as they are."""
    names = [f"{OWNER_NAME} {seed}-{n:05d}" for n in range(count)]
    known = {one.name: one for one in Organization.objects.filter(name__startswith=f"{OWNER_NAME} {seed}-")}
    new = [Organization(name=name, kind="company", is_imported=True) for name in names if name not in known]
    for n, one in enumerate(new, len(known)):
        digits, left = "", (n * _STRIDE + seed * 104_729) % _TAILS
        for _ in range(6):
            left, digit = divmod(left, 32)
            digits = ALPHABET[digit] + digits
        one.number = f"DW-2000-{digits}"
    Organization.objects.bulk_create(new)
    OrganizationName.objects.bulk_create(
        [OrganizationName(organization=one, name=one.name, folded=fold(one.name)) for one in new]
    )
    known |= {one.name: one for one in new}
    return [known[name] for name in names]


def load(count: int, *, seed: int, day: dt.date, say: Callable[[str], None] = lambda text: None) -> int:
    """Write `count` published listings; returns how many rows of all tables that made. Without an index: see above.

    The same seed, day and count give the same rows. Loading a seed a second time fails on the numbers' constraint.
    """
    with clock.at(clock.moment(day, 9)):
        with transaction.atomic():
            owners = make_owners(max(20, count // PER_OWNER), seed)
        taken = set(ListingRecord.objects.exclude(external_id__startswith=SOURCE).values_list("number", flat=True))
        maker = Maker(seed, day, owners, taken)
        written = len(owners)
        for start in range(0, count, CHUNK):
            made = [maker.one(n) for n in range(start, min(count, start + CHUNK))]
            with transaction.atomic():
                written += _write(made)
            if (start // CHUNK) % 25 == 24:
                say(f"  {start + len(made)} / {count}")
    return written


def _write(made: list[_One]) -> int:
    """One chunk in bulk: records, the listings of each kind, their codes, their figures."""
    written = len(ListingRecord.objects.bulk_create([one.record for one in made]))
    for kind, model in _MODELS.items():
        mine = [one for one in made if one.record.kind == kind]
        for one in mine:
            # The record has its key only now.
            one.listing.record_id = one.record.pk
        written += len(model.objects.bulk_create([one.listing for one in mine]))
        for name in ("industries", "key_technologies", _MODES.get(kind, "")):
            if name:
                through = getattr(model, name).through
                code = next(f.name for f in through._meta.fields if f.is_relation and f.name != kind)
                links = [(one.listing.pk, pk) for one in mine for pk in one.codes.get(name, ())]
                written += _insert(through, (kind, code), links)
        if kind in _FIGURES_OF:
            figure, parent = _FIGURES_OF[kind]
            texts, columns = _BLANK[figure], (parent, "sort_order", "name", "unit", "operator", "value")
            rows = [
                (one.listing.pk, order, *(given[c] for c in columns[2:]), *texts.values())
                for one in mine
                for order, given in enumerate(one.figures)
            ]
            written += _insert(figure, (*columns, *texts), rows)
    return written


# What a figure has besides, and no default in the database.
_BLANK: dict[type[Any], dict[str, Any]] = {Kpi: {"condition": ""}, Target: {"present": "", "is_hard": True}}


def _insert(model: type[models.Model], names: Sequence[str], rows: list[tuple[Any, ...]]) -> int:
    """Small rows without model objects: two thirds of all rows, and they took half of the time."""
    fields = [model._meta.get_field(name) for name in names]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(f.column) for f in fields)
    places = ", ".join(["%s"] * len(fields))
    decimals = [n for n, f in enumerate(fields) if isinstance(f, models.DecimalField)]
    if decimals:
        rows = [
            tuple(fields[n].get_db_prep_save(v, connection) if n in decimals else v for n, v in enumerate(row))
            for row in rows
        ]
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})", rows)  # noqa: S608 (names of models)
    return len(rows)
