"""Registering, signing in, getting back in: open to everybody."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts import limits, services
from accounts.api import OfficeView
from accounts.clients import client_of
from accounts.serializers import (
    EmailOnlySerializer,
    LoginSerializer,
    MessageSerializer,
    RefreshSerializer,
    RegisteredSerializer,
    RegisterSerializer,
    ResetPasswordSerializer,
    TokenPairSerializer,
    TokenSerializer,
    VerifiedSerializer,
)
from accounts.services import SignedIn
from accounts.tokens import access_seconds

TAG = "Sign-in"


class PublicView(OfficeView):
    """A view for people who have no token; one that they send is not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    takes_idempotency_key = False


def checked(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return what a request's body says, or raise a ValidationError."""
    form = serializer(data=request.data)
    form.is_valid(raise_exception=True)
    return form.validated_data


def token_pair(signed_in: SignedIn) -> dict[str, Any]:
    return TokenPairSerializer(
        {
            "access_token": signed_in.access_token,
            "refresh_token": signed_in.refresh_token,
            "token_type": "Bearer",
            "expires_in": access_seconds(),
            "user": signed_in.user,
        }
    ).data


class RegisterView(PublicView):
    @extend_schema(tags=[TAG], request=RegisterSerializer, responses={201: RegisteredSerializer})
    def post(self, request: Request) -> Response:
        """Register as a subscriber or a foreman.

        The answer is the same for an address that is taken; its owner gets a mail.
        """
        person = checked(RegisterSerializer, request)
        services.register(**person, client=client_of(request))
        message = "We have sent you a mail. Open its link to confirm your address."
        echo = RegisteredSerializer({**person, "message": message})
        return Response(echo.data, status=status.HTTP_201_CREATED)


class VerifyEmailView(PublicView):
    @extend_schema(tags=[TAG], request=TokenSerializer, responses=VerifiedSerializer)
    def post(self, request: Request) -> Response:
        """Confirm an address with the token that was mailed to it."""
        limits.reserve(limits.TOKEN_ADDRESS, client_of(request).neighbourhood)
        user = services.verify_email(**checked(TokenSerializer, request))
        return Response(VerifiedSerializer({"user": user}).data)


class ResendVerificationView(PublicView):
    @extend_schema(tags=[TAG], request=EmailOnlySerializer, responses={202: MessageSerializer})
    def post(self, request: Request) -> Response:
        """Ask for another verification mail. The answer is always the same."""
        wish = checked(EmailOnlySerializer, request)
        services.resend_verification(**wish, client=client_of(request))
        return _accepted("If this address waits to be confirmed, a mail is on its way.")


class LoginView(PublicView):
    @extend_schema(tags=[TAG], request=LoginSerializer, responses=TokenPairSerializer)
    def post(self, request: Request) -> Response:
        """Sign in with an e-mail address, phone number or UCFSIN, and a password."""
        credentials = checked(LoginSerializer, request)
        return Response(token_pair(services.sign_in(**credentials, client=client_of(request))))


class RefreshTokenView(PublicView):
    @extend_schema(tags=[TAG], request=RefreshSerializer, responses=TokenPairSerializer)
    def post(self, request: Request) -> Response:
        """Exchange a refresh token, once, for a new pair. Sent again, it ends the session."""
        return Response(token_pair(services.refresh_session(**checked(RefreshSerializer, request))))


class ForgotPasswordView(PublicView):
    @extend_schema(tags=[TAG], request=EmailOnlySerializer, responses={202: MessageSerializer})
    def post(self, request: Request) -> Response:
        """Ask for a mail to set a new password. The answer is always the same."""
        wish = checked(EmailOnlySerializer, request)
        services.forgot_password(**wish, client=client_of(request))
        return _accepted("If we know this address, a mail is on its way.")


class ResetPasswordView(PublicView):
    @extend_schema(tags=[TAG], request=ResetPasswordSerializer, responses=MessageSerializer)
    def post(self, request: Request) -> Response:
        """Set a password with a mailed token; every session of its owner ends."""
        limits.reserve(limits.TOKEN_ADDRESS, client_of(request).neighbourhood)
        services.reset_password(**checked(ResetPasswordSerializer, request))
        return Response({"message": "Your password is set. Sign in with it."})


def _accepted(message: str) -> Response:
    return Response({"message": message}, status=status.HTTP_202_ACCEPTED)
