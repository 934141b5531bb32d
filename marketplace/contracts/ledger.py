"""The only writer of the turnover ledger. Sequence numbers run from 1 without a gap; nothing is ever changed
afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.crypto import salted_hmac

from cms.identifiers import half_width

from .models import Party, Registration, TurnoverEntry

TRIES = 20
# Rows of an import that go to the database in one statement.
BATCH = 400


def seller_key(party: Party | None) -> str:
    """Who the seller is, as 32 characters that name nobody: by credit code, else person's hash, else name.

    Sellers that nobody named share one key: a group of them counts as one seller and is rather suppressed than shown.
    """
    plain = "" if party is None else party.credit_code or party.id_hash or half_width(party.name)
    return salted_hmac("contracts.seller", plain, algorithm="sha256").hexdigest()[:32]


def next_sequence() -> int:
    """One more than the highest; the unique constraint decides where two ask at once."""
    return (TurnoverEntry.objects.aggregate(top=Max("sequence"))["top"] or 0) + 1


def dimensions(registration: Registration) -> dict[str, Any]:
    """What breakdowns need, copied from the contract as it stands: codes of type, field, places, natures, office."""
    contract = registration.contract
    seller, buyer = contract.lead_seller, contract.lead_buyer
    return {
        "contract_type": contract.contract_type_id or "",
        "technology_field": contract.technology_field_id or "",
        "seller_region": (seller.region_id if seller else None) or "",
        "buyer_region": (buyer.region_id if buyer else None) or "",
        "seller_nature": (seller.nature_id if seller else None) or "",
        "buyer_nature": (buyer.nature_id if buyer else None) or "",
        "office_region": registration.office.region_id if registration.office else "",
        "seller_key": seller_key(seller),
    }


@transaction.atomic
def post(
    registration: Registration,
    *,
    kind: str,
    amount_total: Decimal,
    amount_tech: Decimal,
    by: Any,
    entered_on: dt.date | None = None,
    reference: str = "",
) -> TurnoverEntry:
    """Write one entry (元) and give it back; `entered_on` is the server's local date unless given.

    kind: initial, supplement, change_in (positive) · change_out, cancel, revoke (negative). Raises IntegrityError where
    the ledger's constraints refuse (sign, technology amount over total, a second initial entry).
    """
    values = {
        "registration": registration,
        "contract_version": registration.contract.version,
        "kind": kind,
        "entered_on": entered_on or timezone.localdate(),
        "amount_total": amount_total,
        "amount_tech": amount_tech,
        "by": by,
        "reference": reference[:120],
        **dimensions(registration),
    }
    for attempt in range(TRIES):
        sequence = next_sequence()
        try:
            with transaction.atomic():
                return TurnoverEntry.objects.create(sequence=sequence, **values)
        except IntegrityError:
            # Somebody else took this place in the row: try the next one. Any other fault comes up again and is raised.
            if attempt == TRIES - 1 or not TurnoverEntry.objects.filter(sequence=sequence).exists():
                raise
    raise AssertionError("unreachable: the last try returns or raises")


@transaction.atomic
def post_imported(
    rows: Iterable[tuple[Registration, Party, dict[str, Any]]], *, reference: str, by: Any
) -> list[TurnoverEntry]:
    """Write the first entries of imported registrations in a run of sequence numbers, each on its day of registration.

    rows: registration, lead seller, and the checked values of its row (amounts in 元, codes, `registered_on`), in the
    order of the ledger. Raises IntegrityError where another writer took one of the numbers: the whole import falls.
    """
    first = next_sequence()
    copied = (
        "amount_total",
        "amount_tech",
        "contract_type",
        "technology_field",
        "seller_region",
        "buyer_region",
        "seller_nature",
        "buyer_nature",
        "office_region",
    )
    return TurnoverEntry.objects.bulk_create(
        [
            TurnoverEntry(
                sequence=first + n,
                registration=registration,
                kind="initial",
                entered_on=values["registered_on"],
                seller_key=seller_key(seller),
                reference=reference[:120],
                by=by,
                **{name: values[name] for name in copied},
            )
            for n, (registration, seller, values) in enumerate(rows)
        ],
        batch_size=BATCH,
    )
