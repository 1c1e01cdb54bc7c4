from django.apps import AppConfig


class AuctionsConfig(AppConfig):
    """Draws: schedule, bids, lots, minutes."""

    name = "auctions"
    verbose_name = "Auctions"
    default_auto_field = "django.db.models.BigAutoField"
