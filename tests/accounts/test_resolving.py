"""The search box finds an organisation by what names it exactly, for those who may know of it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from marketplace.accounts import services
from search.resolve import resolve
from tests.accounts.factories import founder
from tests.factories import OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


def urls(typed, user=None):
    return [found.url for found in resolve(typed, user or AnonymousUser()) if found.what == "organization"]


@pytest.mark.parametrize("spelling", ["name", "short", "code", "number", "spaced"])
def test_every_exact_spelling_leads_to_the_page(spelling):
    organization = OrganizationFactory(name="塔林（鄂尔多斯）测试有限公司", short_name="塔林测试")
    OrganizationFactory(name="塔林另一家测试有限公司")
    typed = {
        "name": organization.name,
        "short": "塔林测试",
        "code": organization.credit_code.lower(),
        "number": organization.number.lower(),
        "spaced": "塔林(鄂尔多斯) 测试有限公司",
    }[spelling]
    assert urls(typed) == [f"/organizations/{organization.number}/"]


def test_a_former_name_finds_the_organisation_of_today():
    organization = OrganizationFactory(name="旧名测试有限公司")
    services.rename(
        organization, by=UserFactory(administrator=True), name="新名测试有限公司", from_on=timezone.localdate()
    )
    assert urls("旧名测试有限公司") == urls("新名测试有限公司") == [f"/organizations/{organization.number}/"]


def test_a_part_of_a_name_is_no_answer():
    OrganizationFactory(name="塔林测试有限公司")
    assert urls("塔林") == []


def test_an_unverified_organisation_is_found_by_its_people_only():
    head, organization = founder()
    assert urls(organization.name) == urls(organization.number) == []
    assert urls(organization.name, head) == [f"/organizations/{organization.number}/"]
