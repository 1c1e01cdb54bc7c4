"""Tickets: the guide's `subscriptions` table."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from chitfund.db import IdentifiedModel, MoneyField, StatusModel, TimeStampedModel, one_of
from chitfund.money import ZERO
from schemes.models import Scheme


class SubscriptionStatus(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    DEFAULTED = "DEFAULTED", "Defaulted"
    COMPLETED = "COMPLETED", "Completed"
    REMOVED = "REMOVED", "Removed"
    TRANSFERRED = "TRANSFERRED", "Transferred"


class ContactPreference(models.TextChoices):
    EMAIL = "EMAIL", "E-mail"
    SMS = "SMS", "SMS"
    PHONE = "PHONE", "Phone"


FOREMAN_TICKET_NUMBER = 1

# A ticket in one of these states has its number and its seat.
HOLDING = (
    SubscriptionStatus.ACTIVE,
    SubscriptionStatus.DEFAULTED,
    SubscriptionStatus.COMPLETED,
)


class Subscription(IdentifiedModel, TimeStampedModel, StatusModel):
    """One ticket of one scheme, and what it owes; a person may hold several.

    `outstanding`, `advance`, `oldest_unpaid_due_on` and `next_due_*` are maintained by
    `payments` under the lock of the scheme.
    """

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        SubscriptionStatus.ACTIVE: frozenset(
            {
                SubscriptionStatus.DEFAULTED,
                SubscriptionStatus.COMPLETED,
                SubscriptionStatus.REMOVED,
                SubscriptionStatus.TRANSFERRED,
            }
        ),
        SubscriptionStatus.DEFAULTED: frozenset(
            {
                SubscriptionStatus.ACTIVE,
                SubscriptionStatus.COMPLETED,
                SubscriptionStatus.REMOVED,
                SubscriptionStatus.TRANSFERRED,
            }
        ),
        SubscriptionStatus.COMPLETED: frozenset(),
        SubscriptionStatus.REMOVED: frozenset(),
        SubscriptionStatus.TRANSFERRED: frozenset(),
    }

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="subscriptions")
    subscriber = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="subscriptions"
    )
    ticket_number = models.PositiveIntegerField()
    status = models.CharField(
        max_length=12, choices=SubscriptionStatus, default=SubscriptionStatus.ACTIVE
    )
    join_date = models.DateField()
    enrolled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    is_foreman_ticket = models.BooleanField(default=False)
    prized_at = models.DateTimeField(null=True)
    prized_installment = models.PositiveIntegerField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawal_reason = models.CharField(max_length=500, blank=True)

    outstanding = MoneyField(default=ZERO)
    advance = MoneyField(default=ZERO)
    oldest_unpaid_due_on = models.DateField(null=True)
    next_due_number = models.PositiveIntegerField(null=True)
    next_due_on = models.DateField(null=True)
    next_due_amount = MoneyField(null=True)

    nominee_name = models.CharField(max_length=255, blank=True)
    nominee_relationship = models.CharField(max_length=60, blank=True)
    nominee_phone_number = models.CharField(max_length=15, blank=True)
    contact_preference = models.CharField(max_length=10, blank=True, choices=ContactPreference)

    class Meta:
        db_table = "subscriptions"
        ordering = ("-id",)
        verbose_name = "ticket"
        indexes = (
            models.Index(fields=["subscriber", "-id"], name="subscriptions_subscriber"),
            models.Index(fields=["scheme", "ticket_number"], name="subscriptions_scheme"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["scheme", "ticket_number"],
                condition=Q(status__in=HOLDING),
                name="subscription_one_holder_per_ticket",
            ),
            models.UniqueConstraint(
                fields=["scheme", "prized_installment"],
                condition=Q(prized_installment__isnull=False),
                name="subscription_one_prize_per_installment",
            ),
            models.UniqueConstraint(
                fields=["scheme"],
                condition=Q(is_foreman_ticket=True),
                name="subscription_one_foreman_ticket_per_scheme",
            ),
            models.CheckConstraint(
                condition=one_of("status", SubscriptionStatus), name="subscription_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(ticket_number__gte=1), name="subscription_ticket_number_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(is_foreman_ticket=False) | Q(ticket_number=FOREMAN_TICKET_NUMBER),
                name="subscription_foreman_ticket_is_number_1",
            ),
            models.CheckConstraint(
                condition=Q(contact_preference="")
                | one_of("contact_preference", ContactPreference),
                name="subscription_contact_preference_is_known",
            ),
            models.CheckConstraint(
                condition=Q(outstanding__gte=0, advance__gte=0),
                name="subscription_amounts_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(prized_at__isnull=True, prized_installment__isnull=True)
                | Q(prized_at__isnull=False, prized_installment__isnull=False),
                name="subscription_prize_has_time_and_installment",
            ),
            models.CheckConstraint(
                condition=~Q(status=SubscriptionStatus.COMPLETED)
                | Q(outstanding=0, advance=0, prized_installment__isnull=False),
                name="subscription_completed_owes_nothing_and_is_prized",
            ),
        )

    def __str__(self) -> str:
        return f"ticket {self.ticket_number}"

    @property
    def is_prized(self) -> bool:
        return self.prized_installment is not None
