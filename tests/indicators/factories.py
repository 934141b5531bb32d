"""Ledger entries without the way through an office: imported rows of the register."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

from marketplace.contracts.models import Contract, Registration, TurnoverEntry

_numbers = itertools.count(1)


def entry(
    amount: str = "1000000",
    *,
    on: dt.date,
    tech: str | None = None,
    seller: str = "150602",
    buyer: str = "610800",
    seller_key: str | None = None,
    kind: str = "initial",
    contract_type: str = "TD1",
    field: str = "0605",
    registration: Registration | None = None,
    consents: bool = False,
) -> TurnoverEntry:
    """One posting; a new imported registration unless one is given."""
    n = next(_numbers)
    total = Decimal(amount)
    if registration is None:
        contract = Contract.objects.create(
            source="imported",
            import_source="tests.csv",
            project_name=f"导入合同{n}",
            amount_total=total,
            amount_tech=total,
            contract_type_id=contract_type,
            technology_field_id=field,
            consents_to_amount=consents,
        )
        registration = Registration.objects.create(
            contract=contract,
            source="imported",
            state="registered",
            registered_on=on,
            registration_number=f"{on.year}1506{n:08d}",
        )
    last = TurnoverEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    return TurnoverEntry.objects.create(
        sequence=last + 1,
        registration=registration,
        kind=kind,
        entered_on=on,
        amount_total=total,
        amount_tech=Decimal(tech) if tech else total,
        contract_type=contract_type,
        technology_field=field,
        seller_region=seller,
        buyer_region=buyer,
        office_region="150600",
        seller_key=seller_key or f"seller-{n}",
    )
