"""Reads that know every app below."""

from __future__ import annotations

from django.db.models import Count, Q
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import OfficeView
from accounts.selectors import profile_completeness
from notifications.services import unread_count
from reports.serializers import MeSerializer
from subscriptions.models import Subscription, SubscriptionStatus


class MeView(OfficeView):
    """Who is signed in."""

    permission_classes = (IsAuthenticated,)
    needs_second_factor = False

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The signed-in user with profile, KYC, tickets and unread counts."""
        user = request.user
        tickets = Subscription.objects.filter(subscriber=user).aggregate(
            active=Count("pk", filter=Q(status=SubscriptionStatus.ACTIVE)),
            completed=Count("pk", filter=Q(status=SubscriptionStatus.COMPLETED)),
        )
        body = {
            "user": user,
            "profile": profile_completeness(user),
            "kyc": {"status": user.kyc_status, "is_verified": user.is_kyc_verified},
            "unread": {"notifications": unread_count(user)},
            "tickets": tickets,
        }
        return Response(MeSerializer(body).data)
