"""Tickets at the desk: read, never edited."""

from __future__ import annotations

from django.contrib import admin

from chitfund.desk import ReadOnlyAdmin
from subscriptions.models import Subscription


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Tickets with what they owe and whether they have won."""

    list_display = (
        "scheme",
        "ticket_number",
        "subscriber",
        "status",
        "join_date",
        "prized_installment",
        "outstanding",
        "advance",
        "next_due_on",
    )
    list_filter = ("status", "is_foreman_ticket")
    list_select_related = ("scheme", "subscriber")
    search_fields = ("scheme__name", "subscriber__full_name", "subscriber__ucfsin")
    ordering = ("-id",)
