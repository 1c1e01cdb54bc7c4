"""What I was told."""

from __future__ import annotations

from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from chitfund.api.pagination import KeysetPagination
from notifications import services
from notifications.models import Channel, Notification, NotificationEvent
from notifications.serializers import NotificationSerializer, ReadAllSerializer

TAG = "Notifications"


class NotificationFilter(django_filters.FilterSet):
    """By event, by channel it went through, and by whether it was read."""

    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")
    event = django_filters.ChoiceFilter(choices=NotificationEvent.choices)
    channel = django_filters.ChoiceFilter(field_name="deliveries__channel", choices=Channel.choices)

    class Meta:
        model = Notification
        fields = ("unread", "event", "channel")


@extend_schema_view(list=extend_schema(tags=[TAG]))
class NotificationViewSet(mixins.ListModelMixin, OfficeViewSet):
    """What you were told, newest first."""

    queryset = Notification.objects.none()
    serializer_class = NotificationSerializer
    permission_classes = (IsAuthenticated,)
    pagination_class = KeysetPagination
    filter_backends = (django_filters.rest_framework.DjangoFilterBackend,)
    filterset_class = NotificationFilter

    def get_queryset(self) -> QuerySet[Notification]:
        return Notification.objects.filter(recipient=self.request.user.pk)

    @extend_schema(tags=[TAG], request=None, responses=NotificationSerializer)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: UUID) -> Response:
        """Mark one as read; reading it again changes nothing."""
        notification = services.mark_read(notification_id=pk, reader=request.user)
        return Response(self.get_serializer(notification).data)

    @extend_schema(tags=[TAG], request=None, responses=ReadAllSerializer)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark all as read."""
        return Response({"read": services.mark_all_read(reader=request.user)})
