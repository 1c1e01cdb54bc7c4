from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    """Tickets: enrolment and withdrawal."""

    name = "subscriptions"
    verbose_name = "Tickets"
    default_auto_field = "django.db.models.BigAutoField"
