"""Terms at random, all of them possible."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from tests.ledger.arithmetic import Terms

INSTALLMENTS = (100_000, 99_700, 125_050, 33_333, 1_000_000, 40_001)
# Wider than the discount leaves room for would be refused when the scheme is drafted.
STEPS = (100, 5_000, 7_777)


@st.composite
def possible_terms(draw: st.DrawFn, *, most_tickets: int = 6) -> Terms:
    """Draw every term that moves money, in any combination that a scheme may have."""
    tickets = draw(st.integers(2, most_tickets))
    mode = draw(st.sampled_from(("INSIDE_DISCOUNT", "ON_TOP", "IN_INSTALLMENT")))
    base = "CHIT_VALUE" if mode == "IN_INSTALLMENT" else draw(st.sampled_from(BASES))
    terms = Terms(
        installment=draw(st.sampled_from(INSTALLMENTS)),
        tickets=tickets,
        commission_percent=Fraction(draw(st.sampled_from(PERCENTS[base]))),
        commission_base=base,
        commission_mode=mode,
        cap_percent=Fraction(draw(st.sampled_from(("30", "40", "35.5")))),
        bid_step=draw(st.sampled_from(STEPS)),
        policy=draw(st.sampled_from(("ALL_TICKETS", "EXCLUDE_WINNER", "NON_PRIZED"))),
        timing=draw(st.sampled_from(("NEXT", "SAME"))),
        unit=draw(st.sampled_from((100, 1))),
        foreman_month=draw(st.none() | st.integers(1, tickets)),
        interest_percent=Fraction(draw(st.sampled_from((12, 0, 24)))),
        grace_days=draw(st.sampled_from((3, 0, 10))),
        late_dividend=draw(st.sampled_from(("FORFEIT", "KEEP"))),
        auction_day=draw(st.sampled_from((10, 5, 28, 31))),
    )
    lowest = draw(st.sampled_from((None, None, Fraction(10))))
    return with_whole_commission(_with(terms, lowest_percent=lowest))


BASES = ("CHIT_VALUE", "DISCOUNT")
PERCENTS = {"CHIT_VALUE": ("5", "7", "0", "4.25"), "DISCOUNT": ("10", "25", "3.5")}


def with_whole_commission(terms: Terms) -> Terms:
    """Where commission is raised with the installment, make it whole paise for a ticket."""
    if terms.are_possible:
        return terms
    return _with(terms, installment=100_000)


def _with(terms: Terms, **changes: object) -> Terms:
    return Terms(**{**terms.__dict__, **changes})  # type: ignore[arg-type]
