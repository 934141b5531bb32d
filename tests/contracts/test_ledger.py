"""The ledger has one writer: no other module makes or stores an entry."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings

from marketplace.contracts import ledger
from marketplace.contracts.models import TurnoverEntry
from tests.contracts.factories import Scene

WRITER = Path(ledger.__file__)
STORES = {"create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update", "save", "delete"}


def writes(path: Path) -> list[str]:
    """Places in a module where an entry is made, or where the model's manager is told to store something."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        made = isinstance(node.func, ast.Name) and node.func.id == "TurnoverEntry"
        stored = (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in STORES
            and ast.unparse(node.func.value).startswith("TurnoverEntry.")
        )
        if made or stored:
            found.append(f"{path.name}:{node.lineno}")
    return found


def test_no_module_but_the_ledger_writes_entries():
    modules = [p for p in (Path(settings.BASE_DIR) / "marketplace").rglob("*.py") if p != WRITER]
    assert len(modules) > 100
    assert [place for path in modules for place in writes(path)] == []


def test_the_look_finds_the_one_writer():
    """The negative control: where entries are written, the look above sees it."""
    assert len(writes(WRITER)) >= 3


@pytest.mark.django_db
def test_an_entry_carries_what_breakdowns_need():
    scene = Scene()
    registration = scene.recognised()
    entry = TurnoverEntry.objects.get(registration=registration)
    contract = registration.contract
    assert (entry.amount_total, entry.amount_tech) == (contract.amount_total, contract.amount_tech)
    assert (entry.seller_region, entry.buyer_region) == ("150603", "150622")
    assert (entry.office_region, entry.entered_on) == (scene.office.region_id, registration.registered_on)
    assert entry.seller_key == ledger.seller_key(contract.lead_seller)
    assert scene.seller.name not in entry.seller_key
