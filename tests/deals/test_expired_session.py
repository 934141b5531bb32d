"""What was typed into an inquiry or an offer outlives the session, and signing in leads back to its page."""

from urllib.parse import urlencode

import pytest
from django.urls import reverse

from marketplace.deals.models import Offer

from . import factories
from .test_pages import get, offered, sent

pytestmark = pytest.mark.django_db


def test_an_expired_session_keeps_an_inquiry_and_an_offer_and_leads_back_to_their_pages(client):
    of = factories.sides()
    deal = factories.deal(of)
    act, page = reverse("deal_act", args=[deal.number, "offer"]), deal.get_absolute_url()
    answer = client.post(act, offered(of, deal, terms="会话过期时写的条款，分三期支付。"))
    assert answer.url == f"/accounts/login/?{urlencode({'next': page})}"
    assert "登录状态已失效" in client.get(answer.url).content.decode()
    ask = reverse("inquiry_new", args=[of.need.number])
    client.post(ask, sent(of, message="会话过期时写的来意，想约一次交流。"))
    assert not Offer.objects.exists()
    assert "会话过期时写的条款" in get(client, of.seller, page).content.decode()
    assert "会话过期时写的来意" in get(client, of.seller, ask).content.decode()
    assert "会话过期时写的条款" not in get(client, of.seller, page).content.decode()


def test_an_answer_with_an_expired_session_leads_back_to_the_inquiry(client):
    row = factories.inquiry(factories.sides())
    answer = client.post(reverse("inquiry_act", args=[row.pk, "accept"]), {"version": 1})
    assert answer.url == f"/accounts/login/?{urlencode({'next': reverse('inquiry', args=[row.pk])})}"
