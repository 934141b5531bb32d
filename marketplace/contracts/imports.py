"""Rows of a register that others kept: contracts registered elsewhere or earlier, brought in whole with their
file's name.

An imported row needs number, type, field, both regions, amounts, date and its source file, nothing else.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cms.models import Region, TechnologyField
from marketplace import money

from . import ledger
from .models import Contract, ContractType, Party, Registration

BATCH = ledger.BATCH


@dataclass
class Imported:
    """How a file went: rows written, rows known already, and errors as (row from 1, field, sentence)."""

    created: int = 0
    known: int = 0
    errors: list[tuple[int, str, str]] = field(default_factory=list)


class RowError(Exception):
    """One row cannot be taken; `name` is the field."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _amount(row: Mapping[str, Any], name: str) -> Decimal:
    """An amount of 元 as the row states it: never rounded, as a thousand roundings add up to a wrong total."""
    typed = str(row.get(name, ""))
    try:
        value = Decimal(typed)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise RowError(name, _("“%(v)s”不是金额（元）") % {"v": typed[:40]})
    if value <= 0:
        raise RowError(name, _("金额应大于 0"))
    if value >= money.LIMIT or value != value.quantize(money.CENT):
        raise RowError(name, _("“%(v)s”不能按元和分记账，请核对单位") % {"v": typed[:40]})
    return value.quantize(money.CENT)


def _day(row: Mapping[str, Any]) -> dt.date:
    value = row.get("registered_on")
    try:
        found = value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
    except ValueError as error:
        raise RowError("registered_on", _("“%(v)s”不是日期（2026-03-31）") % {"v": str(value)[:40]}) from error
    if found > timezone.localdate():
        raise RowError("registered_on", _("登记日期还没有到"))
    return found


@dataclass(frozen=True)
class Codes:
    """The code lists, read once an import."""

    types: frozenset[str]
    fields: frozenset[str]
    regions: frozenset[str]

    @classmethod
    def load(cls) -> Codes:
        lists = (ContractType, TechnologyField, Region)
        return cls(*(frozenset(model.objects.values_list("code", flat=True)) for model in lists))


def _checked(row: Mapping[str, Any], codes: Codes) -> dict[str, Any]:
    number = re.sub(r"\s", "", str(row.get("number") or ""))
    # Numbers of other systems are stored as given, whatever their layout.
    if not 4 <= len(number) <= 32:
        raise RowError("number", _("缺合同登记编号"))
    known = {
        "contract_type": codes.types,
        "technology_field": codes.fields,
        "seller_region": codes.regions,
        "buyer_region": codes.regions,
    }
    values: dict[str, Any] = {"number": number}
    for name, codes_of in known.items():
        code = str(row.get(name) or "").strip()
        if code not in codes_of:
            raise RowError(name, _("代码“%(c)s”不在代码表里") % {"c": code[:20]})
        values[name] = code
    values["amount_total"], values["amount_tech"] = _amount(row, "amount_total"), _amount(row, "amount_tech")
    if values["amount_tech"] > values["amount_total"]:
        raise RowError("amount_tech", _("技术交易额大于成交总额"))
    values["registered_on"] = _day(row)
    for name in ("project_name", "seller_name", "buyer_name", "seller_nature", "buyer_nature", "office_region"):
        values[name] = str(row.get(name) or "").strip()
    # Consent is a fact of the register that is brought in; what it does not say is no consent.
    for name in ("consents_to_name", "consents_to_amount"):
        values[name] = row.get(name) in (True, "true", "1", "是")
    return values


@transaction.atomic
def import_registered(rows: Iterable[Mapping[str, Any]], *, source_file: str, by: Any) -> Imported:
    """Bring rows of a register in, each with its ledger entry on its day of registration.

    Keys of a row: number, contract_type, technology_field, seller_region, buyer_region, amount_total, amount_tech (元),
    registered_on; optional project_name, seller_name, buyer_name, seller_nature, buyer_nature, office_region,
    consents_to_name, consents_to_amount. A number
    that the register has already is left alone, so a file may be brought in twice. Faulty rows are named and left out.
    One transaction: either all sound rows stand, with their entries, or none.
    """
    if not source_file.strip():
        raise ValueError("an import names its file")
    result, codes, sound = Imported(), Codes.load(), {}
    for n, row in enumerate(rows, 1):
        try:
            values = _checked(row, codes)
        except RowError as error:
            result.errors.append((n, error.name, str(error)))
            continue
        if values["number"] in sound:
            result.errors.append((n, "number", _("编号 %(n)s 在文件里重复") % {"n": values["number"]}))
            continue
        sound[values["number"]] = values
    wanted = list(sound)
    known: set[str] = set()
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        found = Registration.objects.filter(registration_number__in=part)
        known |= set(found.values_list("registration_number", flat=True))
    fresh = [values for number, values in sound.items() if number not in known]
    result.known = len(known)
    _write(fresh, source_file.strip()[:200], by)
    result.created = len(fresh)
    return result


def _write(rows: list[dict[str, Any]], source_file: str, by: Any) -> None:
    rows.sort(key=lambda values: (values["registered_on"], values["number"]))
    contracts = Contract.objects.bulk_create(
        [
            Contract(
                source="imported",
                import_source=source_file,
                created_by=by,
                project_name=values["project_name"][:200],
                contract_type_id=values["contract_type"],
                technology_field_id=values["technology_field"],
                amount_total=values["amount_total"],
                amount_tech=values["amount_tech"],
                consents_to_name=values["consents_to_name"],
                consents_to_amount=values["consents_to_amount"],
            )
            for values in rows
        ],
        batch_size=BATCH,
    )
    parties = []
    for contract, values in zip(contracts, rows, strict=True):
        for side in ("seller", "buyer"):
            parties.append(
                Party(
                    contract=contract,
                    side=side,
                    is_lead=True,
                    name=values[f"{side}_name"][:120],
                    region_id=values[f"{side}_region"],
                    nature_id=values[f"{side}_nature"] or None,
                )
            )
    Party.objects.bulk_create(parties, batch_size=BATCH)
    registrations = Registration.objects.bulk_create(
        [
            Registration(
                contract=contract,
                source="imported",
                state="registered",
                registration_number=values["number"],
                registered_on=values["registered_on"],
            )
            for contract, values in zip(contracts, rows, strict=True)
        ],
        batch_size=BATCH,
    )
    sellers = [party for party in parties if party.side == "seller"]
    ledger.post_imported(zip(registrations, sellers, rows, strict=True), reference=source_file, by=by)
