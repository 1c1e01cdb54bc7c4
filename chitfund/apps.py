from django.apps import AppConfig


class ChitfundConfig(AppConfig):
    """The project itself, an app only so that it may have management commands."""

    name = "chitfund"
    verbose_name = "Chit fund office"

    def ready(self) -> None:
        # Tasks declared with @shared_task belong to this app in every process.
        import chitfund.celery  # noqa: F401 - needs the settings that are ready now
