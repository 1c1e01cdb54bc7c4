"""People as those see them who are tied to them by a ticket."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.permissions import needs
from accounts.serializers import RoleChangeSerializer, SubscriberSerializer, UserSerializer
from accounts.views.users import TAG, UserViewSet
from subscriptions import services
from subscriptions.selectors import foreman_and_subscribers, is_foreman


class TicketAwareUserViewSet(UserViewSet):
    """People as in `accounts`, and for a foreman their subscribers, without birth dates."""

    action_permissions: dict[str, type[BasePermission]] = {
        **UserViewSet.action_permissions,
        "destroy": needs("accounts.delete_user"),
        "role": needs("accounts.change_role"),
    }

    def visible_to_foreman(self, foreman: User) -> QuerySet[User]:
        return foreman_and_subscribers(foreman)

    def get_serializer_class(self) -> type[serializers.ModelSerializer[User]]:
        is_own = str(self.kwargs.get("pk")) == str(getattr(self.request.user, "pk", None))
        if is_foreman(self.request.user) and not is_own:
            return SubscriberSerializer
        return super().get_serializer_class()

    @extend_schema(tags=[TAG], request=RoleChangeSerializer, responses=UserSerializer)
    @action(detail=True, methods=["post"])
    def role(self, request: Request, pk: UUID) -> Response:
        """Give a person another role; 409 while they hold a running ticket or scheme."""
        return self.decide(services.change_person_role, RoleChangeSerializer)

    @extend_schema(tags=[TAG], responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Close an account; 409 while the person holds a running ticket or scheme."""
        services.deactivate_person(user_id=self.get_object().pk, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
