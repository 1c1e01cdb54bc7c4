"""Bodies that are too large, refusals of roles, and what our own triggers say: one envelope."""

from __future__ import annotations

import io

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, connection, transaction
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from chitfund.api.parsers import JSONParser
from chitfund.exceptions import NotAllowed, TooLarge

LIMIT = 1024


class CountedStream(io.BytesIO):
    """Counts the bytes that are asked of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        part = super().read(size)
        self.taken += len(part)
        return part


class EchoView(APIView):
    """Answers with what was sent, or raises what it was given."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    refusal: Exception | None = None

    def post(self, request):
        if self.refusal is not None:
            raise self.refusal
        return Response(request.data)


def answer_of(refusal=None, body=b"{}", **extra):
    request = APIRequestFactory().post("/", body, content_type="application/json", **extra)
    return EchoView.as_view(refusal=refusal)(request)


@pytest.fixture
def limit(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = LIMIT


def body_of(size):
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


def test_a_body_of_the_limit_is_read(limit):
    assert len(answer_of(body=body_of(LIMIT)).data["a"]) == LIMIT - 8


def test_a_larger_body_is_answered_413_with_the_limit(settings):
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    answer = answer_of(body=body_of(limit + 1))

    assert (answer.status_code, answer.data["code"]) == (413, "too_large")
    assert "1 MB" in answer.data["message"]


def test_a_body_that_says_it_is_too_large_is_not_read(limit):
    request = APIRequestFactory().post("/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = str(LIMIT + 1)
    stream = CountedStream(b"{}")
    with pytest.raises(TooLarge):
        JSONParser().parse(stream, parser_context={"request": request})
    assert stream.taken == 0


@pytest.mark.parametrize("told", ["", "2", "nonsense"])
def test_of_a_body_that_hides_its_length_one_byte_more_than_the_limit_is_read(limit, told):
    request = APIRequestFactory().post("/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = told
    stream = CountedStream(body_of(10 * LIMIT))
    with pytest.raises(TooLarge):
        JSONParser().parse(stream, parser_context={"request": request})
    assert stream.taken == LIMIT + 1


def test_what_django_itself_finds_too_large_is_413_as_well():
    answer = answer_of(RequestDataTooBig("body exceeded"))
    assert (answer.status_code, answer.data["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (NotAllowed("Only the foreman may do this."), "forbidden"),
        (NotAllowed("Only the foreman may do this.", code="kyc_required"), "kyc_required"),
        (PermissionDenied("Only the foreman may do this."), "forbidden"),
    ],
)
def test_whoever_refuses_a_person_says_forbidden_and_the_reason_in_the_errors(refusal, code):
    answer = answer_of(refusal)
    assert answer.status_code == 403
    assert (answer.data["message"], answer.data["code"]) == ("Forbidden", code)
    assert answer.data["errors"] == [
        {"field": "", "code": code, "message": "Only the foreman may do this."}
    ]


@pytest.mark.parametrize("code", ["account_suspended", "email_not_verified", "approval_pending"])
def test_a_refusal_at_the_door_says_why_in_its_message(code):
    answer = answer_of(NotAllowed("Ask the office why.", code=code))
    assert (answer.status_code, answer.data["code"]) == (403, code)
    assert answer.data["message"] == "Ask the office why."
    assert answer.data["errors"] == []


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", "USING ERRCODE = 'restrict_violation'"])
def test_what_a_trigger_of_ours_refuses_is_a_conflict_told_in_our_words(code):
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        connection.cursor().execute(f"DO $$ BEGIN RAISE EXCEPTION 'row of Asha' {code}; END $$")

    answer = answer_of(refusal.value)
    assert (answer.status_code, answer.data["code"]) == (409, "conflict")
    assert "reverse it" in answer.data["message"]
    assert "Asha" not in str(answer.data)
