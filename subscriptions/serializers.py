"""Tickets as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import User
from accounts.phones import to_e164
from chitfund.api.fields import ChoiceOrNullField
from subscriptions.models import ContactPreference, Subscription


class NextDueSerializer(serializers.Serializer[Any]):
    """The next installment that a ticket has to pay, in rupees."""

    number = serializers.IntegerField()
    due_date = serializers.DateField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)


class NomineeSerializer(serializers.Serializer[Any]):
    """Who is to get what a ticket brings, after its holder."""

    name = serializers.CharField(max_length=255, allow_blank=True)
    relationship = serializers.CharField(max_length=60, allow_blank=True, required=False)
    phone_number = serializers.CharField(max_length=40, allow_blank=True, required=False)

    def validate_phone_number(self, value: str) -> str:
        number = to_e164(value) if value else ""
        if number is None:
            raise serializers.ValidationError(
                "This is no phone number. Write it as 98765 43210 or +91 98765 43210."
            )
        return number


class _TicketSerializer(serializers.ModelSerializer[Subscription]):
    next_due = serializers.SerializerMethodField()

    @extend_schema_field(NextDueSerializer(allow_null=True))
    def get_next_due(self, ticket: Subscription) -> dict[str, Any] | None:
        if ticket.next_due_number is None:
            return None
        due = {
            "number": ticket.next_due_number,
            "due_date": ticket.next_due_on,
            "amount": ticket.next_due_amount,
        }
        return NextDueSerializer(due).data


class SubscriptionSerializer(_TicketSerializer):
    """One ticket: what it owes, whether it has won, and when it pays next."""

    scheme_name = serializers.CharField(source="scheme.name")
    nominee = serializers.SerializerMethodField()
    contact_preference = ChoiceOrNullField(ContactPreference.choices)

    class Meta:
        model = Subscription
        fields = (
            "id",
            "scheme",
            "scheme_name",
            "subscriber",
            "ticket_number",
            "is_foreman_ticket",
            "status",
            "join_date",
            "prized_at",
            "prized_installment",
            "outstanding",
            "advance",
            "next_due",
            "nominee",
            "contact_preference",
            "withdrawn_at",
            "withdrawal_reason",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    @extend_schema_field(NomineeSerializer)
    def get_nominee(self, ticket: Subscription) -> dict[str, str]:
        return {
            "name": ticket.nominee_name,
            "relationship": ticket.nominee_relationship,
            "phone_number": ticket.nominee_phone_number,
        }


class HolderSerializer(serializers.ModelSerializer[User]):
    """A ticket's holder as the foreman needs them: no birth date, no documents."""

    class Meta:
        model = User
        fields = ("id", "ucfsin", "full_name", "email", "phone_number", "status", "kyc_status")
        read_only_fields = fields


class SubscriberTicketSerializer(_TicketSerializer):
    """One row of a scheme's subscribers."""

    subscriber = HolderSerializer()

    class Meta:
        model = Subscription
        fields = (
            "id",
            "ticket_number",
            "is_foreman_ticket",
            "status",
            "join_date",
            "subscriber",
            "outstanding",
            "advance",
            "oldest_unpaid_due_on",
            "next_due",
            "prized_at",
            "prized_installment",
        )
        read_only_fields = fields


class EnrolSerializer(serializers.Serializer[Any]):
    """Joining a scheme. Keys of `validated_data` are the arguments of `enrol`."""

    scheme = serializers.UUIDField(source="scheme_id")
    subscriber = serializers.UUIDField(
        source="subscriber_id",
        required=False,
        allow_null=True,
        help_text="For a foreman: who joins. Or name them by `ucfsin`.",
    )
    ucfsin = serializers.CharField(required=False, max_length=20)
    ticket_number = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=500
    )


class ParticularsSerializer(serializers.Serializer[Any]):
    """What may be said anew about a ticket; what is left out stays."""

    nominee = NomineeSerializer(required=False)
    contact_preference = serializers.ChoiceField(
        choices=ContactPreference.choices, required=False, allow_blank=True
    )

    def to_arguments(self) -> dict[str, str]:
        """Return the arguments of `update_particulars`."""
        given = dict(self.validated_data)
        nominee = given.pop("nominee", {})
        return {**given, **{f"nominee_{name}": value for name, value in nominee.items()}}


class TerminateSerializer(serializers.Serializer[Any]):
    """Why a chit is given up, for everybody in it."""

    reason = serializers.CharField(max_length=500)
