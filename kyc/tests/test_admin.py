"""The review desk: the same services as the API, each look and decision by its own right."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent, KycStatus
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory
from kyc.models import DocumentType, UserKYC, VerificationStatus
from kyc.services import submit_document
from kyc.tests.factories import AADHAAR, PNG, UserKYCFactory, a_file

pytestmark = pytest.mark.django_db

LIST = reverse("admin:kyc_userkyc_changelist")
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def document():
    person = UserFactory.create(full_name="R. Meenakshi")
    return submit_document(
        user_id=person.pk,
        actor=person,
        document_type=DocumentType.AADHAR,
        document_number=AADHAAR,
        file=a_file(),
    )


def desk_of(admin):
    client = Client()
    client.force_login(admin)
    return client


def clerk(*permissions):
    person = AdminFactory.create(is_superuser=False)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return person


def page(document, name="change"):
    return reverse(f"admin:kyc_userkyc_{name}", args=[document.pk])


def test_what_waits_stands_on_top_and_numbers_are_masks(document):
    UserKYCFactory.create(verified=True, user__full_name="Verified Person")
    text = desk_of(AdminFactory.create()).get(LIST).content.decode()
    assert text.index("R. Meenakshi") < text.index("Verified Person")
    assert "XXXXXXXX7058" in text
    assert AADHAAR not in text


def test_a_document_is_reviewed_beside_the_persons_name_and_birth_date(document):
    text = desk_of(AdminFactory.create()).get(page(document)).content.decode()
    assert "R. Meenakshi" in text
    assert "1990-01-15" in text
    assert page(document, "open_file") in text
    assert document.document_url not in text


def test_a_document_is_verified_at_the_desk(document):
    admin = AdminFactory.create()
    desk_of(admin).post(page(document, "verify"), SUBMITTED)
    document.refresh_from_db()
    assert (document.status, document.reviewed_by) == (VerificationStatus.VERIFIED, admin)
    document.user.refresh_from_db()
    assert document.user.kyc_status == KycStatus.VERIFIED


def test_asking_for_the_dialog_decides_nothing(document):
    assert desk_of(AdminFactory.create()).get(page(document, "verify")).status_code == 200
    document.refresh_from_db()
    assert document.status == VerificationStatus.PENDING


def test_a_document_is_rejected_at_the_desk_with_a_reason(document):
    desk = desk_of(AdminFactory.create())
    asked = desk.post(page(document, "reject"), {**SUBMITTED, "reason": ""})
    assert "This field is required" in asked.content.decode()
    answer = desk.post(
        page(document, "reject"),
        {**SUBMITTED, "reason": "Blurred."},
        headers={"HX-Request": "true"},
    )
    assert answer.headers["HX-Redirect"] == page(document)
    document.refresh_from_db()
    assert (document.status, document.rejection_reason) == ("REJECTED", "Blurred.")


@pytest.mark.parametrize(
    ("state", "offered"),
    [({}, ["verify", "reject"]), ({"verified": True}, ["reject"]), ({"rejected": True}, [])],
)
def test_what_can_be_decided_is_offered(state, offered):
    document = UserKYCFactory.create(**state)
    text = desk_of(AdminFactory.create()).get(page(document)).content.decode()
    assert [name for name in ("verify", "reject") if page(document, name) in text] == offered
    assert page(document, "open_file") in text


def test_several_documents_are_verified_at_once(document):
    done = UserKYCFactory.create(rejected=True)
    answer = desk_of(AdminFactory.create()).post(
        LIST,
        {"action": "verify_selected", "_selected_action": [str(document.pk), str(done.pk)]},
        follow=True,
    )
    assert "rejected already" in " ".join(str(m) for m in answer.context["messages"])
    document.refresh_from_db()
    assert document.status == VerificationStatus.VERIFIED


def test_an_administrator_does_not_decide_on_a_document_of_their_own():
    admin = AdminFactory.create()
    own = UserKYCFactory.create(user=admin)
    answer = desk_of(admin).post(page(own, "verify"), SUBMITTED, follow=True)
    assert "of their own" in " ".join(str(m) for m in answer.context["messages"])
    own.refresh_from_db()
    assert own.status == VerificationStatus.PENDING


def test_the_file_is_opened_by_a_link_and_leaves_a_trace(document):
    admin = AdminFactory.create()
    answer = desk_of(admin).get(page(document, "open_file"))
    assert answer.status_code == 302
    assert b"".join(Client().get(answer.headers["Location"]).streaming_content) == PNG
    event = AuditEvent.objects.get(verb="kyc.file_opened")
    assert (event.actor, event.target_id) == (admin, document.pk)


@pytest.mark.parametrize("name", ["verify", "reject"])
def test_looking_is_not_deciding(document, name):
    desk = desk_of(clerk("view_userkyc", "change_userkyc", "delete_userkyc"))
    assert page(document, name) not in desk.get(page(document)).content.decode()
    answer = desk.post(page(document, name), {**SUBMITTED, "reason": "no"})
    assert answer.status_code == 403
    assert "verify_selected" not in desk.get(LIST).content.decode()
    document.refresh_from_db()
    assert document.status == VerificationStatus.PENDING


def test_who_reviews_nothing_opens_nothing(document):
    desk = desk_of(clerk("view_user"))
    for url in (LIST, page(document), page(document, "open_file")):
        assert desk.get(url).status_code == 403
    assert not AuditEvent.objects.filter(verb="kyc.file_opened").exists()


def test_documents_are_neither_added_edited_nor_deleted_at_the_desk(document):
    desk = desk_of(AdminFactory.create())
    assert desk.get(reverse("admin:kyc_userkyc_add")).status_code == 403
    assert desk.post(page(document), {"status": "VERIFIED"}).status_code == 403
    assert desk.post(page(document, "delete"), {"post": "yes"}).status_code == 403
    assert UserKYC.objects.get().status == VerificationStatus.PENDING


@pytest.mark.parametrize("person", [UserFactory, ForemanFactory])
def test_nobody_but_staff_is_let_in(person):
    assert desk_of(person.create()).get(LIST).status_code == 302


def test_the_list_costs_the_same_queries_however_long():
    desk = desk_of(AdminFactory.create())

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(LIST).status_code == 200
        return len(captured)

    UserKYCFactory.create()
    few = queries()
    UserKYCFactory.create_batch(5)
    assert queries() == few
