"""Lots that anybody can check. Plain numbers and text, no Django.

The hash of a secret seed is published when bidding opens, the seed when it closes. Whoever
has the seed and the ticket numbers can draw again and must get the same ticket (s.6(4)).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence


def new_seed() -> str:
    """Return 256 random bits as text."""
    return secrets.token_hex(32)


def seed_hash(seed: str) -> str:
    """Return what is published beforehand: SHA-256 of the seed's text, in hexadecimal."""
    return hashlib.sha256(seed.encode()).hexdigest()


def draw(*, seed: str, purpose: str, tickets: Sequence[int]) -> int:
    """Return the drawn ticket number.

    SHA-256 of `seed:purpose:counter` is read as a number; the first one below the largest
    multiple of the ticket count decides by its remainder, so every ticket has exactly the
    same chance. Tickets are taken in ascending order. `purpose` is the auction's id.
    """
    if not tickets:
        raise ValueError("a lot needs at least one ticket")
    entrants = sorted(tickets)
    if len(set(entrants)) != len(entrants):
        raise ValueError("a ticket enters a lot once")
    limit = 2**256 - 2**256 % len(entrants)
    counter = 0
    while True:
        digest = hashlib.sha256(f"{seed}:{purpose}:{counter}".encode()).digest()
        number = int.from_bytes(digest, "big")
        if number < limit:
            return entrants[number % len(entrants)]
        counter += 1
