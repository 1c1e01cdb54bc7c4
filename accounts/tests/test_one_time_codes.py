"""Codes to a phone or a mailbox, from the wish to the proof that is spent."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.limits import CODE_CLIENT, CODE_NUMBER
from accounts.models import (
    AttemptCounter,
    AuditEvent,
    CodeChannel,
    CodePurpose,
    OneTimeCode,
    User,
    UserStatus,
)
from accounts.models.factors import MOST_GUESSES
from accounts.services import one_time_codes
from accounts.services.one_time_codes import (
    LIFETIME,
    PROOF_LIFETIME,
    redeem_email_token,
    redeem_phone_token,
)
from accounts.tests.factories import UserFactory
from chitfund.exceptions import InvalidInput
from chitfund.testing import in_own_connection

PHONE = "+919876543210"
REGISTRATION = CodePurpose.REGISTRATION


@pytest.fixture(autouse=True)
def outbox(settings, tmp_path):
    settings.OUTBOX_DIR = tmp_path
    return tmp_path


@pytest.fixture
def ring_bells(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def send(ip="198.51.100.1", **body):
    wish = {"purpose": REGISTRATION} | ({} if "email" in body else {"phone_number": PHONE}) | body
    return APIClient(REMOTE_ADDR=ip).post("/api/otp/send", wish)


def verify(otp, **body):
    guess = {"purpose": REGISTRATION, "otp": otp}
    guess |= ({} if "email" in body else {"phone_number": PHONE}) | body
    return APIClient().post("/api/otp/verify", guess)


def messages(outbox, folder="sms"):
    return [json.loads(file.read_text()) for file in sorted((outbox / folder).glob("*.json"))]


def digits_in(text):
    return re.match(r"([0-9]{6}) is your code", text)[1]


def sent_code(outbox, ring_bells, **body):
    with ring_bells():
        assert send(**body).status_code == 200
    return digits_in(messages(outbox)[-1]["text"])


def other_than(digits):
    return f"{(int(digits) + 1) % 10**6:06d}"


@pytest.mark.django_db
def test_a_code_arrives_and_is_exchanged_for_a_proof(outbox, ring_bells):
    with ring_bells():
        answer = send()
    (message,) = messages(outbox)
    proven = verify(digits_in(message["text"]))

    assert answer.json() == {
        "success": True,
        "message": "A code is on its way.",
        "message_id": message["id"],
    }
    assert message["to"] == PHONE
    assert "to register" in message["text"]
    assert (proven.status_code, proven.json().keys()) == (
        200, {"success", "message", "phone_token"},
    )  # fmt: skip
    redeem_phone_token(token=proven.json()["phone_token"], phone_number=PHONE, purpose=REGISTRATION)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "written", ["9876543210", "+91 98765 43210", "09876543210", "+919876543210", "0091 9876543210"]
)
@pytest.mark.parametrize("written_later", ["9876543210", "+919876543210"])
def test_a_number_written_in_any_way_is_the_same_number(outbox, ring_bells, written, written_later):
    digits = sent_code(outbox, ring_bells, phone_number=written)

    assert verify(digits, phone_number=written_later).status_code == 200


@pytest.mark.django_db
def test_the_portals_names_are_understood(outbox, ring_bells):
    body = {"phoneNumber": "9876543210", "purpose": "REGISTRATION"}
    with ring_bells():
        assert APIClient().post("/api/otp/send", body).status_code == 200
    otp = digits_in(messages(outbox)[0]["text"])

    assert APIClient().post("/api/otp/verify", body | {"otp": otp}).status_code == 200


@pytest.mark.django_db
def test_nobody_else_writes_the_offices_messages(outbox, ring_bells):
    with ring_bells():
        send(message="You have won, call 1-900-SCAM")

    (message,) = messages(outbox)
    assert "SCAM" not in message["text"]
    assert digits_in(message["text"])


@pytest.mark.django_db
@pytest.mark.parametrize("channel", ["SMS", "WHATSAPP"])
def test_each_channel_has_its_own_outbox(outbox, ring_bells, channel):
    with ring_bells():
        send(channel=channel)

    assert len(messages(outbox, channel.lower())) == 1


@pytest.mark.django_db
def test_a_mailbox_is_proven_like_a_phone(ring_bells):
    with ring_bells():
        assert send(email="Asha@Example.com").status_code == 200
    (letter,) = mail.outbox
    digits = re.search(r"([0-9]{6}) is your code", letter.body)[1]
    proven = verify(digits, email="ASHA@example.com")

    assert letter.to == ["asha@example.com"]
    token = proven.json()["email_token"]
    assert "phone_token" not in proven.json()
    with pytest.raises(InvalidInput):
        redeem_phone_token(token=token, phone_number="asha@example.com", purpose=REGISTRATION)
    redeem_email_token(token=token, email="ASHA@example.com", purpose=REGISTRATION)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"phone_number": "12"}, "phone_number"),
        ({"email": "a@example.com", "phone_number": PHONE}, "phone_number"),
        ({"purpose": "SIGN_IN_AS_ADMIN"}, "purpose"),
        ({"channel": "EMAIL"}, "channel"),
        ({"channel": "FAX"}, "channel"),
        ({"email": "a@example.com", "channel": "SMS"}, "channel"),
        ({"phone_number": "+1 212 555 2368"}, "phone_number"),
    ],
)
def test_a_wish_that_makes_no_sense_is_told_so(body, field):
    answer = send(**body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert not OneTimeCode.objects.exists()
    assert not AttemptCounter.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("otp", ["", "12345", "1234567", "12345a", "१२३४५६"])
def test_what_is_no_code_costs_no_guess(outbox, ring_bells, otp):
    sent_code(outbox, ring_bells)

    assert verify(otp).status_code == 400
    assert OneTimeCode.objects.get().guesses == 0


@pytest.mark.django_db
def test_the_code_is_stored_nowhere_in_clear(outbox, ring_bells):
    digits = sent_code(outbox, ring_bells)
    row = OneTimeCode.objects.get()

    assert len(row.code_hash) == 64
    assert digits not in str([getattr(row, field.attname) for field in row._meta.fields])
    assert digits not in str([event.details for event in AuditEvent.objects.all()])


@pytest.mark.django_db
def test_the_answer_is_the_same_whoever_has_the_number():
    numbers = {
        "existing": UserFactory.create().phone_number,
        "suspended": UserFactory.create(suspended=True).phone_number,
        "pending": UserFactory.create(pending=True).phone_number,
        "missing": PHONE,
    }
    answers = [send(phone_number=number) for number in numbers.values()]

    assert {answer.status_code for answer in answers} == {200}
    bodies = [{k: v for k, v in answer.json().items() if k != "message_id"} for answer in answers]
    assert all(body == bodies[0] for body in bodies)


@pytest.mark.django_db
def test_five_guesses_and_the_right_code_is_worth_nothing(outbox, ring_bells):
    digits = sent_code(outbox, ring_bells)
    answers = [verify(other_than(digits)) for _ in range(MOST_GUESSES)]
    late = verify(digits)

    assert [answer.status_code for answer in (*answers, late)] == [400] * 6
    assert {answer.json()["code"] for answer in (*answers, late)} == {"invalid_code"}
    assert {answer.json()["message"] for answer in (*answers, late)} == {
        answers[0].json()["message"]
    }


@pytest.mark.django_db(transaction=True)
def test_of_forty_guesses_at_once_five_are_looked_at(outbox, monkeypatch):
    send()
    digits = digits_in(messages(outbox)[0]["text"])
    looks = []
    compare = one_time_codes.constant_time_compare
    monkeypatch.setattr(
        one_time_codes, "constant_time_compare", lambda a, b: looks.append(1) or compare(a, b)
    )

    with ThreadPoolExecutor(20) as pool:
        guess = in_own_connection(lambda n: verify(other_than(digits)).status_code)
        codes = list(pool.map(guess, range(40)))

    assert codes == [400] * 40
    assert len(looks) == MOST_GUESSES
    assert OneTimeCode.objects.get().guesses == MOST_GUESSES


@pytest.mark.django_db(transaction=True)
def test_negative_control_counting_after_the_look_lets_more_guesses_through(outbox, monkeypatch):
    """Without the compare-and-set a crowd gets more looks than one code allows."""
    send()
    digits = digits_in(messages(outbox)[0]["text"])
    looks = []
    compare = one_time_codes.constant_time_compare
    monkeypatch.setattr(
        one_time_codes, "constant_time_compare", lambda a, b: looks.append(1) or compare(a, b)
    )
    everybody_has_looked = __import__("threading").Barrier(10)

    def look_then_count(code_id):
        guesses = OneTimeCode.objects.get(pk=code_id).guesses
        everybody_has_looked.wait(20)
        return guesses < MOST_GUESSES

    monkeypatch.setattr(one_time_codes, "_take_guess", look_then_count)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(in_own_connection(lambda n: verify(other_than(digits))), range(10)))

    assert len(looks) == 10


@pytest.mark.django_db(transaction=True)
def test_of_ten_who_send_the_right_code_at_once_one_gets_the_proof(outbox):
    send()
    digits = digits_in(messages(outbox)[0]["text"])

    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(in_own_connection(lambda n: verify(digits).status_code), range(10)))

    assert sorted(codes) == [200] + [400] * 9
    assert AuditEvent.objects.filter(verb="code.verified").count() == 1


@pytest.mark.django_db
def test_a_code_ends_after_ten_minutes(outbox, ring_bells):
    digits = sent_code(outbox, ring_bells)

    with time_machine.travel(timezone.now() + LIFETIME + timedelta(seconds=1)):
        assert verify(digits).json()["code"] == "invalid_code"


@pytest.mark.django_db
def test_only_the_newest_code_counts(outbox, ring_bells):
    first = sent_code(outbox, ring_bells)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        second = sent_code(outbox, ring_bells)
        if first != second:
            assert verify(first).status_code == 400
        assert verify(second).status_code == 200


@pytest.mark.django_db
def test_a_code_is_for_its_own_number_and_purpose_only(outbox, ring_bells):
    digits = sent_code(outbox, ring_bells)

    assert verify(digits, phone_number="9876543211").status_code == 400
    assert verify(digits, purpose=CodePurpose.CHANGE_PHONE).status_code == 400
    assert verify(digits).status_code == 200


@pytest.mark.django_db
def test_one_code_a_minute():
    assert send().status_code == 200
    again = send()

    assert again.status_code == 429
    assert 0 < int(again.headers["Retry-After"]) <= 60
    assert send(ip="203.0.113.9", purpose=CodePurpose.CHANGE_PHONE).status_code == 429
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert send().status_code == 200


@pytest.mark.django_db
def test_a_number_gets_ten_codes_a_day_from_however_many_lines():
    now = timezone.now()
    codes = []
    for n in range(CODE_NUMBER.attempts + 1):
        with time_machine.travel(now + timedelta(seconds=61 * n)):
            codes.append(send(ip=f"203.0.113.{n}").status_code)

    assert codes == [200] * 10 + [429]
    with time_machine.travel(now + timedelta(days=1, minutes=20)):
        assert send().status_code == 200


@pytest.mark.django_db
def test_one_line_asks_for_so_many_codes_only_and_uses_up_nobodys_day():
    codes = [send(phone_number=f"98765{n:05d}").status_code for n in range(31)]

    assert codes == [200] * CODE_CLIENT.attempts + [429]
    assert send(ip="203.0.113.9", phone_number="9876500030").status_code == 200


@pytest.mark.django_db
def test_guessing_at_many_numbers_from_one_line_is_stopped():
    codes = [verify("123456", phone_number=f"98765{n:05d}").status_code for n in range(61)]

    assert codes == [400] * 60 + [429]


def proof_for(outbox, ring_bells, **body):
    digits = sent_code(outbox, ring_bells, **body)
    return verify(digits, **body).json()["phone_token"]


@pytest.mark.django_db
def test_a_proof_is_spent_once(outbox, ring_bells):
    token = proof_for(outbox, ring_bells)
    spend = {"token": token, "phone_number": PHONE, "purpose": REGISTRATION}
    redeem_phone_token(**spend)

    with pytest.raises(InvalidInput) as refusal:
        redeem_phone_token(**spend)
    assert refusal.value.code == "invalid_proof"


@pytest.mark.django_db
def test_a_proof_is_bound_and_signed_and_short(outbox, ring_bells):
    token = proof_for(outbox, ring_bells)
    right = {"token": token, "phone_number": PHONE, "purpose": REGISTRATION}
    wrong = [
        right | {"phone_number": "+919876543211"},
        right | {"purpose": CodePurpose.CHANGE_PHONE},
        right | {"token": token[:-1] + ("A" if token[-1] != "A" else "B")},
        right | {"token": str(OneTimeCode.objects.get().pk)},
        right | {"token": ""},
    ]
    for attempt in wrong:
        with pytest.raises(InvalidInput):
            redeem_phone_token(**attempt)
    late = timezone.now() + PROOF_LIFETIME + timedelta(seconds=1)
    with time_machine.travel(late), pytest.raises(InvalidInput):
        redeem_phone_token(**right)

    redeem_phone_token(**right)


@pytest.mark.django_db(transaction=True)
def test_of_ten_who_spend_a_proof_at_once_one_succeeds(outbox):
    send()
    token = verify(digits_in(messages(outbox)[0]["text"])).json()["phone_token"]

    def spend(_):
        try:
            redeem_phone_token(token=token, phone_number=PHONE, purpose=REGISTRATION)
        except InvalidInput:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(in_own_connection(spend), range(10))) == 1


@pytest.mark.django_db
def test_each_step_leaves_one_line_in_the_audit_trail_without_the_number(outbox, ring_bells):
    digits = sent_code(outbox, ring_bells)
    verify(other_than(digits))
    verify(digits)

    events = AuditEvent.objects.order_by("id")
    assert [event.verb for event in events] == ["code.requested", "code.refused", "code.verified"]
    assert {event.target_id for event in events} == {OneTimeCode.objects.get().pk}
    assert not any("98765" in str(event.details) for event in events)


@pytest.mark.django_db
@pytest.mark.parametrize("channel", CodeChannel)
def test_a_channel_without_a_sender_is_refused_by_the_name_of_its_setting(settings, channel):
    settings.CODE_SENDERS = {"SMS": "", "WHATSAPP": "", "EMAIL": ""}
    to = {"email": "a@example.com"} if channel == CodeChannel.EMAIL else {}
    answer = send(channel=channel, **to)

    assert (answer.status_code, answer.json()["code"]) == (503, "channel_not_configured")
    assert f"{channel}_SENDER" in answer.json()["message"]
    assert "Retry-After" in answer.headers
    assert not OneTimeCode.objects.exists()


def register(token=None, phone_number=PHONE, **more):
    person = {
        "full_name": "Asha Rao",
        "email": "asha@example.com",
        "phone_number": phone_number,
        "password": "a long winding road",
        "date_of_birth": "1990-01-15",
    }
    proof = {} if token is None else {"phone_token": token}
    return APIClient().post("/api/auth/register", person | proof | more)


@pytest.mark.django_db
def test_whoever_registers_may_bring_the_proof_of_their_number(outbox, ring_bells):
    token = proof_for(outbox, ring_bells)

    assert register(token, "9876543211").status_code == 400
    assert register(token).status_code == 201
    assert User.objects.get().phone_verified_at is not None


@pytest.mark.django_db
def test_a_proof_is_spent_on_a_taken_number_too_or_it_would_tell(outbox, ring_bells):
    UserFactory.create(phone_number=PHONE)
    token = proof_for(outbox, ring_bells)

    assert register(token).status_code == 201
    again = register(token)
    assert (again.status_code, again.json()["code"]) == (400, "invalid_proof")
    assert again.json()["errors"][0]["field"] == "phone_token"


@pytest.mark.django_db
def test_whoever_registers_with_a_proven_mailbox_needs_no_link(ring_bells):
    proof = mailbox_proof(ring_bells)
    assert register(email_token=proof, email="somebody.else@example.com").status_code == 400
    assert register(email_token=proof).json()["message"].startswith("Your address is confirmed")

    user = User.objects.get()
    assert (user.status, user.email_verified_at is not None) == (UserStatus.ACTIVE, True)
    assert not user.account_mails.exists()
    again = register(email_token=proof, phone_number="9876543222")
    assert (again.status_code, again.json()["errors"][0]["field"]) == (400, "email_token")


@pytest.mark.django_db
def test_a_foreman_with_a_proven_mailbox_still_waits_for_the_office(ring_bells):
    assert register(email_token=mailbox_proof(ring_bells), role="FOREMAN").status_code == 201
    assert User.objects.get().status == UserStatus.PENDING


@pytest.mark.django_db
def test_of_two_proofs_one_is_not_spent_when_the_other_does_not_hold(outbox, ring_bells):
    token = proof_for(outbox, ring_bells)
    assert register(token, email_token="made up").status_code == 400
    assert register(token).status_code == 201


def mailbox_proof(ring_bells):
    with ring_bells():
        send(email="asha@example.com")
    digits = re.search(r"([0-9]{6}) is your code", mail.outbox[-1].body)[1]
    return verify(digits, email="asha@example.com").json()["email_token"]
