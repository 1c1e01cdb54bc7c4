"""What the tests about money share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from payments.audit import check_ledger


@pytest.fixture
def ledger_holds(db: None) -> Iterator[None]:
    """Prove every ledger after the test, whatever it was about."""
    yield
    assert check_ledger() == []
