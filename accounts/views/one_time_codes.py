"""Codes to a phone or a mailbox: open to everybody."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.clients import client_of
from accounts.models import CodeChannel
from accounts.serializers_codes import (
    CodeSentSerializer,
    CodeVerifiedSerializer,
    SendCodeSerializer,
    VerifyCodeSerializer,
)
from accounts.services.one_time_codes import Proof, send_code, verify_code
from accounts.views.sign_in import PublicView, checked

TAG = "One-time codes"


class SendCodeView(PublicView):
    @extend_schema(tags=[TAG], request=SendCodeSerializer, responses=CodeSentSerializer)
    def post(self, request: Request) -> Response:
        """Send six digits to a phone number or an e-mail address.

        Once a minute and ten times a day for one address. The answer is the same whatever
        the address is.
        """
        code = send_code(**checked(SendCodeSerializer, request), client=client_of(request))
        told = {"success": True, "message": "A code is on its way.", "message_id": code.pk}
        return Response(CodeSentSerializer(told).data)


class VerifyCodeView(PublicView):
    @extend_schema(tags=[TAG], request=VerifyCodeSerializer, responses=CodeVerifiedSerializer)
    def post(self, request: Request) -> Response:
        """Exchange the digits for a proof that the next step takes.

        Five guesses a code; only the newest code counts, for ten minutes.
        """
        proof = verify_code(**checked(VerifyCodeSerializer, request), client=client_of(request))
        return Response(CodeVerifiedSerializer(_told(proof)).data)


def _told(proof: Proof) -> dict[str, object]:
    if proof.channel == CodeChannel.EMAIL:
        return {
            "success": True,
            "message": "Your address is confirmed.",
            "email_token": proof.token,
        }
    return {"success": True, "message": "Your number is confirmed.", "phone_token": proof.token}
