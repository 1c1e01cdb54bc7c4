"""What is put together from several apps."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.serializers import UserSerializer
from accounts.serializers_profiles import CompletenessSerializer


class KycSummarySerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    is_verified = serializers.BooleanField()


class UnreadSerializer(serializers.Serializer[Any]):
    notifications = serializers.IntegerField()


class TicketCountsSerializer(serializers.Serializer[Any]):
    active = serializers.IntegerField()
    completed = serializers.IntegerField()


class MeSerializer(serializers.Serializer[Any]):
    """Who is signed in, and what waits for them."""

    user = UserSerializer()
    profile = CompletenessSerializer()
    kyc = KycSummarySerializer()
    unread = UnreadSerializer()
    tickets = TicketCountsSerializer()
