"""Reads about draws."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.permissions import has_staff_permission
from auctions.models import Auction, Bid
from subscriptions.models import HOLDING, Subscription


def visible_auctions(user: User) -> QuerySet[Auction]:
    """Return the auctions of schemes in which somebody holds a ticket, or that they run."""
    auctions = Auction.objects.select_related("winner")
    if has_staff_permission(user, "auctions.view_auction"):
        return auctions
    held = Subscription.objects.filter(subscriber=user, status__in=HOLDING).values("scheme")
    return auctions.filter(Q(scheme__foreman=user) | Q(scheme__in=held))


def bids_of(auction: Auction) -> QuerySet[Bid]:
    """Return an auction's bids, newest first."""
    return Bid.objects.filter(auction=auction).select_related("subscription")
