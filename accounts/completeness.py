"""How complete a profile is: plain arithmetic, for the profile page and for the chit score.

Five parts make 100. A part counts whole or not at all, so that the number says what to do
next rather than how long somebody typed.

| Part | Weight | Counts when |
|---|---|---|
| `contact` | 20 | e-mail address proven, birth date known |
| `address` | 25 | a permanent address is there |
| `occupation` | 20 | occupation, annual income and source of income are said |
| `nominees` | 20 | somebody is named (their shares make 100, or they could not be there) |
| `bank_account` | 15 | there is a primary bank account |
"""

from __future__ import annotations

from dataclasses import dataclass, fields

WEIGHTS = {"contact": 20, "address": 25, "occupation": 20, "nominees": 20, "bank_account": 15}


@dataclass(frozen=True, kw_only=True)
class ProfileParts:
    """Which parts of a profile are there."""

    contact: bool
    address: bool
    occupation: bool
    nominees: bool
    bank_account: bool


@dataclass(frozen=True)
class Completeness:
    percent: int
    missing: tuple[str, ...]


def completeness_of(parts: ProfileParts) -> Completeness:
    """Return the percentage and the names of what is missing, heaviest first."""
    missing = [field.name for field in fields(parts) if not getattr(parts, field.name)]
    missing.sort(key=lambda name: -WEIGHTS[name])
    return Completeness(100 - sum(WEIGHTS[name] for name in missing), tuple(missing))
