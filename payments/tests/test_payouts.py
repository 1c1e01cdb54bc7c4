"""The prize on its way to the winner: four eyes, and no more cash than there is (s.22)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import AuditEvent, Role, User
from accounts.tests.factories import AdminFactory
from chitfund.db import new_id
from notifications.models import Notification, NotificationEvent
from payments.models import (
    AccountKind,
    Payment,
    PaymentMethod,
    PaymentStatus,
    PaymentType,
    PayoutStatus,
    PrizePayout,
    Transfer,
    TransferKind,
)
from payments.services.payouts import approve_payout, pay_payout
from payments.tests.chits import Chit, running_chit
from payments.tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

# Everybody has paid 1,000; ticket 2 has won at 600: 3,400 less 36 of GST.


def with_a_prize(**terms) -> Chit:
    chit = running_chit(**terms)
    chit.pay_all()
    chit.hold_draw(1, winner=2, discount=600)
    return chit


def approve(chit: Chit, actor: User, security: str = "Two sureties") -> PrizePayout:
    return approve_payout(payout_id=chit.payout(1).pk, actor=actor, security=security)


def pay(
    chit: Chit, actor: User, method: PaymentMethod = PaymentMethod.CASH, reference: str = ""
) -> PrizePayout:
    return pay_payout(payout_id=chit.payout(1).pk, actor=actor, method=method, reference=reference)


# -- approving -------------------------------------------------------------------------


def test_an_approval_keeps_who_when_and_which_security():
    chit = with_a_prize()
    approve_payout(
        payout_id=chit.payout(1).pk, actor=chit.asha, security=" Gold, 20 g ", comment="seen"
    )
    payout = chit.payout(1)
    assert (payout.status, payout.approved_by) == (PayoutStatus.APPROVED, chit.asha)
    assert (payout.security, payout.comment) == ("Gold, 20 g", "seen")
    assert payout.approved_at.date() == chit.draw_day(1)
    assert AuditEvent.objects.get(verb="payout.approved").actor == chit.asha
    assert chit.head(AccountKind.PRIZE_PAYABLE) == 3364, "approving moves no money"


@pytest.mark.parametrize("security", ["", "   "])
def test_an_approval_says_which_security_was_taken(security):
    chit = with_a_prize()
    with refused("invalid", field="security"):
        approve(chit, chit.asha, security)


def test_only_an_administrator_with_the_right_approves():
    chit = with_a_prize()
    for nobody in (chit.foreman, chit.members[0], AdminFactory.create(is_superuser=False)):
        with refused("forbidden"):
            approve(chit, nobody)


def test_nobody_approves_their_own_prize():
    chit = with_a_prize()
    User.objects.filter(pk=chit.members[1].pk).update(role=Role.ADMIN, is_superuser=True)
    with refused("forbidden") as refusal:
        approve(chit, User.objects.get(pk=chit.members[1].pk))
    assert "their own prize" in refusal.value.message


def test_a_prize_is_approved_once():
    chit = with_a_prize()
    approve(chit, chit.asha)
    with refused("invalid_transition"):
        approve(chit, chit.ravi)


def test_a_prize_that_does_not_exist_is_not_found():
    chit = with_a_prize()
    with refused("not_found"):
        approve_payout(payout_id=new_id(), actor=chit.asha, security="none")


# -- paying ----------------------------------------------------------------------------


def test_a_prize_is_paid_out_of_the_till_and_everybody_can_see_it():
    chit = with_a_prize()
    approve(chit, chit.asha)
    payout = pay(chit, chit.foreman, PaymentMethod.NEFT, " utr1 ")

    assert (payout.status, payout.paid_by, payout.reference) == (
        PayoutStatus.PAID,
        chit.foreman,
        "UTR1",
    )
    row = Payment.objects.get(payment_type=PaymentType.PRIZE)
    assert payout.payment == row
    assert (row.amount, row.subscriber, row.status) == (
        3364,
        chit.members[1],
        PaymentStatus.COMPLETED,
    )
    assert (row.method, row.transaction_id) == (PaymentMethod.NEFT, "UTR1")
    assert (row.recorded_by, row.confirmed_by) == (chit.foreman, chit.asha)
    transfer = Transfer.objects.get(kind=TransferKind.PRIZE_PAID)
    assert (transfer.amount, transfer.installment_number) == (3364, 1)
    assert (chit.cash, chit.head(AccountKind.PRIZE_PAYABLE)) == (636, 0)
    assert AuditEvent.objects.get(verb="payout.paid").actor == chit.foreman
    told = Notification.objects.get(event=NotificationEvent.PRIZE_PAID)
    assert (told.recipient, told.context["reference"]) == (chit.members[1], "UTR1")


def test_a_prize_is_not_paid_before_it_is_approved():
    chit = with_a_prize()
    with refused("invalid_transition"):
        pay(chit, chit.foreman)


def test_a_prize_is_paid_once():
    chit = with_a_prize()
    approve(chit, chit.asha)
    pay(chit, chit.foreman)
    with refused("invalid_transition"):
        pay(chit, chit.foreman)


def test_who_approved_does_not_pay_and_a_second_administrator_may():
    chit = with_a_prize()
    approve(chit, chit.asha)
    with refused("forbidden") as refusal:
        pay(chit, chit.asha)
    assert "second person" in refusal.value.message
    assert pay(chit, chit.ravi).paid_by == chit.ravi


def test_nobody_else_pays():
    chit, other = with_a_prize(), running_chit(2)
    approve(chit, chit.asha)
    without_right = AdminFactory.create(is_superuser=False)
    for nobody in (other.foreman, chit.members[1], without_right):
        with refused("forbidden"):
            pay(chit, nobody)


def test_a_transfer_needs_its_reference():
    chit = with_a_prize()
    approve(chit, chit.asha)
    with refused("invalid", field="reference"):
        pay(chit, chit.foreman, PaymentMethod.RTGS, " ")


def test_a_reference_that_a_payment_has_is_not_the_prizes():
    chit = running_chit()
    chit.pay(1, 1000, method=PaymentMethod.UPI, transaction_id="U1")
    for number in (2, 3, 4):
        chit.pay(number)
    chit.hold_draw(1, winner=2, discount=600)
    approve(chit, chit.asha)
    with refused("duplicate_reference"):
        pay(chit, chit.foreman, PaymentMethod.UPI, "u1")


def test_without_the_cash_the_shortfall_is_told_until_it_is_covered():
    chit = running_chit()
    for number in (1, 2, 3):
        chit.pay(number, 1000)
    chit.hold_draw(1, winner=2, discount=600)
    approve(chit, chit.asha)
    with refused("cash_shortfall") as refusal:
        pay(chit, chit.foreman)
    assert "needs ₹3,364 and the chit holds ₹3,000: ₹364 short" in refusal.value.message
    chit.cover(Decimal("363.99"))
    with refused("cash_shortfall"):
        pay(chit, chit.foreman)
    chit.cover("0.01")
    assert pay(chit, chit.foreman).status == PayoutStatus.PAID
    assert chit.cash == 0


def test_the_foremans_prize_is_approved_and_paid_like_any_other():
    chit = running_chit(foreman_installment=1)
    chit.pay_all()
    chit.hold_draw(1)
    with refused("forbidden"):
        approve(chit, chit.foreman)
    approve(chit, chit.asha)
    assert pay(chit, chit.foreman).net_amount == 4000


# -- what the database holds itself ----------------------------------------------------


def refused_by_the_database(payout: PrizePayout, rule: str, **changes) -> None:
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        PrizePayout.objects.filter(pk=payout.pk).update(**changes)


def test_the_database_knows_that_the_payee_does_not_approve():
    payout = with_a_prize().payout(1)
    refused_by_the_database(
        payout,
        "prize_payout_not_approved_by_payee",
        status=PayoutStatus.APPROVED,
        approved_by=F("payee"),
    )
    refused_by_the_database(
        payout, "prize_payout_not_approved_by_payee", status=PayoutStatus.APPROVED
    )


def test_the_database_knows_that_the_approver_does_not_pay():
    chit = with_a_prize()
    payout = approve(chit, chit.asha)
    paid = {"status": PayoutStatus.PAID, "paid_at": timezone.now()}
    rule = "prize_payout_not_paid_by_approver"
    refused_by_the_database(payout, rule, paid_by=chit.asha, **paid)
    refused_by_the_database(payout, rule, **paid)


def test_the_database_knows_what_is_left_of_a_prize():
    payout = with_a_prize().payout(1)
    rule = "prize_payout_net_is_prize_less_deductions"
    refused_by_the_database(payout, rule, net_amount=F("net_amount") + 1)
    refused_by_the_database(payout, rule, set_off=-1, net_amount=F("net_amount") + 1)


def test_the_database_knows_one_prize_a_draw_and_a_ticket():
    payout = with_a_prize().payout(1)
    payout.pk = new_id()
    payout._state.adding = True
    with pytest.raises(IntegrityError, match="prize_payouts_auction_id"), transaction.atomic():
        payout.save()
