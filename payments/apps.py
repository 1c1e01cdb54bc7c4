from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Money: installments, payments, ledger, settlement, prizes."""

    name = "payments"
    verbose_name = "Money"
    default_auto_field = "django.db.models.BigAutoField"
