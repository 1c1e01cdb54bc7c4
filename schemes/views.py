"""Schemes over HTTP: browse, draft, submit, sanction, and their papers."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from accounts.models import AuditEvent
from accounts.permissions import IsForeman, IsForemanOrAdministrator, needs
from chitfund.api.pagination import KeysetPagination
from schemes import services
from schemes.filters import SchemeFilter
from schemes.models import Scheme, StatutoryRecord
from schemes.selectors import history_of, managed_schemes, visible_schemes
from schemes.serializers import (
    ApproveSerializer,
    HistorySerializer,
    RecordCreateSerializer,
    RecordSerializer,
    ReturnSerializer,
    SchemeSerializer,
    SchemeTermsSerializer,
)

TAG = "Schemes"


@extend_schema_view(list=extend_schema(tags=[TAG]), retrieve=extend_schema(tags=[TAG]))
class SchemeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OfficeViewSet):
    """Chit schemes that one may join, runs, or has to decide on."""

    queryset = Scheme.objects.none()
    serializer_class = SchemeSerializer
    filterset_class = SchemeFilter
    search_fields = ("name", "foreman__full_name")
    ordering_fields = (
        "created_at",
        "start_date",
        "name",
        "monthly_installment",
        "total_amount",
        "duration_months",
    )
    ordering = ("-id",)
    action_permissions: dict[str, type[BasePermission]] = {
        "create": IsForeman,
        "update": IsForeman,
        "partial_update": IsForeman,
        "destroy": IsForeman,
        "submit": IsForeman,
        "approve": needs("schemes.approve_scheme"),
        "send_back": needs("schemes.approve_scheme"),
    }

    def get_permissions(self) -> list[BasePermission]:
        more = self.action_permissions.get(self.action)
        return [IsAuthenticated(), more()] if more else [IsAuthenticated()]

    def get_queryset(self) -> QuerySet[Scheme]:
        return visible_schemes(self.request.user, also=self.also_visible())

    def also_visible(self) -> Q:
        """Return which schemes one sees for a reason that is known further up."""
        return Q()

    def _answer(self, scheme: Scheme, code: int = status.HTTP_200_OK) -> Response:
        saved = Scheme.objects.with_records().get(pk=scheme.pk)
        return Response(SchemeSerializer(saved).data, status=code)

    @extend_schema(tags=[TAG], request=SchemeTermsSerializer, responses={201: SchemeSerializer})
    def create(self, request: Request) -> Response:
        """Draft a scheme. Every term may be changed until it is submitted."""
        form = SchemeTermsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        scheme = services.create_scheme(foreman=request.user, **form.validated_data)
        return self._answer(scheme, status.HTTP_201_CREATED)

    @extend_schema(tags=[TAG], request=SchemeTermsSerializer, responses=SchemeSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Write a draft anew; optional terms that are left out stay as they are."""
        return self._update(request, is_partial=False)

    @extend_schema(tags=[TAG], request=SchemeTermsSerializer, responses=SchemeSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change some terms of a draft."""
        return self._update(request, is_partial=True)

    def _update(self, request: Request, *, is_partial: bool) -> Response:
        scheme = self.get_object()
        form = SchemeTermsSerializer(data=request.data, partial=is_partial)
        form.is_valid(raise_exception=True)
        changed = services.update_scheme(
            scheme_id=scheme.pk, actor=request.user, **form.validated_data
        )
        return self._answer(changed)

    @extend_schema(tags=[TAG], responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Remove a draft."""
        services.delete_scheme(scheme_id=self.get_object().pk, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(tags=[TAG], request=None, responses=SchemeSerializer)
    def submit(self, request: Request, pk: UUID) -> Response:
        """Freeze the terms and ask for the sanction."""
        scheme = services.submit_scheme(scheme_id=self.get_object().pk, actor=request.user)
        return self._answer(scheme)

    @extend_schema(tags=[TAG], request=ApproveSerializer, responses=SchemeSerializer)
    def approve(self, request: Request, pk: UUID) -> Response:
        """Sanction a submitted scheme (s.4): it is open for enrolment."""
        form = ApproveSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return self._answer(
            services.approve_scheme(scheme_id=pk, actor=request.user, **form.validated_data)
        )

    @extend_schema(tags=[TAG], request=ReturnSerializer, responses=SchemeSerializer)
    def send_back(self, request: Request, pk: UUID) -> Response:
        """Return a submitted scheme to draft with a reason."""
        form = ReturnSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return self._answer(
            services.return_scheme(scheme_id=pk, actor=request.user, **form.validated_data)
        )


class _PapersViewSet(OfficeViewSet):
    """What only the foreman of a scheme and the office read."""

    filter_backends = ()
    permission_classes = (IsForemanOrAdministrator,)

    def get_scheme(self) -> Scheme:
        return get_object_or_404(managed_schemes(self.request.user), pk=self.kwargs["pk"])


@extend_schema_view(list=extend_schema(tags=[TAG]))
class RecordViewSet(mixins.ListModelMixin, _PapersViewSet):
    """The statutory records of a scheme, oldest first."""

    queryset = StatutoryRecord.objects.none()
    serializer_class = RecordSerializer

    def get_queryset(self) -> QuerySet[StatutoryRecord]:
        return StatutoryRecord.objects.filter(scheme=self.get_scheme()).select_related(
            "recorded_by"
        )

    @extend_schema(tags=[TAG], request=RecordCreateSerializer, responses={201: RecordSerializer})
    def create(self, request: Request, pk: UUID) -> Response:
        """Enter a security deposit (s.20) or the registered agreement (s.7), once."""
        form = RecordCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        record = services.add_record(
            scheme_id=self.get_scheme().pk, actor=request.user, **form.validated_data
        )
        return Response(RecordSerializer(record).data, status=status.HTTP_201_CREATED)


@extend_schema_view(list=extend_schema(tags=[TAG]))
class HistoryViewSet(mixins.ListModelMixin, _PapersViewSet):
    """What was done to a scheme, newest first."""

    queryset = AuditEvent.objects.none()
    serializer_class = HistorySerializer
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[AuditEvent]:
        return history_of(self.get_scheme().pk)
