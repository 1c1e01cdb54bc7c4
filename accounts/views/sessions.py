"""The devices that a person is signed in on."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.filters import OrderingFilter
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api import OfficeView, OfficeViewSet
from accounts.cookies import forget_session_cookies, has_session_cookies
from accounts.models import AuthSession
from accounts.serializers import AuthSessionSerializer
from accounts.views.sign_in import TAG


def signed_out_answer(request: Request) -> Response:
    response = Response(status=status.HTTP_204_NO_CONTENT)
    if has_session_cookies(request):
        forget_session_cookies(response)
    return response


class LogoutView(OfficeView):
    permission_classes = (IsAuthenticated,)
    needs_second_factor = False
    # A replayed sign-out could not be authorised any more: its session has ended.
    takes_idempotency_key = False

    @extend_schema(tags=[TAG], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End the session of this token."""
        services.end_session(session_id=request.auth.session_id, actor=request.user)
        return signed_out_answer(request)


class LogoutAllView(OfficeView):
    permission_classes = (IsAuthenticated,)
    needs_second_factor = False
    takes_idempotency_key = False

    @extend_schema(tags=[TAG], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """End every session of this person."""
        services.sign_out_everywhere(actor=request.user)
        return signed_out_answer(request)


@extend_schema_view(list=extend_schema(tags=[TAG]), destroy=extend_schema(tags=[TAG]))
class AuthSessionViewSet(mixins.ListModelMixin, OfficeViewSet):
    """Your open sessions, newest first."""

    queryset = AuthSession.objects.none()
    serializer_class = AuthSessionSerializer
    permission_classes = (IsAuthenticated,)
    filter_backends = (OrderingFilter,)
    ordering_fields = ("created_at", "last_used_at")
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[AuthSession]:
        return AuthSession.objects.filter(
            user=self.request.user.pk, ended_at=None, expires_at__gt=timezone.now()
        )

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Sign one device out."""
        services.end_session(session_id=self.get_object().pk, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
