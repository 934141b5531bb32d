"""An administrator enters a technology broker in Wagtail; from then on clients may give him mandates."""

from __future__ import annotations

import pytest
from django.utils import timezone

from marketplace.agencies import selectors
from marketplace.agencies.models import Broker
from tests.factories import BrokerFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db
BASE = "/admin/snippets/agencies/broker"


@pytest.fixture
def admin(client):
    client.force_login(UserFactory(administrator=True))
    return client


def entered(**changes):
    return {"email": "Jingji@example.org", "agency": "", "level": "middle", "is_active": "on", **changes}


def test_a_broker_is_entered_with_his_agency_and_may_then_act(admin):
    person, agency = UserFactory(email="jingji@example.org"), OrganizationFactory(kind="agency")
    assert selectors.broker_of(person) is None
    assert admin.post(f"{BASE}/add/", entered(agency=agency.name)).status_code == 302
    broker = Broker.objects.get()
    assert (broker.user, broker.organization, broker.level) == (person, agency, "middle")
    assert selectors.broker_of(person) == broker


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"email": "nobody@example.org"}, "没有用这个邮箱注册的人"),
        ({"email": "known@example.org"}, "已登记为技术经理人"),
        ({"agency": "没有这个机构"}, "没有找到这个单位"),
    ],
)
def test_an_unknown_person_or_agency_is_refused_and_one_person_is_one_broker(admin, changes, says):
    UserFactory(email="jingji@example.org")
    BrokerFactory(user=UserFactory(email="known@example.org"))
    page = admin.post(f"{BASE}/add/", entered(**changes))
    assert says in page.content.decode()
    assert Broker.objects.count() == 1


def test_an_ended_registration_is_no_right_any_more(admin):
    broker = BrokerFactory()
    page = admin.get(f"{BASE}/edit/{broker.pk}/").content.decode()
    assert 'name="email"' not in page
    today = timezone.localdate().isoformat()
    data = entered(agency=broker.organization.name if broker.organization else "", valid_until=today)
    del data["is_active"]
    assert admin.post(f"{BASE}/edit/{broker.pk}/", data).status_code == 302
    assert Broker.objects.get().user == broker.user
    assert selectors.broker_of(broker.user) is None
    assert admin.get(f"{BASE}/").status_code == 200


def test_others_have_no_part_in_it(client):
    client.force_login(UserFactory(moderator=True))
    assert client.get(f"{BASE}/").status_code in (302, 403)
