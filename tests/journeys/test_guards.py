"""What protects the market, guard by guard: the test that sees it hold, and the one that takes it away and sees the
attack succeed. A guard without such a control might as well not be there: its test could pass for another reason."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from cms.models import Demand
from marketplace import guards
from marketplace.deals import services
from marketplace.deals.models import Inquiry
from tests.deals import factories
from tests.factories import OrganizationFactory, member
from tests.posting.scene import demand_data

HERE = "journeys.test_guards"
# How a control takes its guard away.
TAKEN_AWAY = (
    "monkeypatch", "guards.remove", "no_guard", "ignore_check_constraints", "DROP INDEX", "enforce_csrf_checks=False",
    "objects.filter", "FileLock",
)  # fmt: skip


@dataclass(frozen=True)
class Guard:
    """What is protected, where (a module under tests), by which test it is seen, and by which control."""

    name: str
    where: str
    holds: str
    control: str


GUARDS = [
    Guard(
        "version check of a form in the office",
        "contracts.test_office",
        "test_a_stale_page_cannot_decide",
        "test_negative_control_of_the_version_check",
    ),
    Guard(
        "version check of a listing's form",
        "posting.test_pages",
        "test_a_stale_form_answers_409_with_both_versions_and_the_typed_text",
        "test_the_version_check_is_what_stops_the_overwrite",
    ),
    Guard(
        "two answers to one inquiry",
        "deals.test_races",
        "test_accepting_and_declining_at_once_has_one_winner",
        "test_control_without_the_version_check_both_answers_would_stand",
    ),
    Guard(
        "unique number",
        "contracts.test_invariants",
        "test_a_number_is_unique",
        "test_negative_control_of_the_unique_number",
    ),
    Guard(
        "ledger trigger on UPDATE",
        "contracts.test_invariants",
        "test_a_ledger_entry_is_never_changed_or_removed",
        "test_negative_control_of_the_ledger_triggers",
    ),
    Guard(
        "ledger trigger on DELETE",
        "indicators.test_catalogue",
        "test_the_ledger_refuses_update_and_delete",
        "test_without_the_guard_the_same_attack_succeeds",
    ),
    Guard(
        ".visible_to in lists, details, search and the API",
        "library.test_disclosure",
        "test_the_guard_keeps_a_hidden_listing_back",
        "test_without_the_guard_the_hidden_listing_shows",
    ),
    Guard(
        "what keeps hidden words from every surface of the search, guard by guard",
        "leaks.test_controls",
        "test_with_all_guards_the_same_sweeps_find_nothing",
        "test_without_the_guard_the_sweep_finds_something",
    ),
    Guard(
        "reasons of a listing that was closed since",
        "leaks.test_reasons",
        "test_what_was_closed_since_is_not_said_before_the_next_comparison",
        "test_without_looking_again_the_closed_text_would_be_said",
    ),
    Guard(
        ".visible_to of contracts",
        "contracts.test_pages",
        "test_a_stranger_gets_404_for_everything_of_a_contract",
        "test_negative_control_of_visibility_in_list_and_detail",
    ),
    Guard(
        ".visible_to of deals",
        "deals.test_pages",
        "test_strangers_get_404_for_everything",
        "deals.test_selectors.test_control_without_visible_to_a_stranger_reads_a_deal",
    ),
    Guard(
        "reviewer is not reviewer",
        "contracts.test_invariants",
        "test_the_first_reviewer_cannot_be_the_second",
        "test_negative_control_of_two_reviewers",
    ),
    Guard(
        "territory of an office",
        "contracts.test_invariants",
        "test_the_longest_prefix_decides_and_another_office_cannot_accept",
        "test_negative_control_of_the_territory",
    ),
    Guard(
        "amount constraint",
        "contracts.test_invariants",
        "test_the_technology_amount_lies_above_zero_and_within_the_total",
        "test_negative_control_of_the_amount_constraint",
    ),
    Guard(
        "frozen form",
        "contracts.test_invariants",
        "test_a_submitted_form_and_its_rows_are_frozen",
        "test_negative_control_of_the_frozen_rows",
    ),
    Guard(
        "moderation of one's own",
        "posting.test_moderation",
        "test_another_objects_address_does_not_approve_ones_own",
        "test_without_the_tasks_refusal_that_address_would_approve",
    ),
    Guard(
        "verification of one's own",
        "accounts.test_verification",
        "test_nobody_verifies_his_own_request",
        "test_without_that_guard_one_would_verify_oneself",
    ),
    Guard(
        "managing an organisation",
        "accounts.test_pages",
        "test_another_organisations_pages_are_404",
        "test_without_the_membership_check_a_stranger_would_manage",
    ),
    Guard(
        "demo entry outside the demo",
        "demo_entry.test_entry",
        "test_the_view_refuses_even_where_a_wrong_route_leads_to_it",
        "test_without_that_check_the_wrong_route_would_open_it",
    ),
    Guard(
        "demo entry of a real account",
        "demo_entry.test_entry",
        "test_an_account_that_is_not_the_demos_is_never_entered",
        "test_without_the_account_check_a_superuser_could_be_entered",
    ),
    Guard(
        "revision trap",
        "cms.test_publishing",
        "test_publishing_an_older_revision_brings_back_words_and_nothing_else",
        "test_the_revision_trap_is_real_for_a_condition_kept_in_the_listings_row",
    ),
    Guard(
        "mandate in force",
        "deals.test_dealing",
        "test_without_a_mandate_in_force_a_broker_does_nothing",
        "test_control_without_the_dated_check_the_broker_goes_on",
    ),
    Guard(
        "one housekeeper",
        "operations.test_housekeeping",
        "test_only_the_holder_of_the_lock_works_and_another_takes_over_when_it_ends",
        "test_without_the_lock_two_processes_would_both_work",
    ),
    Guard(
        "moves of a flow",
        HERE,
        "test_the_database_refuses_a_move_outside_the_flow",
        "test_without_the_trigger_a_declined_inquiry_is_accepted",
    ),
    Guard(
        "token of a form",
        HERE,
        "test_a_post_without_a_token_changes_nothing",
        "test_without_the_check_of_tokens_it_would",
    ),
]


@pytest.mark.parametrize("guard", GUARDS, ids=[guard.name for guard in GUARDS])
def test_each_guard_has_a_test_and_a_control(guard):
    assert callable(found(guard, guard.holds)), f"{guard.where} has no {guard.holds}"
    control = found(guard, guard.control)
    assert callable(control), f"{guard.where} has no {guard.control}"
    assert any(way in inspect.getsource(control) for way in TAKEN_AWAY), f"{guard.control} takes nothing away"


def found(guard: Guard, name: str) -> Any:
    """The test of that name in the guard's module, or in the one that the name itself begins with."""
    where, _dot, name = name.rpartition(".")
    return getattr(importlib.import_module(f"tests.{where or guard.where}"), name, None)


