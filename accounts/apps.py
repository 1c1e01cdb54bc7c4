from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who: users, sign-in, audit trail, the office's own records."""

    name = "accounts"
    verbose_name = "People and access"
    default_auto_field = "django.db.models.BigAutoField"
