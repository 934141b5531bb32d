"""The house stands: guards are in the database, drafts are not live, the app list stands in the import contract."""

from __future__ import annotations

import tomllib

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from marketplace import guards
from marketplace.settings.environment import BASE_DIR
from tests.factories import AchievementFactory, DemandFactory, MembershipFactory, member

pytestmark = pytest.mark.django_db


def test_every_guard_is_in_the_database():
    assert guards.missing() == []


def test_a_draft_is_not_live_and_publishing_makes_it_so():
    draft = AchievementFactory()
    assert not draft.live
    assert AchievementFactory(published=True).live


def test_a_stranger_sees_public_listings_only_and_the_owner_his_draft():
    public, draft = DemandFactory(published=True), DemandFactory()
    hidden = DemandFactory(published=True, matchmaker_only=True)
    model = type(public)
    from django.contrib.auth.models import AnonymousUser

    assert set(model.objects.visible_to(AnonymousUser())) == {public}
    assert set(model.objects.visible_to(member(draft.record.owner))) == {public, draft}
    assert hidden in model.objects.visible_to(member(hidden.record.owner))


def test_a_state_cannot_be_written_past_the_flow():
    membership = MembershipFactory(requested=True)
    with pytest.raises(IntegrityError, match="no such move"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_membership SET state = 'left' WHERE id = %s", [membership.pk])


def test_every_app_of_ours_stands_in_the_import_contract():
    contract = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = {name.strip() for row in contract["contracts"][1]["layers"] for name in row.split("|")}
    ours = {a.name.split(".")[1] for a in apps.get_app_configs() if a.name.startswith("marketplace.")}
    assert ours <= layers
    assert {"search", "cms"} <= set(settings.INSTALLED_APPS)
