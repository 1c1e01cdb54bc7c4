"""Commencing a chit, settling its draws, and its ledger, over HTTP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from accounts.models import User
from accounts.permissions import IsForemanOrAdministrator, has_staff_permission, needs
from accounts.serializers import ReasonSerializer
from auctions.access import check_conducts
from auctions.models import Auction
from auctions.selectors import visible_auctions
from auctions.serializers import AuctionSerializer
from chitfund.api.pagination import KeysetPagination
from payments.models import CashMovement, Transfer
from payments.preview import preview_outcome
from payments.selectors import visible_movements
from payments.serializers import (
    AmountField,
    CommenceSerializer,
    LedgerPageSerializer,
    LedgerProofSerializer,
    MovementCreateSerializer,
    MovementSerializer,
    OutcomeSerializer,
    PostponeSerializer,
    RecordedResultSerializer,
    TransferSerializer,
)
from payments.services import cash, commencement, postponement, settlement
from payments.statements import trial_balance
from schemes.models import Scheme
from schemes.serializers import SchemeSerializer


def schemes_run_by(user: User, permission: str) -> QuerySet[Scheme]:
    """Return the schemes whose books somebody may open: own ones, or all for staff."""
    if has_staff_permission(user, permission):
        return Scheme.objects.all()
    return Scheme.objects.filter(foreman=user)


class CommenceViewSet(OfficeViewSet):
    """Starting a chit."""

    queryset = Scheme.objects.none()
    permission_classes = (needs("schemes.commence_scheme"),)

    @extend_schema(request=CommenceSerializer, responses=SchemeSerializer)
    def commence(self, request: Request, pk: UUID) -> Response:
        """Start a chit whose every ticket is taken (s.9): schedule and first dues exist then."""
        form = CommenceSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        scheme = commencement.commence_scheme(
            scheme_id=pk, actor=request.user, **form.validated_data
        )
        saved = Scheme.objects.with_records().get(pk=scheme.pk)
        return Response(SchemeSerializer(saved).data)


class DiscountQuery(serializers.Serializer[Any]):
    discount = AmountField(min_value=Decimal(0))


class DrawViewSet(OfficeViewSet):
    """Closing, recording and moving draws: what they bring is money."""

    queryset = Auction.objects.none()
    serializer_class = AuctionSerializer
    permission_classes = (IsForemanOrAdministrator,)

    def get_queryset(self) -> QuerySet[Auction]:
        return visible_auctions(self.request.user)

    def _conducted(self) -> Auction:
        auction = self.get_object()
        check_conducts(self.request.user, auction)
        return auction

    def _answer(self) -> Response:
        return Response(AuctionSerializer(self.get_object()).data)

    @extend_schema(request=None, responses=AuctionSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: UUID) -> Response:
        """End bidding, find the winner and settle the month, in one transaction."""
        settlement.close_auction(auction_id=self._conducted().pk, actor=request.user)
        return self._answer()

    @extend_schema(request=RecordedResultSerializer, responses=AuctionSerializer)
    @action(detail=True, methods=["post"])
    def record(self, request: Request, pk: UUID) -> Response:
        """Enter the result of an auction that was held in a room."""
        auction = self._conducted()
        form = RecordedResultSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        settlement.record_auction(auction_id=auction.pk, actor=request.user, **form.validated_data)
        return self._answer()

    @extend_schema(request=PostponeSerializer, responses=AuctionSerializer)
    @action(detail=True, methods=["post"])
    def postpone(self, request: Request, pk: UUID) -> Response:
        """Move a draw to another day, or let it wait for one."""
        auction = self._conducted()
        form = PostponeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        postponement.postpone_auction(
            auction_id=auction.pk, actor=request.user, **form.validated_data
        )
        return self._answer()

    @extend_schema(request=None, responses=AuctionSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("auctions.change_auction")])
    def order_draw(self, request: Request, pk: UUID) -> Response:
        """Order a postponed draw among the tickets in arrears (an administrator)."""
        settlement.order_draw_among_arrears(auction_id=self.get_object().pk, actor=request.user)
        return self._answer()

    @extend_schema(
        parameters=[OpenApiParameter("discount", Decimal, required=True)],
        responses=OutcomeSerializer,
    )
    @action(detail=True, methods=["get"], permission_classes=[IsAuthenticated])
    def outcome(self, request: Request, pk: UUID) -> Response:
        """What each party would get at a discount; writes nothing."""
        query = DiscountQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        outcome = preview_outcome(self.get_object(), query.validated_data["discount"])
        return Response(OutcomeSerializer(outcome).data)


class LedgerViewSet(OfficeViewSet):
    """The ledger of a scheme."""

    queryset = Transfer.objects.none()
    serializer_class = TransferSerializer
    pagination_class = KeysetPagination
    filter_backends = ()
    permission_classes = (IsForemanOrAdministrator,)

    @extend_schema(responses=LedgerPageSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """Balances with their proof, and the transfers newest first."""
        schemes = schemes_run_by(request.user, "payments.view_transfer")
        scheme = get_object_or_404(schemes, pk=pk)
        rows = Transfer.objects.filter(scheme=scheme).select_related(
            "debit_account__subscription", "credit_account__subscription"
        )
        page = self.paginate_queryset(rows)
        response = self.get_paginated_response(TransferSerializer(page, many=True).data)
        proof = LedgerProofSerializer(trial_balance(scheme)).data
        response.data = {**response.data, "proof": proof}
        return response


class CashViewSet(OfficeViewSet):
    """Cash movements of a scheme; money out needs two people."""

    queryset = CashMovement.objects.none()
    serializer_class = MovementSerializer
    pagination_class = KeysetPagination
    filter_backends = ()
    permission_classes = (IsForemanOrAdministrator,)

    def get_queryset(self) -> QuerySet[CashMovement]:
        return visible_movements(self.request.user).filter(scheme_id=self.kwargs["pk"])

    def _scheme(self) -> Scheme:
        schemes = schemes_run_by(self.request.user, "payments.view_cashmovement")
        return get_object_or_404(schemes, pk=self.kwargs["pk"])

    def list(self, request: Request, pk: UUID) -> Response:
        """Movements, newest first."""
        self._scheme()
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(MovementSerializer(page, many=True).data)

    @extend_schema(request=MovementCreateSerializer, responses={201: MovementSerializer})
    def create(self, request: Request, pk: UUID) -> Response:
        """Enter a movement: money in is posted, money out waits for a second person."""
        scheme = self._scheme()
        form = MovementCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        movement = cash.request_movement(
            scheme_id=scheme.pk, actor=request.user, **form.validated_data
        )
        return Response(MovementSerializer(movement).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=MovementSerializer)
    def approve(self, request: Request, pk: UUID, movement: UUID) -> Response:
        """Post a movement that somebody else requested."""
        scheme = self._scheme()
        row = cash.approve_movement(scheme_id=scheme.pk, movement_id=movement, actor=request.user)
        return Response(MovementSerializer(row).data)

    @extend_schema(request=ReasonSerializer, responses=MovementSerializer)
    def reject(self, request: Request, pk: UUID, movement: UUID) -> Response:
        """Refuse a movement that waits, or withdraw one's own."""
        scheme = self._scheme()
        form = ReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        row = cash.reject_movement(
            scheme_id=scheme.pk, movement_id=movement, actor=request.user, **form.validated_data
        )
        return Response(MovementSerializer(row).data)
