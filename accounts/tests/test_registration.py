"""How people come in."""

from __future__ import annotations

import re
from datetime import date

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import (
    AccountMail,
    AuditEvent,
    MailPurpose,
    NumberSeries,
    Role,
    User,
    UserStatus,
)
from accounts.services import create_user_account, invite_user
from accounts.tests.api import client_for
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from chitfund.exceptions import Conflict, InvalidInput, NotAllowed

PERSON = {
    "full_name": "Asha Rao",
    "email": "Asha.Rao@Example.com",
    "phone_number": "98400 12345",
    "password": PASSWORD,
    "date_of_birth": "1990-05-17",
}


def register(**changes):
    return APIClient().post("/api/auth/register", PERSON | changes)


@pytest.mark.django_db
def test_registering_echoes_the_input_and_leaves_a_pending_user_with_a_number():
    response = register()

    assert response.status_code == 201
    assert response.json() == {
        "message": "We have sent you a mail. Open its link to confirm your address.",
        "email": "asha.rao@example.com",
        "phone_number": "+919840012345",
        "full_name": "Asha Rao",
        "role": "USER",
    }
    user = User.objects.get()
    assert (user.status, user.role, user.email) == ("PENDING", "USER", "asha.rao@example.com")
    assert re.fullmatch(r"UCFSIN-\d{4}-000001", user.ucfsin)
    assert user.check_password(PASSWORD)
    assert AccountMail.objects.get(user=user).purpose == MailPurpose.VERIFY_EMAIL
    assert AuditEvent.objects.get().verb == "user.created"


@pytest.mark.django_db
def test_the_password_is_kept_as_bcrypt_over_sha256():
    register()

    assert User.objects.get().password.startswith("bcrypt_sha256$")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "taken", [{"email": "asha.rao@example.com"}, {"phone_number": "+919840012345"}]
)
def test_a_taken_address_or_number_gets_the_same_answer_and_its_owner_a_mail(taken):
    free = register(email="free@example.com", phone_number="9840099999")
    owner = UserFactory.create(**taken)
    response = register()

    assert response.status_code == free.status_code
    assert response.json()["message"] == free.json()["message"]
    assert response.json().keys() == free.json().keys()
    assert owner.account_mails.get().purpose == MailPurpose.ADDRESS_TAKEN
    assert User.objects.count() == 2


@pytest.mark.django_db
def test_an_owner_is_told_a_few_times_a_day_at_most():
    owner = UserFactory.create(email="asha.rao@example.com")
    for _ in range(5):
        register()

    # Each mail takes the place of the one before it; what counts is that two were not asked for.
    assert owner.account_mails.count() == 3


@pytest.mark.django_db
def test_a_refused_registration_uses_up_no_number():
    register()
    register(phone_number="9840099999")
    register(email="second@example.com", phone_number="9840088888")

    numbers = sorted(User.objects.values_list("ucfsin", flat=True))
    assert [number[-6:] for number in numbers] == ["000001", "000002"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("instant", "number"),
    [
        ("2026-12-31T18:29:59Z", "UCFSIN-2026-000001"),
        ("2026-12-31T18:30:00Z", "UCFSIN-2027-000001"),
    ],
)
def test_the_year_of_a_number_is_that_of_india(instant, number):
    with time_machine.travel(instant, tick=False):
        register()

    assert User.objects.get().ucfsin == number


@pytest.mark.django_db
def test_the_last_number_of_a_year_is_the_last():
    NumberSeries.objects.create(name="UCFSIN-2026", last=999_999)
    with time_machine.travel("2026-06-01"):
        response = register()

    assert response.status_code == 400
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"phone_number": "12"}, "phone_number"),
        ({"phone_number": "call me"}, "phone_number"),
        ({"password": "password123"}, "password"),
        ({"password": "qv7#kz"}, "password"),
        ({"password": "3141592653"}, "password"),
        ({"password": "asha.rao@example"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"full_name": ""}, "full_name"),
        ({"full_name": "A\x00B"}, "full_name"),
        ({"date_of_birth": "yesterday"}, "date_of_birth"),
        ({"role": "ADMIN"}, "role"),
        ({"role": "KING"}, "role"),
    ],
)
def test_what_is_wrong_is_said_by_field(changes, field):
    response = register(**changes)

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert not User.objects.exists()


