"""What a draw would bring at a discount, before anybody bids it."""

from __future__ import annotations

from decimal import Decimal

from auctions.models import Auction, AuctionStatus
from auctions.outcome import Outcome, auction_outcome
from auctions.terms import recipient_count, terms_of
from chitfund.business_date import business_date
from chitfund.exceptions import WrongState
from chitfund.money import ZERO
from payments.models import AccountKind, LedgerAccount
from payments.selectors import tax_percent_on
from subscriptions.models import HOLDING, Subscription


def preview_outcome(auction: Auction, discount: Decimal) -> Outcome:
    """Return what each party would get at a discount in rupees; writes nothing.

    Carries in what earlier pools left behind. Raises WrongState for a settled draw and for the
    foreman's own, InvalidInput for a discount outside the terms.
    """
    scheme = auction.scheme
    if auction.status == AuctionStatus.SETTLED:
        raise WrongState("This draw is settled; its outcome is on the auction itself.")
    if auction.installment_number == scheme.foreman_installment:
        raise WrongState("This is the foreman's chit: the whole amount, without discount.")
    tickets = Subscription.objects.filter(scheme=scheme, status__in=HOLDING)
    unprized = tickets.filter(prized_installment=None).count()
    carried = LedgerAccount.objects.filter(
        scheme=scheme, kind__in=[AccountKind.DIVIDEND_POOL, AccountKind.FORFEITED_DIVIDEND]
    )
    return auction_outcome(
        terms_of(scheme),
        discount=discount,
        recipients=recipient_count(
            scheme.dividend_policy, tickets=tickets.count(), non_prized_after=unprized - 1
        ),
        tax_percent=tax_percent_on(business_date()),
        carry_in=sum((account.balance for account in carried), ZERO),
    )
