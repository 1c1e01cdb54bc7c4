"""A keyed POST is done once (reliability.md 3.4 and row 7)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.api import OfficeView
from accounts.idempotency import REPLAYED, Claim, fingerprint_of
from accounts.models import AttemptCounter, AuditEvent, IdempotencyRecord, Role, User
from accounts.sealing import opened
from accounts.services import change_role
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, UserFactory
from chitfund.testing import in_own_connection, wait_for_blocked_query

NEW = {
    "full_name": "Meena Iyer",
    "email": "meena@example.com",
    "phone_number": "+919840012345",
    "role": "USER",
}


def invite(client, key, body=NEW):
    return client.post("/api/users", body, headers={"Idempotency-Key": key})


@pytest.mark.django_db
def test_the_same_key_and_body_replay_the_first_answer_byte_by_byte():
    client = client_for(AdminFactory.create())
    first = invite(client, "k1")
    again = invite(client, "k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert (REPLAYED in first.headers, again.headers[REPLAYED]) == (False, "true")
    assert User.objects.filter(email=NEW["email"]).count() == 1


@pytest.mark.django_db
def test_the_order_and_the_case_of_the_fields_are_no_difference():
    client = client_for(AdminFactory.create())
    invite(client, "k1")
    camel = {"role": "USER", "phoneNumber": NEW["phone_number"], "fullName": NEW["full_name"]}

    assert invite(client, "k1", camel | {"email": NEW["email"]}).headers[REPLAYED] == "true"


class PlainView(OfficeView):
    """Answers a POST with the status that it is asked for."""

    permission_classes = (AllowAny,)

    def post(self, request):
        AttemptCounter.objects.create(
            key=f"call {AttemptCounter.objects.count()}", window_ends_at=timezone.now()
        )
        return Response(status=request.data["status"])


def plain_request(user, status):
    request = APIRequestFactory().post(
        "/", {"status": status}, format="json", headers={"Idempotency-Key": "k1"}
    )
    force_authenticate(request, user=user)
    return request


@pytest.mark.django_db
def test_an_answer_without_a_body_is_replayed_without_one():
    user = UserFactory.create()
    first = PlainView.as_view()(plain_request(user, 204)).render()
    again = PlainView.as_view()(plain_request(user, 204))

    assert AttemptCounter.objects.count() == 1
    assert (again.status_code, again.content) == (first.status_code, first.content) == (204, b"")
    assert "Content-Type" not in first.headers
    assert "Content-Type" not in again.headers


@pytest.mark.django_db
def test_an_answer_of_refusal_that_was_returned_and_not_raised_undoes_the_work_too():
    user = UserFactory.create()
    answer = PlainView.as_view()(plain_request(user, 409))

    assert answer.status_code == 409
    assert not AttemptCounter.objects.exists()
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db
def test_the_same_key_with_another_body_is_a_mismatch():
    client = client_for(AdminFactory.create())
    invite(client, "k1")
    other = invite(client, "k1", NEW | {"full_name": "Somebody Else"})

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_mismatch"


@pytest.mark.django_db
def test_the_same_key_for_another_row_of_the_same_route_is_a_mismatch():
    client = client_for(AdminFactory.create())
    first, second = UserFactory.create_batch(2)
    headers = {"Idempotency-Key": "k1"}
    body = {"reason": "Asked for it"}
    client.post(f"/api/users/{first.pk}/suspend", body, headers=headers)

    assert client.post(f"/api/users/{second.pk}/suspend", body, headers=headers).status_code == 422


@pytest.mark.django_db
def test_another_person_with_the_same_key_does_their_own_work():
    invite(client_for(AdminFactory.create()), "k1")
    other = invite(
        client_for(AdminFactory.create()),
        "k1",
        NEW | {"email": "other@example.com", "phone_number": "+919840054321"},
    )

    assert other.status_code == 201
    assert REPLAYED not in other.headers


@pytest.mark.django_db
def test_the_same_key_on_another_route_does_its_own_work():
    admin = AdminFactory.create()
    client = client_for(admin)
    invite(client, "k1")
    other = client.post("/api/notifications/read-all", headers={"Idempotency-Key": "k1"})

    assert other.status_code == 200
    assert REPLAYED not in other.headers


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "a b", "k" * 256, "ключ", "a/b", "a\tb"])
def test_a_key_of_another_form_is_refused(key):
    response = invite(client_for(AdminFactory.create()), key)

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db
def test_the_longest_key_is_taken():
    assert invite(client_for(AdminFactory.create()), "k" * 255).status_code == 201


@pytest.mark.django_db
def test_a_refusal_is_not_kept_so_a_corrected_request_may_use_the_key():
    client = client_for(AdminFactory.create())
    bad = invite(client, "k1", NEW | {"email": "not an address"})
    assert bad.status_code == 400
    assert not IdempotencyRecord.objects.exists()

    assert invite(client, "k1").status_code == 201


@pytest.mark.django_db
def test_a_conflict_is_not_kept():
    client = client_for(AdminFactory.create())
    UserFactory.create(email=NEW["email"])

    assert invite(client, "k1").status_code == 409
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db
def test_a_denial_is_not_kept_but_leaves_a_trace():
    user = UserFactory.create()
    response = invite(client_for(user), "k1")

    assert response.status_code == 403
    assert response.json()["message"] == "Forbidden"
    assert not IdempotencyRecord.objects.exists()
    denial = AuditEvent.objects.get(verb="access.denied")
    assert (denial.actor, denial.details["route"]) == (user, "api/users")


@pytest.mark.django_db
def test_a_denial_inside_a_keyed_request_leaves_its_trace_after_the_rollback():
    admin = AdminFactory.create()
    response = client_for(admin).post(
        f"/api/users/{admin.pk}/suspend", {"reason": "me" * 3}, headers={"Idempotency-Key": "k1"}
    )

    assert response.status_code == 403
    assert AuditEvent.objects.filter(verb="access.denied", actor=admin).count() == 1
    assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db
def test_a_replay_needs_the_rights_that_the_first_request_needed():
    admin, chief = AdminFactory.create_batch(2)
    assert invite(client_for(admin), "k1").status_code == 201
    change_role(user_id=admin.pk, role=Role.USER, actor=chief, reason="left the office")
    admin.refresh_from_db()

    replay = invite(client_for(admin), "k1")

    assert replay.status_code == 403
    assert NEW["email"] not in replay.content.decode()


@pytest.mark.django_db
def test_what_a_key_keeps_is_the_answer_that_was_sent():
    first = invite(client_for(AdminFactory.create()), "k1")
    record = IdempotencyRecord.objects.get()

    claim = Claim(record.user_id, record.route, record.key, bytes(record.fingerprint))
    kept = opened(bytes(record.body), label=claim.label)
    assert (record.status, kept) == (201, first.content)
    assert record.route == "POST api/users"


@pytest.mark.django_db
def test_what_a_key_keeps_is_read_by_nobody_without_the_offices_key():
    client = client_for(AdminFactory.create())
    invite(client, "k1")
    invite(client, "k2", NEW | {"email": "b@example.com", "phone_number": "+919840054321"})
    first, second = (bytes(record.body) for record in IdempotencyRecord.objects.order_by("id"))

    for personal in ("meena", "Meena Iyer", "9840012345", "full_name"):
        assert personal.encode() not in first
    assert first[:12] != second[:12]


def spoil_the_body(record, settings):
    record.body = bytes(record.body)[:-1] + bytes([bytes(record.body)[-1] ^ 1])


def keep_it_in_clear(record, settings):
    record.body = b'{"id": "x"}'


def empty_the_body(record, settings):
    record.body = b""


def change_the_key_of_the_office(record, settings):
    settings.PII_ENCRYPTION_KEY = "another key of the office, as long as need be"


def take_the_body_of_another_key(record, settings):
    record.body = IdempotencyRecord.objects.get(key="k2").body


@pytest.mark.django_db
@pytest.mark.parametrize(
    "spoil",
    [
        spoil_the_body,
        keep_it_in_clear,
        empty_the_body,
        change_the_key_of_the_office,
        take_the_body_of_another_key,
    ],
)
def test_an_answer_that_does_not_open_is_a_conflict_and_nothing_is_done_again(spoil, settings):
    client = client_for(AdminFactory.create())
    invite(client, "k1")
    invite(client, "k2", NEW | {"email": "b@example.com", "phone_number": "+919840054321"})
    record = IdempotencyRecord.objects.get(key="k1")
    spoil(record, settings)
    record.save()
    people = User.objects.count()

    answer = invite(client, "k1")

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "Look its result up" in answer.json()["message"]
    assert User.objects.count() == people


@pytest.mark.django_db(transaction=True)
def test_a_rival_waits_and_replays():
    admin = AdminFactory.create()
    first, second = client_for(admin), client_for(admin)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            done = invite(first, "k1")
            rival = pool.submit(in_own_connection(invite), second, "k1")
            wait_for_blocked_query()
        replay = rival.result(timeout=5)

    assert done.status_code == 201
    assert (replay.status_code, replay.content) == (201, done.content)
    assert replay.headers[REPLAYED] == "true"
    assert User.objects.filter(email=NEW["email"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_rival_does_the_work_when_the_first_is_rolled_back():
    admin = AdminFactory.create()
    first, second = client_for(admin), client_for(admin)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            invite(first, "k1")
            rival = pool.submit(in_own_connection(invite), second, "k1")
            wait_for_blocked_query()
            transaction.set_rollback(True)
        answer = rival.result(timeout=5)

    assert answer.status_code == 201
    assert REPLAYED not in answer.headers
    assert User.objects.filter(email=NEW["email"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_rival_that_waits_too_long_is_told_to_come_back():
    admin = AdminFactory.create()
    first, second = client_for(admin), client_for(admin)

    def impatient():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        return invite(second, "k1")

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        invite(first, "k1")
        answer = pool.submit(in_own_connection(impatient)).result(timeout=5)

    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency_in_flight"
    assert int(answer.headers["Retry-After"]) >= 1


def form(content: bytes, **fields: str) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data[name] = value
    data.update(MultiValueDict({"file": [SimpleUploadedFile("pan.pdf", content)]}))
    return data


def test_a_form_is_known_by_its_fields_and_the_contents_of_its_files():
    first = fingerprint_of(form(b"one", document_type="PAN"), {})

    assert fingerprint_of(form(b"one", document_type="PAN"), {}) == first
    assert fingerprint_of(form(b"two", document_type="PAN"), {}) != first
    assert fingerprint_of(form(b"one", document_type="AADHAR"), {}) != first


def test_a_file_can_be_read_after_it_was_fingerprinted():
    data = form(b"content")
    fingerprint_of(data, {})

    assert data["file"].read() == b"content"
