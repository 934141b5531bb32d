"""A form that is begun twice by two clicks is one form."""

from __future__ import annotations

import pytest

from marketplace.contracts import services
from marketplace.contracts.models import Contract
from tests.contracts.factories import Scene

pytestmark = pytest.mark.django_db


def test_two_clicks_begin_one_form(client):
    scene = Scene()
    client.force_login(scene.applicant)
    data = {"project_name": "矿井水除氟装置开发", "confidential": "no"}
    first, second = client.post("/contracts/new/", data), client.post("/contracts/new/", data)
    assert first.status_code == 302
    assert first["Location"] == second["Location"]
    assert Contract.objects.count() == 1


def test_a_form_that_was_filled_in_is_no_longer_the_beginning_of_another():
    scene = Scene()
    about = {"by": scene.applicant, "on_behalf_of": scene.seller, "project_name": "矿井水除氟装置开发"}
    first = services.draft_by_hand(**about)
    services.fill(first, by=scene.applicant, on_behalf_of=scene.seller, fields={"summary": "换一种滤料"})
    assert services.draft_by_hand(**about) != first
