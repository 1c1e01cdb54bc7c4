"""What people say about themselves beyond their account, and what they ask to be done with it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models.users import User
from accounts.places import PIN_CODE, State
from chitfund.db import IdentifiedModel, StatusModel, TimeStampedModel, one_of

E164 = r"^\+[1-9][0-9]{6,13}$"
IFSC = r"^[A-Z]{4}0[A-Z0-9]{6}$"
SEALED = r"^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+$"


class Occupation(models.TextChoices):
    SALARIED = "SALARIED", "Salaried employee"
    SELF_EMPLOYED = "SELF_EMPLOYED", "Self employed"
    BUSINESS_OWNER = "BUSINESS_OWNER", "Business owner"
    PROFESSIONAL = "PROFESSIONAL", "Professional"
    GOVERNMENT = "GOVERNMENT", "Government employee"
    RETIRED = "RETIRED", "Retired"
    STUDENT = "STUDENT", "Student"
    HOMEMAKER = "HOMEMAKER", "Homemaker"
    FARMER = "FARMER", "Farmer"
    OTHER = "OTHER", "Other"


class AnnualIncome(models.TextChoices):
    """Rupees a year, in lakh."""

    BELOW_1_LAKH = "BELOW_1_LAKH", "Below 1 lakh"
    FROM_1_TO_3_LAKH = "FROM_1_TO_3_LAKH", "1 to 3 lakh"
    FROM_3_TO_5_LAKH = "FROM_3_TO_5_LAKH", "3 to 5 lakh"
    FROM_5_TO_10_LAKH = "FROM_5_TO_10_LAKH", "5 to 10 lakh"
    FROM_10_TO_25_LAKH = "FROM_10_TO_25_LAKH", "10 to 25 lakh"
    ABOVE_25_LAKH = "ABOVE_25_LAKH", "Above 25 lakh"


class IncomeSource(models.TextChoices):
    SALARY = "SALARY", "Salary"
    BUSINESS = "BUSINESS", "Business"
    PROFESSION = "PROFESSION", "Profession"
    AGRICULTURE = "AGRICULTURE", "Agriculture"
    PENSION = "PENSION", "Pension"
    RENT = "RENT", "Rent"
    INVESTMENTS = "INVESTMENTS", "Investments"
    FAMILY = "FAMILY", "Family"
    OTHER = "OTHER", "Other"


class Relation(models.TextChoices):
    """The portal's fourteen."""

    SPOUSE = "SPOUSE", "Spouse"
    FATHER = "FATHER", "Father"
    MOTHER = "MOTHER", "Mother"
    SON = "SON", "Son"
    DAUGHTER = "DAUGHTER", "Daughter"
    BROTHER = "BROTHER", "Brother"
    SISTER = "SISTER", "Sister"
    GRANDFATHER = "GRANDFATHER", "Grandfather"
    GRANDMOTHER = "GRANDMOTHER", "Grandmother"
    GRANDSON = "GRANDSON", "Grandson"
    GRANDDAUGHTER = "GRANDDAUGHTER", "Granddaughter"
    UNCLE = "UNCLE", "Uncle"
    AUNT = "AUNT", "Aunt"
    OTHER = "OTHER", "Other"


class AddressKind(models.TextChoices):
    PERMANENT = "PERMANENT", "Permanent"
    CURRENT = "CURRENT", "Current"
    DELIVERY = "DELIVERY", "Delivery"


class AccountType(models.TextChoices):
    SAVINGS = "SAVINGS", "Savings"
    CURRENT = "CURRENT", "Current"
    SALARY = "SALARY", "Salary"
    NRI = "NRI", "NRI"


class ConsentPurpose(models.TextChoices):
    DATA_PROCESSING = "DATA_PROCESSING", "Data processing"
    DOCUMENT_VERIFICATION = "DOCUMENT_VERIFICATION", "Document verification"
    BACKGROUND_CHECK = "BACKGROUND_CHECK", "Background check"
    TERMS = "TERMS", "Terms and conditions"


