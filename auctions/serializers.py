"""Draws as the API shows and takes them. Ticket numbers are shown, never names."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from auctions.models import Auction, AuctionStatus, Bid, Method
from chitfund.api.fields import ChoiceOrNullField, PlainDecimalField
from chitfund.money import MAX_AMOUNT, ZERO


class WinningTicketSerializer(serializers.Serializer[Any]):
    ticket_number = serializers.IntegerField()


class AuctionSerializer(serializers.ModelSerializer[Auction]):
    """One draw. `seed` is told only when bidding is over; its hash before."""

    winner = serializers.SerializerMethodField()
    seed = serializers.SerializerMethodField()
    method = ChoiceOrNullField(Method.choices)

    class Meta:
        model = Auction
        fields = (
            "id",
            "scheme",
            "installment_number",
            "status",
            "scheduled_at",
            "opens_at",
            "closes_at",
            "min_discount",
            "max_discount",
            "bid_step",
            "leading_discount",
            "winner",
            "method",
            "discount",
            "prize_amount",
            "commission",
            "tax",
            "dividend_pool",
            "dividend_per_ticket",
            "recipients",
            "residue",
            "base_dividend",
            "golden_dividend",
            "seed_hash",
            "seed",
            "lot_tickets",
            "is_recorded",
            "postponement_reason",
            "settled_at",
        )
        read_only_fields = fields

    @extend_schema_field(WinningTicketSerializer(allow_null=True))
    def get_winner(self, auction: Auction) -> dict[str, int] | None:
        winner = auction.winner
        return None if winner is None else {"ticket_number": winner.ticket_number}

    def get_seed(self, auction: Auction) -> str:
        return auction.seed if auction.status == AuctionStatus.SETTLED else ""


class BidSerializer(serializers.ModelSerializer[Bid]):
    ticket_number = serializers.IntegerField(source="subscription.ticket_number")

    class Meta:
        model = Bid
        fields = ("id", "auction", "ticket_number", "discount", "is_proxy", "placed_at")
        read_only_fields = fields


class BidCreateSerializer(serializers.Serializer[Any]):
    """A discount in rupees offered for one of one's tickets."""

    subscription = serializers.UUIDField(source="subscription_id")
    discount = PlainDecimalField(
        max_digits=12, decimal_places=2, min_value=ZERO, max_value=MAX_AMOUNT
    )


class MinutesSerializer(serializers.Serializer[Any]):
    """The minutes of a draw (s.17)."""

    scheme = serializers.CharField()
    installment_number = serializers.IntegerField()
    status = serializers.CharField()
    began_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.CharField(
        allow_blank=True, help_text="The role of who closed it; empty where the clock did."
    )
    is_closed_early = serializers.BooleanField()
    present = serializers.ListField(child=serializers.CharField())
    bids = BidSerializer(many=True)
    method = serializers.CharField()
    winner = WinningTicketSerializer(allow_null=True)
    discount = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    prize_amount = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    seed_hash = serializers.CharField()
    seed = serializers.CharField()
    lot_tickets = serializers.ListField(child=serializers.IntegerField())
    lot_rule = serializers.CharField()
    rules = serializers.DictField(child=serializers.CharField(allow_null=True))
