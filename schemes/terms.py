"""The rules that the terms of a scheme keep, each refusal saying what to do.

A CheckConstraint of the table stands behind each of them; here they get their sentences.
`auctions` divides by the same terms; a test holds the two to the same lowest and highest bid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from chitfund.exceptions import FieldError, InvalidInput
from chitfund.money import PAISA, RUPEE, floor_to, format_inr, percent_of
from schemes.amounts import is_commission_whole, nearest_installments, nearest_percents
from schemes.models import (
    LEGAL_COMMISSION_PERCENT,
    LEGAL_DISCOUNT_PERCENT,
    MAX_AUCTION_DAY,
    MAX_AUCTION_MINUTES,
    MAX_GRACE_DAYS,
    MAX_LATE_INTEREST_PERCENT,
    MAX_TICKETS,
    CommissionBase,
    CommissionMode,
    Scheme,
)

FEWEST_TICKETS = 2
FIRST_YEAR, LAST_YEAR = 2000, 2100
ALL = Decimal(100)


def own_lowest_percent(scheme: Scheme) -> Decimal:
    """Return the lowest bid that the mode itself allows, in percent of the chit value.

    The commission where it comes out of the discount, else nothing (design.md 5.1).
    """
    is_inside = scheme.commission_mode == CommissionMode.INSIDE_DISCOUNT
    is_of_value = scheme.commission_base == CommissionBase.CHIT_VALUE
    return scheme.commission_percent if is_inside and is_of_value else Decimal(0)


def lowest_bid(scheme: Scheme) -> Decimal:
    """Return the lowest bid in rupees."""
    own = own_lowest_percent(scheme)
    return percent_of(max(own, scheme.min_discount_percent or own), scheme.total_amount)


def highest_bid(scheme: Scheme) -> Decimal:
    """Return the highest bid in rupees: the cap covers D + C where C comes on top (s.6)."""
    cap = percent_of(scheme.max_discount_percent, scheme.total_amount)
    if scheme.commission_mode != CommissionMode.ON_TOP:
        return cap
    if scheme.commission_base == CommissionBase.DISCOUNT:
        return floor_to(cap * ALL / (ALL + scheme.commission_percent), PAISA)
    return cap - percent_of(scheme.commission_percent, scheme.total_amount)


def check_size(scheme: Scheme) -> None:
    """Raise InvalidInput unless the number of tickets and months is one we run."""
    _raise_any(_size(scheme))


def check_terms(scheme: Scheme) -> None:
    """Raise InvalidInput with every rule that the terms break."""
    _raise_any(error for rule in _RULES for error in rule(scheme))


def _raise_any(broken: Iterator[FieldError]) -> None:
    errors = list(broken)
    if errors:
        raise InvalidInput(errors[0].message, code=errors[0].code, errors=errors)


def _size(scheme: Scheme) -> Iterator[FieldError]:
    tickets = scheme.max_subscribers
    if not FEWEST_TICKETS <= tickets <= MAX_TICKETS:
        yield FieldError(
            "max_subscribers", f"A chit has from {FEWEST_TICKETS} to {MAX_TICKETS} subscribers."
        )
    elif scheme.duration_months != tickets:
        yield FieldError(
            "duration_months",
            f"There is one prize a month, so {tickets} subscribers need {tickets} months. "
            "Several prizes a month are not supported yet.",
        )


def _calendar(scheme: Scheme) -> Iterator[FieldError]:
    if not 1 <= scheme.auction_day <= MAX_AUCTION_DAY:
        yield FieldError("auction_day", "An auction day is a day of the month, 1 to 31.")
    if not 1 <= scheme.auction_minutes <= MAX_AUCTION_MINUTES:
        yield FieldError(
            "auction_minutes", f"An auction lasts from 1 to {MAX_AUCTION_MINUTES} minutes."
        )


def check_start(scheme: Scheme) -> None:
    """Raise InvalidInput for a start of which no end can be reckoned."""
    if not FIRST_YEAR <= scheme.start_date.year < LAST_YEAR:
        raise InvalidInput.on(
            "start_date", f"A start date lies in the years {FIRST_YEAR} to {LAST_YEAR - 1}."
        )


def _commission(scheme: Scheme) -> Iterator[FieldError]:
    is_of_value = scheme.commission_base == CommissionBase.CHIT_VALUE
    most = LEGAL_COMMISSION_PERCENT if is_of_value else ALL
    if not 0 <= scheme.commission_percent <= most:
        law = "section 21 allows at most 7 % of the chit value" if is_of_value else "it is a share"
        yield FieldError(
            "commission_percent",
            f"A commission of {_percent(scheme.commission_percent)} is not allowed: {law}. "
            f"Take from 0 to {most}.",
            "commission_above_law",
        )
    elif scheme.commission_mode == CommissionMode.IN_INSTALLMENT:
        yield from _commission_in_installment(scheme, is_of_value=is_of_value)


def _commission_in_installment(scheme: Scheme, *, is_of_value: bool) -> Iterator[FieldError]:
    percent, installment = scheme.commission_percent, scheme.monthly_installment
    if not is_of_value:
        yield FieldError(
            "commission_base",
            "A commission in the installment must be known before the auction: take the base "
            "CHIT_VALUE, or another commission mode.",
        )
    elif not is_commission_whole(percent=percent, installment=installment):
        values = nearest_installments(percent=percent, installment=installment)
        others = nearest_percents(
            percent=percent, installment=installment, most=LEGAL_COMMISSION_PERCENT
        )
        told = [f"an installment of {format_inr(value)}" for value in values]
        told += [f"a commission of {_percent(value)}" for value in others]
        yield FieldError(
            "commission_percent",
            f"{_percent(percent)} of an installment of {format_inr(installment)} is not a whole "
            f"number of paise for each ticket. Nearest that work: {', '.join(told)}.",
            "indivisible",
        )


def _cap(scheme: Scheme) -> Iterator[FieldError]:
    cap = scheme.max_discount_percent
    if not 0 < cap <= LEGAL_DISCOUNT_PERCENT:
        yield FieldError(
            "max_discount_percent",
            f"A maximum discount of {_percent(cap)} is not allowed: it is above 0 and at most "
            f"{LEGAL_DISCOUNT_PERCENT} % of the chit value (s.6).",
            "discount_above_law",
        )
        return
    yield from _lowest_within(scheme)


def _lowest_within(scheme: Scheme) -> Iterator[FieldError]:
    own, asked = own_lowest_percent(scheme), scheme.min_discount_percent
    if asked is not None and asked < own:
        yield FieldError(
            "min_discount_percent",
            f"The lowest bid must cover the commission of {_percent(own)}: set "
            f"min_discount_percent to at least {own}, or to null to follow the commission.",
        )
    elif _highest_percent(scheme) < max(own, asked or own) or lowest_bid(scheme) > highest_bid(
        scheme
    ):
        yield FieldError(
            "max_discount_percent",
            f"The lowest bid of {format_inr(lowest_bid(scheme))} is above the highest of "
            f"{format_inr(highest_bid(scheme))} that a cap of "
            f"{_percent(scheme.max_discount_percent)} leaves. Raise the cap, or lower the "
            "commission or the lowest bid.",
        )
    else:
        yield from _step(scheme)


def _highest_percent(scheme: Scheme) -> Decimal:
    cap = scheme.max_discount_percent
    if scheme.commission_mode != CommissionMode.ON_TOP:
        return cap
    if scheme.commission_base == CommissionBase.DISCOUNT:
        return cap * ALL / (ALL + scheme.commission_percent)
    return cap - scheme.commission_percent


def _step(scheme: Scheme) -> Iterator[FieldError]:
    """The step must reach from the lowest bid to the highest; with one possible bid, any does."""
    lowest, highest = lowest_bid(scheme), highest_bid(scheme)
    cap = percent_of(scheme.max_discount_percent, scheme.total_amount)
    most = highest - lowest or cap
    if not 0 < scheme.bid_step <= most:
        yield FieldError(
            "bid_step",
            f"Bids go from {format_inr(lowest)} to {format_inr(highest)}: take a step above 0 and "
            f"of at most {format_inr(most)}.",
        )


def _dividend(scheme: Scheme) -> Iterator[FieldError]:
    if scheme.rounding_unit not in (RUPEE, PAISA):
        yield FieldError("rounding_unit", "Dividends are rounded down to 1.00 or to 0.01.")
    cap = scheme.base_dividend_cap_percent
    if cap is not None and not 0 < cap <= ALL:
        yield FieldError(
            "base_dividend_cap_percent", "A base dividend cap is above 0 and at most 100, or null."
        )


def _foreman(scheme: Scheme) -> Iterator[FieldError]:
    taken = scheme.foreman_installment
    if taken is not None and not 1 <= taken <= scheme.max_subscribers:
        yield FieldError(
            "foreman_installment",
            f"The foreman takes one of the installments 1 to {scheme.max_subscribers}; null for "
            "a foreman without a ticket.",
        )


def _late(scheme: Scheme) -> Iterator[FieldError]:
    if not 0 <= scheme.late_interest_percent <= MAX_LATE_INTEREST_PERCENT:
        yield FieldError(
            "late_interest_percent",
            f"Late interest is from 0 to {MAX_LATE_INTEREST_PERCENT} % a year.",
        )
    if not 0 <= scheme.grace_days <= MAX_GRACE_DAYS:
        yield FieldError("grace_days", f"Days of grace are from 0 to {MAX_GRACE_DAYS}.")


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f} %"


_RULES: tuple[Callable[[Scheme], Iterator[FieldError]], ...] = (
    _size,
    _calendar,
    _commission,
    _cap,
    _dividend,
    _foreman,
    _late,
)
