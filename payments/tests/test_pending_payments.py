"""Payments that wait: cheques, and what a payer declares; confirmed, failed, annotated."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from accounts.models import AuditEvent
from accounts.tests.factories import AdminFactory
from chitfund.business_date import IST
from chitfund.db import new_id
from notifications.models import Notification, NotificationEvent
from payments.models import Payment, PaymentMethod, PaymentStatus, Transfer
from payments.services.recording import annotate_payment, confirm_payment, fail_payment
from payments.tests.chits import Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]


def cheque(chit: Chit, number: int = 2, amount: int = 1000) -> Payment:
    return chit.pay(number, amount, method=PaymentMethod.CHEQUE, transaction_id="000123")


def declared(chit: Chit, number: int = 2, amount: int = 1000) -> Payment:
    member = chit.members[number - 1]
    return chit.pay(number, amount, method=PaymentMethod.UPI, transaction_id="U1", by=member)


@pytest.mark.parametrize("make", [cheque, declared])
def test_what_waits_pays_nothing_and_has_no_receipt(make):
    chit = running_chit()
    transfers = Transfer.objects.count()
    payment = make(chit)
    assert (payment.status, payment.receipt_number) == (PaymentStatus.PENDING, "")
    assert (payment.entry, payment.unallocated) == (None, 0)
    assert (chit.ticket(2).outstanding, chit.ticket(2).advance) == (1000, 0)
    assert Transfer.objects.count() == transfers
    assert not Notification.objects.filter(event=NotificationEvent.PAYMENT_RECEIVED).exists()


def test_a_declaration_is_audited_as_one():
    chit = running_chit()
    payment = declared(chit)
    event = AuditEvent.objects.get(verb="payment.declared")
    assert (event.actor, event.target_id) == (chit.members[1], payment.pk)
    assert payment.recorded_by == chit.members[1]


@pytest.mark.parametrize("make", [cheque, declared])
def test_confirmed_it_pays_and_is_receipted(make):
    chit = running_chit()
    payment = chit.confirm(make(chit))
    payment.refresh_from_db()
    assert (payment.status, payment.confirmed_by) == (PaymentStatus.COMPLETED, chit.foreman)
    assert payment.receipt_number == "R/2025-26/000001"
    assert (chit.cash, chit.ticket(2).outstanding) == (1000, 0)
    assert AuditEvent.objects.get(verb="payment.confirmed").target_id == payment.pk
    assert Notification.objects.filter(event=NotificationEvent.PAYMENT_RECEIVED).count() == 1


def test_a_cleared_cheque_counts_from_the_day_it_was_given():
    chit = running_chit()
    move_to(chit.draw_day(1))
    payment = cheque(chit)
    move_to(day_after(chit.draw_day(1), 20))
    chit.confirm(payment)
    assert (chit.due(2, 1).paid_on, chit.due(2, 1).late_interest) == (chit.draw_day(1), 0)


@pytest.mark.parametrize("make", [cheque, declared])
def test_a_payment_that_failed_pays_nothing(make):
    chit = running_chit()
    payment = chit.fail(make(chit))
    payment.refresh_from_db()
    assert (payment.status, payment.note) == (PaymentStatus.FAILED, "bounced")
    assert (chit.cash, chit.ticket(2).outstanding) == (0, 1000)
    assert AuditEvent.objects.get(verb="payment.failed").actor == chit.foreman


def test_a_note_stays_where_the_failure_brings_none():
    chit = running_chit()
    payment = declared(chit)
    annotate_payment(payment_id=payment.pk, actor=chit.members[1], note="from my wife's account")
    fail_payment(payment_id=payment.pk, actor=chit.foreman, note="")
    payment.refresh_from_db()
    assert payment.note == "from my wife's account"


def test_only_the_keeper_of_the_till_confirms_or_fails():
    chit, other = running_chit(), running_chit(2)
    payment = declared(chit)
    without_right = AdminFactory.create(is_superuser=False)
    for nobody in (chit.members[1], chit.members[2], other.foreman, without_right):
        with refused("forbidden"):
            confirm_payment(payment_id=payment.pk, actor=nobody)
        with refused("forbidden"):
            fail_payment(payment_id=payment.pk, actor=nobody, note="no")
    assert confirm_payment(payment_id=payment.pk, actor=chit.asha).confirmed_by == chit.asha


@pytest.mark.parametrize("decide", ["confirm", "fail"])
@pytest.mark.parametrize("decided", ["confirm", "fail"])
def test_a_payment_is_decided_once(decided, decide):
    chit = running_chit()
    payment = declared(chit)
    getattr(chit, decided)(payment)
    with refused("wrong_state"):
        getattr(chit, decide)(payment)


def test_a_payment_that_does_not_exist_is_not_found():
    chit = running_chit()
    with refused("not_found"):
        confirm_payment(payment_id=new_id(), actor=chit.foreman)


def test_the_payer_corrects_the_reference_as_long_as_it_waits():
    chit = running_chit()
    payment, payer = declared(chit), chit.members[1]
    annotate_payment(payment_id=payment.pk, actor=payer, transaction_id=" u2 ")
    payment.refresh_from_db()
    assert payment.transaction_id == "U2"
    chit.confirm(payment)
    with refused("wrong_state"):
        annotate_payment(payment_id=payment.pk, actor=payer, transaction_id="U3")


def test_a_corrected_reference_must_not_be_known():
    chit = running_chit()
    chit.pay(3, 100, method=PaymentMethod.UPI, transaction_id="U9")
    payment = declared(chit)
    with refused("duplicate_reference"):
        annotate_payment(payment_id=payment.pk, actor=chit.foreman, transaction_id="u9")


def test_the_keeper_of_the_till_corrects_the_day_and_the_payer_does_not():
    """The day decides about interest, so who declares has not the last word on it."""
    chit = running_chit()
    move_to(chit.draw_day(1))
    payment = declared(chit)
    arrived = datetime.combine(day_after(chit.draw_day(1), -2), time(12), tzinfo=IST)
    with refused("forbidden"):
        annotate_payment(payment_id=payment.pk, actor=chit.members[1], payment_date=arrived)
    annotate_payment(payment_id=payment.pk, actor=chit.foreman, payment_date=arrived)
    payment.refresh_from_db()
    assert payment.payment_date == arrived
    chit.confirm(payment)
    assert chit.due(2, 1).paid_on == day_after(chit.draw_day(1), -2)
    with refused("wrong_state"):
        annotate_payment(
            payment_id=payment.pk, actor=chit.foreman, payment_date=arrived + timedelta(days=1)
        )


@pytest.mark.parametrize("days", [1, -6])
def test_a_corrected_day_is_neither_in_the_future_nor_before_the_ticket(days):
    chit = running_chit()
    move_to(chit.draw_day(1))
    payment = declared(chit)
    wrong = datetime.combine(day_after(chit.draw_day(1), days), time(12), tzinfo=IST)
    with refused("invalid", field="payment_date"):
        annotate_payment(payment_id=payment.pk, actor=chit.foreman, payment_date=wrong)


def test_the_note_of_a_decided_payment_may_change_and_nothing_else_does():
    chit = running_chit()
    payment = chit.pay(2, 1000)
    before = Payment.objects.filter(pk=payment.pk).values().get()
    annotate_payment(payment_id=payment.pk, actor=chit.foreman, note="paid by her brother")
    after = Payment.objects.filter(pk=payment.pk).values().get()
    assert after == before | {"note": "paid by her brother"}
    assert AuditEvent.objects.filter(verb="payment.annotated").count() == 1


def test_nobody_annotates_a_payment_that_is_not_theirs():
    chit = running_chit()
    payment = chit.pay(2, 1000)
    for nobody in (chit.members[1], chit.members[2]):
        with refused("forbidden"):
            annotate_payment(payment_id=payment.pk, actor=nobody, note="mine")


def test_what_waits_when_the_books_close_can_fail_and_not_be_confirmed():
    chit = running_chit(2)
    payment = declared(chit, 1, 10)
    chit.play_to_the_end()
    assert chit.scheme.status == "COMPLETED"
    with refused("wrong_state"):
        chit.confirm(payment)
    assert chit.fail(payment).status == PaymentStatus.FAILED
