"""What each event says, in words for the person who gets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from chitfund.business_date import IST
from chitfund.money import format_inr
from notifications.models import NotificationEvent

MONEY = frozenset({"amount", "discount", "dividend"})
DAYS = frozenset({"due_on", "first_auction_on"})
MOMENTS = frozenset({"opens_at"})
TITLE_LENGTH = 160


@dataclass(frozen=True)
class Message:
    """A title of one line and a body of a few sentences."""

    title: str
    body: str


_TEXTS: dict[str, tuple[frozenset[str], Message]] = {}


def _says(event: NotificationEvent, keys: str, title: str, body: str) -> None:
    _TEXTS[event] = frozenset(keys.split()), Message(title, body)


_says(
    NotificationEvent.SCHEME_APPROVED,
    "scheme sanction_number",
    "{scheme} is approved",
    "Your scheme {scheme} is approved under sanction number {sanction_number}. "
    "Subscribers can join from now on.",
)
_says(
    NotificationEvent.SCHEME_RETURNED,
    "scheme reason",
    "{scheme} was returned",
    "Your scheme {scheme} was returned to draft: {reason}\n"
    "Change what is asked for and submit it again.",
)
_says(
    NotificationEvent.SCHEME_COMMENCED,
    "scheme first_auction_on ticket",
    "{scheme} has commenced",
    "The chit {scheme} has commenced. Your ticket is number {ticket}; "
    "the first auction is on {first_auction_on}.",
)
_says(
    NotificationEvent.SCHEME_COMPLETED,
    "scheme",
    "{scheme} is completed",
    "The chit {scheme} has run its whole course and its books are closed. "
    "Your statement stays available.",
)
_says(
    NotificationEvent.KYC_VERIFIED,
    "document",
    "Your {document} is verified",
    "We have verified your {document}. Nothing more is needed for it.",
)
_says(
    NotificationEvent.KYC_REJECTED,
    "document reason",
    "Your {document} could not be verified",
    "We could not verify your {document}: {reason}\nPlease upload it again.",
)
_says(
    NotificationEvent.PAYMENT_RECEIVED,
    "scheme ticket amount receipt_number",
    "Received {amount} for {scheme}",
    "We have received {amount} for ticket {ticket} of {scheme}. "
    "The receipt number is {receipt_number}.",
)
_says(
    NotificationEvent.PAYMENT_REVERSED,
    "scheme ticket amount reason",
    "A payment of {amount} was reversed",
    "The payment of {amount} for ticket {ticket} of {scheme} was reversed: {reason}",
)
_says(
    NotificationEvent.PAYMENT_DUE,
    "scheme ticket amount due_on",
    "{amount} is due on {due_on}",
    "For ticket {ticket} of {scheme}, {amount} is due on {due_on}.",
)
_says(
    NotificationEvent.AUCTION_REMINDER,
    "scheme installment_number opens_at",
    "Auction {installment_number} of {scheme} opens soon",
    "Bidding in auction {installment_number} of {scheme} opens on {opens_at}.",
)
_says(
    NotificationEvent.AUCTION_POSTPONED,
    "scheme installment_number reason",
    "Auction {installment_number} of {scheme} is postponed",
    "Auction {installment_number} of {scheme} is postponed: {reason}\n"
    "You will be told the new date.",
)
_says(
    NotificationEvent.AUCTION_MOVED,
    "scheme installment_number opens_at reason",
    "Auction {installment_number} of {scheme} is on {opens_at}",
    "Auction {installment_number} of {scheme} has a new day: {opens_at}. Reason: {reason}\n"
    "An installment that was due with it is due on that day.",
)
_says(
    NotificationEvent.AUCTION_RESULT,
    "scheme installment_number winning_ticket discount dividend",
    "Auction {installment_number} of {scheme}: ticket {winning_ticket}",
    "Ticket {winning_ticket} has won auction {installment_number} of {scheme} "
    "with a discount of {discount}. The dividend is {dividend} a ticket.",
)
_says(
    NotificationEvent.PRIZE_READY,
    "scheme ticket amount",
    "Your prize of {amount} is ready",
    "Ticket {ticket} of {scheme} has won {amount}. "
    "Give the security that the foreman asks for, and it will be paid to you.",
)
_says(
    NotificationEvent.PRIZE_PAID,
    "scheme ticket amount reference",
    "Your prize of {amount} is paid",
    "The prize of {amount} for ticket {ticket} of {scheme} was paid. Reference: {reference}.",
)
_says(
    NotificationEvent.TICKET_TAKEN,
    "scheme ticket",
    "You have ticket {ticket} of {scheme}",
    "The foreman of {scheme} has enrolled you with ticket {ticket} and sees your name, e-mail "
    "address and phone number while you hold it.\n"
    "If you did not ask for it, withdraw the ticket in your account before the chit commences, "
    "and tell the office.",
)
_says(
    NotificationEvent.TICKET_WITHDRAWN,
    "scheme ticket reason",
    "Your ticket {ticket} of {scheme} is withdrawn",
    "Ticket {ticket} of {scheme} is not yours any more: {reason}\n"
    "Nothing is owed for it. If you did not expect this, ask the foreman or the office.",
)
_says(NotificationEvent.ACCOUNT, "title text", "{title}", "{text}")


def message_for(event: NotificationEvent, context: dict[str, Any]) -> Message:
    """Return an event's text, or raise ValueError when the context is not what it needs."""
    keys, message = _TEXTS[event]
    if keys != context.keys():
        raise ValueError(f"{event} needs {sorted(keys)}, got {sorted(context)}")
    told = {key: _as_told(key, value) for key, value in context.items()}
    title = message.title.format(**told)
    if len(title) > TITLE_LENGTH:
        title = title[: TITLE_LENGTH - 1] + "…"
    return Message(title, message.body.format(**told))


def _as_told(key: str, value: Any) -> str:
    if key in MONEY:
        return _money(value)
    if key in DAYS:
        return _day(value)
    if key in MOMENTS:
        return _moment(value)
    return str(value)


def _money(value: Any) -> str:
    """Write rupees with the grouping of India: ₹1,25,000."""
    try:
        return format_inr(Decimal(str(value)))
    except InvalidOperation as exc:
        raise ValueError("amounts are decimal numbers") from exc


def _day(value: Any) -> str:
    day = value if isinstance(value, date) else date.fromisoformat(str(value))
    return f"{day.day} {day:%B %Y}"


def _moment(value: Any) -> str:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    local = moment.astimezone(IST)
    return f"{_day(local.date())} at {local:%H:%M}"
