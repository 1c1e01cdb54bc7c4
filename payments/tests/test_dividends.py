"""Dividends: who shares them, when they count, what is left over; modes and tax rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from payments.models import AccountKind, Payment, PaymentType, TaxRate
from payments.selectors import tax_percent_on
from payments.tests.chits import Chit, day_after, move_to, running_chit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_holds")]


def after_draws(*winners: int, discount: int = 600, tickets: int = 4, **terms) -> Chit:
    """Return a chit in which everybody paid and these tickets won, one a month."""
    chit = running_chit(tickets, **terms)
    for month, winner in enumerate(winners, start=1):
        chit.pay_all()
        chit.hold_draw(month, winner=winner, discount=discount)
    return chit


def shares(chit: Chit, month: int) -> dict[int, Decimal]:
    """Return what each ticket got of the pool of a month."""
    rows = Payment.objects.filter(
        scheme=chit.pk, payment_type=PaymentType.DIVIDEND, installment_number=month
    )
    return {row.subscription.ticket_number: row.amount for row in rows}


# -- who shares ------------------------------------------------------------------------


def test_all_tickets_share_whoever_has_won():
    chit = after_draws(1, 2)
    assert shares(chit, 1) == shares(chit, 2) == {1: 100, 2: 100, 3: 100, 4: 100}


def test_the_winner_of_the_draw_may_be_excluded_and_shares_the_others():
    chit = after_draws(1, 2, dividend_policy="EXCLUDE_WINNER")
    assert shares(chit, 1) == {2: 133, 3: 133, 4: 133}
    assert shares(chit, 2) == {1: 133, 3: 133, 4: 133}


def test_non_prized_tickets_are_those_that_have_not_won_after_the_draw():
    chit = after_draws(1, 2, 3, dividend_policy="NON_PRIZED")
    assert shares(chit, 1) == {2: 133, 3: 133, 4: 133}
    assert shares(chit, 2) == {3: 200, 4: 200}, "400 and the rupee that was left"
    assert shares(chit, 3) == {4: 401}


def test_when_no_unprized_ticket_is_left_all_share():
    """5.01 % of 3,000 leaves paise in the pool: 100.70, of which rupees are shared."""
    chit = after_draws(
        1,
        2,
        dividend_policy="NON_PRIZED",
        tickets=3,
        discount=251,
        bid_step=Decimal(1),
        commission_percent=Decimal("5.01"),
    )
    chit.pay_all()
    auction = chit.hold_draw(3)
    assert shares(chit, 1) == {2: 50, 3: 50}
    assert shares(chit, 2) == {3: 101}
    assert (auction.recipients, auction.dividend_pool) == (3, Decimal("0.40"))
    assert shares(chit, 3) == {1: Decimal("0.14"), 2: Decimal("0.13"), 3: Decimal("0.13")}


def test_a_dividend_above_the_installment_is_a_credit():
    chit = after_draws(
        1, 2, 3, dividend_policy="NON_PRIZED", discount=1600, max_discount_percent=Decimal(40)
    )
    assert (chit.due(4, 4).dividend, chit.due(4, 4).due) == (1000, 0)
    assert chit.ticket(4).advance == 400, "1,400 and 700 were more than the months asked"


# -- what is left over -----------------------------------------------------------------


def test_the_residue_opens_the_next_pool():
    chit = after_draws(1, 2, 3, dividend_policy="EXCLUDE_WINNER")
    seen = [
        (row.carry_in, row.dividend_pool, row.dividend_per_ticket, row.residue)
        for row in (chit.auction(1), chit.auction(2), chit.auction(3))
    ]
    assert seen == [(0, 400, 133, 1), (1, 401, 133, 2), (2, 402, 134, 0)]
    assert chit.head(AccountKind.DIVIDEND_POOL) == 0


def test_a_scheme_may_share_to_the_paisa():
    chit = after_draws(1, dividend_policy="EXCLUDE_WINNER", rounding_unit=Decimal("0.01"))
    auction = chit.auction(1)
    assert (auction.dividend_per_ticket, auction.residue) == (Decimal("133.33"), Decimal("0.01"))


def test_the_last_residue_is_shared_to_the_paisa_odd_ones_to_low_numbers():
    chit = after_draws(1, 2, tickets=3, discount=250)
    assert chit.head(AccountKind.DIVIDEND_POOL) == 2
    chit.pay_all()
    auction = chit.hold_draw(3)
    assert (auction.dividend_pool, auction.dividend_per_ticket, auction.residue) == (2, 0, 0)
    paise = {1: Decimal("0.67"), 2: Decimal("0.67"), 3: Decimal("0.66")}
    assert shares(chit, 3) == paise
    assert {row.ticket_number: row.advance for row in chit.tickets()} == paise
    assert chit.head(AccountKind.DIVIDEND_POOL) == 0


def test_a_pool_may_be_named_in_two_parts_and_is_shared_as_one():
    chit = after_draws(1, base_dividend_cap_percent=Decimal(5))
    auction = chit.auction(1)
    assert (auction.base_dividend, auction.golden_dividend) == (200, 200)
    assert auction.dividend_per_ticket == 100


# -- when it counts --------------------------------------------------------------------


def test_a_dividend_lowers_the_next_installment():
    chit = after_draws(1)
    assert [(chit.due(3, month).dividend, chit.due(3, month).due) for month in (1, 2)] == [
        (0, 0),
        (100, 900),
    ]


def test_a_dividend_may_lower_the_draws_own_installment():
    chit = running_chit(dividend_timing="SAME")
    chit.hold_draw(1, winner=1, discount=600)
    assert [(chit.due(3, month).dividend, chit.due(3, month).due) for month in (1, 2)] == [
        (100, 900),
        (0, 1000),
    ]


def test_money_that_was_paid_before_comes_free_for_the_dividend():
    chit = after_draws(1, dividend_timing="SAME")
    first, second = chit.due(3, 1), chit.due(3, 2)
    assert (first.dividend, first.paid, first.due) == (100, 900, 0)
    assert (second.dividend, second.paid, second.due) == (0, 100, 900)
    assert chit.ticket(3).outstanding == 900


def test_who_has_paid_early_and_who_pays_late_owe_the_same_for_the_month():
    chit = running_chit(dividend_timing="SAME")
    chit.pay(2)
    chit.hold_draw(1, winner=1, discount=600)
    chit.pay(3, 900)
    assert chit.due(2, 1).net == chit.due(3, 1).net == 900
    assert chit.due(2, 1).paid == chit.due(3, 1).paid == 900


def test_a_draw_that_is_entered_late_makes_nobody_late_who_has_paid():
    chit = running_chit(dividend_timing="SAME")
    chit.pay_all()
    move_to(day_after(chit.draw_day(1), 20))
    chit.record(1, 1, 600)
    for number in (1, 2, 3, 4):
        due = chit.due(number, 1)
        assert (due.dividend, due.late_interest, due.paid_on) == (100, 0, due.due_on)


def test_the_value_day_of_a_dividend_is_the_business_day_of_its_draw():
    chit = after_draws(1)
    dividend = Payment.objects.filter(payment_type=PaymentType.DIVIDEND).first()
    assert dividend.payment_date.date() == chit.draw_day(1)
    assert chit.due(3, 2).allocations.get().applied_on == chit.draw_day(1)


# -- modes and tax ---------------------------------------------------------------------


def test_a_commission_on_top_leaves_the_whole_discount_to_the_pool():
    chit = after_draws(1, commission_mode="ON_TOP")
    auction = chit.auction(1)
    assert (auction.prize_amount, auction.commission, auction.dividend_pool) == (3200, 200, 600)


def test_a_commission_in_the_installment_is_asked_for_but_in_the_foremans_month():
    chit = running_chit(commission_mode="IN_INSTALLMENT", foreman_installment=1)
    assert chit.due(2, 1).gross == 1000
    move_to(chit.draw_day(1))
    chit.close(1)
    assert chit.due(2, 2).gross == 1050
    chit.pay_all()
    auction = chit.hold_draw(2, winner=2, discount=600)
    assert (auction.prize_amount, auction.commission, auction.dividend_pool) == (3400, 200, 600)


def test_a_commission_on_the_discount_follows_the_bid():
    chit = after_draws(1, commission_base="DISCOUNT", commission_percent=Decimal(10))
    auction = chit.auction(1)
    assert (auction.commission, auction.dividend_pool, auction.prize_amount) == (60, 540, 3400)


def test_the_tax_is_that_of_the_day_of_the_draw():
    chit = running_chit(today=date(2022, 7, 5), auction_day=17)
    chit.hold_draw(1, winner=1, discount=600)
    chit.pay_all()
    chit.hold_draw(2, winner=2, discount=600)
    first, second = chit.auction(1), chit.auction(2)
    assert (first.settled_on, first.tax_percent, first.tax) == (date(2022, 7, 17), 12, 24)
    assert (second.settled_on, second.tax_percent, second.tax) == (date(2022, 8, 17), 18, 36)
    assert (chit.payout(1).net_amount, chit.payout(2).net_amount) == (3376, 3364)


def test_a_rate_holds_from_its_first_day_and_before_any_there_is_none():
    assert tax_percent_on(date(2017, 6, 30)) == 0
    assert tax_percent_on(date(2017, 7, 1)) == 12
    assert tax_percent_on(date(2022, 7, 17)) == 12
    assert tax_percent_on(date(2022, 7, 18)) == 18


def test_a_new_rate_changes_no_draw_that_is_settled():
    chit = after_draws(1)
    TaxRate.objects.create(percent=28, valid_from=date(2026, 2, 1), source="tests")
    chit.pay_all()
    chit.hold_draw(2, winner=2, discount=600)
    assert [chit.auction(month).tax for month in (1, 2)] == [36, 56]
    assert chit.auction(1).rules["tax_percent"] == "18.00"
