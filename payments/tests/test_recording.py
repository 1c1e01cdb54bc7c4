"""Money that comes in: whose, how much, by what, on which day, and in which order it pays."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEvent
from accounts.tests.factories import AdminFactory, UserFactory
from chitfund.business_date import IST
from chitfund.db import new_id
from notifications.models import Notification, NotificationEvent
from payments.models import Payment, PaymentMethod, PaymentStatus, TransferKind
from payments.services.recording import NEEDS_REFERENCE, Share, Slip, record_payment
from payments.tests.chits import TODAY, Chit, day_after, move_to, running_chit
from payments.tests.refusals import refused
from schemes.models import Scheme
from subscriptions.models import Subscription, SubscriptionStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]


def dues(chit: Chit, number: int) -> list[Decimal]:
    """Return what a ticket still owes month by month."""
    rows = chit.scheme.installments.filter(subscription__ticket_number=number)
    return [row.due for row in rows.order_by("number")]


def paid_by(payment: Payment) -> list[tuple[int, Decimal]]:
    rows = payment.allocations.select_related("installment").order_by("id")
    return [(row.installment.number, row.amount) for row in rows]


# -- what a payment does ---------------------------------------------------------------


def test_a_recorded_payment_pays_the_due_and_is_receipted_audited_and_told():
    chit = running_chit()
    payment = chit.pay(2, 1000, method=PaymentMethod.UPI, transaction_id=" upi77 ")

    payment.refresh_from_db()
    assert (payment.status, payment.transaction_id) == (PaymentStatus.COMPLETED, "UPI77")
    assert (payment.recorded_by, payment.confirmed_by) == (chit.foreman, chit.foreman)
    assert payment.receipt_number == "R/2025-26/000001"
    assert paid_by(payment) == [(1, 1000)]
    transfer = chit.scheme.transfers.get(entry=payment.entry)
    assert (transfer.kind, transfer.amount) == (TransferKind.PAYMENT_RECEIVED, 1000)
    assert chit.cash == 1000
    assert (chit.due(2, 1).paid_on, chit.due(2, 1).due) == (TODAY, 0)
    assert AuditEvent.objects.get(verb="payment.recorded").target_id == payment.pk
    told = Notification.objects.get(event=NotificationEvent.PAYMENT_RECEIVED)
    assert (told.recipient, told.context["receipt_number"]) == (
        chit.members[1],
        "R/2025-26/000001",
    )


def test_a_part_leaves_the_rest_owed_and_the_ticket_says_so():
    chit = running_chit()
    chit.pay(2, "400.50")
    ticket = chit.ticket(2)
    assert (ticket.outstanding, ticket.advance) == (Decimal("599.50"), 0)
    assert (ticket.next_due_number, ticket.next_due_amount) == (1, Decimal("599.50"))
    assert chit.due(2, 1).paid_on is None


def test_the_oldest_due_is_paid_first():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    payment = chit.pay(2, 1500)
    assert paid_by(payment) == [(1, 1000), (2, 500)]
    assert dues(chit, 2) == [0, 500]


def test_what_is_more_than_owed_is_an_advance_that_pays_the_next_installment():
    chit = running_chit()
    payment = chit.pay(2, 1700)
    assert (chit.ticket(2).advance, chit.ticket(2).outstanding) == (700, 0)
    chit.hold_draw(1, winner=1, discount=600)
    assert (chit.due(2, 2).dividend, chit.due(2, 2).paid, chit.due(2, 2).due) == (100, 700, 200)
    assert chit.ticket(2).advance == 0
    payment.refresh_from_db()
    assert (paid_by(payment), payment.unallocated) == ([(1, 1000), (2, 700)], 0)


def test_several_months_paid_in_advance_are_used_month_by_month():
    chit = running_chit()
    chit.pay(2, 3000)
    for month, left in ((1, 1000), (2, 0)):
        chit.pay_all()
        chit.hold_draw(month, winner=month, discount=200)
        assert chit.ticket(2).advance == left
        assert dues(chit, 2)[month] == 0


def test_an_advance_is_applied_on_the_day_its_installment_was_raised():
    chit = running_chit()
    chit.pay(2, 2000)
    chit.hold_draw(1, winner=1, discount=200)
    assert chit.due(2, 2).paid_on == chit.draw_day(1)


# -- how much --------------------------------------------------------------------------


def test_a_ticket_takes_no_more_than_it_can_ever_owe():
    chit = running_chit()
    with refused("invalid", field="amount") as refusal:
        chit.pay(2, "5000.01")
    assert "₹1,000 now and at most ₹5,000" in refusal.value.message
    chit.pay(2, 4000)
    with refused("invalid", field="amount"):
        chit.pay(2, "0.01")


def test_a_fraction_of_a_paisa_is_no_amount():
    chit = running_chit()
    with pytest.raises(ValueError, match="fraction of a paisa"):
        chit.pay(2, "10.001")
    assert not Payment.objects.exists()


# -- by what ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", sorted(NEEDS_REFERENCE))
def test_a_payment_through_a_bank_needs_its_reference(method):
    chit = running_chit()
    with refused("invalid", field="transaction_id"):
        record_payment(
            actor=chit.foreman,
            shares=[Share(chit.ticket(2).pk, Decimal(100))],
            slip=Slip(method=method, transaction_id="  "),
        )


def test_cash_needs_no_reference_and_may_come_twice():
    chit = running_chit()
    chit.pay(2, 100)
    assert chit.pay(2, 100).transaction_id == ""


def upi(chit: Chit, number: int = 2, reference: str = "UPI1", **slip) -> Payment:
    return chit.pay(number, 100, method=PaymentMethod.UPI, transaction_id=reference, **slip)


@pytest.mark.parametrize("reference", ["UPI1", "upi1", " UPI1 "])
def test_a_reference_is_recorded_once_in_the_whole_office(reference):
    chit, other = running_chit(2), running_chit(2)
    upi(chit)
    for where, number in ((chit, 2), (chit, 1), (other, 1)):
        with refused("duplicate_reference"):
            upi(where, number, reference)


def test_a_reference_that_waits_is_taken_too():
    chit = running_chit()
    upi(chit, by=chit.members[1])
    with refused("duplicate_reference"):
        upi(chit)


def test_a_reference_is_free_again_when_its_payment_failed():
    chit = running_chit()
    chit.fail(upi(chit, by=chit.members[1]))
    assert upi(chit).status == PaymentStatus.COMPLETED


def test_a_reference_is_free_again_when_its_payment_was_reversed():
    chit = running_chit()
    chit.reverse(upi(chit))
    assert upi(chit, 3).status == PaymentStatus.COMPLETED
    with refused("duplicate_reference"):
        upi(chit)


def test_two_banks_may_number_their_cheques_alike_but_not_for_one_ticket():
    chit = running_chit()

    def cheque(number: int) -> Payment:
        return chit.pay(number, 100, method=PaymentMethod.CHEQUE, transaction_id="000123")

    cheque(2)
    assert cheque(3).status == PaymentStatus.PENDING
    with refused("duplicate_reference"):
        cheque(2)


def test_the_database_refuses_a_second_payment_with_a_reference():
    chit = running_chit()
    payment = upi(chit)
    again = Payment.objects.get(pk=payment.pk)
    again.pk, again.receipt_number = new_id(), ""
    again._state.adding = True
    with (
        pytest.raises(IntegrityError, match="payment_reference_is_used_once"),
        transaction.atomic(),
    ):
        again.save()


# -- on which day ----------------------------------------------------------------------


def test_no_payment_is_dated_in_the_future():
    chit = running_chit()
    with refused("invalid", field="payment_date"):
        chit.pay(2, 100, on=day_after(TODAY))
    assert chit.pay(2, 100, on=TODAY).status == PaymentStatus.COMPLETED


def test_no_payment_is_dated_before_its_ticket_was_taken():
    chit = running_chit()
    with refused("invalid", field="payment_date"):
        chit.pay(2, 100, on=day_after(TODAY, -1))


def test_the_day_of_a_payment_is_the_day_in_india():
    """Midnight in Kolkata is half past six in the evening in Greenwich."""
    chit = running_chit()
    evening = datetime.combine(TODAY, time(23, 59), tzinfo=IST)
    midnight = datetime.combine(day_after(TODAY), time(0, 0), tzinfo=IST)
    with refused("invalid", field="payment_date"):
        pay_at(chit, midnight)
    assert pay_at(chit, evening).allocations.get().applied_on == TODAY


def pay_at(chit: Chit, moment: datetime) -> Payment:
    shares = [Share(chit.ticket(2).pk, Decimal(100))]
    slip = Slip(method=PaymentMethod.CASH, payment_date=moment)
    return record_payment(actor=chit.foreman, shares=shares, slip=slip)[0]


# -- whose -----------------------------------------------------------------------------


def test_the_foreman_and_an_administrator_with_the_right_record():
    chit = running_chit()
    assert chit.pay(2, 100, by=chit.asha).status == PaymentStatus.COMPLETED


@pytest.mark.parametrize("who", ["another member", "an administrator without the right"])
def test_nobody_else_pays_for_a_ticket(who):
    chit, other = running_chit(), running_chit(2)
    actor = {
        "another member": chit.members[2],
        "an administrator without the right": AdminFactory.create(is_superuser=False),
    }[who]
    for payer in (actor, other.foreman):
        with refused("not_found"):
            chit.pay(2, 100, by=payer)


def test_a_ticket_that_does_not_exist_is_not_found():
    chit = running_chit()
    with refused("not_found"):
        record_payment(
            actor=chit.foreman,
            shares=[Share(new_id(), Decimal(100))],
            slip=Slip(method=PaymentMethod.CASH),
        )


def test_no_money_is_taken_before_commencement():
    chit = Chit.sanctioned(tickets=2)
    chit.enrol(1)
    with refused("wrong_state") as refusal:
        chit.pay(1, 100)
    assert "has not commenced" in refusal.value.message


def test_a_ticket_in_default_may_pay_and_one_that_was_given_up_not():
    chit = running_chit()
    pay = {"method": PaymentMethod.CASH}
    ticket = Subscription.objects.filter(pk=chit.ticket(2).pk)
    ticket.update(status=SubscriptionStatus.DEFAULTED)
    assert chit.pay(2, 100, **pay).status == PaymentStatus.COMPLETED
    ticket.update(status=SubscriptionStatus.TRANSFERRED)
    Scheme.objects.filter(pk=chit.pk).update(current_subscribers=3)
    with refused("wrong_state"):
        record_payment(
            actor=chit.foreman,
            shares=[Share(ticket.get().pk, Decimal(100))],
            slip=Slip(**pay),
        )


# -- one transfer for several tickets --------------------------------------------------


def test_one_transfer_pays_several_tickets_each_with_a_receipt():
    chit = running_chit()
    first, second = chit.split({2: 300, 3: 700}, method=PaymentMethod.NEFT, transaction_id="N1")
    assert (first.amount, second.amount) == (300, 700)
    assert (first.split_of, second.split_of) == (None, first)
    assert first.transaction_id == second.transaction_id == "N1"
    assert first.receipt_number != second.receipt_number
    assert (chit.ticket(2).outstanding, chit.ticket(3).outstanding) == (700, 300)


def test_of_a_split_all_or_nothing_is_recorded():
    chit = running_chit()
    with refused("invalid", field="amount"):
        chit.split({2: 300, 3: 70000})


def test_a_split_names_each_ticket_once_and_only_own_ones():
    chit, other = running_chit(), running_chit(2)
    twice = [Share(chit.ticket(2).pk, Decimal(1))] * 2
    with refused("invalid", field="split"):
        record_payment(actor=chit.foreman, shares=twice, slip=Slip(method=PaymentMethod.CASH))
    with refused("not_found"):
        record_payment(
            actor=chit.foreman,
            shares=[Share(chit.ticket(2).pk, Decimal(1)), Share(other.ticket(1).pk, Decimal(1))],
            slip=Slip(method=PaymentMethod.CASH),
        )


def test_the_reference_of_a_split_stays_taken_while_a_part_of_it_stands():
    chit = running_chit()
    parts = chit.split({2: 300, 3: 700}, method=PaymentMethod.NEFT, transaction_id="N1")
    chit.reverse(parts[0])
    with refused("duplicate_reference"):
        chit.pay(2, 300, method=PaymentMethod.NEFT, transaction_id="N1")
    chit.reverse(parts[1])
    assert chit.pay(2, 300, method=PaymentMethod.NEFT, transaction_id="N1").receipt_number


def test_a_split_may_be_recorded_for_one_chit_and_declared_for_another():
    """A foreman keeps the till of the own chit, and is a member like others elsewhere."""
    own = running_chit(2)
    other = Chit.sanctioned(tickets=2)
    other.enrol(1, own.foreman)
    other.enrol(2)
    other.commence()
    payments = record_payment(
        actor=own.foreman,
        shares=[Share(own.ticket(1).pk, Decimal(100)), Share(other.ticket(1).pk, Decimal(200))],
        slip=Slip(method=PaymentMethod.UPI, transaction_id="U1"),
    )
    assert {payment.scheme_id: payment.status for payment in payments} == {
        own.pk: PaymentStatus.COMPLETED,
        other.pk: PaymentStatus.PENDING,
    }


# -- receipts --------------------------------------------------------------------------


def receipts(foreman) -> list[str]:
    rows = Payment.objects.filter(scheme__foreman=foreman).exclude(receipt_number="")
    return [row.receipt_number for row in rows.order_by("id")]


def test_receipts_run_without_gaps_per_foreman():
    chit, other = running_chit(2), running_chit(2)
    for number in (1, 2):
        chit.pay(number, 10)
        other.pay(number, 10)
    chit.pay(1, 10, method=PaymentMethod.CHEQUE)
    chit.pay(1, 10)
    assert receipts(chit.foreman) == [f"R/2025-26/{number:06d}" for number in (1, 2, 3)]
    assert receipts(other.foreman) == [f"R/2025-26/{number:06d}" for number in (1, 2)]


def test_receipts_begin_anew_on_the_first_of_april_whatever_day_the_payment_has():
    chit = running_chit(2, today=date(2026, 3, 31), auction_day=20)
    chit.pay(1, 10)
    move_to(date(2026, 4, 1))
    chit.pay(1, 10, on=date(2026, 3, 31))
    chit.pay(1, 10)
    assert receipts(chit.foreman) == [
        "R/2025-26/000001",
        "R/2026-27/000001",
        "R/2026-27/000002",
    ]


def test_a_payment_that_is_rolled_back_gives_its_number_back():
    chit = running_chit()
    chit.pay(1, 10)
    with transaction.atomic():
        assert chit.pay(2, 10).receipt_number == "R/2025-26/000002"
        transaction.set_rollback(True)
    with refused("invalid"):
        chit.split({2: 10, 3: 70000})
    chit.pay(3, 10)
    assert receipts(chit.foreman) == ["R/2025-26/000001", "R/2025-26/000002"]


def test_the_same_receipt_number_is_refused_by_the_database():
    chit = running_chit()
    payment = chit.pay(1, 10)
    again = Payment.objects.get(pk=payment.pk)
    again.pk = new_id()
    again._state.adding = True
    with (
        pytest.raises(IntegrityError, match="payment_receipt_number_is_unique"),
        transaction.atomic(),
    ):
        again.save()


def test_strangers_exist_and_are_told_nothing():
    chit = running_chit()
    with refused("not_found") as refusal:
        chit.pay(2, 100, by=UserFactory.create(kyc_verified=True))
    assert "Lakshmi" not in refusal.value.message
