"""Handing in and reviewing: history is kept, and the person's standing follows."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from accounts.models import AuditEvent, KycStatus
from accounts.tests.factories import AdminFactory, UserFactory
from chitfund.exceptions import (
    InvalidInput,
    InvalidTransition,
    NotAllowed,
    NotFound,
    WrongState,
)
from chitfund.testing import in_own_connection, wait_for_blocked_query
from kyc import files
from kyc.models import DocumentType, UserKYC, VerificationStatus
from kyc.services import reject_document, submit_document, verify_document
from kyc.tests.factories import AADHAAR, JPEG, PAN, PDF, PNG, UserKYCFactory, a_file
from notifications.models import Notification, NotificationEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return UserFactory.create()


@pytest.fixture
def admin():
    return AdminFactory.create()


def hand_in(person, **changes):
    document = {
        "document_type": DocumentType.AADHAR,
        "document_number": AADHAAR,
        "file": a_file(),
        **changes,
    }
    return submit_document(user_id=person.pk, actor=person, **document)


def standing_of(person):
    person.refresh_from_db()
    return person.kyc_status


def test_a_document_waits_for_review_with_a_mask_and_a_private_file(person, cabinet):
    document = hand_in(person, file=a_file(name=f"aadhaar-{AADHAAR}.png"))
    document.refresh_from_db()
    assert document.status == VerificationStatus.PENDING
    assert document.document_number == "XXXXXXXX7058"
    assert document.file_name == "aadhar.png"
    assert len(document.document_url) > 64
    stored = cabinet / document.document_url
    assert stored.read_bytes() == PNG
    assert stored.stat().st_mode & 0o077 == 0
    assert standing_of(person) == KycStatus.PENDING
    event = AuditEvent.objects.get()
    assert (event.verb, event.details) == ("kyc.submitted", {"document_type": "AADHAR"})


def test_the_full_number_is_nowhere_in_the_row(person):
    row = UserKYC.objects.filter(pk=hand_in(person, document_number="9999 4105 7058").pk).values()
    text = str(list(row)) + str(list(AuditEvent.objects.values()))
    assert AADHAAR not in text
    assert "99994105" not in text.replace(" ", "")


@pytest.mark.parametrize(("content", "extension"), [(JPEG, "jpg"), (PNG, "png"), (PDF, "pdf")])
def test_what_a_file_is_is_told_by_its_first_bytes(person, content, extension):
    document = hand_in(person, file=a_file(content, "scan.exe"))
    assert document.document_url.endswith(f".{extension}")


@pytest.mark.parametrize(
    "content", [b"GIF89a" + b"\0" * 64, b"<svg/>", b"\x00", b" %PDF-1.7", b"\x89PN", b"MZ\x90"]
)
def test_other_kinds_of_file_are_refused(person, content, cabinet):
    with pytest.raises(InvalidInput, match="a JPEG, a PNG or a PDF"):
        hand_in(person, file=a_file(content, "scan.pdf"))
    assert not UserKYC.objects.exists()
    assert not list(cabinet.rglob("*.*"))


def test_a_file_has_at_most_five_megabytes(person):
    hand_in(person, file=a_file(PNG.ljust(files.MAX_BYTES, b"\0")))
    with pytest.raises(InvalidInput, match="at most 5 MB"):
        hand_in(
            person,
            document_type=DocumentType.PAN,
            document_number=PAN,
            file=a_file(PNG.ljust(files.MAX_BYTES + 1, b"\0")),
        )


def test_people_hand_in_their_own_documents_only(person, admin):
    for stranger in (UserFactory.create(), admin):
        with pytest.raises(NotFound):
            submit_document(
                user_id=person.pk,
                actor=stranger,
                document_type=DocumentType.PAN,
                document_number=PAN,
                file=a_file(),
            )


def test_while_one_waits_another_of_its_type_is_refused_and_its_file_not_kept(person, cabinet):
    hand_in(person)
    with pytest.raises(WrongState, match="waits for review already"):
        hand_in(person)
    assert len(list(cabinet.rglob("*.png"))) == 1
    hand_in(person, document_type=DocumentType.PAN, document_number=PAN)


def test_a_verified_document_verifies_the_person_and_tells_them(person, admin):
    document = hand_in(person)
    verify_document(document_id=document.pk, actor=admin)
    document.refresh_from_db()
    assert (document.status, document.reviewed_by) == (VerificationStatus.VERIFIED, admin)
    assert document.verified_at is not None
    assert standing_of(person) == KycStatus.VERIFIED
    told = Notification.objects.get()
    assert (told.recipient, told.event) == (person, NotificationEvent.KYC_VERIFIED)
    assert "Aadhaar" in told.body
    event = AuditEvent.objects.get(verb="kyc.verified")
    assert (event.actor, event.target_id) == (admin, document.pk)


def test_a_rejected_document_is_kept_told_and_may_be_followed_by_another(person, admin):
    first = hand_in(person)
    reject_document(document_id=first.pk, actor=admin, reason="The picture is blurred.")
    first.refresh_from_db()
    assert standing_of(person) == KycStatus.REJECTED
    assert "The picture is blurred." in Notification.objects.get().body
    second = hand_in(person)
    assert standing_of(person) == KycStatus.PENDING
    verify_document(document_id=second.pk, actor=admin)
    assert standing_of(person) == KycStatus.VERIFIED
    history = UserKYC.objects.filter(user=person).order_by("id")
    assert [row.status for row in history] == ["REJECTED", "VERIFIED"]
    assert history[0].rejection_reason == "The picture is blurred."
    assert default_storage.exists(first.document_url)


def test_the_strongest_document_decides_the_standing(person, admin):
    aadhaar = hand_in(person)
    pan = hand_in(person, document_type=DocumentType.PAN, document_number=PAN)
    verify_document(document_id=pan.pk, actor=admin)
    assert standing_of(person) == KycStatus.VERIFIED, "while the other waits"
    reject_document(document_id=aadhaar.pk, actor=admin, reason="Not yours.")
    assert standing_of(person) == KycStatus.VERIFIED
    reject_document(document_id=pan.pk, actor=admin, reason="Forged.")
    assert standing_of(person) == KycStatus.REJECTED
    pan.refresh_from_db()
    assert pan.verified_at is None


def test_a_decision_is_not_taken_twice(person, admin):
    document = hand_in(person)
    verify_document(document_id=document.pk, actor=admin)
    with pytest.raises(InvalidTransition, match="verified already"):
        verify_document(document_id=document.pk, actor=admin)
    reject_document(document_id=document.pk, actor=admin, reason="Forged.")
    with pytest.raises(InvalidTransition, match="rejected already"):
        verify_document(document_id=document.pk, actor=admin)


def test_nobody_decides_on_their_own_document(admin):
    document = hand_in(admin)
    for decide in (
        lambda: verify_document(document_id=document.pk, actor=admin),
        lambda: reject_document(document_id=document.pk, actor=admin, reason="x"),
    ):
        with pytest.raises(NotAllowed, match="of their own"):
            decide()


def test_a_rejection_needs_a_reason(person, admin):
    document = hand_in(person)
    with pytest.raises(InvalidInput, match="what is wrong"):
        reject_document(document_id=document.pk, actor=admin, reason=" ")


@pytest.mark.parametrize(
    "changes",
    [
        {"document_number": AADHAAR},
        {"document_number": "9999XXXX7058"},
        {"document_type": "PASSPORT"},
        {"status": VerificationStatus.VERIFIED},
        {"rejected": True, "rejection_reason": ""},
    ],
)
def test_the_table_refuses_what_must_not_be(person, changes):
    with pytest.raises(IntegrityError), transaction.atomic():
        UserKYCFactory.create(user=person, **changes)


def test_the_table_refuses_a_review_by_the_owner(person):
    with pytest.raises(IntegrityError), transaction.atomic():
        UserKYCFactory.create(user=person, verified=True, reviewed_by=person)


@pytest.mark.django_db(transaction=True)
def test_the_later_of_two_reviews_at_once_is_refused():
    person = UserFactory.create()
    document = hand_in(person)
    asha, ravi = AdminFactory.create_batch(2)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            reject_document(document_id=document.pk, actor=asha, reason="Forged.")
            late = pool.submit(
                in_own_connection(verify_document), document_id=document.pk, actor=ravi
            )
            wait_for_blocked_query()
        assert isinstance(late.exception(timeout=10), InvalidTransition)
    assert standing_of(person) == KycStatus.REJECTED


@pytest.mark.django_db(transaction=True)
def test_two_documents_reviewed_at_once_leave_the_right_standing():
    person = UserFactory.create()
    aadhaar = hand_in(person)
    pan = hand_in(person, document_type=DocumentType.PAN, document_number=PAN)
    admin = AdminFactory.create()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            verify_document(document_id=aadhaar.pk, actor=admin)
            late = pool.submit(
                in_own_connection(reject_document), document_id=pan.pk, actor=admin, reason="No."
            )
            wait_for_blocked_query()
        assert late.exception(timeout=10) is None
    assert standing_of(person) == KycStatus.VERIFIED
