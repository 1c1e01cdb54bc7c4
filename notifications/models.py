"""What people are told, and how each telling went."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from chitfund.db import IdentifiedModel, StatusModel, one_of


class NotificationEvent(models.TextChoices):
    """The guide's events, and those that a chit's life adds to them."""

    PAYMENT_DUE = "PAYMENT_DUE", "Payment due"
    PAYMENT_RECEIVED = "PAYMENT_RECEIVED", "Payment received"
    PAYMENT_REVERSED = "PAYMENT_REVERSED", "Payment reversed"
    KYC_VERIFIED = "KYC_VERIFIED", "KYC verified"
    KYC_REJECTED = "KYC_REJECTED", "KYC rejected"
    SCHEME_APPROVED = "SCHEME_APPROVED", "Scheme approved"
    SCHEME_RETURNED = "SCHEME_RETURNED", "Scheme returned"
    SCHEME_COMMENCED = "SCHEME_COMMENCED", "Scheme commenced"
    SCHEME_COMPLETED = "SCHEME_COMPLETED", "Scheme completed"
    AUCTION_REMINDER = "AUCTION_REMINDER", "Auction reminder"
    AUCTION_POSTPONED = "AUCTION_POSTPONED", "Auction postponed"
    AUCTION_MOVED = "AUCTION_MOVED", "Auction moved"
    AUCTION_RESULT = "AUCTION_RESULT", "Auction result"
    PRIZE_READY = "PRIZE_READY", "Prize ready"
    PRIZE_PAID = "PRIZE_PAID", "Prize paid"
    TICKET_TAKEN = "TICKET_TAKEN", "Ticket taken"
    TICKET_WITHDRAWN = "TICKET_WITHDRAWN", "Ticket withdrawn"
    ACCOUNT = "ACCOUNT", "Your account"


class Channel(models.TextChoices):
    IN_APP = "IN_APP", "In-app"
    EMAIL = "EMAIL", "E-mail"


class DeliveryStatus(models.TextChoices):
    PENDING = "PENDING", "Pending"
    SENT = "SENT", "Sent"
    DEAD = "DEAD", "Given up"


class Notification(IdentifiedModel):
    """One thing that one person was told."""

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    event = models.CharField(max_length=30, choices=NotificationEvent)
    title = models.CharField(max_length=160)
    body = models.TextField()
    context = models.JSONField(default=dict)
    trace_id = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notifications"
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=one_of("event", NotificationEvent), name="notification_event_is_known"
            ),
        )
        indexes = (
            models.Index(fields=["recipient", "-id"], name="notifications_recipient"),
            models.Index(
                fields=["recipient"], name="notifications_unread", condition=Q(read_at=None)
            ),
        )

    def __str__(self) -> str:
        return self.title


class Delivery(IdentifiedModel, StatusModel):
    """One notification on its way through one channel: the row is the work."""

    MOVES: ClassVar[dict[Any, frozenset[Any]]] = {
        DeliveryStatus.PENDING: frozenset({DeliveryStatus.SENT, DeliveryStatus.DEAD}),
        DeliveryStatus.SENT: frozenset(),
        DeliveryStatus.DEAD: frozenset({DeliveryStatus.PENDING}),
    }

    notification = models.ForeignKey(
        Notification, on_delete=models.CASCADE, related_name="deliveries"
    )
    channel = models.CharField(max_length=10, choices=Channel)
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "deliveries"
        verbose_name_plural = "deliveries"
        constraints = (
            models.UniqueConstraint(
                fields=["notification", "channel"], name="delivery_once_a_channel"
            ),
            models.CheckConstraint(
                condition=one_of("channel", Channel), name="delivery_channel_is_known"
            ),
            models.CheckConstraint(
                condition=one_of("status", DeliveryStatus), name="delivery_status_is_known"
            ),
        )
        indexes = (
            models.Index(
                fields=["next_attempt_at"],
                name="deliveries_waiting",
                condition=Q(status=DeliveryStatus.PENDING),
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel} {self.status}"
