"""A notice is a row in the caller's transaction and a mail after it, neither of them twice."""

from __future__ import annotations

import datetime as dt
import smtplib

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend as LocmemBackend
from django.db import transaction
from django.template import TemplateDoesNotExist
from django.utils import timezone

from marketplace.notifications import due
from marketplace.notifications.models import Notice
from marketplace.notifications.sending import WAITS
from marketplace.notifications.services import mark_read, mark_unread, notify
from tests.factories import OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db
TEMPLATE = "accounts/notices/join_asked"


class Refusing(LocmemBackend):
    """A mail server that will not have some recipients."""

    def send_messages(self, messages):
        for message in messages:
            if message.to[0].startswith("bad"):
                raise smtplib.SMTPRecipientsRefused({message.to[0]: (550, b"no such mailbox")})
        return super().send_messages(messages)


def tell(*people, dedupe="join:1", **kwargs):
    context = {"organization": "砚山 & 测试有限公司", "person": UserFactory(name="乌云"), "message": ""}
    url = "/accounts/organizations/DW-2026-AAAAAA/"
    return notify(people, TEMPLATE, dedupe=dedupe, url=url, context=context, **kwargs)


def test_a_row_now_and_a_mail_after_commit(django_capture_on_commit_callbacks):
    user = UserFactory(name="阿木尔")
    with django_capture_on_commit_callbacks(execute=True):
        (row,) = tell(user)
        assert mail.outbox == []
    assert row.title.startswith("乌云")
    (message,) = mail.outbox
    assert message.subject.startswith("【鄂尔多斯科技大市场】")
    assert message.to == [user.email]
    assert "阿木尔：您好" in message.body
    assert "砚山 & 测试有限公司" in message.body
    assert "http://127.0.0.1:8000/accounts/organizations/DW-2026-AAAAAA/" in message.body
    assert Notice.objects.get().mail_state == "sent"


def test_the_same_thing_is_told_once(django_capture_on_commit_callbacks):
    user = UserFactory()
    with django_capture_on_commit_callbacks(execute=True):
        tell(user, user)
        assert tell(user, None, UserFactory(is_active=False)) == []
    assert Notice.objects.count() == 1
    assert len(mail.outbox) == 1


def test_a_rolled_back_act_tells_nobody(django_capture_on_commit_callbacks):
    user = UserFactory()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        tell(user)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
    assert mail.outbox == []


def test_a_wrong_template_name_is_an_error():
    with pytest.raises(TemplateDoesNotExist):
        notify([UserFactory()], "accounts/notices/no_such_notice", dedupe="x")


def test_a_line_break_cannot_become_a_mail_header(django_capture_on_commit_callbacks):
    person = UserFactory(name="甲\r\nBcc: a@example.org")
    with django_capture_on_commit_callbacks(execute=True):
        notify(
            [UserFactory()],
            TEMPLATE,
            dedupe="y",
            context={"organization": OrganizationFactory(), "person": person, "message": ""},
        )
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].bcc == []


def test_a_dead_mail_server_is_tried_again_by_the_clock(settings, django_capture_on_commit_callbacks):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    first, second = UserFactory(), UserFactory()
    with django_capture_on_commit_callbacks(execute=True):
        tell(first, second)
    rows = Notice.objects.order_by("pk")
    # The first failure ends the round: the second person's mail was not even tried.
    assert [(r.mail_state, r.mail_tries) for r in rows] == [("pending", 1), ("pending", 0)]
    assert "ConnectionRefused" in rows[0].mail_error

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert due.run() == {"mails": 1, "failed": 0}
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=WAITS[0], seconds=5), tick=False):
        assert due.run() == {"mails": 1, "failed": 0}
        assert due.run() == {"mails": 0, "failed": 0}
    assert {r.mail_state for r in rows.all()} == {"sent"}


def test_a_mail_is_given_up_after_the_last_try(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    tell(UserFactory())
    now = timezone.now()
    for number in range(len(WAITS) + 3):
        with time_machine.travel(now + dt.timedelta(days=number + 1), tick=False):
            due.run()
    row = Notice.objects.get()
    assert (row.mail_state, row.mail_tries) == ("failed", len(WAITS) + 1)


def test_a_mail_that_its_server_refuses_stops_nobody(settings):
    """A poisoned mail is put off with its reason; the others leave in the same round."""
    settings.EMAIL_BACKEND = "tests.notifications.test_services.Refusing"
    people = [UserFactory(email=f"{'bad' if n == 1 else 'good'}{n}@example.org") for n in range(4)]
    tell(*people)
    assert due.run() == {"mails": 3, "failed": 1}
    states = dict(Notice.objects.values_list("recipient__email", "mail_state"))
    assert states.pop("bad1@example.org") == "pending"
    assert set(states.values()) == {"sent"}
    assert "SMTPRecipientsRefused" in Notice.objects.get(mail_state="pending").mail_error


def test_a_mail_that_takes_its_process_down_each_time_is_given_up():
    tell(UserFactory())
    # Claimed so often, and nobody came back to say how it went.
    Notice.objects.update(mail_tries=len(WAITS) + 1)
    assert due.run() == {"mails": 0, "failed": 1}
    row = Notice.objects.get()
    assert (row.mail_state, mail.outbox) == ("failed", [])
    assert "the process ended" in row.mail_error


def test_a_second_copy_of_a_mail_shows_as_one():
    tell(UserFactory())
    due.run()
    Notice.objects.update(mail_state="pending", mail_after=timezone.now())
    due.run()
    first, second = (message.message()["Message-ID"] for message in mail.outbox)
    assert first == second


def test_reading_touches_ones_own_notices_only():
    mine, other = UserFactory(), UserFactory()
    tell(mine, other)
    theirs = other.notices.get()
    assert mark_read(user=mine, pks=[theirs.pk]) == 0
    assert mark_unread(user=mine, pk=theirs.pk) == 0
    assert mark_read(user=mine) == 1
    assert mark_read(user=mine) == 0
    assert other.notices.filter(read_at__isnull=True).count() == 1
