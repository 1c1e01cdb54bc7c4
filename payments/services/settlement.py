"""Settling a draw: prize, commission, tax, dividends, the next installment, in one transaction.

Under the scheme's lock either the whole month is settled or none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from django.db import transaction

from accounts.audit import record_audit_event
from accounts.models import User
from auctions.eligibility import check_eligible
from auctions.models import Auction, AuctionStatus, Method
from auctions.outcome import Outcome, auction_outcome, foreman_outcome
from auctions.services import check_can_be_held, lock_auction
from auctions.terms import snapshot, terms_of
from chitfund.business_date import business_now
from chitfund.exceptions import WrongState
from chitfund.money import ZERO, split_evenly
from notifications.models import NotificationEvent
from notifications.services import notify, notify_many
from payments.models import AccountKind, PrizePayout, TransferKind
from payments.selectors import tax_percent_on
from payments.services import winners
from payments.services.books import Books, holding_tickets
from payments.services.closing import close_books_if_done
from payments.services.dividends import credit_dividends, share_forfeited, sweep_late_dividends
from payments.services.passbook import Passbook, passbooks
from payments.services.postponement import tell_of_postponement
from payments.services.raising import move_due_day, raise_installment
from payments.services.setoff import set_off_arrears
from payments.services.winners import Result, is_foremans
from schemes.models import DividendPolicy, Scheme

OUTCOME_COLUMNS = (
    "discount",
    "prize_amount",
    "commission",
    "tax",
    "dividend_pool",
    "recipients",
    "dividend_per_ticket",
    "base_dividend",
    "golden_dividend",
)
NOBODY_ELIGIBLE = (
    "No ticket is eligible: each unprized one is in arrears, or its holder is suspended or not "
    "KYC-verified. Collect dues and set a new date, or an administrator orders a draw among those "
    "in arrears."
)


@transaction.atomic
def close_auction(*, auction_id: UUID, actor: User | None) -> Auction:
    """End bidding, find the winner and settle the month.

    Where nobody is eligible the draw is postponed. Raises WrongState if the auction is not
    open; without an actor (the clock) also while bidding has not ended.
    """
    auction = lock_auction(auction_id)
    now = business_now()
    check_can_be_held(auction, now)
    if is_foremans(auction):
        return settle(auction, winners.foremans_result(auction, today=now.date()), actor=actor)
    if auction.status != AuctionStatus.OPEN:
        raise WrongState(
            f"Auction {auction.installment_number} is {auction.get_status_display().lower()}; "
            "only an open one can be closed.",
            code="auction_not_open",
        )
    if actor is None and now < auction.closes_at:
        raise WrongState("Bidding has not ended yet.")
    result = winners.find_winner(auction)
    if result is None:
        return _postpone_for_want_of_bidders(auction, actor)
    return settle(auction, result, actor=actor)


def _postpone_for_want_of_bidders(auction: Auction, actor: User | None) -> Auction:
    auction.move_to(AuctionStatus.POSTPONED)
    auction.postponement_reason = NOBODY_ELIGIBLE
    auction.save()
    record_audit_event(
        actor=actor, verb="auction.postponed", target=auction, reason="nobody eligible"
    )
    tell_of_postponement(auction, NOBODY_ELIGIBLE)
    return auction


@transaction.atomic
def order_draw_among_arrears(*, auction_id: UUID, actor: User) -> Auction:
    """Hold a postponed draw among unprized tickets in arrears, by an administrator's order.

    The winner's dues are set off against the prize first (design.md 5.4).
    """
    auction = lock_auction(auction_id)
    now = business_now()
    check_can_be_held(auction, now)
    return settle(auction, winners.winner_among_arrears(auction, today=now.date()), actor=actor)


@transaction.atomic
def record_auction(
    *,
    auction_id: UUID,
    actor: User,
    subscription_id: UUID,
    discount: Decimal,
    attendance: Sequence[str],
    method: Method = Method.BID,
) -> Auction:
    """Enter the result of an auction that was held in a room (s.16, s.17).

    Raises InvalidInput or WrongState where the result is one that the scheme's own rules
    would have refused.
    """
    auction = lock_auction(auction_id)
    now = business_now()
    check_can_be_held(auction, now)
    winners.check_recordable(auction, today=now.date())
    ticket = winners.recorded_ticket(auction, subscription_id)
    check_eligible(ticket, on=winners.scheduled_on(auction))
    winners.check_quorum(attendance)
    winners.check_recorded_figure(auction, discount, Method(method))
    auction.is_recorded = True
    auction.attendance = list(attendance)
    return settle(auction, Result(ticket, Method(method), discount), actor=actor)


@dataclass
class Draw:
    """One draw while it is settled: the auction, its result, and the books it moves."""

    auction: Auction
    result: Result
    books: Books
    pages: dict[UUID, Passbook]
    outcome: Outcome

    @property
    def scheme(self) -> Scheme:
        return self.books.scheme

    @property
    def number(self) -> int:
        return self.auction.installment_number

    @property
    def is_last(self) -> bool:
        return self.number == self.scheme.duration_months

    @property
    def winner(self) -> Passbook:
        return self.pages[self.result.winner.pk]

    @cached_property
    def recipients(self) -> list[Passbook]:
        return recipients_of(self.scheme, self.result.winner.pk, self.pages)


def settle(auction: Auction, result: Result, *, actor: User | None) -> Auction:
    """Write a draw's outcome on a locked auction, post it, and raise the next installment."""
    auction.move_to(AuctionStatus.CLOSED)
    draw = _begin(auction, result)
    _prize_the_ticket(draw)
    _post_the_draw(draw)
    _share_out(draw)
    payout = _owe_the_prize(draw)
    for page in draw.pages.values():
        page.apply_credits()
    draw.books.save()
    _write_outcome(draw, actor)
    payout.save()
    _move_on(draw)
    record_audit_event(
        actor=actor,
        verb="auction.settled",
        target=auction,
        method=result.method,
        winner=result.winner.ticket_number,
        discount=str(draw.outcome.discount),
        prize=str(draw.outcome.prize_amount),
    )
    _tell(draw, payout)
    close_books_if_done(draw.scheme, actor=actor)
    return auction


