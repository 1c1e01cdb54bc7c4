"""Identity documents over HTTP: uploads, links that end, and who may see what."""

from uuid import uuid4

import pytest
from django.core import signing
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEvent, KycStatus
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from kyc import files
from kyc.models import DocumentType, UserKYC
from kyc.services import submit_document
from kyc.tests.factories import AADHAAR, PAN, PDF, PNG, UserKYCFactory, a_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return UserFactory.create()


@pytest.fixture
def admin():
    return AdminFactory.create()


@pytest.fixture
def document(person):
    return submit_document(
        user_id=person.pk,
        actor=person,
        document_type=DocumentType.AADHAR,
        document_number=AADHAAR,
        file=a_file(PDF, "scan.pdf"),
    )


def form(**changes):
    return {
        "document_type": "AADHAR",
        "document_number": AADHAAR,
        "file": a_file(),
        **changes,
    }


def upload(person, data, **headers):
    path = f"/api/users/{person.pk}/kyc"
    return client_for(person).post(path, data, format="multipart", **headers)


def content_of(answer):
    """Return the bytes of a file that was answered; reading to the end closes it."""
    return b"".join(answer.streaming_content)


# -- handing in ----------------------------------------------------------------------------


def test_a_document_is_handed_in(person):
    answer = upload(person, form())
    assert answer.status_code == 201
    document = answer.json()
    assert document["document_type"] == "AADHAR"
    assert document["document_number"] == "XXXXXXXX7058"
    assert document["verification_status"] == "PENDING"
    assert document["verified_at"] is None
    assert document["document_url"].startswith("http")
    assert {"id", "created_at"} <= document.keys()
    assert AADHAAR not in answer.content.decode()
    assert UserKYC.objects.get().document_url not in answer.content.decode()


def test_the_portals_names_are_taken(person):
    answer = upload(person, {"documentType": "PAN", "documentNumber": PAN, "file": a_file()})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"document_number": "999941057059"}, "document_number"),
        ({"document_number": "9" * 51}, "document_number"),
        ({"document_number": ""}, "document_number"),
        ({"document_type": "PASSPORT"}, "document_type"),
        ({"file": SimpleUploadedFile("scan.pdf", b"MZ\x90\0")}, "file"),
        ({"file": SimpleUploadedFile("scan.pdf", b"")}, "file"),
        ({"file": "not a file"}, "file"),
    ],
)
def test_what_cannot_be_taken_is_a_clear_400(person, changes, field):
    answer = upload(person, form(**changes))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert not UserKYC.objects.exists()


def test_a_file_over_five_megabytes_is_a_clear_400(person):
    for size in (files.MAX_BYTES + 1, files.MAX_BYTES + files.MEGABYTE):
        answer = upload(person, form(file=a_file(PNG.ljust(size, b"\0"))))
        assert answer.status_code == 400
        assert "at most 5 MB" in answer.json()["message"]


def test_a_request_that_is_much_too_large_is_refused_before_it_is_read(person, monkeypatch):
    read = []
    monkeypatch.setattr("kyc.parsers.MultiPartParser.parse", lambda *args: read.append(args))
    answer = upload(person, form(file=a_file(PNG.ljust(files.MAX_BYTES * 2, b"\0"))))
    assert answer.status_code == 400
    assert answer.json()["code"] == "too_large"
    assert answer.json()["message"].startswith("The request has 10.0 MB")
    assert not read


def test_a_form_with_too_many_files_is_400(person):
    data = {f"file{number}": a_file() for number in range(7)}
    assert upload(person, {**form(), **data}).status_code == 400


def test_a_document_comes_as_a_form_and_nothing_else(person):
    answer = client_for(person).post(f"/api/users/{person.pk}/kyc", {"document_type": "PAN"})
    assert answer.status_code == 415


def test_the_same_key_hands_in_once(person):
    first = upload(person, form(), HTTP_IDEMPOTENCY_KEY="k1")
    again = upload(person, form(), HTTP_IDEMPOTENCY_KEY="k1")
    other = upload(person, form(file=a_file(PDF)), HTTP_IDEMPOTENCY_KEY="k1")
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.json()["id"] == first.json()["id"]
    assert UserKYC.objects.count() == 1


# -- who may -------------------------------------------------------------------------------


def test_a_document_is_handed_in_by_its_owner_only(person, admin):
    for stranger in (UserFactory.create(), ForemanFactory.create(), admin):
        answer = client_for(stranger).post(
            f"/api/users/{person.pk}/kyc", form(), format="multipart"
        )
        assert answer.status_code == 404


def test_documents_are_listed_for_their_owner_and_for_reviewers_only(person, document, admin):
    path = f"/api/users/{person.pk}/kyc"
    assert client_for(person).get(path).json()["results"][0]["id"] == str(document.pk)
    assert client_for(admin).get(path).json()["count"] == 1
    for stranger in (
        UserFactory.create(),
        ForemanFactory.create(),
        AdminFactory.create(is_superuser=False),
    ):
        assert client_for(stranger).get(path).status_code == 404
    assert client_for(admin).get(f"/api/users/{uuid4()}/kyc").status_code == 404