@pytest.mark.django_db
@time_machine.travel("2026-05-17T12:00:00+05:30")
@pytest.mark.parametrize(
    ("born", "status"),
    [("2008-05-17", 201), ("2008-05-18", 400), ("1906-05-17", 201), ("1898-05-17", 400)],
)
def test_one_must_be_eighteen(born, status):
    assert register(date_of_birth=born).status_code == status


@pytest.mark.django_db
def test_a_foreman_may_register_and_role_is_read_in_any_case():
    assert register(role="foreman").json()["role"] == "FOREMAN"
    assert User.objects.get().role == Role.FOREMAN


@pytest.mark.django_db
def test_registering_decides_nothing_but_what_it_asks_for():
    register(status="ACTIVE", is_superuser=True, ucfsin="UCFSIN-2020-000009", chit_score=900)

    user = User.objects.get()
    assert (user.status, user.is_superuser, user.chit_score) == ("PENDING", False, None)
    assert user.ucfsin != "UCFSIN-2020-000009"


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["é" * 36 + "x", "x" * 73, "correct horse " * 9])
def test_long_passwords_are_neither_cut_nor_an_error(password):
    assert register(password=password).status_code == 201
    user = User.objects.get()
    assert user.check_password(password)
    assert not user.check_password(password[:-1])


@pytest.mark.django_db
def test_an_invitation_creates_a_pending_account_without_a_password():
    admin = AdminFactory.create()
    response = client_for(admin).post(
        "/api/users",
        {
            "full_name": "Ravi",
            "email": "ravi@example.com",
            "phone_number": "9840011111",
            "role": "FOREMAN",
        },
    )

    assert response.status_code == 201
    user = User.objects.get(email="ravi@example.com")
    assert (user.status, user.role, user.has_usable_password()) == ("PENDING", "FOREMAN", False)
    assert user.account_mails.get().purpose == MailPurpose.INVITATION
    assert AuditEvent.objects.get(verb="user.created").actor == admin


@pytest.mark.django_db
def test_inviting_an_administrator_needs_the_right_to_change_roles(django_user_model):
    clerk = AdminFactory.create(is_superuser=False)
    with pytest.raises(NotAllowed):
        invite_user(
            actor=clerk,
            full_name="Eve",
            email="eve@example.com",
            phone_number="+919840011111",
            role=Role.ADMIN,
        )


@pytest.mark.django_db
def test_an_account_made_at_the_terminal_is_active_at_once():
    user = create_user_account(
        full_name="Head of office",
        email="Head@Example.com",
        phone_number="+919840011111",
        password=PASSWORD,
        role=Role.FOREMAN,
        is_active=True,
    )

    user.refresh_from_db()
    assert (user.email, user.status) == ("head@example.com", UserStatus.ACTIVE)
    assert user.foreman_approved_at is not None


@pytest.mark.django_db
def test_an_account_at_the_terminal_says_what_is_taken():
    UserFactory.create(email="head@example.com")
    with pytest.raises(Conflict):
        create_user_account(
            full_name="Head", email="head@example.com", phone_number="+919840011111"
        )


@pytest.mark.django_db
def test_an_account_at_the_terminal_needs_a_grown_up_and_a_good_password():
    person = {"full_name": "Head", "email": "h@example.com", "phone_number": "+919840011111"}
    with pytest.raises(InvalidInput, match="18"):
        create_user_account(**person, date_of_birth=date(2020, 1, 1))
    with pytest.raises(InvalidInput, match="common"):
        create_user_account(**person, password="password123")


@pytest.mark.django_db
def test_the_number_is_taken_last_so_that_others_wait_as_short_as_can_be():
    with CaptureQueriesContext(connection) as captured:
        create_user_account(full_name="Head", email="h@example.com", phone_number="+919840011111")
    writes = [query["sql"] for query in captured if query["sql"].startswith("INSERT")]

    assert "number_series" in writes[-2]
    assert writes[-1].startswith('INSERT INTO "users"')
