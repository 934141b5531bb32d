"""A contract's way through the office, from the draft to the ledger, and every act that must not happen."""

from __future__ import annotations

import pytest

from marketplace.contracts.models import Certificate, TurnoverEntry
from tests.contracts.factories import Scene

pytestmark = pytest.mark.django_db


def test_a_contract_is_registered_counted_and_certified():
    scene = Scene()
    registration = scene.recognised()
    entry = TurnoverEntry.objects.get()
    assert registration.state == "registered"
    assert registration.registration_number == f"{registration.registered_on.year}1506{scene.office.point}000001"
    assert (entry.sequence, entry.kind, entry.amount_total, entry.amount_tech) == (1, "initial", 1200000, 900000)
    assert (entry.seller_region, entry.buyer_region, entry.office_region) == ("150603", "150622", "150600")
    assert Certificate.objects.get().facts["number"] == registration.registration_number
