"""Account mails: the secret is made when the mail is written, and never kept."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import AccountMail, MailPurpose
from accounts.services.mails import WITH_SECRETS, ask_for_mail, use_token
from accounts.tests.factories import UserFactory
from chitfund.exceptions import InvalidInput
from chitfund.testing import in_own_connection
from notifications import account_mails
from notifications.account_mails import send_account_mails
from notifications.outbox import MOST_ATTEMPTS


def asked(purpose=MailPurpose.VERIFY_EMAIL, **person):
    address = "new@example.com" if purpose == MailPurpose.EMAIL_CHANGE else ""
    user = UserFactory.create(**person)
    return ask_for_mail(user=user, purpose=purpose, address=address)


def token_in(letter):
    return re.search(r"\?token=([\w-]+)", letter.body)[1]


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", WITH_SECRETS)
def test_the_link_carries_a_secret_that_works(purpose):
    row = asked(purpose)

    assert (send_account_mails(), send_account_mails()) == (1, 0)
    (letter,) = mail.outbox
    assert letter.to == [row.address or row.user.email]
    assert use_token(token_in(letter), purpose) == row


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", sorted(set(MailPurpose) - set(WITH_SECRETS)))
def test_a_mail_that_needs_no_secret_has_none(purpose):
    row = asked(purpose)
    send_account_mails()

    row.refresh_from_db()
    assert "token=" not in mail.outbox[0].body
    assert row.token_hash is None


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", MailPurpose)
def test_every_mail_is_written_twice_in_plain_text_and_in_html(purpose, settings):
    settings.PUBLIC_URL = "https://office.example"
    asked(purpose, full_name="Asha <b>Rao</b>")
    send_account_mails()
    (letter,) = mail.outbox
    html, kind = letter.alternatives[0]

    assert kind == "text/html"
    assert "Dear Asha <b>Rao</b>," in letter.body
    assert "Asha &lt;b&gt;Rao" in html
    links = set(re.findall(r'href="([^"]+)"', html))
    assert all(link.startswith("https://office.example") for link in links)
    assert "{" not in letter.subject + letter.body


@pytest.mark.django_db
def test_a_wish_for_an_address_that_nobody_has_is_dropped():
    ask_for_mail(user=None, purpose=MailPurpose.PASSWORD_RESET)

    assert send_account_mails() == 0
    assert mail.outbox == []
    assert not AccountMail.objects.exists()


@pytest.mark.django_db
def test_of_two_wishes_only_the_newer_is_sent():
    user = UserFactory.create()
    for _ in range(2):
        newest = ask_for_mail(user=user, purpose=MailPurpose.PASSWORD_RESET)
    send_account_mails()

    assert len(mail.outbox) == 1
    assert AccountMail.objects.get() == newest


@pytest.mark.django_db
def test_a_second_attempt_makes_another_secret_and_the_first_opens_nothing(monkeypatch):
    row = asked()
    letters = []

    def fail(letter, **kwargs):
        letters.append(letter)
        raise OSError("no route to the mail server")

    with monkeypatch.context() as patch:
        patch.setattr(account_mails, "send_letter", fail)
        send_account_mails()
    row.refresh_from_db()
    assert (row.sent_at, row.error) == (None, "OSError")
    AccountMail.objects.update(next_attempt_at=timezone.now())
    send_account_mails()

    first = letters[0].link.partition("token=")[2]
    with pytest.raises(InvalidInput):
        use_token(first, MailPurpose.VERIFY_EMAIL)
    assert use_token(token_in(mail.outbox[0]), MailPurpose.VERIFY_EMAIL) == row


@pytest.mark.django_db
def test_a_mail_that_keeps_failing_is_given_up(monkeypatch):
    def fail(letter, **kwargs):
        raise OSError

    monkeypatch.setattr(account_mails, "send_letter", fail)
    row = asked()
    AccountMail.objects.update(attempts=MOST_ATTEMPTS - 1)
    send_account_mails()

    row.refresh_from_db()
    assert row.given_up_at is not None
    AccountMail.objects.update(next_attempt_at=timezone.now())
    assert send_account_mails() == 0


@pytest.mark.django_db(transaction=True)
def test_eight_senders_at_once_send_each_mail_once():
    for _ in range(16):
        row = AccountMail(user=UserFactory.create(), purpose=MailPurpose.VERIFY_EMAIL)
        row.trace_id = "trace-of-a-test"
        row.save()
    gate = threading.Barrier(8, timeout=10)

    def send(_):
        gate.wait()
        return send_account_mails()

    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(in_own_connection(send), range(8)))

    assert sum(sent) == 16
    assert len({letter.to[0] for letter in mail.outbox}) == len(mail.outbox) == 16
