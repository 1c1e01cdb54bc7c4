"""What a draw divides: prize, commission, tax, dividends, residue. Plain numbers, no Django.

All amounts are rupees to the paisa. For every mode the parts sum to what was raised for the
month: `prize + commission + pool == raised` (design.md 5.1, domain.md 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chitfund.exceptions import InvalidInput
from chitfund.money import ZERO, floor_to, format_inr, percent_of

INSIDE_DISCOUNT = "INSIDE_DISCOUNT"
ON_TOP = "ON_TOP"
IN_INSTALLMENT = "IN_INSTALLMENT"
CHIT_VALUE = "CHIT_VALUE"
DISCOUNT = "DISCOUNT"
LEGAL_COMMISSION_PERCENT = Decimal(7)  # s.21(1)(b): of the gross chit amount, whatever its base


@dataclass(frozen=True)
class Terms:
    """The terms of a scheme that decide what a draw divides."""

    total_amount: Decimal
    tickets: int
    commission_percent: Decimal
    commission_base: str
    commission_mode: str
    max_discount_percent: Decimal
    min_discount_percent: Decimal | None
    rounding_unit: Decimal
    base_dividend_cap_percent: Decimal | None

    def commission(self, discount: Decimal) -> Decimal:
        """Return the foreman's commission in rupees for a draw at this discount (s.21)."""
        base = discount if self.commission_base == DISCOUNT else self.total_amount
        return percent_of(self.commission_percent, base)

    @property
    def legal_commission(self) -> Decimal:
        return percent_of(LEGAL_COMMISSION_PERCENT, self.total_amount)

    @property
    def max_discount(self) -> Decimal:
        """The highest bid: the cap is on all that the winner forgoes, so less C on top."""
        cap = percent_of(self.max_discount_percent, self.total_amount)
        if self.commission_mode != ON_TOP:
            return cap
        if self.commission_base == DISCOUNT:
            # D + c% x D may not pass the cap.
            return floor_to(cap * 100 / (100 + self.commission_percent), Decimal("0.01"))
        return cap - self.commission(ZERO)

    @property
    def uncontested_discount(self) -> Decimal:
        """What a winner forgoes when nobody bids: the commission where it comes out of the
        discount, else nothing. It is also the lowest bid that the mode allows."""
        inside = self.commission_mode == INSIDE_DISCOUNT and self.commission_base == CHIT_VALUE
        return self.commission(ZERO) if inside else ZERO

    @property
    def min_discount(self) -> Decimal:
        """The lowest bid: the mode's own, or what the scheme sets above it."""
        own = self.uncontested_discount
        if self.min_discount_percent is None:
            return own
        return max(own, percent_of(self.min_discount_percent, self.total_amount))

    def gross_installment(self, *, is_foremans: bool) -> Decimal:
        """Return what one ticket is asked for a month before its dividend.

        In the foreman's own month there is no commission, so none is raised either.
        Raises InvalidInput where commission over tickets is not a whole number of paise.
        """
        share = self.total_amount / self.tickets
        if self.commission_mode != IN_INSTALLMENT or is_foremans:
            return share
        return share + self.commission_share()

    def commission_share(self) -> Decimal:
        """Return each ticket's part of a commission that is raised with the installment."""
        commission = self.commission(ZERO)
        part = floor_to(commission / self.tickets, Decimal("0.01"))
        if part * self.tickets != commission:
            raise InvalidInput.on(
                "commission_percent",
                f"A commission of {format_inr(commission)} does not divide by {self.tickets} "
                f"tickets to whole paise; {format_inr(part * self.tickets)} would.",
            )
        return part


