"""Registering, signing in, getting back in: open to everybody."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts import limits, services
from accounts.api import OfficeView
from accounts.clients import client_of
from accounts.cookies import (
    check_own_site,
    forget_session_cookies,
    refresh_cookie,
    set_session_cookies,
)
from accounts.serializers import (
    CookieSessionSerializer,
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
from accounts.tokens import access_seconds, portal_seconds
from chitfund.api.parsers import SmallJSONParser
from chitfund.exceptions import InvalidInput

TAG = "Sign-in"
SESSION = OpenApiParameter(
    name="session",
    type=str,
    enum=["cookie"],
    description="`cookie` sets the portal's cookies instead of answering with tokens.",
)
LINK_SENT = "We have sent you a mail. Open its link to confirm your address."
PROVEN = "Your address is confirmed. Sign in with it."
SIGNED_IN_ANSWER = PolymorphicProxySerializer(
    component_name="SignedIn",
    serializers=[TokenPairSerializer, CookieSessionSerializer],
    resource_type_field_name=None,
)


class PublicView(OfficeView):
    """A view for people who have no token; one that they send is not looked at."""

    authentication_classes = ()
    parser_classes = (SmallJSONParser,)
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


def signed_in_answer(request: Request, signed_in: SignedIn, *, in_cookies: bool) -> Response:
    """Answer with a pair of tokens, or set them as cookies and tell who has signed in.

    Cookies are for the office's own pages; another site would sign its visitor in as somebody.
    """
    if not in_cookies:
        return Response(token_pair(signed_in))
    seconds = portal_seconds(signed_in.session)
    told = {"token_type": "Cookie", "expires_in": seconds, "user": signed_in.user}
    response = Response(CookieSessionSerializer(told).data)
    set_session_cookies(response, signed_in)
    return response


def wants_cookies(request: Request) -> bool:
    """Tell whether a sign-in asks for a cookie session, and check that it may."""
    wish = request.query_params.get("session")
    if wish not in (None, "cookie"):
        raise InvalidInput.on("session", "Send session=cookie, or leave it away.")
    if wish is not None:
        check_own_site(request)
    return wish is not None


class RegisterView(PublicView):
    @extend_schema(tags=[TAG], request=RegisterSerializer, responses={201: RegisteredSerializer})
    def post(self, request: Request) -> Response:
        """Register as a subscriber or a foreman.

        The answer is the same for an address that is taken; its owner gets a mail.
        """
        person = checked(RegisterSerializer, request)
        services.register(**person, client=client_of(request))
        is_proven = "email_token" in person["proofs"]
        message = PROVEN if is_proven else LINK_SENT
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
    @extend_schema(
        tags=[TAG], parameters=[SESSION], request=LoginSerializer, responses=SIGNED_IN_ANSWER
    )
    def post(self, request: Request) -> Response:
        """Sign in with an e-mail address, phone number or UCFSIN, and a password.

        With `session=cookie` the tokens are set as cookies and are not in the answer.
        """
        in_cookies = wants_cookies(request)
        credentials = checked(LoginSerializer, request)
        signed_in = services.sign_in(**credentials, client=client_of(request))
        return signed_in_answer(request, signed_in, in_cookies=in_cookies)


class RefreshTokenView(PublicView):
    @extend_schema(tags=[TAG], request=RefreshSerializer, responses=SIGNED_IN_ANSWER)
    def post(self, request: Request) -> Response:
        """Exchange a refresh token, once, for a new pair; without one, the refresh cookie.

        Whoever lost the answer may send it again within seconds. Later it ends the session.
        """
        token = checked(RefreshSerializer, request).get("refresh_token")
        in_cookies = token is None
        if token is None:
            token = self._from_cookie(request)
        signed_in = services.refresh_session(refresh_token=token)
        return signed_in_answer(request, signed_in, in_cookies=in_cookies)

    def _from_cookie(self, request: Request) -> str:
        token = request.COOKIES.get(refresh_cookie())
        if not token:
            raise InvalidInput.on("refresh_token", "This field is required.", code="required")
        check_own_site(request)
        return token

    def handle_exception(self, exc: Exception) -> Response:
        """Have the browser forget a session that has ended."""
        response = super().handle_exception(exc)
        is_over = response.status_code == status.HTTP_401_UNAUTHORIZED
        if is_over and "refresh_token" not in self.request.data:
            forget_session_cookies(response)
        return response


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
