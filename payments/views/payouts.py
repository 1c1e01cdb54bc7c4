"""Prizes over HTTP: approved by one person, paid by another."""

from __future__ import annotations

from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from accounts.permissions import IsForemanOrAdministrator, needs
from payments.models import PaymentMethod, PayoutStatus, PrizePayout
from payments.selectors import visible_payouts
from payments.serializers import PayoutApproveSerializer, PayoutPaySerializer, PayoutSerializer
from payments.services import payouts


class PayoutFilter(django_filters.FilterSet):
    """By scheme and status."""

    scheme = django_filters.UUIDFilter(field_name="scheme_id")
    status = django_filters.ChoiceFilter(choices=PayoutStatus.choices)

    class Meta:
        model = PrizePayout
        fields = ("scheme", "status")


class PayoutViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OfficeViewSet):
    """Prizes of one's tickets, of one's schemes, or all for staff."""

    queryset = PrizePayout.objects.none()
    serializer_class = PayoutSerializer
    filterset_class = PayoutFilter
    search_fields = ()
    ordering_fields = ("created_at",)
    permission_classes = (IsAuthenticated,)

    def get_queryset(self) -> QuerySet[PrizePayout]:
        return visible_payouts(self.request.user)

    @extend_schema(request=PayoutApproveSerializer, responses=PayoutSerializer)
    @action(
        detail=True,
        methods=["post"],
        permission_classes=[needs("payments.approve_prizepayout")],
    )
    def approve(self, request: Request, pk: UUID) -> Response:
        """Approve a prize and record the security taken for future dues."""
        payout = self.get_object()
        form = PayoutApproveSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        payouts.approve_payout(payout_id=payout.pk, actor=request.user, **form.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=PayoutPaySerializer, responses=PayoutSerializer)
    @action(detail=True, methods=["post"], permission_classes=[IsForemanOrAdministrator])
    def pay(self, request: Request, pk: UUID) -> Response:
        """Pay an approved prize; 409 with the shortfall until the cash is there."""
        payout = self.get_object()
        form = PayoutPaySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        method = PaymentMethod(form.validated_data["method"])
        payouts.pay_payout(
            payout_id=payout.pk,
            actor=request.user,
            method=method,
            reference=form.validated_data.get("reference", ""),
        )
        return Response(self.get_serializer(self.get_object()).data)
