from django.apps import AppConfig


class SchemesConfig(AppConfig):
    """The chit's terms, life cycle and statutory records."""

    name = "schemes"
    verbose_name = "Schemes"
    default_auto_field = "django.db.models.BigAutoField"
