"""What people say about themselves, as the API takes and shows it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.models import (
    AccountType,
    Address,
    AddressKind,
    AnnualIncome,
    BankAccount,
    Consent,
    ConsentPurpose,
    ErasureRequest,
    ForemanProfile,
    IncomeSource,
    Nominee,
    Occupation,
    Relation,
    User,
)
from accounts.models.profiles import IFSC
from accounts.places import PIN_CODE, State
from accounts.serializers import EmailField, PhoneField, UserSerializer
from chitfund.api.fields import PlainDecimalField
from chitfund.business_date import business_date
from chitfund.masking import masked_end

MOST_NOMINEES = 10
LONGEST_EXPERIENCE = 50
NUMBER = r"^[0-9]{9,18}$"


class UpperCaseField(serializers.RegexField):
    """A code that people type in either case and with blanks."""

    def to_internal_value(self, data: Any) -> str:
        text = "".join(data.split()).upper() if isinstance(data, str) else data
        return super().to_internal_value(text)


def _pin_code() -> serializers.RegexField:
    return serializers.RegexField(
        PIN_CODE,
        error_messages={"invalid": "A PIN code has six digits and does not begin with 0."},
    )


def _ifsc() -> UpperCaseField:
    return UpperCaseField(
        IFSC,
        error_messages={
            "invalid": "An IFSC has four letters, a zero and six letters or digits: SBIN0001234."
        },
    )


class AddressSerializer(serializers.Serializer[Any]):
    """An address in India."""

    line1 = serializers.CharField(max_length=160)
    line2 = serializers.CharField(max_length=160, allow_blank=True, default="")
    landmark = serializers.CharField(max_length=120, allow_blank=True, default="")
    city = serializers.CharField(max_length=80)
    district = serializers.CharField(max_length=80)
    state = serializers.ChoiceField(choices=State.choices)
    pin_code = _pin_code()


class ProfileInputSerializer(serializers.Serializer[Any]):
    """All of a profile; PATCH takes some of it. An address that is null is removed."""

    permanent_address = AddressSerializer(allow_null=True, default=None)
    current_address = AddressSerializer(allow_null=True, default=None)
    delivery_address = AddressSerializer(allow_null=True, default=None)
    occupation = serializers.ChoiceField(choices=Occupation.choices, allow_blank=True, default="")
    annual_income = serializers.ChoiceField(
        choices=AnnualIncome.choices, allow_blank=True, default=""
    )
    income_source = serializers.ChoiceField(
        choices=IncomeSource.choices, allow_blank=True, default=""
    )
    employer = serializers.CharField(max_length=160, allow_blank=True, default="")
    designation = serializers.CharField(max_length=120, allow_blank=True, default="")
    experience_years = serializers.IntegerField(
        min_value=0, max_value=LONGEST_EXPERIENCE, allow_null=True, default=None
    )


class CompletenessSerializer(serializers.Serializer[Any]):
    percent = serializers.IntegerField()
    missing = serializers.ListField(child=serializers.CharField())


class AddressShownSerializer(serializers.ModelSerializer[Address]):
    class Meta:
        model = Address
        fields = ("line1", "line2", "landmark", "city", "district", "state", "pin_code")
        read_only_fields = fields


class ProfileSerializer(serializers.Serializer[Any]):
    """A profile; what has not been said is empty."""

    permanent_address = AddressShownSerializer(allow_null=True)
    current_address = AddressShownSerializer(allow_null=True)
    delivery_address = AddressShownSerializer(allow_null=True)
    occupation = serializers.CharField()
    annual_income = serializers.CharField()
    income_source = serializers.CharField()
    employer = serializers.CharField()
    designation = serializers.CharField()
    experience_years = serializers.IntegerField(allow_null=True)
    completeness = CompletenessSerializer()
    updated_at = serializers.DateTimeField(allow_null=True)


class NomineeInputSerializer(serializers.Serializer[Any]):
    full_name = serializers.CharField(min_length=2, max_length=255)
    relation = serializers.ChoiceField(choices=Relation.choices)
    date_of_birth = serializers.DateField()
    share = PlainDecimalField(
        max_digits=5, decimal_places=2, min_value=Decimal("0.01"), max_value=Decimal(100)
    )
    contact_number = PhoneField(max_length=40)
    email = EmailField(max_length=255, allow_blank=True, default="")
    guardian_name = serializers.CharField(max_length=255, allow_blank=True, default="")
    guardian_relation = serializers.ChoiceField(
        choices=Relation.choices, allow_blank=True, default=""
    )


class NomineesInputSerializer(serializers.Serializer[Any]):
    """The whole set: the shares make exactly 100, or there is nobody."""

    nominees = NomineeInputSerializer(many=True, max_length=MOST_NOMINEES)


class ProfileNomineeSerializer(serializers.ModelSerializer[Nominee]):
    class Meta:
        model = Nominee
        fields = (
            "id", "full_name", "relation", "date_of_birth", "share", "contact_number", "email",
            "guardian_name", "guardian_relation", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class NomineesSerializer(serializers.Serializer[Any]):
    nominees = ProfileNomineeSerializer(many=True)


class BankAccountInputSerializer(serializers.Serializer[Any]):
    """An account, its number typed twice."""

    holder_name = serializers.CharField(min_length=2, max_length=255)
    account_number = serializers.RegexField(
        NUMBER, write_only=True,
        error_messages={"invalid": "An account number has 9 to 18 digits."},
    )  # fmt: skip
    confirm_account_number = serializers.CharField(max_length=40, write_only=True)
    ifsc = _ifsc()
    bank_name = serializers.CharField(max_length=120)
    branch_name = serializers.CharField(max_length=120, allow_blank=True, default="")
    account_type = serializers.ChoiceField(choices=AccountType.choices)
    joint_holder_name = serializers.CharField(max_length=255, allow_blank=True, default="")
    joint_holder_relation = serializers.ChoiceField(
        choices=Relation.choices, allow_blank=True, default=""
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.pop("confirm_account_number") != attrs["account_number"]:
            raise serializers.ValidationError(
                {"confirm_account_number": "The two account numbers differ. Type both again."}
            )
        if bool(attrs["joint_holder_name"]) != bool(attrs["joint_holder_relation"]):
            raise serializers.ValidationError(
                {"joint_holder_name": "Give the joint holder's name and relation, or neither."}
            )
        attrs["number"] = attrs.pop("account_number")
        return attrs


class BankAccountSerializer(serializers.ModelSerializer[BankAccount]):
    """An account with the last four digits of its number."""

    account_number = serializers.SerializerMethodField(help_text="Masked.")

    class Meta:
        model = BankAccount
        fields = (
            "id", "holder_name", "account_number", "ifsc", "bank_name", "branch_name",
            "account_type", "joint_holder_name", "joint_holder_relation", "is_primary",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_account_number(self, account: BankAccount) -> str:
        return masked_end(account.number_last4)


class RevealedNumberSerializer(serializers.Serializer[Any]):
    account_number = serializers.CharField()


class ConsentInputSerializer(serializers.Serializer[Any]):
    purpose = serializers.ChoiceField(choices=ConsentPurpose.choices)
    version = serializers.CharField(max_length=20)
    granted = serializers.BooleanField()

    def validate_purpose(self, purpose: str) -> ConsentPurpose:
        return ConsentPurpose(purpose)


class ConsentSerializer(serializers.ModelSerializer[Consent]):
    class Meta:
        model = Consent
        fields = ("id", "purpose", "version", "granted", "created_at")
        read_only_fields = fields


class StandingConsentSerializer(serializers.Serializer[Any]):
    """One purpose: the notice in force, and what the person last said about it."""

    purpose = serializers.ChoiceField(choices=ConsentPurpose.choices)
    label = serializers.CharField()
    current_version = serializers.CharField()
    granted = serializers.BooleanField()
    version = serializers.CharField(allow_null=True)
    recorded_at = serializers.DateTimeField(allow_null=True)
    is_current = serializers.BooleanField(help_text="Granted, and for the notice in force.")


class StandingConsentsSerializer(serializers.Serializer[Any]):
    consents = StandingConsentSerializer(many=True)


class ForemanProfileInputSerializer(serializers.Serializer[Any]):
    """A foreman's business. The PAN may be left out once it is on file."""

    company_name = serializers.CharField(min_length=2, max_length=160)
    licence_number = serializers.CharField(min_length=3, max_length=60)
    licence_expires_on = serializers.DateField()
    pan = serializers.CharField(max_length=20, required=False, write_only=True)
    state_of_registration = serializers.ChoiceField(choices=State.choices)
    line1 = serializers.CharField(max_length=160)
    line2 = serializers.CharField(max_length=160, allow_blank=True, default="")
    city = serializers.CharField(max_length=80)
    state = serializers.ChoiceField(choices=State.choices)
    pin_code = _pin_code()
    designation = serializers.CharField(max_length=120)

    def validate_licence_expires_on(self, day: date) -> date:
        if day <= business_date():
            raise serializers.ValidationError("The licence has to be valid beyond today.")
        return day


