"""Changing one's own password, address and phone number."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import limits
from accounts.api import OfficeView
from accounts.authentication import PortalCookieAuthentication
from accounts.clients import client_of
from accounts.serializers import MessageSerializer, TokenSerializer, UserSerializer
from accounts.serializers_own import (
    ChangeEmailSerializer,
    ChangePasswordSerializer,
    ChangePhoneSerializer,
)
from accounts.services import own_account
from accounts.views.sign_in import (
    SIGNED_IN_ANSWER,
    TAG,
    PublicView,
    checked,
    signed_in_answer,
)
from chitfund.api.parsers import SmallJSONParser


class OwnAccountView(OfficeView):
    """About one's own secrets. A replay would have to keep them: there is none."""

    parser_classes = (SmallJSONParser,)
    permission_classes = (IsAuthenticated,)
    takes_idempotency_key = False


class ChangePasswordView(OwnAccountView):
    @extend_schema(tags=[TAG], request=ChangePasswordSerializer, responses=SIGNED_IN_ANSWER)
    def post(self, request: Request) -> Response:
        """Set a new password. All other devices are signed out; this one gets new tokens."""
        signed_in = own_account.change_own_password(
            actor=request.user,
            session_id=request.auth.session_id,
            client=client_of(request),
            **checked(ChangePasswordSerializer, request),
        )
        by_cookie = isinstance(request.successful_authenticator, PortalCookieAuthentication)
        return signed_in_answer(request, signed_in, in_cookies=by_cookie)


class ChangeEmailView(OwnAccountView):
    @extend_schema(tags=[TAG], request=ChangeEmailSerializer, responses={202: MessageSerializer})
    def post(self, request: Request) -> Response:
        """Ask to use another address. The answer is the same for one that is taken."""
        own_account.ask_for_email_change(
            actor=request.user,
            client=client_of(request),
            **checked(ChangeEmailSerializer, request),
        )
        message = "If this address can be used, a mail with a link is on its way to it."
        return Response({"message": message}, status=status.HTTP_202_ACCEPTED)


class ConfirmEmailChangeView(PublicView):
    @extend_schema(tags=[TAG], request=TokenSerializer, responses=MessageSerializer)
    def post(self, request: Request) -> Response:
        """Take the new address over with the token that was mailed to it; every session ends."""
        limits.reserve(limits.TOKEN_ADDRESS, client_of(request).neighbourhood)
        own_account.confirm_email_change(**checked(TokenSerializer, request))
        return Response({"message": "Your address is changed. Sign in with it."})


class ChangePhoneView(OwnAccountView):
    @extend_schema(tags=[TAG], request=ChangePhoneSerializer, responses=UserSerializer)
    def post(self, request: Request) -> Response:
        """Take another phone number, proven by a one-time code."""
        user = own_account.change_own_phone(
            actor=request.user,
            client=client_of(request),
            **checked(ChangePhoneSerializer, request),
        )
        return Response(UserSerializer(user).data)
