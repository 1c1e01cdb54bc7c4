"""Undoing a payment: what it paid is open again, and when it cannot be undone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import AuditEvent
from accounts.tests.factories import AdminFactory
from chitfund.db import new_id
from notifications.models import Notification, NotificationEvent
from payments.models import (
    AccountKind,
    MovementKind,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PaymentType,
    Transfer,
    TransferKind,
)
from payments.services.reversal import reverse_payment
from payments.tests.chits import TODAY, Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]


def after_the_last_draw() -> Chit:
    """Return a chit whose ticket 1 owes month 2, the last one, and nothing else."""
    chit = running_chit(2)
    chit.pay_all()
    chit.hold_draw(1, winner=1, discount=100)
    chit.pay(2)
    chit.hold_draw(2)
    return chit


def late(chit: Chit, days: int) -> None:
    """Make it so many days after the draw of month 2."""
    move_to(day_after(chit.draw_day(2), days))


# -- what comes back -------------------------------------------------------------------


def test_a_reversal_opens_what_the_payment_paid_and_says_who_and_why():
    chit = running_chit()
    payment = chit.pay(2, 1000, method=PaymentMethod.UPI)
    mirror = chit.reverse(payment)

    payment.refresh_from_db()
    assert payment.reversed_at is not None
    assert payment.status == PaymentStatus.COMPLETED, "a completed payment is never edited"
    assert (mirror.reverses, mirror.amount, mirror.method) == (payment, 1000, PaymentMethod.UPI)
    assert (mirror.receipt_number, mirror.transaction_id) == ("", "")
    assert (mirror.recorded_by, mirror.note) == (chit.foreman, "a mistake")
    assert (chit.due(2, 1).due, chit.due(2, 1).paid_on) == (1000, None)
    assert (chit.ticket(2).outstanding, chit.ticket(2).oldest_unpaid_due_on) == (
        1000,
        chit.draw_day(1),
    )
    assert chit.cash == 0
    event = AuditEvent.objects.get(verb="payment.reversed")
    assert (event.target_id, event.details["reason"]) == (payment.pk, "a mistake")
    told = Notification.objects.get(event=NotificationEvent.PAYMENT_REVERSED)
    assert (told.recipient, told.context["amount"]) == (chit.members[1], "1000.00")


def test_every_transfer_of_the_payment_is_mirrored_once():
    chit = running_chit()
    payment = chit.pay(2, 1000)
    mirror = chit.reverse(payment)
    original = Transfer.objects.get(entry=payment.entry)
    mirrored = Transfer.objects.get(entry=mirror.entry)
    assert (mirrored.kind, mirrored.reverses) == (TransferKind.REVERSAL, original)
    assert mirrored.debit_account == original.credit_account
    assert mirrored.credit_account == original.debit_account


def test_an_advance_is_taken_back_with_the_dues_that_it_paid():
    chit = running_chit()
    payment = chit.pay(2, 2500)
    chit.hold_draw(1, winner=1, discount=600)
    assert (chit.due(2, 2).paid, chit.ticket(2).advance) == (900, 600)
    chit.reverse(payment)
    assert [chit.due(2, month).due for month in (1, 2)] == [1000, 900]
    assert (chit.ticket(2).outstanding, chit.ticket(2).advance) == (1900, 0)


def test_money_that_is_free_then_takes_the_place_of_what_was_reversed():
    chit = running_chit()
    first = chit.pay(2, 1000)
    second = chit.pay(2, 700)
    chit.reverse(first)
    assert (chit.due(2, 1).paid, chit.ticket(2).advance) == (700, 0)
    second.refresh_from_db()
    assert second.unallocated == 0


def test_the_dividend_of_a_month_stays_where_it_is():
    chit = running_chit(dividend_timing="SAME")
    payment = chit.pay(2, 1000)
    chit.hold_draw(1, winner=1, discount=600)
    chit.reverse(payment)
    assert (chit.due(2, 1).dividend, chit.due(2, 1).due) == (100, 900)
    assert chit.due(2, 2).due == 1000


# -- interest --------------------------------------------------------------------------


def test_the_interest_that_it_brought_is_taken_back():
    chit = after_the_last_draw()
    late(chit, 20)
    payment = chit.pay(1, 1000)
    assert chit.head(AccountKind.LATE_INTEREST) == Decimal("6.58")
    mirror = chit.reverse(payment)
    assert (chit.due(1, 2).late_interest, chit.ticket(1).outstanding) == (0, 1000)
    assert chit.head(AccountKind.LATE_INTEREST) == 0
    assert Transfer.objects.filter(entry=mirror.entry).count() == 2


def test_the_penalty_that_the_member_saw_is_taken_back_with_it():
    chit = after_the_last_draw()
    late(chit, 20)
    chit.reverse(chit.pay(1, 1000))
    charged, back = Payment.objects.filter(payment_type=PaymentType.PENALTY).order_by("id")
    assert charged.reversed_at is not None
    assert (back.reverses, back.amount) == (charged, Decimal("6.58"))


def test_interest_that_somebody_paid_comes_free_when_its_cause_is_reversed():
    chit = after_the_last_draw()
    late(chit, 20)
    payment = chit.pay(1, 1000)
    chit.pay(1)
    chit.reverse(payment)
    due = chit.due(1, 2)
    assert (due.late_interest, due.late_interest_paid, due.paid) == (0, 0, Decimal("6.58"))
    assert chit.ticket(1).outstanding == 1000 - Decimal("6.58")


def test_interest_is_open_again_when_the_payment_that_paid_it_is_reversed():
    chit = after_the_last_draw()
    late(chit, 20)
    chit.pay(1, 1000)
    payment = chit.pay(1)
    assert payment.amount == Decimal("6.58")
    chit.reverse(payment)
    due = chit.due(1, 2)
    assert (due.due, due.late_interest, due.late_interest_paid) == (0, Decimal("6.58"), 0)
    assert chit.ticket(1).outstanding == Decimal("6.58")


def test_one_payment_that_paid_a_due_and_its_interest_gives_both_back():
    chit = after_the_last_draw()
    late(chit, 20)
    payment = chit.pay(1, 1500)
    assert chit.ticket(1).advance == 500 - Decimal("6.58")
    chit.reverse(payment)
    due = chit.due(1, 2)
    assert (due.due, due.late_interest, due.late_interest_paid) == (1000, 0, 0)
    assert (chit.ticket(1).outstanding, chit.ticket(1).advance) == (1000, 0)


def test_paid_again_later_the_due_bears_the_interest_of_its_real_days():
    chit = after_the_last_draw()
    late(chit, 20)
    chit.reverse(chit.pay(1, 1000))
    late(chit, 30)
    chit.pay(1, 1000)
    assert chit.due(1, 2).late_interest == Decimal("9.86")
    assert chit.head(AccountKind.LATE_INTEREST) == Decimal("9.86")


def test_when_a_part_is_reversed_only_the_missing_interest_is_asked_for_later():
    chit = after_the_last_draw()
    late(chit, 10)
    first = chit.pay(1, 400)
    late(chit, 20)
    chit.pay(1, 600)
    assert chit.due(1, 2).late_interest == Decimal("5.26")
    chit.reverse(first)
    assert (chit.due(1, 2).due, chit.due(1, 2).late_interest) == (400, Decimal("5.26"))
    late(chit, 30)
    chit.pay(1, 400)
    assert chit.due(1, 2).late_interest == Decimal("7.89"), "600 for 20 days and 400 for 30"


def test_a_forfeited_dividend_stays_forfeited():
    chit = running_chit(late_dividend="FORFEIT")
    chit.hold_draw(1, winner=1, discount=600)
    chit.pay(2)
    chit.hold_draw(2)
    late(chit, 4)
    payment = chit.pay(3, 1900)
    assert chit.due(3, 2).is_dividend_forfeited
    chit.reverse(payment)
    assert (chit.due(3, 2).dividend, chit.due(3, 2).due) == (0, 1000)
    assert chit.head(AccountKind.FORFEITED_DIVIDEND) == 100


# -- when it cannot be undone ----------------------------------------------------------


def test_a_payment_is_reversed_once():
    chit = running_chit()
    chit.pay(3, 1000)
    payment = chit.pay(2, 1000)
    chit.reverse(payment)
    with refused("already_reversed"):
        chit.reverse(payment)


def test_a_reversal_is_not_reversed():
    chit = running_chit()
    chit.pay(3, 1000)
    mirror = chit.reverse(chit.pay(2, 1000))
    with refused("wrong_state"):
        chit.reverse(mirror)


@pytest.mark.parametrize("decide", [None, "fail"])
def test_only_a_completed_payment_is_reversed(decide):
    chit = running_chit()
    chit.pay(3, 1000)
    payment = chit.pay(2, 1000, method=PaymentMethod.CHEQUE)
    if decide:
        getattr(chit, decide)(payment)
    with refused("wrong_state"):
        chit.reverse(payment)


@pytest.mark.parametrize(
    "kind",
    [PaymentType.DIVIDEND, PaymentType.PENALTY, PaymentType.PRIZE, PaymentType.REFUND],
)
def test_only_money_that_was_received_is_reversed(kind):
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=600)
    move_to(day_after(chit.draw_day(1), 20))
    chit.pay_all()
    chit.pay(3, 1200)
    chit.pay_out(1)
    chit.refund(3)
    with refused("wrong_state"):
        chit.reverse(Payment.objects.filter(payment_type=kind).first())


def test_what_was_refunded_cannot_be_taken_back():
    chit = running_chit()
    payment = chit.pay(2, 1500)
    chit.refund(2, 100)
    chit.pay(3, 1000)
    with refused("wrong_state") as refusal:
        chit.reverse(payment)
    assert "₹100 of this payment was refunded" in refusal.value.message


def test_what_has_left_the_till_cannot_be_given_back_and_the_shortfall_is_told():
    chit = running_chit()
    chit.pay_all()
    payment = Payment.objects.filter(subscription=chit.ticket(2)).first()
    chit.hold_draw(1, winner=1, discount=600)
    chit.pay_out(1)
    with refused("cash_shortfall") as refusal:
        chit.reverse(payment)
    assert "₹364 short" in refusal.value.message, "1,000 are asked and 636 are there"
    chit.move_cash(MovementKind.FOREMAN_COVERS, 364)
    assert chit.reverse(payment).amount == 1000
    assert chit.cash == 0


def test_only_the_keeper_of_the_till_reverses():
    chit, other = running_chit(), running_chit(2)
    payment = chit.pay(2, 1000)
    without_right = AdminFactory.create(is_superuser=False)
    for nobody in (chit.members[1], other.foreman, without_right):
        with refused("forbidden"):
            reverse_payment(payment_id=payment.pk, actor=nobody, reason="mine")
    assert reverse_payment(payment_id=payment.pk, actor=chit.asha, reason="seen").amount == 1000


def test_a_payment_that_does_not_exist_is_not_found():
    chit = running_chit()
    with refused("not_found"):
        reverse_payment(payment_id=new_id(), actor=chit.foreman, reason="what")


def test_nothing_is_reversed_in_closed_books():
    chit = running_chit(2)
    payment = chit.pay(1, 10)
    chit.play_to_the_end()
    with refused("wrong_state") as refusal:
        chit.reverse(payment)
    assert "are closed" in refusal.value.message


def test_a_payment_of_today_counts_as_if_it_had_never_been():
    chit = running_chit()
    untouched = {
        name: getattr(chit.ticket(2), name)
        for name in ("outstanding", "advance", "oldest_unpaid_due_on", "next_due_amount")
    }
    chit.reverse(chit.pay(2, 1700, on=TODAY))
    ticket = chit.ticket(2)
    assert {name: getattr(ticket, name) for name in untouched} == untouched