def _begin(auction: Auction, result: Result) -> Draw:
    """Open the books, take late dividends back, and divide the month.

    An installment is due on the day of its draw; if that is today only, nobody is late for it.
    """
    books = Books(auction.scheme)
    move_due_day(auction.scheme, auction.installment_number, books.on)
    pages = passbooks(books, holding_tickets(auction.scheme))
    sweep_late_dividends(books, pages)
    auction.carry_in = books.balance(AccountKind.DIVIDEND_POOL)
    auction.forfeited_in = share_forfeited(books)
    carried = auction.carry_in + auction.forfeited_in
    sharers = len(recipients_of(auction.scheme, result.winner.pk, pages))
    terms = terms_of(auction.scheme)
    if result.method == Method.FOREMAN:
        auction.tax_percent = ZERO
        outcome = foreman_outcome(terms, recipients=sharers, carry_in=carried)
    else:
        auction.tax_percent = tax_percent_on(books.on)
        outcome = auction_outcome(
            terms,
            discount=result.discount,
            recipients=sharers,
            tax_percent=auction.tax_percent,
            carry_in=carried,
        )
    return Draw(auction, result, books, pages, outcome)


def recipients_of(scheme: Scheme, winner_id: UUID, pages: dict[UUID, Passbook]) -> list[Passbook]:
    """Return who shares the dividend of a draw, in the order of ticket numbers."""
    everybody = list(pages.values())
    others = [page for page in everybody if page.ticket.pk != winner_id]
    if scheme.dividend_policy == DividendPolicy.EXCLUDE_WINNER:
        return others
    if scheme.dividend_policy == DividendPolicy.NON_PRIZED:
        return [page for page in others if not page.ticket.is_prized] or everybody
    return everybody


