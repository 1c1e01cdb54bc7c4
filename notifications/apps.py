from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Telling people: events, channels, deliveries."""

    name = "notifications"
    verbose_name = "Notifications"
    default_auto_field = "django.db.models.BigAutoField"
