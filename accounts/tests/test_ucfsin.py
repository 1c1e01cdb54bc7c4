"""Numbers without gaps, whatever is rolled back (reliability.md row 13)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from accounts.models import User
from accounts.services import create_user_account
from chitfund.testing import in_own_connection

PEOPLE = 200
THREADS = 8


class _Undone(Exception):
    """What a caller's own mistake after the registration looks like."""


def come_in(n: int) -> None:
    with transaction.atomic():
        create_user_account(
            full_name=f"Person {n}",
            email=f"p{n}@example.com",
            phone_number=f"+9198400{n:05d}",
        )
        if n % 7 == 0:
            raise _Undone


@pytest.mark.django_db(transaction=True)
def test_numbers_are_given_without_gaps_while_every_seventh_is_rolled_back():
    def attempt(n):
        try:
            come_in(n)
        except _Undone:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(in_own_connection(attempt), range(PEOPLE)))

    numbers = sorted(int(ucfsin[-6:]) for ucfsin in User.objects.values_list("ucfsin", flat=True))
    assert numbers == list(range(1, sum(done) + 1))
