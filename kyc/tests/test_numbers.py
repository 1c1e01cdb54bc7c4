"""Numbers are checked, masked and forgotten."""

import pytest

from chitfund.exceptions import InvalidInput
from kyc.models import DocumentType
from kyc.numbers import masked_number
from kyc.tests.factories import AADHAAR, LICENCE, OTHER_AADHAAR, PAN


@pytest.mark.parametrize(
    ("kind", "typed", "mask"),
    [
        (DocumentType.AADHAR, AADHAAR, "XXXXXXXX7058"),
        (DocumentType.AADHAR, OTHER_AADHAAR, "XXXXXXXX8847"),
        (DocumentType.AADHAR, "9999 4105 7058", "XXXXXXXX7058"),
        (DocumentType.AADHAR, " 9999-4105-7058 ", "XXXXXXXX7058"),
        (DocumentType.PAN, PAN, "XXXXXX001Z"),
        (DocumentType.PAN, "zzzpk0001z", "XXXXXX001Z"),
        (DocumentType.DRIVING_LICENSE, LICENCE, "XXXXXXXXXXX1234"),
        (DocumentType.DRIVING_LICENSE, "KA-0120150001234", "XXXXXXXXXXX1234"),
        (DocumentType.DRIVING_LICENSE, "TN/99/12345", "XXXXX2345"),
    ],
)
def test_a_number_that_can_be_is_masked_but_for_its_end(kind, typed, mask):
    assert masked_number(kind, typed) == mask


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (DocumentType.AADHAR, "999941057059"),  # check digit
        (DocumentType.AADHAR, "000000000019"),  # Verhoeff-valid, never issued
        (DocumentType.AADHAR, "012345678906"),
        (DocumentType.AADHAR, "868997338869"),  # the example of an npm package
        (DocumentType.AADHAR, "222222222222"),
        (DocumentType.AADHAR, "99994105705"),
        (
            DocumentType.AADHAR,
            "\u0669\u0669\u0669\u0669\u0664\u0661\u0660\u0665\u0667\u0660\u0665\u0668",
        ),  # \d would match these digits
        (DocumentType.AADHAR, "\uff19\uff19\uff19\uff1941057058"),  # wide digits
        (DocumentType.AADHAR, AADHAAR + "\n1"),
        (DocumentType.AADHAR, ""),
        (DocumentType.PAN, "ZZZPK0000Z"),
        (DocumentType.PAN, "ZZZXK0001Z"),
        (DocumentType.PAN, "ZZZPK001Z"),
        (DocumentType.DRIVING_LICENSE, "120150001234"),
        (DocumentType.DRIVING_LICENSE, "ZZ99"),
        (DocumentType.DRIVING_LICENSE, "KAABCDEFGH"),
        (DocumentType.DRIVING_LICENSE, "KA01" + "2" * 40),
    ],
)
def test_a_number_that_cannot_be_is_refused_and_not_repeated(kind, typed):
    with pytest.raises(InvalidInput) as refusal:
        masked_number(kind, typed)
    assert refusal.value.errors[0].field == "document_number"
    assert not typed or typed not in refusal.value.message
