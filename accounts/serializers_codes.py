"""The shapes of one-time codes and of the second factor."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import CodeChannel, CodePurpose
from accounts.serializers import EmailField, PasswordField, PhoneField, ReasonSerializer

LONGEST_CODE = 32


class CodeAddressSerializer(serializers.Serializer[Any]):
    """Whom a code goes to: a phone number or an e-mail address."""

    phone_number = PhoneField(max_length=40, required=False)
    email = EmailField(max_length=255, required=False)
    purpose = serializers.ChoiceField(choices=CodePurpose.choices)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        phone_number, email = attrs.pop("phone_number", None), attrs.pop("email", None)
        if bool(phone_number) == bool(email):
            raise serializers.ValidationError(
                {"phone_number": "Send either a phone_number or an email."}
            )
        return attrs | {
            "address": phone_number or email,
            "purpose": CodePurpose(attrs["purpose"]),
        }


class SendCodeSerializer(CodeAddressSerializer):
    """A wish for a code. Its text is the office's: a `message` in the body is ignored."""

    channel = serializers.ChoiceField(choices=CodeChannel.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        is_mail = "@" in attrs["address"]
        usual = CodeChannel.EMAIL if is_mail else CodeChannel.SMS
        channel = CodeChannel(attrs.get("channel", usual))
        if (channel == CodeChannel.EMAIL) != is_mail:
            raise serializers.ValidationError(
                {"channel": "EMAIL goes with an email, SMS and WHATSAPP with a phone_number."}
            )
        return attrs | {"channel": channel}


class VerifyCodeSerializer(CodeAddressSerializer):
    otp = serializers.RegexField(r"^[0-9]{6}\Z", write_only=True)


class CodeSentSerializer(serializers.Serializer[Any]):
    """The answer whatever the number is, and whoever has it."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    message_id = serializers.UUIDField()


class CodeVerifiedSerializer(serializers.Serializer[Any]):
    """The proof, under the name of what it proves. It works once, within fifteen minutes."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    phone_token = serializers.CharField(required=False)
    email_token = serializers.CharField(required=False)


class FactorStateSerializer(serializers.Serializer[Any]):
    is_enrolled = serializers.BooleanField()
    is_required = serializers.BooleanField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    recovery_codes_left = serializers.IntegerField()


class OwnPasswordSerializer(serializers.Serializer[Any]):
    password = PasswordField()


class FactorBegunSerializer(serializers.Serializer[Any]):
    """What an authenticator app needs, as a picture, an address and by hand."""

    otpauth_uri = serializers.CharField()
    secret = serializers.CharField()
    qr_svg = serializers.CharField(help_text="A data: address for an <img>.")


class FactorCodeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=LONGEST_CODE)


class PasswordAndCodeSerializer(FactorCodeSerializer):
    password = PasswordField()


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    """Shown this once; each stands in for the app one time."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class FactorResetSerializer(ReasonSerializer):
    """Why somebody's factor is taken off: how they were recognised."""
