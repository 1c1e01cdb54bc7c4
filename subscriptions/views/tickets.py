"""Tickets over HTTP: join, look, change the nominee, withdraw."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from subscriptions import services
from subscriptions.filters import SubscriptionFilter
from subscriptions.models import Subscription
from subscriptions.selectors import visible_tickets
from subscriptions.serializers import (
    EnrolSerializer,
    ParticularsSerializer,
    SubscriptionSerializer,
)

TAG = "Subscriptions"


@extend_schema_view(list=extend_schema(tags=[TAG]), retrieve=extend_schema(tags=[TAG]))
class SubscriptionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OfficeViewSet):
    """One's own tickets; those of a foreman's schemes; all for staff."""

    queryset = Subscription.objects.none()
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionFilter
    search_fields = ("scheme__name",)
    ordering_fields = ("created_at", "join_date", "ticket_number", "outstanding", "next_due_on")
    ordering = ("-id",)
    permission_classes = (IsAuthenticated,)

    def get_queryset(self) -> QuerySet[Subscription]:
        return visible_tickets(self.request.user)

    def _answer(self, ticket: Subscription, code: int = status.HTTP_200_OK) -> Response:
        saved = Subscription.objects.select_related("scheme").get(pk=ticket.pk)
        return Response(SubscriptionSerializer(saved).data, status=code)

    @extend_schema(tags=[TAG], request=EnrolSerializer, responses={201: SubscriptionSerializer})
    def create(self, request: Request) -> Response:
        """Join a scheme, or, as its foreman, add a person to it."""
        form = EnrolSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        ticket = services.enrol(actor=request.user, **form.validated_data)
        return self._answer(ticket, status.HTTP_201_CREATED)

    @extend_schema(tags=[TAG], request=ParticularsSerializer, responses=SubscriptionSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Say who the nominee is and how to be reached."""
        form = ParticularsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        ticket = services.update_particulars(
            subscription_id=self.get_object().pk, actor=request.user, **form.to_arguments()
        )
        return self._answer(ticket)

    @extend_schema(tags=[TAG], request=ParticularsSerializer, responses=SubscriptionSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """The same as PUT: what is left out stays in both."""
        return self.update(request, pk)

    @extend_schema(tags=[TAG], responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Withdraw a ticket before its chit commences; its number is free again."""
        services.withdraw(subscription_id=self.get_object().pk, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
