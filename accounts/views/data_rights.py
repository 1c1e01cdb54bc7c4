"""Taking one's data along, and asking that it be erased."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from accounts.models import ErasureRequest, ErasureStatus
from accounts.permissions import needs
from accounts.serializers import ReasonSerializer
from accounts.serializers_profiles import (
    ErasureInputSerializer,
    ErasureSerializer,
    ExportSerializer,
)
from accounts.services import data_rights
from accounts.views.persons import PersonViewSet
from accounts.views.sign_in import checked
from chitfund.api.pagination import KeysetPagination

TAG = "Data rights"


class ExportViewSet(PersonViewSet):
    """Everything that is held about oneself."""

    @extend_schema(tags=[TAG], responses=ExportSerializer, operation_id="api_users_data_export")
    def export(self, request: Request, pk: UUID) -> Response:
        """Download one's own data, once a day. Nobody downloads another's."""
        if not self.is_own:
            raise Http404
        return Response(data_rights.export_own_data(actor=request.user))


class OwnErasureViewSet(mixins.ListModelMixin, PersonViewSet):
    """One person's requests."""

    queryset = ErasureRequest.objects.none()
    serializer_class = ErasureSerializer
    pagination_class = KeysetPagination
    view_permission = "accounts.view_erasurerequest"

    def get_queryset(self) -> QuerySet[ErasureRequest]:
        return ErasureRequest.objects.filter(user=self.person_to_read())

    @extend_schema(tags=[TAG])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the requests and what became of them, newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(tags=[TAG], request=ErasureInputSerializer, responses={201: ErasureSerializer})
    def create(self, request: Request, pk: UUID) -> Response:
        """Ask for erasure. What no law keeps of anybody goes at once; the rest is decided on.

        The answer says what is kept, by which law, why, and until when where that is known.
        """
        self.person_to_change()
        row = data_rights.request_erasure(
            actor=request.user, **checked(ErasureInputSerializer, request)
        )
        return Response(ErasureSerializer(row).data, status=status.HTTP_201_CREATED)


class ErasureFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=ErasureStatus.choices)

    class Meta:
        model = ErasureRequest
        fields = ("status",)


_deciding = {"permission_classes": [IsAuthenticated, needs("accounts.decide_erasurerequest")]}


class ErasureDeskViewSet(mixins.ListModelMixin, OfficeViewSet):
    """Everybody's requests, for the office."""

    queryset = ErasureRequest.objects.all()
    serializer_class = ErasureSerializer
    pagination_class = KeysetPagination
    filterset_class = ErasureFilter
    permission_classes = (IsAuthenticated, needs("accounts.view_erasurerequest"))

    @extend_schema(tags=[TAG])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the requests, newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(tags=[TAG], request=ReasonSerializer, responses=ErasureSerializer)
    @action(detail=True, methods=["post"], **_deciding)
    def accept(self, request: Request, pk: UUID) -> Response:
        """Erase everything that no law keeps today."""
        return self._decide(data_rights.accept_erasure, pk)

    @extend_schema(tags=[TAG], request=ReasonSerializer, responses=ErasureSerializer)
    @action(detail=True, methods=["post"], **_deciding)
    def refuse(self, request: Request, pk: UUID) -> Response:
        """Keep the rest, and say why."""
        return self._decide(data_rights.refuse_erasure, pk)

    def _decide(self, service: Callable[..., ErasureRequest], pk: UUID) -> Response:
        row = service(
            request_id=pk, actor=self.request.user, **checked(ReasonSerializer, self.request)
        )
        return Response(ErasureSerializer(row).data)
