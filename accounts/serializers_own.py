"""What signed-in people send to change how they get in."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.serializers import EmailField, PasswordField, PhoneField


class WithPasswordSerializer(serializers.Serializer[Any]):
    current_password = PasswordField()


class ChangePasswordSerializer(WithPasswordSerializer):
    new_password = PasswordField()


class ChangeEmailSerializer(WithPasswordSerializer):
    email = EmailField(max_length=255, help_text="The new address; it gets a link.")


class ChangePhoneSerializer(WithPasswordSerializer):
    phone_number = PhoneField(max_length=40, help_text="The new number.")
    phone_token = serializers.CharField(
        max_length=500, help_text="Of `/api/otp/verify`, for the purpose `CHANGE_PHONE`."
    )
