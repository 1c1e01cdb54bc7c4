"""Draws over HTTP: see them, open them, bid in them, read their minutes."""

from __future__ import annotations

from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from accounts.permissions import IsForemanOrAdministrator
from auctions import services
from auctions.access import check_conducts
from auctions.minutes import minutes_of
from auctions.models import Auction, AuctionStatus, Bid
from auctions.selectors import bids_of, schemes_to_follow, visible_auctions
from auctions.serializers import (
    AuctionSerializer,
    BidCreateSerializer,
    BidSerializer,
    MinutesSerializer,
)
from chitfund.api.pagination import KeysetPagination


class AuctionFilter(django_filters.FilterSet):
    """By scheme and status."""

    status = django_filters.ChoiceFilter(choices=AuctionStatus.choices)
    scheme = django_filters.UUIDFilter(field_name="scheme_id")

    class Meta:
        model = Auction
        fields = ("status", "scheme")


class AuctionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OfficeViewSet):
    """Draws of the schemes that one takes part in or runs."""

    queryset = Auction.objects.none()
    serializer_class = AuctionSerializer
    filterset_class = AuctionFilter
    search_fields = ()
    ordering_fields = ("scheduled_at", "installment_number")
    ordering = ("scheduled_at", "id")
    permission_classes = (IsAuthenticated,)

    def get_queryset(self) -> QuerySet[Auction]:
        return visible_auctions(self.request.user)

    @extend_schema(request=None, responses=AuctionSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsForemanOrAdministrator])
    def open(self, request: Request, pk: UUID) -> Response:
        """Open bidding by hand, on the scheduled business date."""
        auction = self.get_object()
        check_conducts(request.user, auction)
        services.open_auction(auction_id=auction.pk, actor=request.user)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses=MinutesSerializer)
    @action(detail=True, methods=["get"])
    def minutes(self, request: Request, pk: UUID) -> Response:
        """The minutes of a draw as the Act asks for them (s.17)."""
        return Response(MinutesSerializer(minutes_of(self.get_object())).data)


class BidViewSet(mixins.ListModelMixin, OfficeViewSet):
    """Bids of one auction, newest first; a bid that was accepted stands."""

    queryset = Bid.objects.none()
    serializer_class = BidSerializer
    pagination_class = KeysetPagination
    filter_backends = ()
    permission_classes = (IsAuthenticated,)

    def get_auction(self) -> Auction:
        return get_object_or_404(visible_auctions(self.request.user), pk=self.kwargs["pk"])

    def get_queryset(self) -> QuerySet:
        return bids_of(self.get_auction())

    @extend_schema(request=BidCreateSerializer, responses={201: BidSerializer})
    def create(self, request: Request, pk: UUID) -> Response:
        """Offer a discount. A refused bid says why."""
        auction = self.get_auction()
        form = BidCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        bid = services.place_bid(auction_id=auction.pk, actor=request.user, **form.validated_data)
        return Response(BidSerializer(bid).data, status=status.HTTP_201_CREATED)


class SchemeAuctionsViewSet(mixins.ListModelMixin, OfficeViewSet):
    """The draws of one scheme, in order."""

    queryset = Auction.objects.none()
    serializer_class = AuctionSerializer
    filter_backends = ()
    permission_classes = (IsAuthenticated,)

    def get_queryset(self) -> QuerySet[Auction]:
        user = self.request.user
        scheme = get_object_or_404(schemes_to_follow(user), pk=self.kwargs["pk"])
        return visible_auctions(user).filter(scheme=scheme).order_by("installment_number")
