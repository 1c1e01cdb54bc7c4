"""People as the API shows them, and the shapes of what it is told about them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import AuthSession, Role, User
from accounts.phones import to_e164

LONGEST_PASSWORD = 128
SELF_CHOSEN = (Role.USER, Role.FOREMAN)


class UserSerializer(serializers.ModelSerializer[User]):
    """The `user` of every answer."""

    class Meta:
        model = User
        fields = (
            "id", "ucfsin", "role", "email", "phone_number", "full_name", "date_of_birth",
            "status", "kyc_status", "chit_score", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class SubscriberSerializer(serializers.ModelSerializer[User]):
    """A subscriber as their foreman sees them: no birth date."""

    class Meta:
        model = User
        fields = (
            "id", "ucfsin", "role", "email", "phone_number", "full_name",
            "status", "kyc_status", "chit_score", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class UserBriefSerializer(serializers.ModelSerializer[User]):
    """Who, and nothing more."""

    class Meta:
        model = User
        fields = ("id", "full_name")
        read_only_fields = fields


class RoleField(serializers.ChoiceField):
    """A role in either case: the portal's cookies have them in lower case."""

    def to_internal_value(self, data: Any) -> Any:
        return Role(super().to_internal_value(data.upper() if isinstance(data, str) else data))


@extend_schema_field({"type": "string", "pattern": f"^({'|'.join(SELF_CHOSEN)})$"})
class SelfChosenRoleField(RoleField):
    """A role that people may give themselves; the office invites its own."""


@extend_schema_field({"type": "string", "example": "+919876543210"})
class PhoneField(serializers.CharField):
    """A phone number written in any way, Indian unless it says otherwise; E.164 inside."""

    default_error_messages = {"invalid_phone": "This is not a phone number."}

    def to_internal_value(self, data: Any) -> str:
        number = to_e164(super().to_internal_value(data))
        if number is None:
            self.fail("invalid_phone")
        return str(number)


class EmailField(serializers.EmailField):
    """An address in lower case, as it is kept."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).lower()


class PasswordField(serializers.CharField):
    """A password as it is typed: blanks count, and it is never shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=LONGEST_PASSWORD,
            trim_whitespace=False,
            write_only=True,
            style={"input_type": "password"},
            **kwargs,
        )


class PersonSerializer(serializers.Serializer[Any]):
    """What is asked of everybody who gets an account."""

    full_name = serializers.CharField(min_length=2, max_length=255)
    email = EmailField(max_length=255)
    phone_number = PhoneField(max_length=40)


class RegisterSerializer(PersonSerializer):
    password = PasswordField()
    date_of_birth = serializers.DateField(write_only=True)
    role = SelfChosenRoleField(
        choices=[(role.value, role.label) for role in SELF_CHOSEN], default=Role.USER
    )
    phone_token = serializers.CharField(
        required=False,
        max_length=200,
        write_only=True,
        help_text="What POST /api/otp/verify gave for this number and REGISTRATION.",
    )
    email_token = serializers.CharField(
        required=False,
        max_length=200,
        write_only=True,
        help_text="The same for this address, which then needs no mailed link.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = ("phone_token", "email_token")
        return attrs | {"proofs": {name: attrs.pop(name) for name in names if name in attrs}}


class RegisteredSerializer(serializers.Serializer[Any]):
    """An echo of what was sent, whether the address was free or not."""

    message = serializers.CharField()
    email = serializers.CharField()
    phone_number = serializers.CharField()
    full_name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)


class InviteSerializer(PersonSerializer):
    role = RoleField(choices=Role.choices, default=Role.USER)
    date_of_birth = serializers.DateField(required=False, allow_null=True)


class UserUpdateSerializer(serializers.Serializer[Any]):
    """What may be said again about a person; everything else in the body is ignored."""

    full_name = serializers.CharField(min_length=2, max_length=255)
    phone_number = PhoneField(max_length=40)
    date_of_birth = serializers.DateField(required=False)


class LoginSerializer(serializers.Serializer[Any]):
    identifier = serializers.CharField(
        required=False, max_length=255, help_text="E-mail address, phone number or UCFSIN."
    )
    email = serializers.CharField(required=False, max_length=255, help_text="The same.")
    password = PasswordField()
    role = RoleField(choices=Role.choices, required=False)
    code = serializers.CharField(
        required=False,
        max_length=32,
        write_only=True,
        help_text="Of the authenticator app, or a recovery code, where the account has one.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        email = attrs.pop("email", None)
        attrs.setdefault("identifier", email)
        if not attrs["identifier"]:
            raise serializers.ValidationError({"identifier": "This field is required."})
        return attrs


class TokenPairSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds until the access token ends.")
    user = UserSerializer()


class CookieSessionSerializer(serializers.Serializer[Any]):
    """A sign-in whose tokens are in cookies, out of every script's reach."""

    token_type = serializers.ChoiceField(choices=["Cookie"])
    expires_in = serializers.IntegerField(help_text="Seconds until the portal's cookie ends.")
    user = UserSerializer()


class RefreshSerializer(serializers.Serializer[Any]):
    refresh_token = serializers.CharField(
        max_length=4096, required=False, help_text="Not needed where the refresh cookie is sent."
    )


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=200)


class EmailOnlySerializer(serializers.Serializer[Any]):
    email = EmailField(max_length=255)


class ResetPasswordSerializer(TokenSerializer):
    password = PasswordField()


class MessageSerializer(serializers.Serializer[Any]):
    message = serializers.CharField()


class VerifiedSerializer(serializers.Serializer[Any]):
    user = UserSerializer()


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(min_length=3, max_length=500)


class RoleChangeSerializer(ReasonSerializer):
    role = RoleField(choices=Role.choices)


class AuthSessionSerializer(serializers.ModelSerializer[AuthSession]):
    """One device that is signed in."""

    is_current = serializers.SerializerMethodField()

    class Meta:
        model = AuthSession
        fields = (
            "id", "user_agent", "ip_address", "created_at", "last_used_at", "expires_at",
            "is_current",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_current(self, session: AuthSession) -> bool:
        return session.pk == self.context["request"].auth.session_id
