"""Offices that write down every look at a password, and a crowd to knock at their doors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chitfund.testing import OfficeServer
from tests.race.conftest import NO_MAIL
from tests.race.crowd import Crowd


class WatchedOffice:
    """An office and its list of looks at passwords."""

    def __init__(self, url: str, looks: Path) -> None:
        self.url = url
        self._looks = looks
        looks.write_text("")
        looks.with_name(f"{looks.name}.company").write_text("")

    @property
    def looks(self) -> int:
        return len(self._looks.read_text().splitlines())


@pytest.fixture(scope="session")
def forty() -> Iterator[Crowd]:
    crowd = Crowd(40)
    yield crowd
    crowd.close()


@pytest.fixture(scope="session")
def _looks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("looks")


@pytest.fixture
def watched_office(
    transactional_db: None, office_with: Callable[..., OfficeServer], _looks: Path
) -> Callable[..., WatchedOffice]:
    """Return what opens an office that counts: `watched_office(WITHOUT="reservations")`."""

    def start(**environment: str) -> WatchedOffice:
        file = _looks / ("-".join(sorted(environment.values())) or "guarded")
        server = office_with(
            TEST_WSGI="tests.auth.doors:application", LOOKS=str(file), **NO_MAIL, **environment
        )
        return WatchedOffice(server.url, file)

    return start
