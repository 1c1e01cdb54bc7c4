"""Paying late: days of grace, interest, and dividends that are forfeited (design.md 5.4)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from auctions.models import AuctionStatus
from payments.models import AccountKind, Payment, PaymentMethod, PaymentType, Transfer, TransferKind
from payments.tests.chits import Chit, day_after, move_to, running_chit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]

# 1,000 rupees are due on 10 January, at 12 % a year after 3 days of grace.


def late(chit: Chit, days: int, month: int = 1) -> None:
    """Make it so many days after the due day of a month, whose draw was held."""
    if chit.auction(month).status == AuctionStatus.SCHEDULED:
        chit.hold_draw(month)
    move_to(day_after(chit.draw_day(month), days))


def paid_late(chit: Chit, number: int, days: int) -> None:
    """Have a ticket pay month 1, in full and late."""
    late(chit, days)
    chit.pay(number, 1000)


def interest(chit: Chit, number: int, month: int = 1) -> Decimal:
    return chit.due(number, month).late_interest


@pytest.mark.parametrize(
    ("days", "expected"), [(0, "0"), (3, "0"), (4, "1.32"), (20, "6.58"), (365, "120")]
)
def test_interest_runs_from_the_due_day_once_grace_is_over(days, expected):
    chit = running_chit()
    paid_late(chit, 2, days)
    assert interest(chit, 2) == Decimal(expected)
    assert chit.ticket(2).outstanding == 1000 + Decimal(expected), "month 2 is raised by then"
    assert chit.head(AccountKind.LATE_INTEREST) == Decimal(expected)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"late_interest_percent": Decimal(24)}, "13.15"),
        ({"late_interest_percent": Decimal(0)}, "0"),
        ({"grace_days": 20}, "0"),
        ({"grace_days": 19}, "6.58"),
    ],
)
def test_the_rate_and_the_grace_are_terms_of_the_scheme(terms, expected):
    chit = running_chit(**terms)
    paid_late(chit, 2, 20)
    assert interest(chit, 2) == Decimal(expected)


def test_nobody_is_late_before_the_draw_whatever_its_day_was():
    chit = running_chit()
    move_to(day_after(chit.draw_day(1), 40))
    chit.pay(2, 1000)
    assert interest(chit, 2) == 0


def test_interest_is_posted_once_when_the_due_is_paid_in_full():
    chit = running_chit()
    late(chit, 10)
    chit.pay(2, 400)
    assert interest(chit, 2) == 0
    late(chit, 20)
    chit.pay(2, 600)
    assert interest(chit, 2) == Decimal("5.26"), "400 for 10 days and 600 for 20"
    assert Transfer.objects.filter(kind=TransferKind.LATE_INTEREST).count() == 1


def test_a_part_within_grace_bears_no_interest():
    chit = running_chit()
    late(chit, 2)
    chit.pay(2, 400)
    late(chit, 20)
    chit.pay(2, 600)
    assert interest(chit, 2) == Decimal("3.95")


def test_many_small_parts_cost_what_their_sum_costs():
    chit = running_chit()
    late(chit, 20)
    for _ in range(10):
        chit.pay(2, 100)
    assert interest(chit, 2) == Decimal("6.58")


def test_a_late_part_bears_interest_although_an_earlier_day_completes_it():
    chit = running_chit()
    late(chit, 0)
    cheque = chit.pay(2, 400, method=PaymentMethod.CHEQUE)
    late(chit, 20)
    chit.pay(2, 600)
    chit.confirm(cheque)
    assert interest(chit, 2) == Decimal("3.95"), "600 for 20 days"


def test_a_payment_that_was_handed_over_in_time_is_not_late_when_it_is_entered():
    chit = running_chit()
    late(chit, 20)
    chit.pay(2, 1000, on=day_after(chit.draw_day(1), 3))
    assert interest(chit, 2) == 0
    assert chit.due(2, 1).paid_on == day_after(chit.draw_day(1), 3)


def test_the_member_sees_the_interest_as_a_penalty():
    chit = running_chit()
    paid_late(chit, 2, 20)
    row = Payment.objects.get(payment_type=PaymentType.PENALTY)
    assert (row.amount, row.installment_number, row.method) == (
        Decimal("6.58"),
        1,
        PaymentMethod.BOOK,
    )
    assert row.subscriber == chit.members[1]


def test_all_installments_are_paid_before_any_interest_and_the_rest_is_an_advance():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    late(chit, 20)
    chit.pay(2, 1500)
    assert [chit.due(2, month).due for month in (1, 2)] == [0, 500]
    assert chit.due(2, 1).late_interest_paid == 0
    chit.pay(2, 510)
    assert chit.due(2, 2).due == 0
    assert chit.due(2, 1).late_interest_paid == Decimal("6.58")
    assert chit.ticket(2).advance == Decimal("3.42")


def test_an_old_interest_is_paid_before_a_newer_one():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    chit.pay(3)
    late(chit, 20, month=2)
    chit.pay(2, 3000)
    chit.pay(2, 10)
    first, second = chit.due(2, 1), chit.due(2, 2)
    assert first.late_interest == Decimal("16.77"), "51 days"
    assert second.late_interest == Decimal("6.58")
    assert (first.late_interest_paid, second.late_interest_paid) == (10, 0)


def test_unpaid_interest_is_no_arrears():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=200)
    late(chit, 20)
    chit.pay(2, 2000)
    move_to(chit.draw_day(2))
    assert chit.ticket(2).oldest_unpaid_due_on is None
    chit.open(2)
    assert chit.bid(2, 2, 300).discount == 300


# -- forfeited dividends ---------------------------------------------------------------


def with_a_late_payer(tickets: int = 4, **terms) -> Chit:
    """Return a chit whose ticket 4 has not paid month 2, in which it had a dividend of 100."""
    chit = running_chit(tickets, late_dividend="FORFEIT", **terms)
    chit.pay_all()
    chit.hold_draw(1, winner=1, discount=600)
    for number in range(1, tickets):
        chit.pay(number)
    chit.hold_draw(2, winner=2, discount=600)
    return chit


def test_a_late_payer_loses_the_dividend_where_terms_say_so():
    chit = with_a_late_payer()
    late(chit, 4, month=2)
    chit.pay(4, 900)
    due = chit.due(4, 2)
    assert (due.dividend, due.paid, due.due) == (0, 900, 100)
    assert due.is_dividend_forfeited
    assert chit.head(AccountKind.FORFEITED_DIVIDEND) == 100
    told = Payment.objects.get(payment_type=PaymentType.PENALTY)
    assert (told.amount, told.installment_number) == (100, 2)


def test_interest_runs_on_the_whole_amount_once_the_dividend_is_lost():
    chit = with_a_late_payer()
    late(chit, 20, month=2)
    chit.pay(4, 1000)
    assert chit.due(4, 2).late_interest == Decimal("6.58")


def test_within_grace_the_dividend_stays():
    chit = with_a_late_payer()
    late(chit, 3, month=2)
    chit.pay(4, 900)
    assert (chit.due(4, 2).dividend, chit.due(4, 2).due) == (100, 0)


def test_a_late_payer_keeps_the_dividend_unless_the_scheme_says_otherwise():
    chit = running_chit()
    chit.hold_draw(1, winner=1, discount=600)
    chit.pay(3)
    late(chit, 20, month=2)
    chit.pay(2, 1900)
    assert (chit.due(2, 2).dividend, chit.due(2, 2).due) == (100, 0)
    assert chit.head(AccountKind.FORFEITED_DIVIDEND) == 0


def test_what_is_forfeited_is_shared_with_the_next_pool_and_never_the_foremans():
    chit = with_a_late_payer()
    late(chit, 4, month=2)
    chit.pay(4, 1000)
    earned = chit.head(AccountKind.COMMISSION)
    for number in (1, 2, 3):
        chit.pay(number)
    auction = chit.hold_draw(3, winner=3, discount=600)
    assert (auction.forfeited_in, auction.dividend_pool) == (100, 500)
    assert auction.dividend_per_ticket == 125
    assert chit.head(AccountKind.FORFEITED_DIVIDEND) == 0
    assert chit.head(AccountKind.COMMISSION) == earned + 200


def test_a_due_that_is_late_at_the_next_draw_loses_its_dividend_then():
    chit = with_a_late_payer()
    for number in (1, 2, 3):
        chit.pay(number)
    auction = chit.hold_draw(3)
    assert (auction.forfeited_in, auction.dividend_per_ticket) == (100, 25)
    assert (chit.due(4, 2).dividend, chit.due(4, 2).due) == (0, 1000)
    assert chit.due(4, 3).dividend == 100, "month 3 is due today and not late"


def test_a_dividend_is_forfeited_once():
    chit = with_a_late_payer()
    late(chit, 4, month=2)
    chit.pay(4, 300)
    chit.pay(4, 300)
    assert chit.head(AccountKind.FORFEITED_DIVIDEND) == 100


def test_what_is_forfeited_after_the_last_draw_is_shared_at_once_to_the_paisa():
    chit = running_chit(3, late_dividend="FORFEIT")
    for month in (1, 2):
        chit.pay_all()
        chit.hold_draw(month, winner=month, discount=300)
    chit.pay(2)
    chit.pay(3)
    chit.hold_draw(3)
    assert (chit.due(1, 3).dividend, chit.ticket(2).advance, chit.ticket(3).advance) == (50, 0, 0)
    late(chit, 4, month=3)
    chit.pay(1, 900)

    assert chit.head(AccountKind.FORFEITED_DIVIDEND) == 0
    assert Transfer.objects.get(kind=TransferKind.FORFEIT_SHARED).amount == 50
    assert chit.due(1, 3).due == 100 - Decimal("16.67"), "odd paise to low numbers"
    assert chit.ticket(2).advance == Decimal("16.67")
    assert chit.ticket(3).advance == Decimal("16.66")
