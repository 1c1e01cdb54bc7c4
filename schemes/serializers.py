"""Schemes as the API shows and takes them. What fits together is checked by services."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import AuditEvent
from accounts.serializers import UserBriefSerializer
from chitfund.api.fields import PlainDecimalField
from chitfund.money import MAX_AMOUNT, PAISA
from schemes.models import (
    TERMS,
    CommissionBase,
    CommissionMode,
    DividendPolicy,
    DividendTiming,
    LateDividend,
    RecordKind,
    Scheme,
    Stage,
    StatutoryRecord,
)
from schemes.stage import stage_of


class SchemeSerializer(serializers.ModelSerializer[Scheme]):
    """A scheme with its terms and where it stands. Give it schemes `with_records`."""

    foreman = UserBriefSerializer()
    foreman_id = serializers.UUIDField()
    stage = serializers.SerializerMethodField()
    seats_left = serializers.IntegerField()
    is_open_for_enrolment = serializers.BooleanField()
    sanction_number = serializers.SerializerMethodField()
    certificate_number = serializers.SerializerMethodField()

    class Meta:
        model = Scheme
        fields = (
            "id",
            "foreman",
            "foreman_id",
            "status",
            "stage",
            *TERMS,
            "end_date",
            "current_subscribers",
            "seats_left",
            "is_open_for_enrolment",
            "sanction_number",
            "certificate_number",
            "submitted_at",
            "returned_at",
            "return_reason",
            "approved_at",
            "commenced_on",
            "next_auction_at",
            "completed_at",
            "terminated_at",
            "termination_reason",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=Stage.choices))
    def get_stage(self, scheme: Scheme) -> str:
        return stage_of(scheme, {record.kind for record in scheme.records.all()})

    def get_sanction_number(self, scheme: Scheme) -> str | None:
        return _number_of(scheme, RecordKind.PRIOR_SANCTION)

    def get_certificate_number(self, scheme: Scheme) -> str | None:
        return _number_of(scheme, RecordKind.COMMENCEMENT)


def _number_of(scheme: Scheme, kind: RecordKind) -> str | None:
    return next((record.number for record in scheme.records.all() if record.kind == kind), None)


class RupeesField(PlainDecimalField):
    """Rupees. A fraction of a paisa passes here: the service answers with the nearest amounts."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_digits=None, decimal_places=None, min_value=PAISA, max_value=MAX_AMOUNT, **kwargs
        )


class PercentField(PlainDecimalField):
    """A percentage with two places, as 5 or 12.50."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=5, decimal_places=2, min_value=Decimal(0), **kwargs)


class SchemeTermsSerializer(serializers.Serializer[Any]):
    """Shape of a draft. Keys of `validated_data` are the arguments of the drafting services.

    What is left out has its default in a new scheme and stays as it is in an old one.
    """

    name = serializers.CharField(max_length=255)
    monthly_installment = RupeesField(
        required=False, help_text="Needed unless total_amount is given."
    )
    max_subscribers = serializers.IntegerField(min_value=2, max_value=500)
    duration_months = serializers.IntegerField(
        required=False, min_value=1, max_value=500, help_text="Equal to max_subscribers."
    )
    total_amount = RupeesField(
        required=False, help_text="monthly_installment x max_subscribers, to the paisa."
    )
    start_date = serializers.DateField()
    commission_percent = PercentField(required=False)
    commission_base = serializers.ChoiceField(choices=CommissionBase.choices, required=False)
    commission_mode = serializers.ChoiceField(choices=CommissionMode.choices, required=False)
    max_discount_percent = PercentField(required=False)
    min_discount_percent = PercentField(required=False, allow_null=True)
    bid_step = PlainDecimalField(max_digits=12, decimal_places=2, min_value=PAISA, required=False)
    auction_day = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=31,
        help_text="Day of the month; the day of start_date unless given.",
    )
    auction_time = serializers.TimeField(required=False)
    auction_minutes = serializers.IntegerField(required=False, min_value=1, max_value=480)
    dividend_policy = serializers.ChoiceField(choices=DividendPolicy.choices, required=False)
    dividend_timing = serializers.ChoiceField(choices=DividendTiming.choices, required=False)
    rounding_unit = PlainDecimalField(max_digits=3, decimal_places=2, required=False)
    base_dividend_cap_percent = PercentField(required=False, allow_null=True)
    foreman_installment = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=500
    )
    late_interest_percent = PercentField(required=False)
    grace_days = serializers.IntegerField(required=False, min_value=0, max_value=60)
    late_dividend = serializers.ChoiceField(choices=LateDividend.choices, required=False)


class ApproveSerializer(serializers.Serializer[Any]):
    """A decision to sanction. Without a number the next PSO-YYYY-NNNNNN is given."""

    comment = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    sanction_number = serializers.CharField(
        max_length=60, required=False, allow_null=True, allow_blank=True
    )


class ReturnSerializer(serializers.Serializer[Any]):
    """What the foreman has to change."""

    reason = serializers.CharField(max_length=1000)


class RecordSerializer(serializers.ModelSerializer[StatutoryRecord]):
    """One statutory record of a scheme."""

    recorded_by = UserBriefSerializer()

    class Meta:
        model = StatutoryRecord
        fields = (
            "id",
            "kind",
            "number",
            "issued_on",
            "expires_on",
            "amount",
            "evidence",
            "recorded_by",
            "created_at",
        )
        read_only_fields = fields


class RecordCreateSerializer(serializers.Serializer[Any]):
    """A security deposit or a registered agreement, as its paper has it."""

    kind = serializers.ChoiceField(choices=RecordKind.choices)
    number = serializers.CharField(max_length=60)
    issued_on = serializers.DateField()
    expires_on = serializers.DateField(required=False, allow_null=True)
    amount = PlainDecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=PAISA,
        required=False,
        allow_null=True,
        help_text="Rupees; needed for a security deposit.",
    )
    evidence = serializers.CharField(
        max_length=500, required=False, allow_blank=True, help_text="Where the paper is kept."
    )

    def validate_kind(self, value: str) -> RecordKind:
        return RecordKind(value)


class HistorySerializer(serializers.ModelSerializer[AuditEvent]):
    """One thing that was done to a scheme."""

    actor = UserBriefSerializer(allow_null=True)

    class Meta:
        model = AuditEvent
        fields = ("id", "verb", "actor", "details", "business_date", "created_at", "trace_id")
        read_only_fields = fields
