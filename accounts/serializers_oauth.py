"""What sign-in with another provider asks and answers, and the OAuth2 token endpoint."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import ExternalIdentity
from accounts.serializers import PasswordField

LONGEST_CODE = 2048
LONGEST_STATE = 200


class ProviderSerializer(serializers.Serializer[Any]):
    """One of the office's sign-in providers."""

    name = serializers.CharField()
    label = serializers.CharField(help_text="For the button: Continue with …")


class ProvidersSerializer(serializers.Serializer[Any]):
    providers = ProviderSerializer(many=True)


class BegunSerializer(serializers.Serializer[Any]):
    authorization_url = serializers.CharField(help_text="Send the browser there.")
    state = serializers.CharField(help_text="Comes back with the code.")
    expires_in = serializers.IntegerField(help_text="Seconds until this sign-in ends.")


class CallbackSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=LONGEST_CODE)
    state = serializers.CharField(max_length=LONGEST_STATE)
    second_factor_code = serializers.CharField(
        max_length=32,
        required=False,
        help_text="Where the account has a second factor; the same state may be sent again.",
    )


class LinkSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=LONGEST_CODE)
    state = serializers.CharField(max_length=LONGEST_STATE)
    password = PasswordField()


class UnlinkSerializer(serializers.Serializer[Any]):
    password = PasswordField()


class IdentitySerializer(serializers.ModelSerializer[ExternalIdentity]):
    """A provider that signs this person in. Its own name for them is not shown."""

    class Meta:
        model = ExternalIdentity
        fields = ("id", "provider", "created_at", "last_used_at")
        read_only_fields = fields


class PasswordGrantSerializer(serializers.Serializer[Any]):
    """RFC 6749, 4.3: the password flow, which Swagger's Authorize speaks."""

    grant_type = serializers.CharField(help_text="`password` or `refresh_token`.")
    username = serializers.CharField(
        max_length=255, required=False, help_text="E-mail address, phone number or UCFSIN."
    )
    password = PasswordField(required=False)
    refresh_token = serializers.CharField(max_length=4096, required=False)
    code = serializers.CharField(
        max_length=32, required=False, help_text="The second factor, where the account has one."
    )


class OAuthTokenSerializer(serializers.Serializer[Any]):
    """RFC 6749, 5.1."""

    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    refresh_token = serializers.CharField()
