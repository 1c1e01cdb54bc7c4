"""The people of the office."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api import OfficeViewSet
from accounts.models import KycStatus, Role, User, UserStatus
from accounts.permissions import IsForemanOrAdministrator, has_staff_permission, needs
from accounts.serializers import (
    InviteSerializer,
    ReasonSerializer,
    UserSerializer,
    UserUpdateSerializer,
)
from accounts.serializers_profiles import StaffUserSerializer
from accounts.views.sign_in import checked

TAG = "Users"


class UserFilter(django_filters.FilterSet):
    """By what a person is and how far they are."""

    role = django_filters.ChoiceFilter(choices=Role.choices)
    status = django_filters.ChoiceFilter(choices=UserStatus.choices)
    kyc_status = django_filters.ChoiceFilter(choices=KycStatus.choices)

    class Meta:
        model = User
        fields = ("role", "status", "kyc_status")


@extend_schema_view(list=extend_schema(tags=[TAG]), retrieve=extend_schema(tags=[TAG]))
class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OfficeViewSet):
    """People: everybody for the office, themselves for everybody."""

    queryset = User.objects.none()
    serializer_class = UserSerializer
    filterset_class = UserFilter
    search_fields = ("full_name", "email", "phone_number", "ucfsin")
    ordering_fields = ("created_at", "full_name", "chit_score")
    ordering = ("-id",)
    action_permissions: dict[str, type[BasePermission]] = {
        "list": IsForemanOrAdministrator,
        "create": needs("accounts.add_user"),
        "suspend": needs("accounts.suspend_user"),
        "activate": needs("accounts.suspend_user"),
        "approve_foreman": needs("accounts.approve_foreman"),
        "resend_invitation": needs("accounts.add_user"),
        "send_reset_link": needs("accounts.change_user"),
    }

    def get_permissions(self) -> list[BasePermission]:
        more = self.action_permissions.get(self.action)
        return [IsAuthenticated(), more()] if more else [IsAuthenticated()]

    def get_serializer_class(self) -> type[serializers.ModelSerializer[User]]:
        """Tell the office also when somebody last signed in."""
        if has_staff_permission(self.request.user, "accounts.view_user"):
            return StaffUserSerializer
        return UserSerializer

    def get_queryset(self) -> QuerySet[User]:
        """Show whom one may see; a stranger is 404 and not 403."""
        user: Any = self.request.user
        if has_staff_permission(user, "accounts.view_user"):
            return User.objects.all()
        if getattr(user, "role", None) == Role.FOREMAN:
            return self.visible_to_foreman(user)
        return User.objects.filter(pk=user.pk)

    def visible_to_foreman(self, foreman: User) -> QuerySet[User]:
        """Return whom a foreman sees. Who subscribes to whom is known further up."""
        return User.objects.filter(pk=foreman.pk)

    @extend_schema(tags=[TAG], request=InviteSerializer, responses={201: UserSerializer})
    def create(self, request: Request) -> Response:
        """Create an account of any role and mail its owner an invitation."""
        user = services.invite_user(actor=request.user, **checked(InviteSerializer, request))
        return Response(UserSerializer(user).data, status=status.HTTP_201_CREATED)

    @extend_schema(tags=[TAG], request=UserUpdateSerializer, responses=UserSerializer)
    def update(self, request: Request, pk: UUID) -> Response:
        """Change name and birth date; the office somebody's phone number too. All else stays."""
        return self._update(request, is_partial=False)

    @extend_schema(tags=[TAG], request=UserUpdateSerializer, responses=UserSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change some of them."""
        return self._update(request, is_partial=True)

    def _update(self, request: Request, *, is_partial: bool) -> Response:
        person = self.get_object()
        if person.pk != request.user.pk and not has_staff_permission(
            request.user, "accounts.change_user"
        ):
            self.permission_denied(request, message="You may change your own details only.")
        form = UserUpdateSerializer(data=request.data, partial=is_partial)
        form.is_valid(raise_exception=True)
        user = services.update_user(user_id=person.pk, actor=request.user, **form.validated_data)
        return Response(UserSerializer(user).data)

    @extend_schema(tags=[TAG], request=ReasonSerializer, responses=UserSerializer)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: UUID) -> Response:
        """Shut a person out at once."""
        return self.decide(services.suspend_user, ReasonSerializer)

    @extend_schema(tags=[TAG], request=ReasonSerializer, responses=UserSerializer)
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: UUID) -> Response:
        """Let a suspended person back in."""
        return self.decide(services.activate_user, ReasonSerializer)

    @extend_schema(tags=[TAG], request=ReasonSerializer, responses=UserSerializer)
    @action(detail=True, methods=["post"], url_path="approve-foreman")
    def approve_foreman(self, request: Request, pk: UUID) -> Response:
        """Approve a foreman with the profile they handed in, or a change of it.

        409 while there is no submitted profile; the message says what is missing.
        """
        return self.decide(services.approve_foreman, ReasonSerializer)

    @extend_schema(tags=[TAG], request=None, responses={202: UserSerializer})
    @action(
        detail=True,
        methods=["post"],
        url_path="resend-invitation",
        # Its limit is reserved for good, also where it refuses.
        takes_idempotency_key=False,
    )
    def resend_invitation(self, request: Request, pk: UUID) -> Response:
        """Mail an invited person another link; the one before is void."""
        return self._mail(services.resend_invitation)

    @extend_schema(tags=[TAG], request=None, responses={202: UserSerializer})
    @action(
        detail=True,
        methods=["post"],
        url_path="send-reset-link",
        # Its limit is reserved for good, also where it refuses.
        takes_idempotency_key=False,
    )
    def send_reset_link(self, request: Request, pk: UUID) -> Response:
        """Mail a person a link to set a new password. Nobody else learns one."""
        return self._mail(services.send_reset_link)

    def _mail(self, service: Any) -> Response:
        user = service(user_id=self.get_object().pk, actor=self.request.user)
        return Response(UserSerializer(user).data, status=status.HTTP_202_ACCEPTED)

    def decide(self, service: Any, serializer: type[ReasonSerializer]) -> Response:
        """Call a service that decides about a visible person, with what was sent."""
        person = self.get_object()
        decision = checked(serializer, self.request)
        user = service(user_id=person.pk, actor=self.request.user, **decision)
        return Response(UserSerializer(user).data)