@dataclass(frozen=True)
class Outcome:
    """How one month's collection is divided, in rupees."""

    discount: Decimal
    prize_amount: Decimal
    commission: Decimal
    tax: Decimal
    new_pool: Decimal
    dividend_pool: Decimal
    recipients: int
    dividend_per_ticket: Decimal
    residue: Decimal
    base_dividend: Decimal
    golden_dividend: Decimal

    @property
    def prize_after_tax(self) -> Decimal:
        return self.prize_amount - self.tax

    @property
    def distributed(self) -> Decimal:
        return self.dividend_per_ticket * self.recipients


def auction_outcome(
    terms: Terms,
    *,
    discount: Decimal,
    recipients: int,
    tax_percent: Decimal = ZERO,
    carry_in: Decimal = ZERO,
) -> Outcome:
    """Divide one month's collection between winner, foreman, State and ticket holders.

    `carry_in` is what earlier pools left behind (residue, forfeited dividends). The dividend
    is floored to the scheme's unit and the residue stays for the next pool, so nothing is
    created or lost. Raises InvalidInput if the discount is outside the terms or the
    commission above what s.21 allows. An uncontested draw may be below the scheme's lowest
    bid, never below the mode's own.
    """
    if recipients < 1:
        raise ValueError("a dividend needs at least one recipient")
    if discount != terms.uncontested_discount:
        check_discount(terms, discount)
    commission = terms.commission(discount)
    on_top = commission if terms.commission_mode == ON_TOP else ZERO
    inside = commission if terms.commission_mode == INSIDE_DISCOUNT else ZERO
    new_pool = discount - inside
    if new_pool < 0:
        raise InvalidInput.on(
            "discount", f"The discount must cover the commission of {format_inr(commission)}."
        )
    return _shared(
        terms,
        discount=discount,
        prize=terms.total_amount - discount - on_top,
        commission=commission,
        tax=percent_of(tax_percent, commission),
        new_pool=new_pool,
        carry_in=carry_in,
        recipients=recipients,
    )


def foreman_outcome(terms: Terms, *, recipients: int, carry_in: Decimal = ZERO) -> Outcome:
    """Give the foreman the whole gross amount: no discount, commission or tax (s.21(1)(a))."""
    return _shared(
        terms,
        discount=ZERO,
        prize=terms.total_amount,
        commission=ZERO,
        tax=ZERO,
        new_pool=ZERO,
        carry_in=carry_in,
        recipients=recipients,
    )


def check_discount(terms: Terms, discount: Decimal) -> None:
    """Raise InvalidInput where a discount is outside what the scheme and the Act allow."""
    if discount < terms.min_discount:
        raise InvalidInput.on(
            "discount",
            f"The lowest bid is {format_inr(terms.min_discount)}; offer at least that.",
            code="below_minimum",
        )
    if discount > terms.max_discount:
        raise InvalidInput.on(
            "discount",
            f"The highest bid is {format_inr(terms.max_discount)}; offer that to enter the lot.",
            code="above_cap",
        )
    if terms.commission(discount) > terms.legal_commission:
        raise InvalidInput.on(
            "discount",
            f"The commission would be {format_inr(terms.commission(discount))}, above the 7 % of "
            f"the chit amount that section 21 allows ({format_inr(terms.legal_commission)}).",
            code="commission_above_law",
        )


def _shared(
    terms: Terms,
    *,
    discount: Decimal,
    prize: Decimal,
    commission: Decimal,
    tax: Decimal,
    new_pool: Decimal,
    carry_in: Decimal,
    recipients: int,
) -> Outcome:
    pool = new_pool + carry_in
    each = floor_to(pool / recipients, terms.rounding_unit)
    base = pool
    if terms.base_dividend_cap_percent is not None:
        base = min(pool, percent_of(terms.base_dividend_cap_percent, terms.total_amount))
    return Outcome(
        discount=discount,
        prize_amount=prize,
        commission=commission,
        tax=tax,
        new_pool=new_pool,
        dividend_pool=pool,
        recipients=recipients,
        dividend_per_ticket=each,
        residue=pool - each * recipients,
        base_dividend=base,
        golden_dividend=pool - base,
    )
