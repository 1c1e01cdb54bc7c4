"""The second factor at the staff desk."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent, OneTimeCode, TimeBasedFactor
from accounts.services.second_factor import BEGUN_LIFETIME, reset_second_factor
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from accounts.tests.test_second_factor import code_at, enrolled, wrong_code

LOGIN, PAGE, DESK = "/admin/login/", "/admin/second-factor/", "/admin/"


@pytest.fixture
def demanded(settings):
    settings.REQUIRE_STAFF_SECOND_FACTOR = True


def sign_in(client, admin, **fields):
    wish = {"username": admin.email, "password": PASSWORD, "next": DESK} | fields
    return client.post(LOGIN, wish)


def set_up(client):
    page = client.post(PAGE, {"step": "begin", "password": PASSWORD}).content.decode()
    secret = re.search(r'id="secret"[^>]*>([A-Z2-7]+)<', page)[1]
    return page, secret


@pytest.mark.django_db
def test_staff_without_a_factor_are_led_to_set_one_up(client, demanded):
    admin = AdminFactory.create()
    sign_in(client, admin)
    for path in (DESK, reverse("admin:accounts_user_changelist"), reverse("admin:password_change")):
        assert client.get(path).headers["Location"] == PAGE

    page, secret = set_up(client)
    assert "<svg" in page
    again = client.post(PAGE, {"step": "confirm", "code": wrong_code(secret)}).content.decode()
    assert "not the app" in again
    assert secret not in again
    assert "<svg" not in again
    assert 'name="code"' in again
    done = client.post(PAGE, {"step": "confirm", "code": code_at(secret)}).content.decode()

    codes = re.findall(r"<li>([A-Z2-9]{5}-[A-Z2-9]{5})</li>", done)
    assert len(codes) == 10
    assert client.get(DESK).status_code == 200
    assert codes[0] not in client.get(PAGE).content.decode()


@pytest.mark.django_db
def test_the_desks_page_takes_the_code(client, demanded):
    admin = AdminFactory.create()
    secret, codes = enrolled(admin)

    assert "Send the code" in sign_in(client, admin).content.decode()
    assert "not right" in sign_in(client, admin, code=wrong_code(secret)).content.decode()
    assert "_auth_user_id" not in client.session
    assert sign_in(client, admin, code=code_at(secret)).status_code == 302
    assert client.get(DESK).status_code == 200
    client.post(reverse("admin:logout"))
    assert sign_in(client, admin, code=codes[0]).status_code == 302
    assert client.get(DESK).status_code == 200


@pytest.mark.django_db
def test_a_session_from_before_the_factor_signs_in_again(client, demanded):
    admin = AdminFactory.create()
    sign_in(client, admin)
    enrolled(admin)  # elsewhere

    assert client.get(DESK).headers["Location"] == LOGIN
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_a_wrong_password_begins_nothing(client, demanded):
    sign_in(client, AdminFactory.create())
    page = client.post(PAGE, {"step": "begin", "password": "wrong"})

    assert "not your password" in page.content.decode()
    assert not TimeBasedFactor.objects.exists()


@pytest.mark.django_db
def test_a_confirmation_without_a_beginning_begins(client, demanded):
    sign_in(client, AdminFactory.create())

    assert client.post(PAGE, {"step": "confirm", "code": "123456"}).headers["Location"] == PAGE


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["", "123456"])
def test_another_session_learns_no_secret_of_what_the_owner_began(client, demanded, code):
    admin, stolen = AdminFactory.create(), Client()
    sign_in(client, admin)
    sign_in(stolen, admin)
    _, secret = set_up(client)
    answer = stolen.post(PAGE, {"step": "confirm", "code": code})

    assert answer.headers["Location"] == PAGE
    own = client.post(PAGE, {"step": "confirm", "code": code}).content.decode()
    assert secret not in own
    assert 'name="code"' in own


@pytest.mark.django_db
def test_ten_minutes_after_the_password_the_desk_begins_again(client, demanded):
    sign_in(client, AdminFactory.create())
    _, secret = set_up(client)
    with time_machine.travel(timezone.now() + BEGUN_LIFETIME):
        answer = client.post(PAGE, {"step": "confirm", "code": code_at(secret)})

    assert answer.headers["Location"] == PAGE
    assert TimeBasedFactor.objects.get().confirmed_at is None


@pytest.mark.django_db
def test_recovery_codes_are_renewed_at_the_desk(client, demanded):
    admin = AdminFactory.create()
    secret, old = enrolled(admin)
    sign_in(client, admin, code=old[0])
    fields = {"step": "renew", "password": PASSWORD}
    assert "9 recovery codes" in client.get(PAGE).content.decode()
    assert "not right" in client.post(PAGE, fields | {"code": "000"}).content.decode()
    page = client.post(PAGE, fields | {"code": code_at(secret)}).content.decode()

    new = re.findall(r"<li>([A-Z2-9]{5}-[A-Z2-9]{5})</li>", page)
    assert len(new) == 10
    assert not set(new) & set(old)


@pytest.mark.django_db
def test_the_page_is_for_staff_and_is_kept_by_no_cache(client, demanded):
    assert client.get(PAGE).status_code == 302
    client.force_login(UserFactory.create())
    assert client.get(PAGE).status_code == 302
    client.force_login(AdminFactory.create())
    answer = client.get(PAGE)

    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.django_db
def test_a_reset_ends_the_desks_session_and_leads_to_the_page_again(client, demanded):
    admin, chief = AdminFactory.create_batch(2)
    secret, _ = enrolled(admin)
    sign_in(client, admin, code=code_at(secret))
    reset_second_factor(user_id=admin.pk, actor=chief, reason="lost phone")

    assert client.get(DESK).status_code == 302
    assert "_auth_user_id" not in client.session
    sign_in(client, admin)
    assert client.get(DESK).headers["Location"] == PAGE


@pytest.mark.django_db
def test_where_it_is_not_demanded_the_desk_opens_without(client):
    sign_in(client, AdminFactory.create())

    assert client.get(DESK).status_code == 200


@pytest.mark.django_db
def test_a_lost_factor_is_reset_at_the_desk_by_who_may(client):
    clerk, user = AdminFactory.create(is_superuser=False), UserFactory.create()
    clerk.user_permissions.add(Permission.objects.get(codename="view_user"))
    enrolled(user)
    client.force_login(clerk)
    wish = {
        "action": "reset_second_factor_selected",
        "_selected_action": [user.pk],
        "reason": "lost",
    }
    path = reverse("admin:accounts_user_changelist")
    client.post(path, wish)
    assert TimeBasedFactor.objects.exists()
    clerk.user_permissions.add(Permission.objects.get(codename="reset_second_factor"))
    client.post(path, wish)

    assert not TimeBasedFactor.objects.exists()
    event = AuditEvent.objects.get(verb="second_factor.reset")
    assert (event.actor, event.details["reason"]) == (clerk, "lost")


@pytest.mark.django_db
def test_support_sees_how_a_code_fared_but_no_digits(client):
    OneTimeCode.objects.create(
        channel="SMS",
        purpose="REGISTRATION",
        address="+919876543210",
        expires_at=timezone.now(),
        code_hash="hash-of-the-digits",
    )
    client.force_login(AdminFactory.create())
    row = OneTimeCode.objects.get()
    pages = [
        client.get(reverse("admin:accounts_onetimecode_changelist"), {"q": "98765"}),
        client.get(reverse("admin:accounts_onetimecode_change", args=[row.pk])),
    ]

    assert all("+919876543210" in page.content.decode() for page in pages)
    assert not any("hash-of-the-digits" in page.content.decode() for page in pages)
