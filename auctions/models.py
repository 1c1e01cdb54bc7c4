"""Draws: one auction an installment, and the bids that were placed in it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from chitfund.db import IdentifiedModel, MoneyField, StatusModel, TimeStampedModel, one_of
from chitfund.money import ZERO
from schemes.models import Scheme
from subscriptions.models import Subscription


class AuctionStatus(models.TextChoices):
    SCHEDULED = "SCHEDULED", "Scheduled"
    OPEN = "OPEN", "Open"
    CLOSED = "CLOSED", "Closed"
    SETTLED = "SETTLED", "Settled"
    POSTPONED = "POSTPONED", "Postponed"
    VOID = "VOID", "Void"


class Method(models.TextChoices):
    """How the prized ticket was found (s.16, s.6(4), s.21(1)(a))."""

    BID = "BID", "Highest bid"
    LOT_AT_CAP = "LOT_AT_CAP", "Lot among bids at the maximum"
    LOT_NO_BID = "LOT_NO_BID", "Lot, nobody bid"
    SOLE_TICKET = "SOLE_TICKET", "The only eligible ticket"
    FOREMAN = "FOREMAN", "Foreman's chit"


class Auction(IdentifiedModel, TimeStampedModel, StatusModel):
    """The draw of one installment of a scheme, from its date to its outcome."""

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        AuctionStatus.SCHEDULED: frozenset(
            {AuctionStatus.OPEN, AuctionStatus.CLOSED, AuctionStatus.POSTPONED, AuctionStatus.VOID}
        ),
        AuctionStatus.POSTPONED: frozenset(
            {AuctionStatus.SCHEDULED, AuctionStatus.CLOSED, AuctionStatus.VOID}
        ),
        AuctionStatus.OPEN: frozenset({AuctionStatus.CLOSED, AuctionStatus.POSTPONED}),
        AuctionStatus.CLOSED: frozenset({AuctionStatus.SETTLED}),
        AuctionStatus.SETTLED: frozenset({AuctionStatus.VOID}),
        AuctionStatus.VOID: frozenset(),
    }

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="auctions")
    installment_number = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=AuctionStatus, default=AuctionStatus.SCHEDULED)
    scheduled_at = models.DateTimeField(help_text="When the agreement says it is held.")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_on = models.DateField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    postponement_reason = models.CharField(max_length=500, blank=True)

    min_discount = MoneyField()
    max_discount = MoneyField()
    bid_step = MoneyField()
    leading_discount = MoneyField(null=True)
    leading_subscription = models.ForeignKey(
        Subscription, null=True, on_delete=models.PROTECT, related_name="+"
    )

    method = models.CharField(max_length=12, choices=Method, blank=True)
    winner = models.OneToOneField(
        Subscription, null=True, on_delete=models.PROTECT, related_name="prized_in"
    )
    discount = MoneyField(null=True)
    prize_amount = MoneyField(null=True)
    commission = MoneyField(null=True)
    tax_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    tax = MoneyField(null=True)
    carry_in = MoneyField(null=True)
    forfeited_in = MoneyField(null=True)
    dividend_pool = MoneyField(null=True)
    recipients = models.PositiveIntegerField(null=True)
    dividend_per_ticket = MoneyField(null=True)
    residue = MoneyField(null=True)
    base_dividend = MoneyField(null=True)
    golden_dividend = MoneyField(null=True)
    rules = models.JSONField(default=dict, help_text="The terms and rules this draw was held by.")

    seed = models.CharField(max_length=64, blank=True)
    seed_hash = models.CharField(max_length=64, blank=True)
    lot_tickets = models.JSONField(default=list)
    is_recorded = models.BooleanField(default=False, help_text="Held in a room, and recorded.")
    is_among_arrears = models.BooleanField(default=False)
    attendance = models.JSONField(default=list)

    class Meta:
        db_table = "auctions"
        ordering = ("scheme_id", "installment_number")
        verbose_name = "auction"
        constraints = (
            models.UniqueConstraint(
                fields=["scheme", "installment_number"],
                condition=~Q(status=AuctionStatus.VOID),
                name="auction_one_per_installment",
            ),
            models.UniqueConstraint(
                fields=["scheme"],
                condition=Q(status__in=[AuctionStatus.OPEN, AuctionStatus.CLOSED]),
                name="auction_one_open_per_scheme",
            ),
            models.CheckConstraint(
                condition=one_of("status", AuctionStatus), name="auction_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(method="") | one_of("method", Method), name="auction_method_is_known"
            ),
            models.CheckConstraint(
                condition=Q(min_discount__gte=ZERO)
                & Q(max_discount__gte=models.F("min_discount"))
                & Q(bid_step__gt=ZERO),
                name="auction_bounds_make_sense",
            ),
            models.CheckConstraint(
                condition=~Q(status=AuctionStatus.SETTLED)
                | Q(
                    winner__isnull=False,
                    discount__isnull=False,
                    prize_amount__gt=ZERO,
                    commission__gte=ZERO,
                    tax__gte=ZERO,
                    dividend_pool__gte=ZERO,
                    dividend_per_ticket__gte=ZERO,
                    residue__gte=ZERO,
                    settled_at__isnull=False,
                    settled_on__isnull=False,
                )
                & ~Q(method=""),
                name="auction_settled_has_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(closes_at__gt=models.F("opens_at")),
                name="auction_closes_after_it_opens",
            ),
        )
        indexes = (
            models.Index(
                fields=["opens_at"],
                name="auctions_to_open",
                condition=Q(status=AuctionStatus.SCHEDULED),
            ),
            models.Index(
                fields=["closes_at"],
                name="auctions_to_close",
                condition=Q(status=AuctionStatus.OPEN),
            ),
        )

    def __str__(self) -> str:
        return f"auction {self.installment_number}"


class Bid(IdentifiedModel):
    """A discount offered for one ticket; accepted bids are never changed or withdrawn."""

    auction = models.ForeignKey(Auction, on_delete=models.PROTECT, related_name="bids")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="bids")
    discount = MoneyField()
    is_proxy = models.BooleanField(default=False)
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    placed_at = models.DateTimeField()

    class Meta:
        db_table = "bids"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(discount__gte=ZERO), name="bid_discount_is_not_negative"
            ),
            models.UniqueConstraint(
                fields=["auction", "subscription", "discount"], name="bid_figure_once_a_ticket"
            ),
        )
        indexes = (models.Index(fields=["auction", "-id"], name="bids_auction"),)

    def __str__(self) -> str:
        return f"bid of {self.discount}"
