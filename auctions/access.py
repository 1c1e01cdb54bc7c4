"""Who may conduct a draw."""

from __future__ import annotations

from accounts.models import User
from accounts.permissions import has_staff_permission
from auctions.models import Auction
from chitfund.exceptions import NotAllowed


def check_conducts(user: User, auction: Auction) -> None:
    """Raise NotAllowed unless the user is the scheme's foreman or staff with the right."""
    if auction.scheme.foreman_id == user.pk:
        return
    if not has_staff_permission(user, "auctions.change_auction"):
        raise NotAllowed("Only the foreman of the scheme or an administrator conducts its draws.")
