"""Schemes: the guide's `schemes` table, the terms of the chit, and its statutory records."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, DecimalField, F, IntegerField, Q, Value, When
from django.db.models.functions import Mod
from django.db.models.lookups import Exact

from chitfund.db import IdentifiedModel, MoneyField, StatusModel, TimeStampedModel, one_of
from chitfund.money import MAX_AMOUNT, PAISA, RUPEE

MAX_TICKETS = 500
LEGAL_COMMISSION_PERCENT = Decimal(7)  # s.21(1)(b) as amended in 2019
LEGAL_DISCOUNT_PERCENT = Decimal(40)  # design.md 4; s.6(3) as enacted says 30
MAX_LATE_INTEREST_PERCENT = Decimal(24)
MAX_GRACE_DAYS = 60
MAX_AUCTION_MINUTES = 480
MAX_AUCTION_DAY = 31


class SchemeStatus(models.TextChoices):
    DRAFT = "DRAFT", "Draft"
    PENDING_APPROVAL = "PENDING_APPROVAL", "Pending approval"
    ACTIVE = "ACTIVE", "Active"
    COMPLETED = "COMPLETED", "Completed"
    TERMINATED = "TERMINATED", "Terminated"


class Stage(models.TextChoices):
    """What the portal shows; derived from dated facts, never stored."""

    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    RETURNED = "returned", "Returned"
    PSO_APPROVED = "pso_approved", "Sanctioned"
    SUBSCRIBERS_ADDED = "subscribers_added", "Subscribers added"
    FINAL_AGREEMENT_UPLOADED = "final_agreement_uploaded", "Agreement registered"
    LIVE = "live", "Live"
    COMPLETED = "completed", "Completed"
    TERMINATED = "terminated", "Terminated"


class CommissionBase(models.TextChoices):
    CHIT_VALUE = "CHIT_VALUE", "Chit value"
    DISCOUNT = "DISCOUNT", "Discount"


class CommissionMode(models.TextChoices):
    INSIDE_DISCOUNT = "INSIDE_DISCOUNT", "Inside the discount"
    ON_TOP = "ON_TOP", "On top of the discount"
    IN_INSTALLMENT = "IN_INSTALLMENT", "In the installment"


class DividendPolicy(models.TextChoices):
    ALL_TICKETS = "ALL_TICKETS", "All tickets"
    EXCLUDE_WINNER = "EXCLUDE_WINNER", "All but the winner"
    NON_PRIZED = "NON_PRIZED", "Non-prized tickets"


class DividendTiming(models.TextChoices):
    NEXT = "NEXT", "Next installment"
    SAME = "SAME", "Same installment"


class LateDividend(models.TextChoices):
    KEEP = "KEEP", "Kept"
    FORFEIT = "FORFEIT", "Forfeited"


TERMS = (
    "name",
    "monthly_installment",
    "max_subscribers",
    "duration_months",
    "total_amount",
    "start_date",
    "commission_percent",
    "commission_base",
    "commission_mode",
    "max_discount_percent",
    "min_discount_percent",
    "bid_step",
    "auction_day",
    "auction_time",
    "auction_minutes",
    "dividend_policy",
    "dividend_timing",
    "rounding_unit",
    "base_dividend_cap_percent",
    "foreman_installment",
    "late_interest_percent",
    "grace_days",
    "late_dividend",
)


# The foreman's ticket is taken by commencement, so until then its seat is not for sale.
FOR_SALE = F("max_subscribers") - Case(
    When(foreman_installment__isnull=True, then=0), default=1, output_field=IntegerField()
)
OPEN_FOR_ENROLMENT = Q(
    status=SchemeStatus.ACTIVE, commenced_on=None, current_subscribers__lt=FOR_SALE
)

# Commission percent x installment is the share of one ticket in paise.
WHOLE_PAISE_OF_COMMISSION = Exact(
    Mod(
        F("commission_percent") * F("monthly_installment"),
        Value(1),
        output_field=DecimalField(max_digits=20, decimal_places=4),
    ),
    0,
)


class SchemeQuerySet(models.QuerySet["Scheme"]):
    def open_for_enrolment(self) -> SchemeQuerySet:
        return self.filter(OPEN_FOR_ENROLMENT)

    def with_records(self) -> SchemeQuerySet:
        """Fetch what a scheme is shown with: its foreman and its statutory records."""
        return self.select_related("foreman").prefetch_related("records")


class Scheme(IdentifiedModel, TimeStampedModel, StatusModel):
    """One chit: its terms, where it stands, and how many tickets are taken."""

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        SchemeStatus.DRAFT: frozenset({SchemeStatus.PENDING_APPROVAL}),
        SchemeStatus.PENDING_APPROVAL: frozenset({SchemeStatus.ACTIVE, SchemeStatus.DRAFT}),
        SchemeStatus.ACTIVE: frozenset({SchemeStatus.COMPLETED, SchemeStatus.TERMINATED}),
        SchemeStatus.COMPLETED: frozenset(),
        SchemeStatus.TERMINATED: frozenset(),
    }

    foreman = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="schemes"
    )
    name = models.CharField(max_length=255)
    duration_months = models.PositiveIntegerField()
    total_amount = MoneyField()
    monthly_installment = MoneyField()
    max_subscribers = models.PositiveIntegerField(
        validators=[MinValueValidator(2), MaxValueValidator(MAX_TICKETS)]
    )
    current_subscribers = models.PositiveIntegerField(default=0, editable=False)
    status = models.CharField(
        max_length=20, choices=SchemeStatus, default=SchemeStatus.DRAFT, editable=False
    )
    start_date = models.DateField()
    end_date = models.DateField()

    commission_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(5))
    commission_base = models.CharField(
        max_length=10, choices=CommissionBase, default=CommissionBase.CHIT_VALUE
    )
    commission_mode = models.CharField(
        max_length=15, choices=CommissionMode, default=CommissionMode.INSIDE_DISCOUNT
    )
    max_discount_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(30))
    min_discount_percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True
    )
    bid_step = MoneyField(default=Decimal(100))
    auction_day = models.PositiveSmallIntegerField()
    auction_time = models.TimeField(default=datetime.time(10, 0))
    auction_minutes = models.PositiveSmallIntegerField(default=60)
    dividend_policy = models.CharField(
        max_length=15, choices=DividendPolicy, default=DividendPolicy.ALL_TICKETS
    )
    dividend_timing = models.CharField(
        max_length=4, choices=DividendTiming, default=DividendTiming.NEXT
    )
    rounding_unit = models.DecimalField(max_digits=3, decimal_places=2, default=RUPEE)
    base_dividend_cap_percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True
    )
    foreman_installment = models.PositiveIntegerField(null=True, blank=True, default=1)
    late_interest_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(12))
    grace_days = models.PositiveSmallIntegerField(default=3)
    late_dividend = models.CharField(max_length=7, choices=LateDividend, default=LateDividend.KEEP)

    submitted_at = models.DateTimeField(null=True, editable=False)
    returned_at = models.DateTimeField(null=True, editable=False)
    return_reason = models.CharField(max_length=1000, blank=True, editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="schemes_approved",
    )
    approval_comment = models.CharField(max_length=1000, blank=True, editable=False)
    commenced_on = models.DateField(null=True, editable=False)
    next_auction_at = models.DateTimeField(null=True, editable=False)
    completed_at = models.DateTimeField(null=True, editable=False)
    terminated_at = models.DateTimeField(null=True, editable=False)
    termination_reason = models.CharField(max_length=1000, blank=True, editable=False)

    objects = SchemeQuerySet.as_manager()

    class Meta:
        db_table = "schemes"
        ordering = ("-id",)
        verbose_name = "scheme"
        permissions = (
            ("approve_scheme", "Can approve and return schemes"),
            ("commence_scheme", "Can commence schemes"),
            ("terminate_scheme", "Can terminate schemes"),
        )
        indexes = (
            models.Index(fields=["status", "-id"], name="schemes_status"),
            models.Index(fields=["foreman", "-id"], name="schemes_foreman"),
        )
        constraints = (
            models.CheckConstraint(
                condition=one_of("status", SchemeStatus), name="scheme_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(monthly_installment__gte=PAISA, total_amount__lte=MAX_AMOUNT)
                & Q(total_amount=F("monthly_installment") * F("max_subscribers")),
                name="scheme_total_is_installment_times_subscribers",
            ),
            models.CheckConstraint(
                condition=Q(max_subscribers__range=(2, MAX_TICKETS)),
                name="scheme_has_2_to_500_tickets",
            ),
            models.CheckConstraint(
                condition=Q(duration_months=F("max_subscribers")),
                name="scheme_has_one_prize_a_month",
            ),
            models.CheckConstraint(
                condition=Q(current_subscribers__lte=F("max_subscribers")),
                name="scheme_is_not_oversold",
            ),
            models.CheckConstraint(
                condition=Q(end_date__gt=F("start_date")), name="scheme_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(commission_percent__range=(0, LEGAL_COMMISSION_PERCENT))
                | Q(commission_base=CommissionBase.DISCOUNT, commission_percent__range=(0, 100)),
                name="scheme_commission_is_within_section_21",
            ),
            models.CheckConstraint(
                condition=Q(max_discount_percent__gt=0)
                & Q(max_discount_percent__lte=LEGAL_DISCOUNT_PERCENT),
                name="scheme_discount_cap_is_at_most_40_percent",
            ),
            models.CheckConstraint(
                condition=Q(min_discount_percent__isnull=True)
                | Q(min_discount_percent__range=(0, F("max_discount_percent"))),
                name="scheme_lowest_bid_is_within_the_cap",
            ),
            models.CheckConstraint(
                condition=~Q(commission_base=CommissionBase.CHIT_VALUE)
                | Q(commission_mode=CommissionMode.IN_INSTALLMENT)
                | Q(commission_percent__lte=F("max_discount_percent")),
                name="scheme_commission_is_within_the_cap",
            ),
            models.CheckConstraint(
                condition=Q(min_discount_percent__isnull=True)
                | ~Q(
                    commission_base=CommissionBase.CHIT_VALUE,
                    commission_mode=CommissionMode.INSIDE_DISCOUNT,
                )
                | Q(min_discount_percent__gte=F("commission_percent")),
                name="scheme_lowest_bid_covers_the_commission",
            ),
            models.CheckConstraint(
                condition=Q(min_discount_percent__isnull=True)
                | ~Q(
                    commission_base=CommissionBase.CHIT_VALUE,
                    commission_mode=CommissionMode.ON_TOP,
                )
                | Q(min_discount_percent__lte=F("max_discount_percent") - F("commission_percent")),
                name="scheme_lowest_bid_on_top_is_within_the_cap",
            ),
            models.CheckConstraint(
                condition=Q(min_discount_percent__isnull=True)
                | ~Q(commission_base=CommissionBase.DISCOUNT, commission_mode=CommissionMode.ON_TOP)
                | Q(
                    max_discount_percent__gte=F("min_discount_percent")
                    + F("min_discount_percent") * F("commission_percent") / Value(100)
                ),
                name="scheme_lowest_bid_with_its_commission_is_within_the_cap",
            ),
            models.CheckConstraint(condition=Q(bid_step__gt=0), name="scheme_bid_step_is_positive"),
            models.CheckConstraint(
                # Half a paisa of slack: the cap in rupees is rounded to the paisa.
                condition=Q(
                    bid_step__lte=F("total_amount") * F("max_discount_percent") / Value(100)
                    + Value(Decimal("0.005"))
                ),
                name="scheme_bid_step_is_within_the_cap",
            ),
            models.CheckConstraint(
                condition=Q(auction_day__range=(1, MAX_AUCTION_DAY)),
                name="scheme_auction_day_is_1_to_31",
            ),
            models.CheckConstraint(
                condition=Q(auction_minutes__range=(1, MAX_AUCTION_MINUTES)),
                name="scheme_auction_lasts_1_to_480_minutes",
            ),
            models.CheckConstraint(
                condition=Q(rounding_unit__in=[RUPEE, PAISA]),
                name="scheme_rounds_to_a_rupee_or_a_paisa",
            ),
            models.CheckConstraint(
                condition=Q(base_dividend_cap_percent__isnull=True)
                | Q(base_dividend_cap_percent__gt=0, base_dividend_cap_percent__lte=100),
                name="scheme_base_dividend_cap_is_a_percentage",
            ),
            models.CheckConstraint(
                condition=Q(foreman_installment__isnull=True)
                | Q(foreman_installment__range=(1, F("duration_months"))),
                name="scheme_foreman_installment_exists",
            ),
            models.CheckConstraint(
                condition=Q(late_interest_percent__range=(0, MAX_LATE_INTEREST_PERCENT)),
                name="scheme_late_interest_is_at_most_24_percent",
            ),
            models.CheckConstraint(
                condition=Q(grace_days__lte=MAX_GRACE_DAYS), name="scheme_grace_is_at_most_60_days"
            ),
            models.CheckConstraint(
                condition=one_of("commission_base", CommissionBase)
                & one_of("commission_mode", CommissionMode)
                & one_of("dividend_policy", DividendPolicy)
                & one_of("dividend_timing", DividendTiming)
                & one_of("late_dividend", LateDividend),
                name="scheme_terms_are_known",
            ),
            models.CheckConstraint(
                condition=~Q(
                    commission_base=CommissionBase.DISCOUNT,
                    commission_mode=CommissionMode.IN_INSTALLMENT,
                ),
                name="scheme_commission_in_installment_is_known_beforehand",
            ),
            models.CheckConstraint(
                condition=~Q(commission_mode=CommissionMode.IN_INSTALLMENT)
                | Q(WHOLE_PAISE_OF_COMMISSION),
                name="scheme_commission_in_installment_is_whole_paise",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[SchemeStatus.DRAFT, SchemeStatus.PENDING_APPROVAL])
                | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="scheme_active_was_approved",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("foreman")),
                name="scheme_not_approved_by_its_foreman",
            ),
            models.CheckConstraint(
                condition=~Q(status=SchemeStatus.COMPLETED)
                | Q(commenced_on__isnull=False, completed_at__isnull=False),
                name="scheme_completed_had_commenced",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def reserved_tickets(self) -> int:
        """How many tickets commencement itself will take: the foreman's number 1, or none."""
        is_waiting = self.foreman_installment is not None and self.commenced_on is None
        return 1 if is_waiting else 0

    @property
    def seats_left(self) -> int:
        return self.max_subscribers - self.reserved_tickets - self.current_subscribers

    @property
    def is_open_for_enrolment(self) -> bool:
        is_sanctioned = self.status == SchemeStatus.ACTIVE and self.commenced_on is None
        return is_sanctioned and self.seats_left > 0

    @property
    def is_running(self) -> bool:
        return self.status == SchemeStatus.ACTIVE and self.commenced_on is not None


