from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Everything computed from the rest."""

    name = "reports"
    verbose_name = "Reports"
    default_auto_field = "django.db.models.BigAutoField"
