"""One's own second factor, and resetting somebody's who has lost it."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeView
from accounts.clients import client_of
from accounts.permissions import needs
from accounts.serializers import UserSerializer
from accounts.serializers_codes import (
    FactorBegunSerializer,
    FactorCodeSerializer,
    FactorResetSerializer,
    FactorStateSerializer,
    OwnPasswordSerializer,
    PasswordAndCodeSerializer,
    RecoveryCodesSerializer,
)
from accounts.services import second_factor
from accounts.views.own_account import OwnAccountView
from accounts.views.sign_in import checked

TAG = "Second factor"


class OwnFactorView(OwnAccountView):
    """Open to staff who have yet to enrol."""

    needs_second_factor = False


class SecondFactorView(OwnFactorView):
    @extend_schema(tags=[TAG], responses=FactorStateSerializer)
    def get(self, request: Request) -> Response:
        """Tell whether you have a second factor, and how many recovery codes are left."""
        return Response(FactorStateSerializer(second_factor.second_factor_state(request.user)).data)

    @extend_schema(tags=[TAG], request=OwnPasswordSerializer, responses=FactorBegunSerializer)
    def post(self, request: Request) -> Response:
        """Begin with an authenticator app. It counts once you confirm a code of it."""
        begun = second_factor.begin_second_factor(
            user=request.user,
            client=client_of(request),
            **checked(OwnPasswordSerializer, request),
        )
        return Response(FactorBegunSerializer(begun).data)


class ConfirmFactorView(OwnFactorView):
    @extend_schema(tags=[TAG], request=FactorCodeSerializer, responses=RecoveryCodesSerializer)
    def post(self, request: Request) -> Response:
        """Confirm the app with a code of it. The answer's recovery codes are shown this once."""
        codes = second_factor.confirm_second_factor(
            user=request.user,
            client=client_of(request),
            session_id=request.auth.session_id,
            **checked(FactorCodeSerializer, request),
        )
        return Response(RecoveryCodesSerializer({"recovery_codes": codes}).data)


class ShowFactorView(OwnFactorView):
    @extend_schema(tags=[TAG], request=FactorCodeSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Show the code in a session that was opened without it, and go on."""
        second_factor.show_second_factor(
            user=request.user,
            client=client_of(request),
            session_id=request.auth.session_id,
            **checked(FactorCodeSerializer, request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class RecoveryCodesView(OwnFactorView):
    needs_second_factor = True

    @extend_schema(tags=[TAG], request=PasswordAndCodeSerializer, responses=RecoveryCodesSerializer)
    def post(self, request: Request) -> Response:
        """Get ten new recovery codes. The old ones are void."""
        codes = second_factor.renew_recovery_codes(
            user=request.user,
            client=client_of(request),
            **checked(PasswordAndCodeSerializer, request),
        )
        return Response(RecoveryCodesSerializer({"recovery_codes": codes}).data)


class RemoveFactorView(OwnFactorView):
    needs_second_factor = True

    @extend_schema(tags=[TAG], request=PasswordAndCodeSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Take your second factor off. Where staff must have one, they may not."""
        second_factor.remove_second_factor(
            user=request.user,
            client=client_of(request),
            **checked(PasswordAndCodeSerializer, request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResetFactorView(OfficeView):
    permission_classes = (IsAuthenticated, needs("accounts.reset_second_factor"))

    @extend_schema(tags=["Users"], request=FactorResetSerializer, responses=UserSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Take a lost second factor off somebody's account; they sign in and enrol again."""
        user = second_factor.reset_second_factor(
            user_id=pk, actor=request.user, **checked(FactorResetSerializer, request)
        )
        return Response(UserSerializer(user).data)
