"""What a scheme shows because of its tickets."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from accounts.permissions import IsForemanOrAdministrator, needs
from schemes.models import Scheme
from schemes.serializers import SchemeSerializer
from schemes.views import TAG, SchemeViewSet
from subscriptions import services
from subscriptions.filters import SubscriberFilter
from subscriptions.models import Subscription
from subscriptions.selectors import (
    schemes_with_subscribers_for,
    tickets_with_holders,
    where_held_by,
)
from subscriptions.serializers import SubscriberTicketSerializer, TerminateSerializer


class TicketAwareSchemeViewSet(SchemeViewSet):
    """Schemes as in `schemes`, and those in which one holds a ticket."""

    def also_visible(self) -> Q:
        return where_held_by(self.request.user)


@extend_schema_view(list=extend_schema(tags=[TAG]))
class SubscribersViewSet(mixins.ListModelMixin, OfficeViewSet):
    """The tickets of a scheme with their holders, by number."""

    queryset = Subscription.objects.none()
    serializer_class = SubscriberTicketSerializer
    filterset_class = SubscriberFilter
    search_fields = ("subscriber__full_name", "subscriber__ucfsin")
    ordering_fields = ("ticket_number", "join_date", "outstanding")
    ordering = ("ticket_number", "id")
    permission_classes = (IsForemanOrAdministrator,)

    def get_queryset(self) -> QuerySet[Subscription]:
        viewer = self.request.user
        schemes = schemes_with_subscribers_for(viewer)
        return tickets_with_holders(get_object_or_404(schemes, pk=self.kwargs["pk"]), viewer)


class TerminationViewSet(OfficeViewSet):
    """Giving a chit up."""

    queryset = Scheme.objects.none()
    serializer_class = SchemeSerializer
    permission_classes = (needs("schemes.terminate_scheme"),)

    @extend_schema(tags=[TAG], request=TerminateSerializer, responses=SchemeSerializer)
    def terminate(self, request: Request, pk: UUID) -> Response:
        """Give up a sanctioned chit before it commences; its tickets are released."""
        form = TerminateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.terminate_scheme(scheme_id=pk, actor=request.user, **form.validated_data)
        return Response(SchemeSerializer(Scheme.objects.with_records().get(pk=pk)).data)