# Guards that no single app's tests hold


def _declined() -> Inquiry:
    of = factories.sides()
    row = factories.inquiry(of)
    services.decline(row, by=of.buyer, reason="price")
    return row


def _crafted(row: Inquiry) -> None:
    """What a wrong line of code or a hand at the database would do."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE deals_inquiry SET state = 'accepted' WHERE id = %s", [row.pk])


@pytest.mark.django_db
def test_the_database_refuses_a_move_outside_the_flow():
    row = _declined()
    with pytest.raises(IntegrityError, match="no such move"):
        _crafted(row)
    row.refresh_from_db()
    assert row.state == "declined"


@pytest.mark.django_db
def test_without_the_trigger_a_declined_inquiry_is_accepted():
    row = _declined()
    ours = [guard for guard in guards.registered() if guard.model is Inquiry]
    guards.remove(only=ours)
    try:
        _crafted(row)
    finally:
        guards.install(only=ours)
    row.refresh_from_db()
    assert row.state == "accepted"


def _posts_for_another(client: Client) -> int:
    """A page of somebody else makes a signed-in browser send a form."""
    organization = OrganizationFactory()
    client.force_login(member(organization))
    return client.post("/demands/new/", demand_data(organization)).status_code


@pytest.mark.django_db
def test_a_post_without_a_token_changes_nothing():
    assert _posts_for_another(Client(enforce_csrf_checks=True)) == 403
    assert not Demand.objects.exists()


@pytest.mark.django_db
def test_without_the_check_of_tokens_it_would():
    assert _posts_for_another(Client(enforce_csrf_checks=False)) == 302
    assert Demand.objects.count() == 1
