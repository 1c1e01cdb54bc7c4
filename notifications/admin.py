"""The desk for what people were told, and what did not reach them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chitfund.desk import DecidingAdmin, ReadOnlyAdmin
from notifications.deliveries import send_again
from notifications.models import Delivery, Notification


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """What was told to whom."""

    date_hierarchy = "created_at"
    list_display = ("created_at", "event", "title", "recipient", "read_at")
    list_filter = ("event",)
    list_select_related = ("recipient",)
    search_fields = ("title", "recipient__email", "recipient__ucfsin", "trace_id")


@admin.register(Delivery)
class DeliveryAdmin(DecidingAdmin):
    """How each telling went; what was given up can be sent again."""

    actions = ("send_again_selected",)
    list_display = ("notification", "channel", "status", "attempts", "sent_at", "error")
    list_filter = ("status", "channel")
    list_select_related = ("notification",)
    search_fields = ("notification__title", "notification__recipient__email")

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_delivery")

    @admin.action(description="Send again what was given up", permissions=["send_again"])
    def send_again_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self.decide(
            request,
            queryset,
            lambda delivery: send_again(delivery_id=delivery.pk, actor=request.user),
            "Queued to be sent again.",
        )