def test_staff_who_look_leave_a_trace_and_owners_do_not(person, document, admin):
    client_for(person).get(f"/api/users/{person.pk}/kyc")
    client_for(person).get(f"/api/kyc/{document.pk}/file")
    assert not AuditEvent.objects.exclude(verb="kyc.submitted").exists()
    client_for(admin).get(f"/api/users/{person.pk}/kyc")
    client_for(admin).get(f"/api/kyc/{document.pk}/file")
    verbs = AuditEvent.objects.filter(actor=admin).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["kyc.listed", "kyc.file_opened"]


def test_the_list_costs_the_same_queries_however_long(person):
    client = client_for(person)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/api/users/{person.pk}/kyc").status_code == 200
        return len(captured)

    UserKYCFactory.create(user=person, rejected=True)
    few = queries()
    UserKYCFactory.create_batch(6, user=person, rejected=True)
    assert queries() == few


@pytest.mark.parametrize(
    ("action", "data", "after"),
    [("verify", {}, "VERIFIED"), ("reject", {"reason": "Blurred."}, "REJECTED")],
)
def test_staff_decide_and_others_do_not(document, action, data, after):
    path, person, admin = f"/api/kyc/{document.pk}/{action}", document.user, AdminFactory.create()
    for stranger in (person, ForemanFactory.create(), AdminFactory.create(is_superuser=False)):
        answer = client_for(stranger).post(path, data)
        assert (answer.status_code, answer.json()["message"]) == (403, "Forbidden")
    answer = client_for(admin).post(path, data)
    assert (answer.status_code, answer.json()["verification_status"]) == (200, after)
    person.refresh_from_db()
    assert person.kyc_status == KycStatus(after)
    assert client_for(admin).post(path, data).status_code == 409


def test_a_rejection_without_a_reason_is_400_and_an_unknown_document_404(document, admin):
    client = client_for(admin)
    assert client.post(f"/api/kyc/{document.pk}/reject", {}).status_code == 400
    assert client.post(f"/api/kyc/{uuid4()}/verify").status_code == 404


# -- files -----------------------------------------------------------------------------------


def test_the_file_is_read_through_a_link_without_a_token(person, document):
    answer = client_for(person).get(f"/api/kyc/{document.pk}/file")
    assert answer.status_code == 302
    assert answer.json() == {"url": answer.headers["Location"], "expires_in": 120}
    assert answer.headers["Cache-Control"] == "no-store"
    served = client_for(None).get(answer.headers["Location"])
    assert served.status_code == 200
    assert content_of(served) == PDF
    assert served.headers["Content-Disposition"] == 'attachment; filename="aadhar.pdf"'
    assert served.headers["Content-Type"] == "application/pdf"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in served.headers["Cache-Control"]
    assert "sandbox" in served.headers["Content-Security-Policy"]


def test_the_link_in_the_list_opens_the_file_whatever_the_reader_accepts(person, document):
    row = client_for(person).get(f"/api/users/{person.pk}/kyc").json()["results"][0]
    served = client_for(None).get(row["document_url"], headers={"Accept": "image/png"})
    assert content_of(served) == PDF


def test_a_link_ends_after_two_minutes(person, document, monkeypatch):
    url = client_for(person).get(f"/api/kyc/{document.pk}/file").headers["Location"]
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 119)
    assert content_of(client_for(None).get(url)) == PDF
    monkeypatch.setattr(signing.time, "time", lambda: now + 121)
    ended = client_for(None).get(url)
    assert ended.status_code == 404
    assert "link has ended" in ended.json()["message"]


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1] + ("A" if t[-1] != "A" else "B"), lambda t: "x"]
)
def test_a_link_that_was_changed_opens_nothing(document, spoil):
    token = files.link_token(document.pk)
    assert client_for(None).get(f"/api/kyc/files/{spoil(token)}").status_code == 404


def test_a_link_signed_for_something_else_opens_nothing(document, settings):
    token = signing.dumps(str(document.pk), key=settings.SIGNED_FILE_KEY, salt="other")
    assert client_for(None).get(f"/api/kyc/files/{token}").status_code == 404


def test_only_owner_and_reviewers_get_a_link(document, admin):
    path = f"/api/kyc/{document.pk}/file"
    assert client_for(None).get(path).status_code == 401
    for stranger in (
        UserFactory.create(),
        ForemanFactory.create(),
        AdminFactory.create(is_superuser=False),
    ):
        assert client_for(stranger).get(path).status_code == 404
    assert client_for(admin).get(path).status_code == 302


def test_a_file_that_is_gone_is_404(document):
    token = files.link_token(document.pk)
    default_storage.delete(document.document_url)
    assert client_for(None).get(f"/api/kyc/files/{token}").status_code == 404


def test_in_a_bucket_the_link_is_the_buckets_own(person, document, settings, monkeypatch):
    asked = {}

    class Bucket:
        def url(self, key, *, parameters, expire):
            asked.update(key=key, parameters=parameters, expire=expire)
            return "https://bucket.example/signed"

    settings.S3_BUCKET = "documents"
    monkeypatch.setattr("kyc.links.default_storage", Bucket())
    answer = client_for(person).get(f"/api/kyc/{document.pk}/file")
    assert answer.headers["Location"] == "https://bucket.example/signed"
    assert asked == {
        "key": document.document_url,
        "parameters": {"ResponseContentDisposition": 'attachment; filename="aadhar.pdf"'},
        "expire": 120,
    }
