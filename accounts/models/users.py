"""Users: the guide's `users` table."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from chitfund.db import IdentifiedModel, StatusModel, TimeStampedModel, one_of


class Role(models.TextChoices):
    USER = "USER", "User"
    FOREMAN = "FOREMAN", "Foreman"
    ADMIN = "ADMIN", "Administrator"


class UserStatus(models.TextChoices):
    PENDING = "PENDING", "Pending"
    ACTIVE = "ACTIVE", "Active"
    SUSPENDED = "SUSPENDED", "Suspended"


class KycStatus(models.TextChoices):
    """What `kyc` maintains on the user, so that nobody below has to ask upwards."""

    NONE = "NONE", "Not submitted"
    PENDING = "PENDING", "Waiting for review"
    VERIFIED = "VERIFIED", "Verified"
    REJECTED = "REJECTED", "Rejected"


class UserQuerySet(models.QuerySet["User"]):
    def with_identifier(self, identifier: str) -> UserQuerySet:
        """Match an e-mail address, a phone number in E.164, or a UCFSIN, in any case."""
        if "@" in identifier:
            return self.filter(email=identifier.strip().lower())
        if identifier.strip().upper().startswith("UCFSIN-"):
            return self.filter(ucfsin=identifier.strip().upper())
        return self.filter(phone_number=identifier)


class UserManager(BaseUserManager["User"]):
    """Lets Django's own commands and backends find users; people are made by services."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())

    def with_identifier(self, identifier: str) -> UserQuerySet:
        return self.get_queryset().with_identifier(identifier)


class User(IdentifiedModel, TimeStampedModel, StatusModel, AbstractBaseUser, PermissionsMixin):
    """A person who may sign in: a subscriber, a foreman, or staff."""

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        UserStatus.PENDING: frozenset({UserStatus.ACTIVE, UserStatus.SUSPENDED}),
        UserStatus.ACTIVE: frozenset({UserStatus.SUSPENDED}),
        UserStatus.SUSPENDED: frozenset({UserStatus.ACTIVE, UserStatus.PENDING}),
    }
    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name", "phone_number"]

    ucfsin = models.CharField("UCFSIN", max_length=20, unique=True, editable=False)
    role = models.CharField(max_length=10, choices=Role, default=Role.USER)
    email = models.EmailField(max_length=255, unique=True)
    phone_number = models.CharField(max_length=15, unique=True)
    password = models.CharField(max_length=255, db_column="password_hash")
    full_name = models.CharField(max_length=255)
    date_of_birth = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=UserStatus, default=UserStatus.PENDING)
    kyc_status = models.CharField(max_length=10, choices=KycStatus, default=KycStatus.NONE)
    chit_score = models.PositiveSmallIntegerField(null=True, blank=True)
    token_version = models.PositiveIntegerField(default=0, editable=False)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    phone_verified_at = models.DateTimeField(null=True, blank=True)
    foreman_approved_at = models.DateTimeField(null=True, blank=True)
    foreman_approved_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="foremen_approved"
    )

    objects = UserManager()

    class Meta:
        db_table = "users"
        ordering = ("-id",)
        verbose_name = "user"
        permissions = (
            ("approve_foreman", "Can approve a foreman"),
            ("suspend_user", "Can suspend and activate users"),
            ("change_role", "Can give users another role, and invite administrators"),
        )
        indexes = (
            GinIndex(fields=["full_name"], opclasses=["gin_trgm_ops"], name="users_full_name_trgm"),
        )
        constraints = (
            models.CheckConstraint(condition=one_of("role", Role), name="user_role_is_known"),
            models.CheckConstraint(
                condition=one_of("status", UserStatus), name="user_status_is_known"
            ),
            models.CheckConstraint(
                condition=one_of("kyc_status", KycStatus), name="user_kyc_result_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=models.Q(phone_number__regex=r"^\+[1-9][0-9]{6,13}$"),
                name="user_phone_number_is_e164",
            ),
            models.CheckConstraint(
                condition=models.Q(ucfsin__regex=r"^UCFSIN-[0-9]{4}-[0-9]{6}$"),
                name="user_ucfsin_has_the_guides_form",
            ),
            models.CheckConstraint(
                condition=models.Q(chit_score__isnull=True) | models.Q(chit_score__lte=900),
                name="user_chit_score_is_at_most_900",
            ),
            models.CheckConstraint(
                condition=models.Q(foreman_approved_by__isnull=True)
                | ~models.Q(foreman_approved_by=models.F("id")),
                name="user_foreman_not_approved_by_self",
            ),
            models.CheckConstraint(
                condition=~models.Q(role=Role.FOREMAN, status=UserStatus.ACTIVE)
                | models.Q(foreman_approved_at__isnull=False),
                name="user_active_foreman_is_approved",
            ),
        )

    def __str__(self) -> str:
        return f"{self.full_name} ({self.ucfsin})"

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.status == UserStatus.ACTIVE

    @property
    def is_staff(self) -> bool:
        return self.role == Role.ADMIN and self.is_active

    @property
    def is_kyc_verified(self) -> bool:
        return self.kyc_status == KycStatus.VERIFIED

    @property
    def may_become_active(self) -> bool:
        """Tell whether nothing is missing: a proven address, and for a foreman the approval."""
        is_approved = self.role != Role.FOREMAN or self.foreman_approved_at is not None
        return self.email_verified_at is not None and is_approved

    def check_password(self, raw_password: str) -> bool:
        """Check a password; renew a hash of an old cost only if it is still the one checked.

        Django's own would save it over a new password that was set in between.
        """
        checked = self.password

        def renew(password: str) -> None:
            renewed = make_password(password)
            if type(self).objects.filter(pk=self.pk, password=checked).update(password=renewed):
                self.password = renewed

        return check_password(raw_password, checked, renew)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Tie a staff session to the password and to `token_version`, so both end it."""
        return salted_hmac(
            "accounts.models.User.get_session_auth_hash",
            f"{self.password}:{self.token_version}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name.split()[0] if self.full_name else ""
