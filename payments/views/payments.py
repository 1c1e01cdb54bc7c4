"""Payments, receipts and installments over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from accounts.models import User
from accounts.permissions import IsForemanOrAdministrator, has_staff_permission
from accounts.serializers import ReasonSerializer
from chitfund.api.pagination import KeysetPagination
from chitfund.business_date import IST
from chitfund.exceptions import NotFound, WrongState
from chitfund.money import format_inr
from payments.models import Installment, Payment, PaymentMethod, PaymentStatus, PaymentType
from payments.selectors import (
    payments_with_allocations,
    visible_installments,
    visible_payments,
)
from payments.serializers import (
    InstallmentSerializer,
    PaymentCreateSerializer,
    PaymentSerializer,
    PaymentUpdateSerializer,
    PaymentWithSplitSerializer,
    ReceiptSerializer,
    StatementSerializer,
)
from payments.services import recording, reversal
from payments.statements import ticket_statement
from subscriptions.models import Subscription


class PaymentFilter(django_filters.FilterSet):
    """By scheme, ticket, type, status, method and day."""

    scheme = django_filters.UUIDFilter(field_name="scheme_id")
    subscription = django_filters.UUIDFilter(field_name="subscription_id")
    payment_type = django_filters.ChoiceFilter(choices=PaymentType.choices)
    status = django_filters.ChoiceFilter(choices=PaymentStatus.choices)
    method = django_filters.ChoiceFilter(choices=PaymentMethod.choices)
    to = django_filters.DateFilter(field_name="payment_date", lookup_expr="date__lte")

    class Meta:
        model = Payment
        fields = ("scheme", "subscription", "payment_type", "status", "method")


# `from` is a word of Python, so this filter is added by name.
PaymentFilter.base_filters["from"] = django_filters.DateFilter(
    field_name="payment_date", lookup_expr="date__gte"
)


class PaymentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OfficeViewSet):
    """One's own payments; a foreman's schemes' payments; all for staff."""

    queryset = Payment.objects.none()
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    filter_backends = (django_filters.rest_framework.DjangoFilterBackend,)
    pagination_class = KeysetPagination
    permission_classes = (IsAuthenticated,)

    def get_queryset(self) -> QuerySet[Payment]:
        return visible_payments(self.request.user)

    @extend_schema(request=PaymentCreateSerializer, responses={201: PaymentWithSplitSerializer})
    def create(self, request: Request) -> Response:
        """Record a payment (foreman, administrator) or declare one's own (subscriber)."""
        form = PaymentCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        shares, slip = _shares_and_slip(form.validated_data)
        payments = recording.record_payment(actor=request.user, shares=shares, slip=slip)
        ids = [payment.pk for payment in payments]
        saved = payments_with_allocations().in_bulk(ids)
        parts = [saved[pk] for pk in ids]
        body = PaymentWithSplitSerializer(parts[0], context={"parts": parts}).data
        return Response(body, status=status.HTTP_201_CREATED)

    @extend_schema(request=PaymentUpdateSerializer, responses=PaymentSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Complete, fail or annotate a pending payment. Amounts never change."""
        payment = self.get_object()
        form = PaymentUpdateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        _decide(payment, request.user, form.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=ReasonSerializer, responses={201: PaymentSerializer})
    @action(detail=True, methods=["post"], permission_classes=[IsForemanOrAdministrator])
    def reverse(self, request: Request, pk: UUID) -> Response:
        """Undo a completed payment; answers the reversing payment."""
        payment = self.get_object()
        form = ReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        mirror = reversal.reverse_payment(
            payment_id=payment.pk, actor=request.user, **form.validated_data
        )
        saved = self.get_queryset().get(pk=mirror.pk)
        return Response(self.get_serializer(saved).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=ReceiptSerializer)
    @action(detail=True, methods=["get"])
    def receipt(self, request: Request, pk: UUID) -> Response:
        """The receipt of money received (s.27)."""
        return Response(ReceiptSerializer(_receipt(self.get_object())).data)


def _shares_and_slip(data: dict[str, Any]) -> tuple[list[recording.Share], recording.Slip]:
    split = data.get("split")
    if split is None:
        split = [{"subscription_id": data["subscription"], "amount": data["amount"]}]
    optional = ("transaction_id", "payment_date", "note")
    slip = recording.Slip(
        method=PaymentMethod(data["method"]),
        **{name: data[name] for name in optional if name in data},
    )
    return [recording.Share(**share) for share in split], slip


@transaction.atomic
def _decide(payment: Payment, actor: User, data: dict[str, Any]) -> None:
    """Annotate and decide together, or not at all."""
    changes = {
        name: data[name] for name in ("transaction_id", "payment_date", "note") if name in data
    }
    if changes:
        recording.annotate_payment(payment_id=payment.pk, actor=actor, **changes)
    if data.get("status") == PaymentStatus.COMPLETED:
        recording.confirm_payment(payment_id=payment.pk, actor=actor)
    elif data.get("status") == PaymentStatus.FAILED:
        recording.fail_payment(payment_id=payment.pk, actor=actor, note=data.get("note", ""))


def _receipt(payment: Payment) -> dict[str, Any]:
    if not payment.receipt_number:
        raise WrongState("A receipt exists for money that was received; this payment has none.")
    scheme = payment.scheme
    return {
        "receipt_number": payment.receipt_number,
        "received_on": payment.payment_date.astimezone(IST).date(),
        "foreman": scheme.foreman.full_name,
        "scheme": scheme.name,
        "ticket_number": payment.subscription.ticket_number,
        "received_from": payment.subscriber.full_name,
        "amount": payment.amount,
        "amount_text": format_inr(payment.amount),
        "method": payment.method,
        "transaction_id": payment.transaction_id,
        "allocations": PaymentSerializer(payment).data["allocations"],
        "is_reversed": payment.reversed_at is not None,
    }


class UserPaymentsViewSet(mixins.ListModelMixin, OfficeViewSet):
    """The payments of one person, as far as the caller may see them."""

    queryset = Payment.objects.none()
    serializer_class = PaymentSerializer
    filterset_class = PaymentFilter
    filter_backends = (django_filters.rest_framework.DjangoFilterBackend,)
    pagination_class = KeysetPagination
    permission_classes = (IsAuthenticated,)

    def get_queryset(self) -> QuerySet[Payment]:
        return visible_payments(self.request.user).filter(subscriber_id=self.kwargs["user_id"])

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        _check_person(request.user, self.kwargs["user_id"])
        return super().list(request, *args, **kwargs)


def _check_person(user: User, person_id: UUID) -> None:
    """Somebody whose payments one may not see is not found, whether they exist or not."""
    if user.pk == person_id or has_staff_permission(user, "payments.view_payment"):
        get_object_or_404(User, pk=person_id)
        return
    shared = Subscription.objects.filter(subscriber_id=person_id, scheme__foreman=user)
    if not shared.exists():
        raise NotFound("There is no such person among your subscribers.")


class TicketMoneyViewSet(OfficeViewSet):
    """What one ticket owes and has paid."""

    queryset = Installment.objects.none()
    permission_classes = (IsAuthenticated,)
    pagination_class = KeysetPagination
    filter_backends = ()

    def get_ticket(self) -> Subscription:
        user = self.request.user
        tickets = Subscription.objects.select_related("scheme")
        ticket = get_object_or_404(tickets, pk=self.kwargs["pk"])
        is_theirs = user.pk in (ticket.subscriber_id, ticket.scheme.foreman_id)
        if not (is_theirs or has_staff_permission(user, "payments.view_payment")):
            raise NotFound("There is no such ticket of yours.")
        return ticket

    def _page(self, rows: QuerySet, serializer: type) -> Response:
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(serializer(page, many=True).data)

    @extend_schema(responses=PaymentSerializer(many=True))
    def payments(self, request: Request, pk: UUID) -> Response:
        """Payments of a ticket, newest first."""
        ticket = self.get_ticket()
        rows = visible_payments(request.user).filter(subscription=ticket)
        return self._page(rows, PaymentSerializer)

    @extend_schema(responses=InstallmentSerializer(many=True))
    def installments(self, request: Request, pk: UUID) -> Response:
        """Installments of a ticket, newest first."""
        rows = visible_installments(request.user).filter(subscription=self.get_ticket())
        return self._page(rows, InstallmentSerializer)

    @extend_schema(responses=StatementSerializer)
    def statement(self, request: Request, pk: UUID) -> Response:
        """The account of a ticket from its first installment on."""
        return Response(StatementSerializer(ticket_statement(self.get_ticket())).data)
