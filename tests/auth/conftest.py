"""Offices, crowds and dice, as in the races; and offices without one of their guards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chitfund.testing import OfficeServer
from tests.race.conftest import NO_MAIL, _no_mail, crowd, dice, live_office, seed

__all__ = ["_no_mail", "crowd", "dice", "live_office", "seed"]


@pytest.fixture
def careless_office(
    transactional_db: None, office_with: Callable[..., OfficeServer]
) -> Callable[[str], str]:
    """Return what opens an office without one of its guards: `careless_office("single_use")`."""

    def address(guard: str) -> str:
        door = "tests.auth.unguarded:application"
        return office_with(TEST_WSGI=door, WITHOUT=guard, **NO_MAIL).url

    return address
