"""Document numbers: checked in memory, masked, and forgotten. Plain text, no Django."""

from __future__ import annotations

import re

from stdnum.exceptions import ValidationError
from stdnum.in_ import aadhaar, pan

from chitfund.exceptions import InvalidInput
from chitfund.masking import masked

AADHAR, PAN, DRIVING_LICENSE = "AADHAR", "PAN", "DRIVING_LICENSE"
_TYPED = re.compile(r"[0-9A-Za-z /-]{1,40}")
# State, then what the states write differently; newer licences end in year and seven digits.
_LICENCE = re.compile(r"[A-Z]{2}[0-9A-Z]{5,18}")
_FEWEST_DIGITS = 5


def masked_number(document_type: str, typed: str) -> str:
    """Check a number and return it with all but its last four characters masked.

    Raises InvalidInput, whose message never repeats the number.
    """
    if not _TYPED.fullmatch(typed.strip()):
        raise _refusal("A document number has letters, digits, spaces and hyphens only.")
    number = re.sub(r"[ /-]", "", typed).upper()
    _CHECKS[document_type](number)
    return masked(number)


def _check_aadhaar(number: str) -> None:
    try:
        aadhaar.validate(number)
    except ValidationError as exc:
        raise _refusal(
            "This is not a valid Aadhaar number: 12 digits, the last of which checks the others. "
            "Compare it with your card."
        ) from exc


def _check_pan(number: str) -> None:
    try:
        pan.validate(number)
    except ValidationError as exc:
        raise _refusal(
            "This is not a valid PAN: five letters, four digits, one letter, for example "
            "ABCPK1234L. Compare it with your card."
        ) from exc


def _check_licence(number: str) -> None:
    """Leniently: older licences differ from State to State, and a person looks at each."""
    has_digits = sum(character.isdigit() for character in number) >= _FEWEST_DIGITS
    if not (_LICENCE.fullmatch(number) and has_digits):
        raise _refusal(
            "This is not a driving licence number: two letters of the State, then digits, for "
            "example KA01 20150001234."
        )


def _refusal(message: str) -> InvalidInput:
    return InvalidInput.on("document_number", message)


_CHECKS = {AADHAR: _check_aadhaar, PAN: _check_pan, DRIVING_LICENSE: _check_licence}
