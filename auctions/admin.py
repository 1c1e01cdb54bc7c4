"""Draws and bids at the desk: read, never edited."""

from __future__ import annotations

from django.contrib import admin

from auctions.models import Auction, Bid
from chitfund.desk import ReadOnlyAdmin


@admin.register(Auction)
class AuctionAdmin(ReadOnlyAdmin):
    list_display = (
        "scheme",
        "installment_number",
        "status",
        "scheduled_at",
        "method",
        "winner",
        "discount",
        "prize_amount",
        "dividend_per_ticket",
    )
    list_filter = ("status", "method")
    list_select_related = ("scheme", "winner")
    search_fields = ("scheme__name",)
    ordering = ("scheduled_at",)
    exclude = ("seed",)


@admin.register(Bid)
class BidAdmin(ReadOnlyAdmin):
    list_display = ("auction", "subscription", "discount", "is_proxy", "placed_at")
    list_select_related = ("auction", "subscription")
    search_fields = ("auction__scheme__name",)
