"""Cash beside payments and prizes: two people for what leaves, and never more than is there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import AuditEvent, User
from accounts.tests.factories import AdminFactory
from chitfund.db import new_id
from payments.models import (
    AccountKind,
    CashMovement,
    MovementKind,
    MovementStatus,
    Payment,
    PaymentType,
    Transfer,
    TransferKind,
)
from payments.services.cash import approve_movement, reject_movement, request_movement
from payments.tests.chits import Chit, day_after, move_to, reference, running_chit
from payments.tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

COVERS, DRAWS = MovementKind.FOREMAN_COVERS, MovementKind.FOREMAN_DRAWS
TAX, REFUND = MovementKind.TAX_PAID, MovementKind.REFUND


def after_a_draw(**terms) -> Chit:
    """Return a chit with 4,000 in cash, of which 200 are the foreman's and 36 the State's."""
    chit = running_chit(**terms)
    chit.pay_all()
    chit.hold_draw(1, winner=2, discount=600)
    return chit


def request(chit: Chit, kind: MovementKind, amount, *, by: User | None = None, **more):
    return request_movement(
        scheme_id=chit.pk,
        actor=by or chit.foreman,
        kind=kind,
        amount=Decimal(amount),
        reference=more.pop("reference", None) or reference(),
        **more,
    )


def approve(chit: Chit, movement: CashMovement, by: User) -> CashMovement:
    return approve_movement(scheme_id=chit.pk, movement_id=movement.pk, actor=by)


# -- money in --------------------------------------------------------------------------


def test_what_the_foreman_brings_is_posted_at_once():
    chit = running_chit()
    movement = request(chit, COVERS, 500, reference=" N1 ", note="short this week")
    assert (movement.status, movement.reference) == (MovementStatus.COMPLETED, "N1")
    assert (movement.requested_by, movement.decided_by) == (chit.foreman, chit.foreman)
    assert (chit.cash, chit.head(AccountKind.FOREMAN)) == (500, 500)
    transfer = Transfer.objects.get(entry=movement.entry)
    assert transfer.kind == TransferKind.FOREMAN_COVERS
    assert AuditEvent.objects.get(verb="cash.requested").details["amount"] == "500"


def test_what_the_foreman_brought_can_be_drawn_back():
    chit = running_chit()
    chit.cover(500)
    chit.move_cash(DRAWS, 500)
    assert (chit.cash, chit.head(AccountKind.FOREMAN)) == (0, 0)


# -- money out: two people -------------------------------------------------------------


def test_money_out_waits_for_a_second_person():
    chit = after_a_draw()
    movement = request(chit, DRAWS, 200)
    assert (movement.status, movement.entry) == (MovementStatus.PENDING, None)
    assert (chit.cash, chit.head(AccountKind.COMMISSION)) == (4000, 200)
    approved = approve(chit, movement, chit.asha)
    assert (approved.status, approved.decided_by) == (MovementStatus.COMPLETED, chit.asha)
    assert (chit.cash, chit.head(AccountKind.COMMISSION)) == (3800, 0)
    assert AuditEvent.objects.get(verb="cash.approved").actor == chit.asha


def test_nobody_approves_what_they_requested():
    chit = after_a_draw()
    for who in (chit.foreman, chit.asha):
        movement = request(chit, DRAWS, 10, by=who)
        with refused("forbidden") as refusal:
            approve(chit, movement, who)
        assert "second person" in refusal.value.message


def test_the_foreman_is_the_second_person_for_what_an_administrator_requested():
    chit = after_a_draw()
    movement = request(chit, TAX, 36, by=chit.asha)
    assert approve(chit, movement, chit.foreman).decided_by == chit.foreman


def test_nobody_else_is_a_second_person():
    chit, other = after_a_draw(), running_chit(2)
    movement = request(chit, DRAWS, 200)
    without_right = AdminFactory.create(is_superuser=False)
    for nobody in (other.foreman, chit.members[0], without_right):
        with refused("forbidden"):
            approve(chit, movement, nobody)
        with refused("forbidden"):
            reject_movement(scheme_id=chit.pk, movement_id=movement.pk, actor=nobody, reason="no")


def test_only_the_keeper_of_the_till_requests():
    chit, other = after_a_draw(), running_chit(2)
    without_right = AdminFactory.create(is_superuser=False)
    for nobody in (other.foreman, chit.members[0], without_right):
        with refused("not_found"):
            request(chit, DRAWS, 10, by=nobody)


def test_a_movement_is_approved_once():
    chit = after_a_draw()
    movement = chit.move_cash(DRAWS, 100)
    with refused("invalid_transition"):
        approve(chit, movement, chit.ravi)
    assert chit.cash == 3900


def test_a_second_person_rejects_and_nothing_is_posted():
    chit = after_a_draw()
    movement = chit.reject(request(chit, DRAWS, 200))
    movement.refresh_from_db()
    assert (movement.status, movement.decided_by, movement.note) == (
        MovementStatus.REJECTED,
        chit.asha,
        "not now",
    )
    assert chit.cash == 4000
    for decide in (chit.reject, lambda movement: approve(chit, movement, chit.asha)):
        with refused("invalid_transition"):
            decide(movement)


def test_who_requested_may_withdraw_it():
    chit = after_a_draw()
    movement = request(chit, DRAWS, 200)
    reject_movement(scheme_id=chit.pk, movement_id=movement.pk, actor=chit.foreman, reason="a slip")
    movement.refresh_from_db()
    assert (movement.status, movement.decided_by) == (MovementStatus.REJECTED, None)


def test_a_movement_is_found_in_its_own_scheme_only():
    chit, other = after_a_draw(), running_chit(2)
    movement = request(chit, DRAWS, 200)
    with refused("not_found"):
        approve_movement(scheme_id=other.pk, movement_id=movement.pk, actor=chit.asha)
    with refused("not_found"):
        approve_movement(scheme_id=chit.pk, movement_id=new_id(), actor=chit.asha)


def test_a_reference_is_used_once_a_kind_and_free_again_when_rejected():
    chit = after_a_draw()
    first = request(chit, DRAWS, 10, reference="R1")
    with refused("duplicate_reference"):
        request(chit, DRAWS, 20, reference=" R1 ")
    assert request(chit, TAX, 36, reference="R1").status == MovementStatus.PENDING
    chit.reject(first)
    assert request(chit, DRAWS, 20, reference="R1").status == MovementStatus.PENDING


# -- how much --------------------------------------------------------------------------


def test_the_foreman_draws_what_was_earned_and_no_paisa_more():
    chit = after_a_draw()
    with refused("not_covered") as refusal:
        request(chit, DRAWS, "200.01")
    assert "₹200" in refusal.value.message
    chit.move_cash(DRAWS, 150)
    assert (chit.head(AccountKind.COMMISSION), chit.head(AccountKind.FOREMAN)) == (0, 50)
    with refused("not_covered"):
        request(chit, DRAWS, "50.01")
    chit.move_cash(DRAWS, 50)
    assert chit.head(AccountKind.FOREMAN) == 0


def test_late_interest_is_earned_too():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    move_to(day_after(chit.draw_day(1), 20))
    chit.pay_all()
    assert chit.head(AccountKind.LATE_INTEREST) == 4 * Decimal("6.58")
    chit.move_cash(DRAWS, 200 + 4 * Decimal("6.58"))
    assert chit.head(AccountKind.LATE_INTEREST) == 0


def test_what_was_earned_can_be_drawn_only_if_the_cash_is_there():
    chit = running_chit()
    chit.pay(2, 100)
    chit.hold_draw(1, winner=2, discount=600)
    with refused("cash_shortfall") as refusal:
        request(chit, DRAWS, 200)
    assert "₹100 short" in refusal.value.message


def test_an_approval_looks_again_at_what_is_left():
    chit = after_a_draw()
    first, second = request(chit, DRAWS, 200), request(chit, DRAWS, 200)
    approve(chit, first, chit.asha)
    with refused("not_covered"):
        approve(chit, second, chit.asha)


def test_no_more_tax_is_paid_than_is_owed():
    chit = after_a_draw()
    with refused("not_covered"):
        request(chit, TAX, "36.01")
    chit.move_cash(TAX, 36)
    assert (chit.head(AccountKind.GST_PAYABLE), chit.cash) == (0, 3964)


def test_a_refund_gives_a_tickets_credit_back_oldest_first():
    chit = running_chit()
    old, new = chit.pay(2, 1300), chit.pay(2, 400)
    movement = chit.refund(2, 500)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.unallocated, new.unallocated, chit.ticket(2).advance) == (0, 200, 200)
    row = Payment.objects.get(payment_type=PaymentType.REFUND)
    assert (row.amount, row.subscriber, row.note) == (
        500,
        chit.members[1],
        f"Refund {movement.reference}",
    )
    assert (row.recorded_by, row.confirmed_by) == (chit.foreman, chit.asha)
    assert (chit.cash, chit.head(AccountKind.REFUND_PAYABLE)) == (1200, 0)


def test_no_more_is_refunded_than_the_credit():
    chit = running_chit()
    chit.pay(2, 1300)
    ticket = chit.ticket(2).pk
    with refused("not_covered") as refusal:
        request(chit, REFUND, "300.01", subscription_id=ticket)
    assert "ticket 2 is ₹300" in refusal.value.message
    with refused("not_covered"):
        request(chit, REFUND, 1, subscription_id=chit.ticket(3).pk)


def test_a_refund_that_waited_is_refused_when_the_credit_has_paid_a_due():
    chit = running_chit()
    chit.pay(2, 1300)
    movement = request(chit, REFUND, 300, subscription_id=chit.ticket(2).pk)
    chit.hold_draw(1, winner=2, discount=600)
    assert chit.ticket(2).advance == 0
    with refused("not_covered"):
        approve(chit, movement, chit.asha)


def test_a_refund_names_a_ticket_of_its_scheme_and_nothing_else_does():
    chit, other = after_a_draw(), running_chit(2)
    for ticket in (None, other.ticket(1).pk, new_id()):
        with refused("invalid", field="subscription"):
            request(chit, REFUND, 1, subscription_id=ticket)
    for kind in (COVERS, DRAWS, TAX):
        with refused("invalid", field="subscription"):
            request(chit, kind, 1, subscription_id=chit.ticket(2).pk)


def test_no_cash_moves_before_commencement():
    chit = Chit.sanctioned(tickets=2)
    with refused("wrong_state"):
        request(chit, COVERS, 100)


# -- what the database holds itself ----------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        (
            "cash_movement_out_needs_a_second_person",
            {"status": MovementStatus.REJECTED, "decided_by": F("requested_by")},
        ),
        ("cash_movement_completed_is_in_the_ledger", {"status": MovementStatus.COMPLETED}),
        ("cash_movement_refund_names_its_ticket", {"kind": REFUND}),
        ("cash_movement_is_positive", {"amount": 0}),
    ],
)
def test_the_database_refuses_what_the_services_would_not_write(rule, changes):
    movement = request(after_a_draw(), DRAWS, 200)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        CashMovement.objects.filter(pk=movement.pk).update(**changes)
