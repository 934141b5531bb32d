"""An administrator opens an office and gives posts in Wagtail."""

from __future__ import annotations

import re

import pytest

from marketplace.contracts.models import ContractType, Office, Officer, OfficeTerritory
from tests.factories import OfficeFactory, OfficerFactory, UserFactory

pytestmark = pytest.mark.django_db
BASE = "/admin/snippets/contracts"


@pytest.fixture
def admin(client):
    client.force_login(UserFactory(administrator=True))
    return client


def test_an_office_with_territory_and_officer_is_opened(admin):
    office = {"name": "西安测试登记处", "region": "610100", "point": "01", "numbering": "own", "is_active": "on"}
    assert admin.post(f"{BASE}/office/add/", office).status_code == 302
    opened = Office.objects.get()
    assert admin.post(f"{BASE}/officeterritory/add/", {"office": opened.pk, "prefix": "6101"}).status_code == 302
    person = UserFactory(email="registrar@example.org")
    post = {"email": "Registrar@example.org", "office": opened.pk, "first_review": "on", "is_active": "on"}
    assert admin.post(f"{BASE}/officer/add/", post).status_code == 302
    assert Officer.objects.get().user == person
    assert OfficeTerritory.objects.get().prefix == "6101"


def test_two_offices_of_one_city_need_two_points(admin):
    OfficeFactory(point="01", region_id="150600")
    other = {"name": "东胜测试登记处", "region": "150602", "point": "01", "numbering": "own", "is_active": "on"}
    page = admin.post(f"{BASE}/office/add/", other)
    assert "编号会重复" in page.content.decode()
    assert Office.objects.count() == 1


@pytest.mark.parametrize("prefix", ["15060", "鄂尔", "1"])
def test_a_territory_is_a_prefix_of_area_codes(admin, prefix):
    office = OfficeFactory(territory="6501")
    admin.post(f"{BASE}/officeterritory/add/", {"office": office.pk, "prefix": prefix})
    assert OfficeTerritory.objects.count() == 1


def test_an_unknown_address_gets_no_post(admin):
    office = OfficeFactory()
    page = admin.post(
        f"{BASE}/officer/add/", {"email": "nobody@example.org", "office": office.pk, "first_review": "on"}
    )
    assert "没有用这个邮箱注册的人" in page.content.decode()
    assert Officer.objects.count() == 0


@pytest.mark.parametrize("name", ["office", "officer", "officeterritory", "ruleset", "contracttype", "refusalreason"])
def test_lists_open(admin, name):
    assert admin.get(f"{BASE}/{name}/").status_code == 200


@pytest.mark.parametrize("name", ["officer", "officeterritory"])
def test_heads_and_labels_are_chinese(admin, name):
    OfficerFactory()
    for page in ("", "add/"):
        text = re.sub(r"<script.*?</script>", "", admin.get(f"{BASE}/{name}/{page}").content.decode(), flags=re.S)
        assert not re.search(r">\s*(User|Office)\b[^<]{0,3}<", text)


def test_an_edited_code_survives_the_next_load(admin):
    code = ContractType.objects.get(code="TC0")
    data = {
        "code": "TC0",
        "name": "技术咨询（修订）",
        "order": "150",
        "is_active": "on",
        "group5": code.group5,
        "group4": code.group4,
    }
    assert admin.post(f"{BASE}/contracttype/edit/TC0/", data).status_code == 302
    code.refresh_from_db()
    assert (code.name, code.is_edited) == ("技术咨询（修订）", True)


def test_others_have_no_part_in_it(client):
    client.force_login(UserFactory(moderator=True))
    assert client.get(f"{BASE}/office/").status_code in (302, 403)
