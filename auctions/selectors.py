"""Reads about draws."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.permissions import has_staff_permission
from auctions.models import Auction, Bid
from schemes.models import Scheme
from subscriptions.models import HOLDING, Subscription

VIEW = "auctions.view_auction"


def visible_auctions(user: User) -> QuerySet[Auction]:
    """Return the auctions of schemes in which somebody holds a ticket, or that they run."""
    auctions = Auction.objects.select_related("winner")
    if has_staff_permission(user, VIEW):
        return auctions
    return auctions.filter(Q(scheme__foreman=user) | Q(scheme__in=_held_by(user)))


def schemes_to_follow(user: User) -> QuerySet[Scheme]:
    """Return the schemes whose auctions somebody may see, scheduled already or not."""
    if has_staff_permission(user, VIEW):
        return Scheme.objects.all()
    return Scheme.objects.filter(Q(foreman=user) | Q(pk__in=_held_by(user)))


def _held_by(user: User) -> QuerySet[Any]:
    return Subscription.objects.filter(subscriber=user, status__in=HOLDING).values("scheme")


def bids_of(auction: Auction) -> QuerySet[Bid]:
    """Return an auction's bids, newest first."""
    return Bid.objects.filter(auction=auction).select_related("subscription")