class RecordKind(models.TextChoices):
    SECURITY_DEPOSIT = "SECURITY_DEPOSIT", "Security deposit (s.20)"
    PRIOR_SANCTION = "PRIOR_SANCTION", "Prior sanction (s.4)"
    AGREEMENT = "AGREEMENT", "Agreement registration (s.7)"
    COMMENCEMENT = "COMMENCEMENT", "Commencement certificate (s.9)"


class StatutoryRecord(IdentifiedModel):
    """One dated fact that the Act asks for: its number, its day, and the evidence."""

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="records")
    kind = models.CharField(max_length=20, choices=RecordKind)
    number = models.CharField(max_length=60)
    issued_on = models.DateField()
    expires_on = models.DateField(null=True)
    amount = MoneyField(null=True)
    evidence = models.CharField(max_length=500, blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "statutory_records"
        ordering = ("issued_on", "id")
        constraints = (
            models.UniqueConstraint(fields=["scheme", "kind"], name="statutory_record_one_a_kind"),
            models.UniqueConstraint(
                fields=["kind", "number"], name="statutory_record_number_is_unique"
            ),
            models.CheckConstraint(
                condition=one_of("kind", RecordKind), name="statutory_record_kind_is_known"
            ),
            models.CheckConstraint(condition=~Q(number=""), name="statutory_record_has_a_number"),
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True) | Q(expires_on__gt=F("issued_on")),
                name="statutory_record_expires_after_its_issue",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=0),
                name="statutory_record_amount_is_positive",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"
