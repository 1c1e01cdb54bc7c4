"""Offices, crowds and dice, as in the races; and offices without one of their guards."""

from tests.auth.watching import _looks, forty, watched_office
from tests.race.conftest import _no_mail, crowd, dice, live_office, seed

__all__ = ["_looks", "_no_mail", "crowd", "dice", "forty", "live_office", "seed", "watched_office"]
