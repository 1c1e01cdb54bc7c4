"""Where draws are served. Closing and settling belong to payments.

`.kwargs` is what `@action` was told, its permissions above all: a router of DRF's passes it
on, a path written out must.
"""

from django.urls import path

from auctions.views import AuctionViewSet, BidViewSet, SchemeAuctionsViewSet

urlpatterns = [
    path("auctions", AuctionViewSet.as_view({"get": "list"}), name="auction-list"),
    path("auctions/<uuid:pk>", AuctionViewSet.as_view({"get": "retrieve"}), name="auction-detail"),
    path(
        "auctions/<uuid:pk>/open",
        AuctionViewSet.as_view({"post": "open"}, **AuctionViewSet.open.kwargs),
        name="auction-open",
    ),
    path(
        "auctions/<uuid:pk>/minutes",
        AuctionViewSet.as_view({"get": "minutes"}),
        name="auction-minutes",
    ),
    path(
        "auctions/<uuid:pk>/bids",
        BidViewSet.as_view({"get": "list", "post": "create"}),
        name="auction-bids",
    ),
    path(
        "schemes/<uuid:pk>/auctions",
        SchemeAuctionsViewSet.as_view({"get": "list"}),
        name="scheme-auctions",
    ),
]
