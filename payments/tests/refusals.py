"""What a refused use case leaves behind: nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from accounts.models import AuditEvent, NumberSeries
from auctions.models import Auction, Bid
from chitfund.exceptions import DomainError
from notifications.models import Notification
from payments.models import (
    CashMovement,
    Installment,
    LedgerAccount,
    Payment,
    PaymentAllocation,
    PrizePayout,
    Transfer,
)
from schemes.models import Scheme
from subscriptions.models import Subscription

WATCHED = (
    AuditEvent,
    NumberSeries,
    Notification,
    Scheme,
    Subscription,
    Auction,
    Bid,
    Installment,
    Payment,
    PaymentAllocation,
    LedgerAccount,
    Transfer,
    PrizePayout,
    CashMovement,
)


def everything() -> dict[str, list[Any]]:
    """Return every row of the office that a draw or a payment could touch."""
    return {model.__name__: list(model.objects.order_by("pk").values_list()) for model in WATCHED}


@contextmanager
def refused(code: str, *, field: str = "") -> Iterator[pytest.ExceptionInfo[DomainError]]:
    """Expect a refusal with this code (and field), and not one row changed by it."""
    before = everything()
    with pytest.raises(DomainError) as refusal:
        yield refusal
    assert refusal.value.code == code, refusal.value.message
    if field:
        assert [error.field for error in refusal.value.errors] == [field]
    assert everything() == before