def _prize_the_ticket(draw: Draw) -> None:
    """Mark the winner: prized from the draw, not from the payment (s.2(n))."""
    ticket = draw.winner.ticket
    ticket.prized_at = draw.books.now
    ticket.prized_installment = draw.number
    ticket.save(update_fields=["prized_at", "prized_installment", "updated_at"])


def _post_the_draw(draw: Draw) -> None:
    outcome, post, number = draw.outcome, draw.books.post, draw.number
    pot, owed = AccountKind.CHIT, AccountKind.PRIZE_PAYABLE
    post(TransferKind.PRIZE_AWARDED, pot, owed, outcome.prize_amount, number=number)
    post(TransferKind.COMMISSION, pot, AccountKind.COMMISSION, outcome.commission, number=number)
    post(TransferKind.POOL, pot, AccountKind.DIVIDEND_POOL, outcome.new_pool, number=number)
    post(TransferKind.TAX, owed, AccountKind.GST_PAYABLE, outcome.tax, number=number)


def _share_out(draw: Draw) -> None:
    """Raise the next installment and credit the dividends.

    After the last draw there is no pool to carry a residue to: it is shared to the paisa,
    odd ones to the lowest ticket numbers (design.md 5.1).
    """
    if not draw.is_last:
        raise_installment(draw.books, draw.pages, draw.number + 1)
    shares = [draw.outcome.dividend_per_ticket] * len(draw.recipients)
    if draw.is_last:
        odd = split_evenly(draw.outcome.residue, len(shares))
        shares = [share + rest for share, rest in zip(shares, odd, strict=True)]
    credit_dividends(draw.books, draw.recipients, shares, draw_number=draw.number)


def _owe_the_prize(draw: Draw) -> PrizePayout:
    prize = draw.outcome.prize_after_tax
    set_off = ZERO
    if draw.auction.is_among_arrears:
        set_off = set_off_arrears(draw.books, draw.winner, draw_number=draw.number, limit=prize)
    return PrizePayout(
        scheme=draw.scheme,
        auction=draw.auction,
        subscription=draw.winner.ticket,
        payee_id=draw.winner.ticket.subscriber_id,
        prize_amount=draw.outcome.prize_amount,
        tax=draw.outcome.tax,
        set_off=set_off,
        net_amount=prize - set_off,
    )


def _write_outcome(draw: Draw, actor: User | None) -> None:
    auction, outcome = draw.auction, draw.outcome
    auction.move_to(AuctionStatus.SETTLED)
    auction.closed_at = auction.settled_at = business_now()
    auction.settled_on = draw.books.on
    auction.closed_by = actor
    auction.method = draw.result.method
    auction.winner = draw.winner.ticket
    auction.lot_tickets = list(draw.result.lot_tickets)
    for column in OUTCOME_COLUMNS:
        setattr(auction, column, getattr(outcome, column))
    auction.residue = ZERO if draw.is_last else outcome.residue
    auction.rules = snapshot(draw.scheme, tax_percent=auction.tax_percent or ZERO)
    auction.save()


def _move_on(draw: Draw) -> None:
    following = Auction.objects.filter(
        scheme=draw.scheme, installment_number=draw.number + 1
    ).first()
    draw.scheme.next_auction_at = following.opens_at if following else None
    draw.scheme.save(update_fields=["next_auction_at", "updated_at"])


def _tell(draw: Draw, payout: PrizePayout) -> None:
    ticket = str(draw.winner.ticket.ticket_number)
    notify_many(
        recipients=sorted({page.ticket.subscriber_id for page in draw.pages.values()}),
        event=NotificationEvent.AUCTION_RESULT,
        scheme=draw.scheme.name,
        installment_number=str(draw.number),
        winning_ticket=ticket,
        discount=str(draw.outcome.discount),
        dividend=str(draw.outcome.dividend_per_ticket),
    )
    if payout.net_amount == 0:
        return  # set off against dues to the last paisa: there is nothing to come and get
    notify(
        recipient_id=payout.payee_id,
        event=NotificationEvent.PRIZE_READY,
        scheme=draw.scheme.name,
        ticket=ticket,
        amount=str(payout.net_amount),
    )