class ForemanProfileSerializer(serializers.ModelSerializer[ForemanProfile]):
    """A foreman's business with its PAN masked, and where its review stands."""

    pan = serializers.CharField(source="pan_masked", help_text="Masked.")

    class Meta:
        model = ForemanProfile
        fields = (
            "id", "company_name", "licence_number", "licence_expires_on", "pan",
            "state_of_registration", "line1", "line2", "city", "state", "pin_code",
            "designation", "status", "submitted_at", "decided_at", "return_reason",
            "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class StaffUserSerializer(UserSerializer):
    """A person as the office sees them: also when they last signed in."""

    class Meta(UserSerializer.Meta):
        model = User
        fields = (*UserSerializer.Meta.fields, "last_login", "email_verified_at")
        read_only_fields = fields


class ErasureInputSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class HoldSerializer(serializers.Serializer[Any]):
    """Something that is kept, by which law, why, and until when where that is known."""

    what = serializers.ListField(child=serializers.CharField())
    law = serializers.CharField()
    why = serializers.CharField()
    until = serializers.DateField(allow_null=True)


class ErasureSerializer(serializers.ModelSerializer[ErasureRequest]):
    """A request, what was erased, and what is kept."""

    erased = serializers.ListField(child=serializers.CharField())
    kept = HoldSerializer(many=True)

    class Meta:
        model = ErasureRequest
        fields = (
            "id", "user", "status", "note", "erased", "kept", "created_at", "decided_at",
            "decision_reason",
        )  # fmt: skip
        read_only_fields = fields


class ExportSerializer(serializers.Serializer[Any]):
    """Everything the office holds about one person, section by section."""

    exported_at = serializers.DateTimeField()
    user_id = serializers.UUIDField()
    sections = serializers.DictField()


ADDRESS_KEYS = {
    AddressKind.PERMANENT: "permanent_address",
    AddressKind.CURRENT: "current_address",
    AddressKind.DELIVERY: "delivery_address",
}
