"""Signing in with another provider, and the providers that sign a person in."""

from __future__ import annotations

import secrets
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.filters import OrderingFilter
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeViewSet
from accounts.clients import client_of
from accounts.models import ExternalIdentity
from accounts.serializers_oauth import (
    BegunSerializer,
    CallbackSerializer,
    IdentitySerializer,
    LinkSerializer,
    ProvidersSerializer,
    UnlinkSerializer,
)
from accounts.services import oidc
from accounts.views.own_account import OwnAccountView
from accounts.views.sign_in import (
    SESSION,
    SIGNED_IN_ANSWER,
    TAG,
    PublicView,
    checked,
    signed_in_answer,
    wants_cookies,
)
from chitfund.exceptions import InvalidInput

COOKIE_PATH = "/api"
COOKIE_BYTES = 32
REDIRECT_URI = OpenApiParameter(
    "redirect_uri",
    OpenApiTypes.STR,
    required=True,
    description="The page that the provider sends the browser back to; one of the office's list.",
)


def browser_cookie() -> str:
    """Name the cookie that ties a sign-in to the browser that began it."""
    return "__Secure-oauthBrowser" if settings.PORTAL_COOKIES_SECURE else "oauthBrowser"


class ProvidersView(PublicView):
    @extend_schema(tags=[TAG], responses=ProvidersSerializer)
    def get(self, request: Request) -> Response:
        """The providers that this office lets vouch for people."""
        known = [
            {"name": provider.name, "label": provider.label}
            for provider in settings.OIDC_PROVIDERS.values()
        ]
        return Response({"providers": known})


class OAuthStartView(PublicView):
    @extend_schema(tags=[TAG], parameters=[REDIRECT_URI], responses=BegunSerializer)
    def get(self, request: Request, provider: str) -> Response:
        """Begin a sign-in with a provider: send the browser to the address in the answer.

        A cookie ties what follows to this browser; nobody else can complete it.
        """
        redirect_uri = request.query_params.get("redirect_uri", "")
        if not redirect_uri:
            raise InvalidInput.on("redirect_uri", "This parameter is required.", code="required")
        browser = secrets.token_urlsafe(COOKIE_BYTES)
        begun = oidc.begin(
            provider=provider,
            redirect_uri=redirect_uri,
            browser=browser,
            client=client_of(request),
        )
        response = Response(BegunSerializer(begun).data)
        response.set_cookie(
            browser_cookie(),
            browser,
            max_age=begun.expires_in,
            path=COOKIE_PATH,
            secure=settings.PORTAL_COOKIES_SECURE,
            httponly=True,
            samesite="Strict",
        )
        return response


class OAuthCallbackView(PublicView):
    @extend_schema(
        tags=[TAG], parameters=[SESSION], request=CallbackSerializer, responses=SIGNED_IN_ANSWER
    )
    def post(self, request: Request, provider: str) -> Response:
        """Complete a sign-in with what the provider sent the browser back with."""
        in_cookies = wants_cookies(request)
        signed_in = oidc.finish(
            provider=provider,
            browser=request.COOKIES.get(browser_cookie(), ""),
            client=client_of(request),
            **checked(CallbackSerializer, request),
        )
        return signed_in_answer(request, signed_in, in_cookies=in_cookies)


class OAuthLinkView(OwnAccountView):
    @extend_schema(tags=[TAG], request=LinkSerializer, responses={201: IdentitySerializer})
    def post(self, request: Request, provider: str) -> Response:
        """Have a provider sign you in from now on; begun like a sign-in, with your password."""
        identity = oidc.link(
            actor=request.user,
            provider=provider,
            browser=request.COOKIES.get(browser_cookie(), ""),
            client=client_of(request),
            **checked(LinkSerializer, request),
        )
        return Response(IdentitySerializer(identity).data, status=status.HTTP_201_CREATED)


@extend_schema_view(list=extend_schema(tags=[TAG]))
class IdentityViewSet(mixins.ListModelMixin, OfficeViewSet):
    """The providers that sign you in."""

    queryset = ExternalIdentity.objects.none()
    serializer_class = IdentitySerializer
    permission_classes = (IsAuthenticated,)
    filter_backends = (OrderingFilter,)
    ordering_fields: ClassVar[tuple[str, ...]] = ("created_at", "last_used_at")
    ordering = ("-id",)
    takes_idempotency_key = False

    def get_queryset(self) -> QuerySet[ExternalIdentity]:
        return ExternalIdentity.objects.filter(user=self.request.user.pk)

    @extend_schema(tags=[TAG], request=UnlinkSerializer, responses={204: None})
    def remove(self, request: Request, pk: UUID) -> Response:
        """Remove a provider. Your password, which is asked for, still signs you in."""
        oidc.unlink(
            actor=request.user,
            identity_id=pk,
            client=client_of(request),
            **checked(UnlinkSerializer, request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)