class UserProfile(IdentifiedModel, TimeStampedModel):
    """Occupation and income of one person; empty is what they have not said."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="profile")
    occupation = models.CharField(max_length=20, choices=Occupation, blank=True)
    annual_income = models.CharField(max_length=20, choices=AnnualIncome, blank=True)
    income_source = models.CharField(max_length=20, choices=IncomeSource, blank=True)
    employer = models.CharField(max_length=160, blank=True)
    designation = models.CharField(max_length=120, blank=True)
    experience_years = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        db_table = "user_profiles"
        verbose_name = "profile"
        constraints = (
            models.CheckConstraint(
                condition=Q(occupation="") | one_of("occupation", Occupation),
                name="profile_occupation_is_known",
            ),
            models.CheckConstraint(
                condition=Q(annual_income="") | one_of("annual_income", AnnualIncome),
                name="profile_annual_income_is_known",
            ),
            models.CheckConstraint(
                condition=Q(income_source="") | one_of("income_source", IncomeSource),
                name="profile_income_source_is_known",
            ),
            models.CheckConstraint(
                condition=Q(experience_years__isnull=True) | Q(experience_years__lte=50),
                name="profile_experience_is_at_most_50",
            ),
        )

    def __str__(self) -> str:
        return f"Profile {self.pk}"


class Address(IdentifiedModel, TimeStampedModel):
    """Where a person lives, or wants things sent; one of each kind."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="addresses")
    kind = models.CharField(max_length=10, choices=AddressKind)
    line1 = models.CharField(max_length=160)
    line2 = models.CharField(max_length=160, blank=True)
    landmark = models.CharField(max_length=120, blank=True)
    city = models.CharField(max_length=80)
    district = models.CharField(max_length=80)
    state = models.CharField(max_length=2, choices=State)
    pin_code = models.CharField(max_length=6)

    class Meta:
        db_table = "user_addresses"
        ordering = ("kind",)
        verbose_name_plural = "addresses"
        constraints = (
            models.UniqueConstraint(fields=["user", "kind"], name="address_one_of_a_kind"),
            models.CheckConstraint(
                condition=one_of("kind", AddressKind), name="address_kind_known"
            ),
            models.CheckConstraint(condition=one_of("state", State), name="address_state_is_known"),
            models.CheckConstraint(
                condition=Q(pin_code__regex=PIN_CODE), name="address_pin_code_has_six_digits"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class Nominee(IdentifiedModel):
    """Who gets what of a person's money if they die; the shares of all make 100.

    A deferred constraint trigger looks at the sum when the transaction commits.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="nominees")
    full_name = models.CharField(max_length=255)
    relation = models.CharField(max_length=15, choices=Relation)
    date_of_birth = models.DateField()
    share = models.DecimalField(max_digits=5, decimal_places=2)
    contact_number = models.CharField(max_length=15)
    email = models.EmailField(max_length=255, blank=True)
    guardian_name = models.CharField(max_length=255, blank=True)
    guardian_relation = models.CharField(max_length=15, choices=Relation, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "nominees"
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=one_of("relation", Relation), name="nominee_relation_is_known"
            ),
            models.CheckConstraint(
                condition=Q(guardian_relation="") | one_of("guardian_relation", Relation),
                name="nominee_guardian_relation_is_known",
            ),
            models.CheckConstraint(
                condition=Q(guardian_name="", guardian_relation="")
                | (~Q(guardian_name="") & ~Q(guardian_relation="")),
                name="nominee_guardian_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(share__gt=0) & Q(share__lte=100), name="nominee_share_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(contact_number__regex=E164), name="nominee_contact_number_is_e164"
            ),
        )

    def __str__(self) -> str:
        return f"Nominee {self.pk}"


class BankAccount(IdentifiedModel):
    """Where a person's money goes. The number is sealed; its last four digits are shown."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="bank_accounts")
    holder_name = models.CharField(max_length=255)
    number_sealed = models.TextField(editable=False)
    number_index = models.CharField(max_length=64, editable=False)
    number_last4 = models.CharField(max_length=4)
    ifsc = models.CharField("IFSC", max_length=11)
    bank_name = models.CharField(max_length=120)
    branch_name = models.CharField(max_length=120, blank=True)
    account_type = models.CharField(max_length=10, choices=AccountType)
    joint_holder_name = models.CharField(max_length=255, blank=True)
    joint_holder_relation = models.CharField(max_length=15, choices=Relation, blank=True)
    is_primary = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "bank_accounts"
        ordering = ("-is_primary", "id")
        permissions = (("reveal_bankaccount", "Can read whole bank account numbers"),)
        constraints = (
            models.UniqueConstraint(
                fields=["user", "number_index"], name="bank_account_number_once_a_person"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(is_primary=True), name="bank_account_one_is_primary"
            ),
            models.CheckConstraint(
                condition=one_of("account_type", AccountType), name="bank_account_type_is_known"
            ),
            models.CheckConstraint(condition=Q(ifsc__regex=IFSC), name="bank_account_ifsc_is_one"),
            models.CheckConstraint(
                condition=Q(number_last4__regex=r"^[0-9]{4}$"), name="bank_account_shows_4_digits"
            ),
            models.CheckConstraint(
                condition=Q(number_sealed__regex=SEALED), name="bank_account_number_is_sealed"
            ),
            models.CheckConstraint(
                condition=Q(joint_holder_relation="") | one_of("joint_holder_relation", Relation),
                name="bank_account_joint_relation_is_known",
            ),
            models.CheckConstraint(
                condition=Q(joint_holder_name="", joint_holder_relation="")
                | (~Q(joint_holder_name="") & ~Q(joint_holder_relation="")),
                name="bank_account_joint_holder_is_whole",
            ),
        )

    def __str__(self) -> str:
        return f"Account {self.pk}"


class Consent(IdentifiedModel):
    """One yes or no to one version of a notice. Rows are added, never changed."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=25, choices=ConsentPurpose)
    version = models.CharField(max_length=20)
    granted = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "consents"
        ordering = ("-id",)
        indexes = (models.Index(fields=["user", "purpose", "-id"], name="consents_latest"),)
        constraints = (
            models.CheckConstraint(
                condition=one_of("purpose", ConsentPurpose), name="consent_purpose_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.version}"


class ForemanProfileStatus(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Waiting for review"
    APPROVED = "APPROVED", "Approved"
    RETURNED = "RETURNED", "Returned"


class ForemanProfile(IdentifiedModel, TimeStampedModel, StatusModel):
    """The business of a foreman: what staff look at before they approve the person."""

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        ForemanProfileStatus.DRAFT: frozenset({ForemanProfileStatus.SUBMITTED}),
        ForemanProfileStatus.SUBMITTED: frozenset(
            {ForemanProfileStatus.APPROVED, ForemanProfileStatus.RETURNED}
        ),
        ForemanProfileStatus.APPROVED: frozenset({ForemanProfileStatus.SUBMITTED}),
        ForemanProfileStatus.RETURNED: frozenset({ForemanProfileStatus.SUBMITTED}),
    }

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="foreman_profile")
    company_name = models.CharField(max_length=160)
    licence_number = models.CharField(max_length=60)
    licence_expires_on = models.DateField()
    pan_sealed = models.TextField(editable=False)
    pan_index = models.CharField(max_length=64, unique=True, editable=False)
    pan_masked = models.CharField("PAN", max_length=10)
    state_of_registration = models.CharField(max_length=2, choices=State)
    line1 = models.CharField(max_length=160)
    line2 = models.CharField(max_length=160, blank=True)
    city = models.CharField(max_length=80)
    state = models.CharField(max_length=2, choices=State)
    pin_code = models.CharField("PIN code", max_length=6)
    designation = models.CharField(max_length=120)
    status = models.CharField(
        max_length=10, choices=ForemanProfileStatus, default=ForemanProfileStatus.DRAFT
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    return_reason = models.CharField(max_length=500, blank=True)
    # What was approved last, to be compared at the desk with what is asked for now.
    last_approved = models.JSONField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "foreman_profiles"
        ordering = ("-id",)
        verbose_name = "foreman profile"
        indexes = (
            models.Index(fields=["status", "submitted_at"], name="foreman_profiles_desk"),
            models.Index(fields=["licence_expires_on"], name="foreman_profiles_expiry"),
            # At most one foreman holds a licence; two claims of one are seen at the desk.
            models.Index(fields=["licence_number"], name="foreman_profiles_licence"),
        )
        constraints = (
            models.CheckConstraint(
                condition=one_of("status", ForemanProfileStatus),
                name="foreman_profile_status_is_known",
            ),
            models.CheckConstraint(
                condition=one_of("state_of_registration", State) & one_of("state", State),
                name="foreman_profile_states_are_known",
            ),
            models.CheckConstraint(
                condition=Q(pin_code__regex=PIN_CODE), name="foreman_profile_pin_code_six_digits"
            ),
            models.CheckConstraint(
                condition=Q(pan_masked__regex=r"^X{6}[0-9]{3}[A-Z]$") & Q(pan_sealed__regex=SEALED),
                name="foreman_profile_pan_is_sealed",
            ),
            models.CheckConstraint(
                condition=~Q(status=ForemanProfileStatus.RETURNED) | ~Q(return_reason=""),
                name="foreman_profile_return_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status=ForemanProfileStatus.APPROVED) | Q(decided_by__isnull=False),
                name="foreman_profile_approval_has_a_person",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("user")),
                name="foreman_profile_not_decided_by_self",
            ),
        )

    def __str__(self) -> str:
        return self.company_name


class ErasureStatus(models.TextChoices):
    PENDING = "PENDING", "Waiting for the office"
    DONE = "DONE", "Done"
    REFUSED = "REFUSED", "Refused"


class ErasureRequest(IdentifiedModel, StatusModel):
    """A person asks that what the office knows of them be erased."""

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        ErasureStatus.PENDING: frozenset({ErasureStatus.DONE, ErasureStatus.REFUSED}),
        ErasureStatus.DONE: frozenset(),
        ErasureStatus.REFUSED: frozenset(),
    }

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="erasure_requests")
    status = models.CharField(max_length=10, choices=ErasureStatus, default=ErasureStatus.PENDING)
    note = models.CharField(max_length=500, blank=True)
    erased = models.JSONField(default=list)
    kept = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decision_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "erasure_requests"
        ordering = ("-id",)
        verbose_name = "erasure request"
        permissions = (("decide_erasurerequest", "Can decide on erasure requests"),)
        indexes = (models.Index(fields=["status", "id"], name="erasure_requests_desk"),)
        constraints = (
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status=ErasureStatus.PENDING),
                name="erasure_request_one_waits",
            ),
            models.CheckConstraint(
                condition=one_of("status", ErasureStatus), name="erasure_request_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status=ErasureStatus.PENDING)
                | (Q(decided_by__isnull=False) & ~Q(decision_reason="")),
                name="erasure_request_decision_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("user")),
                name="erasure_request_not_decided_by_self",
            ),
        )

    def __str__(self) -> str:
        return f"Erasure {self.pk}"
