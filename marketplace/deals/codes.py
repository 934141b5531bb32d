"""Names of contract types and ways of payment. Their tables belong to contracts, which stands above deals: an offer
keeps the code, and the names are read through the registry of models, as a foreign key by string would."""

from __future__ import annotations

from django.apps import apps


def contract_types() -> dict[str, str]:
    """Code → name of the active contract types, in the list's order."""
    return _names("ContractType")


def payment_methods() -> dict[str, str]:
    """Code → name of the active ways of payment."""
    return _names("PaymentMethod")


def _names(model: str) -> dict[str, str]:
    rows = apps.get_model("contracts", model).objects.filter(is_active=True)
    return {row.pk: row.name for row in rows}
