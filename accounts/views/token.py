"""The OAuth2 token endpoint (RFC 6749): the password flow, for Swagger's Authorize and scripts."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.clients import client_of
from accounts.serializers_oauth import OAuthTokenSerializer, PasswordGrantSerializer
from accounts.services import SignedIn
from accounts.tokens import access_seconds
from accounts.views.sign_in import TAG, PublicView, checked
from chitfund.api.parsers import SmallFormParser
from chitfund.exceptions import InvalidInput

PASSWORD, REFRESH = "password", "refresh_token"
# RFC 6749, 5.2: what a client of the standard reads beside the office's own envelope.
INVALID_REQUEST, INVALID_GRANT = "invalid_request", "invalid_grant"
UNSUPPORTED_GRANT = "unsupported_grant_type"


class OAuthTokenView(PublicView):
    parser_classes = (SmallFormParser,)

    @extend_schema(
        tags=[TAG],
        request={"application/x-www-form-urlencoded": PasswordGrantSerializer},
        responses=OAuthTokenSerializer,
    )
    def post(self, request: Request) -> Response:
        """Sign in as OAuth2 clients do: a form with `grant_type=password` or `refresh_token`.

        Errors carry `error` and `error_description` of RFC 6749 beside the office's envelope.
        """
        form = checked(PasswordGrantSerializer, request)
        signed_in = self._signed_in(request, form)
        answer = {
            "access_token": signed_in.access_token,
            "token_type": "Bearer",
            "expires_in": access_seconds(),
            "refresh_token": signed_in.refresh_token,
        }
        return Response(answer, headers={"Cache-Control": "no-store"})

    def _signed_in(self, request: Request, form: dict[str, Any]) -> SignedIn:
        grant = form["grant_type"]
        if grant == PASSWORD:
            return services.sign_in(
                identifier=_given(form, "username"),
                password=_given(form, "password"),
                code=form.get("code"),
                client=client_of(request),
            )
        if grant == REFRESH:
            return services.refresh_session(refresh_token=_given(form, "refresh_token"))
        raise InvalidInput.on(
            "grant_type", "Send password or refresh_token.", code=UNSUPPORTED_GRANT
        )

    def handle_exception(self, exc: Exception) -> Response:
        """Add the standard's two keys to a refusal."""
        response = super().handle_exception(exc)
        if response.status_code < status.HTTP_500_INTERNAL_SERVER_ERROR:
            response.data |= {
                "error": _error(response),
                "error_description": response.data["message"],
            }
        return response


def _given(form: dict[str, Any], name: str) -> str:
    if not form.get(name):
        raise serializers.ValidationError({name: "This field is required."})
    return str(form[name])


def _error(response: Response) -> str:
    if response.data["code"] == UNSUPPORTED_GRANT:
        return UNSUPPORTED_GRANT
    is_grant = response.status_code in {status.HTTP_401_UNAUTHORIZED, status.HTTP_403_FORBIDDEN}
    return INVALID_GRANT if is_grant else INVALID_REQUEST
