from django.apps import AppConfig


class KycConfig(AppConfig):
    """Proving who you are."""

    name = "kyc"
    verbose_name = "KYC"
    default_auto_field = "django.db.models.BigAutoField"
