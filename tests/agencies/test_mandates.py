"""Mandates: given by the client, accepted by the broker, ended by either; what they let the broker read."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from cms.models import AccessGrant
from marketplace.agencies import selectors, services
from marketplace.agencies.models import Broker, Mandate
from marketplace.notifications.models import Notice
from marketplace.workflow import MoveNotAllowed
from tests.factories import (
    AchievementFactory,
    BrokerFactory,
    DemandFactory,
    MandateFactory,
    OrganizationFactory,
    UserFactory,
    member,
)

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate


@pytest.fixture
def client_side():
    company = OrganizationFactory()
    return company, member(company), BrokerFactory()


def give(client_side, **kwargs):
    company, head, broker = client_side
    given = {"broker": broker, "client": company, "ends_on": TODAY() + dt.timedelta(days=90), "by": head}
    return services.give_mandate(**{**given, **kwargs})


def test_a_mandate_binds_once_the_broker_accepts(client_side):
    company, head, broker = client_side
    mandate = give(client_side, commission="成交额 2%")
    assert (mandate.state, mandate.is_in_force()) == ("offered", False)
    assert Notice.objects.filter(recipient=broker.user).count() == 1
    (waits,) = selectors.waiting_for(broker.user, None)
    assert company.label in waits.title
    services.accept_mandate(mandate, by=broker.user)
    assert (mandate.state, mandate.is_in_force()) == ("in_force", True)
    assert selectors.clients_of(broker.user) == [company]
    assert selectors.waiting_for(broker.user, None) == []
    assert Notice.objects.filter(recipient=head).count() == 1


def test_only_the_clients_own_people_give_and_only_the_broker_accepts(client_side):
    with pytest.raises(PermissionDenied):
        give(client_side, by=UserFactory())
    mandate = give(client_side)
    for person in (client_side[1], UserFactory()):
        with pytest.raises(PermissionDenied):
            services.accept_mandate(mandate, by=person)
    assert not Mandate.objects.in_force().exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"starts_on": dt.date(2020, 1, 1)}, "starts_on"),
        ({"ends_on": dt.date(2020, 1, 1)}, "ends_on"),
        ({"ends_on": dt.date(2040, 1, 1)}, "ends_on"),
        ({"record": "foreign"}, "record"),
        ({"broker": "struck off"}, "broker"),
    ],
)
def test_wrong_mandates_are_refused_by_field(client_side, wrong, field):
    if "record" in wrong:
        wrong = {"record": AchievementFactory(published=True).record}
    if "broker" in wrong:
        wrong = {"broker": BrokerFactory(is_active=False)}
    with pytest.raises(ValidationError) as refused:
        give(client_side, **wrong)
    assert field in refused.value.message_dict
    assert Mandate.objects.count() == 0


def test_the_same_mandate_is_not_given_twice(client_side):
    give(client_side)
    with pytest.raises(ValidationError):
        give(client_side)
    assert Mandate.objects.count() == 1


def test_either_side_ends_it_from_today_on(client_side):
    _company, head, broker = client_side
    for person in (head, broker.user):
        mandate = services.accept_mandate(give(client_side), by=broker.user)
        services.revoke_mandate(mandate, by=person)
        assert (mandate.state, mandate.is_in_force()) == ("revoked", False)
        with pytest.raises(MoveNotAllowed):
            services.revoke_mandate(mandate, by=person)
        with pytest.raises(MoveNotAllowed):
            services.accept_mandate(mandate, by=broker.user)
    with pytest.raises(PermissionDenied):
        services.revoke_mandate(give(client_side), by=UserFactory())


@pytest.mark.parametrize(("day", "holds"), [(-1, False), (0, True), (30, True), (31, False)])
def test_a_mandate_holds_from_its_first_to_its_last_day(client_side, time_machine, day, holds):
    start = dt.date(2026, 11, 1)
    mandate = MandateFactory(starts_on=start, ends_on=start + dt.timedelta(days=30))
    time_machine.move_to(dt.datetime(2026, 11, 1, 4, tzinfo=dt.UTC) + dt.timedelta(days=day), tick=False)
    assert mandate.is_in_force() is holds
    assert Mandate.objects.in_force().exists() is holds
    assert selectors.mandates_of(mandate.broker.user).exists() is holds


def test_a_broker_whose_registration_ended_acts_for_nobody():
    mandate = MandateFactory(broker=BrokerFactory(valid_until=TODAY() - dt.timedelta(days=1)))
    assert selectors.broker_of(mandate.broker.user) is None
    assert list(selectors.mandates_of(mandate.broker.user)) == []


def test_the_broker_may_read_what_is_not_open_to_all_while_the_mandate_lasts(client_side):
    company, head, broker = client_side
    demand = DemandFactory(owner=company, published=True, restricted_l2=True)
    stranger = DemandFactory(published=True, restricted_l2=True)
    assert demand.body_visible_to(broker.user) is False
    mandate = services.accept_mandate(give(client_side), by=broker.user)
    assert demand.body_visible_to(broker.user) is True
    assert stranger.body_visible_to(broker.user) is False
    assert AccessGrant.objects.get().ends_on == mandate.ends_on
    later = DemandFactory(owner=company, published=True, restricted_l2=True)
    assert later.body_visible_to(broker.user) is True
    services.revoke_mandate(mandate, by=head)
    assert demand.body_visible_to(broker.user) is False
    assert later.body_visible_to(broker.user) is False


def test_the_database_refuses_an_end_before_the_start():
    mandate = MandateFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        Mandate.objects.filter(pk=mandate.pk).update(ends_on=mandate.starts_on - dt.timedelta(days=1))


# Pages


def test_a_mandate_is_given_accepted_and_ended_by_the_page(client, client_side):
    company, head, broker = client_side
    demand = DemandFactory(owner=company, published=True)
    client.force_login(head)
    form = {
        "broker": broker.pk,
        "record": demand.record.number,
        "starts_on": TODAY().isoformat(),
        "ends_on": (TODAY() + dt.timedelta(days=60)).isoformat(),
        "commission": "登记后付 2 万元",
    }
    assert client.post(reverse("mandates"), form).status_code == 302
    again = client.post(reverse("mandates"), form)
    assert "已经委托过" in again.content.decode()
    mandate = Mandate.objects.get()
    assert mandate.record == demand.record
    client.force_login(broker.user)
    page = client.get(reverse("mandates")).content.decode()
    assert "登记后付 2 万元" in page
    assert client.post(reverse("mandate_act", args=[mandate.pk, "accept"])).status_code == 302
    mandate.refresh_from_db()
    assert mandate.is_in_force()
    assert client.post(reverse("mandate_act", args=[mandate.pk, "accept"])).status_code == 409
    client.force_login(UserFactory())
    assert client.post(reverse("mandate_act", args=[mandate.pk, "revoke"])).status_code == 404
    assert "还没有委托" in client.get(reverse("mandates")).content.decode()


def test_queries_of_the_page_do_not_grow(client, client_side, django_assert_max_num_queries):
    company, head, _broker = client_side
    for _n in range(12):
        demand = DemandFactory(owner=company, published=True)
        MandateFactory(client=company, record=demand.record)
    assert Broker.objects.count() == 13
    client.force_login(head)
    client.get(reverse("mandates"))
    with django_assert_max_num_queries(25):
        assert client.get(reverse("mandates")).status_code == 200


def test_ending_a_mandate_names_it_and_asks_once_more(client):
    mandate = MandateFactory()
    client.force_login(member(mandate.client))
    page = BeautifulSoup(client.get(reverse("mandates")).content, "html.parser")
    form = page.select_one(f'details form[action="{reverse("mandate_act", args=[mandate.pk, "revoke"])}"]')
    assert "不能恢复" in form.parent.text
    assert mandate.client.label in form.parent.text
    assert "确认终止委托" in form.text


def test_an_act_with_an_expired_session_leads_back_to_the_mandates(client):
    mandate = MandateFactory()
    answer = client.post(reverse("mandate_act", args=[mandate.pk, "revoke"]))
    assert answer.url == "/accounts/login/?next=%2Fdeals%2Fmandates%2F"
    mandate.refresh_from_db()
    assert mandate.revoked_on is None
