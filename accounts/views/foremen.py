"""The business of a foreman: written by them, decided on by the office."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.models import ForemanProfile, Role, User
from accounts.permissions import needs
from accounts.serializers import ReasonSerializer, UserSerializer
from accounts.serializers_profiles import ForemanProfileInputSerializer, ForemanProfileSerializer
from accounts.views.persons import PersonViewSet
from accounts.views.sign_in import checked

TAG = "Foremen"


class ForemanProfileViewSet(PersonViewSet):
    """One foreman's business."""

    view_permission = "accounts.view_foremanprofile"
    change_permission = "accounts.change_foremanprofile"

    @extend_schema(tags=[TAG], responses=ForemanProfileSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """Show it; 404 while nothing was written yet."""
        profile = ForemanProfile.objects.filter(user=self.person_to_read()).first()
        if profile is None:
            raise Http404
        return Response(ForemanProfileSerializer(profile).data)

    @extend_schema(
        tags=[TAG], request=ForemanProfileInputSerializer, responses=ForemanProfileSerializer
    )
    def update(self, request: Request, pk: UUID) -> Response:
        """Write it; 409 while it waits for the office.

        An approved one whose company, licence, PAN or State changes is reviewed again, and its
        foreman works on meanwhile.
        """
        profile = services.save_foreman_profile(
            user_id=self._foreman().pk,
            actor=request.user,
            **checked(ForemanProfileInputSerializer, request),
        )
        return Response(ForemanProfileSerializer(profile).data)

    @extend_schema(tags=[TAG], request=None, responses=ForemanProfileSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: UUID) -> Response:
        """Hand it in to the office."""
        profile = services.submit_foreman_profile(user_id=self._foreman().pk, actor=request.user)
        return Response(ForemanProfileSerializer(profile).data)

    @extend_schema(tags=[TAG], request=ReasonSerializer, responses=UserSerializer)
    @action(
        detail=True,
        methods=["post"],
        permission_classes=[IsAuthenticated, needs("accounts.approve_foreman")],
    )
    def send_back(self, request: Request, pk: UUID) -> Response:
        """Return it to its foreman with what is wrong."""
        user = services.return_foreman(
            user_id=pk, actor=request.user, **checked(ReasonSerializer, request)
        )
        return Response(UserSerializer(user).data)

    def _foreman(self) -> User:
        person = self.person_to_change()
        if person.role != Role.FOREMAN:
            raise Http404
        return person
