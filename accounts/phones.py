"""Phone numbers, written by people in many ways and kept in one: E.164."""

from __future__ import annotations

import phonenumbers

HOME_REGION = "IN"


def to_e164(text: str) -> str | None:
    """Return `+919876543210` for any way of writing it, None for what is no number."""
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
