"""What operators do at the terminal."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEvent, BusinessClock, User
from accounts.tests.factories import PASSWORD
from chitfund.business_date import business_date

ADMIN = ["--email", "Head@Example.com", "--password", PASSWORD, "--phone", "9840012345"]


@pytest.mark.django_db
def test_the_first_administrator_is_active_and_may_everything():
    call_command("create_admin", *ADMIN)

    user = User.objects.get()
    assert (user.email, user.role, user.status) == ("head@example.com", "ADMIN", "ACTIVE")
    assert user.is_staff
    assert user.is_superuser
    assert user.check_password(PASSWORD)


@pytest.mark.django_db
def test_a_second_administrator_with_the_address_is_refused():
    call_command("create_admin", *ADMIN)
    with pytest.raises(CommandError, match="has an account"):
        call_command("create_admin", *ADMIN)

    assert User.objects.count() == 1


@pytest.mark.django_db
def test_an_administrator_needs_no_phone_number_at_hand():
    call_command("create_admin", "--email", "a@example.com", "--password", PASSWORD)
    call_command("create_admin", "--email", "b@example.com", "--password", PASSWORD)

    assert User.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong", [["--phone", "12"], ["--password", "password123"], ["--email", "no address"]]
)
def test_a_wrong_administrator_is_refused(wrong):
    with pytest.raises(CommandError):
        call_command("create_admin", *ADMIN, *wrong)

    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_business_date_is_shown_moved_and_let_go(capsys):
    real = business_date()
    call_command("business_date")
    call_command("business_date", "--set", "2030-01-31")
    assert business_date() == date(2030, 1, 31)
    call_command("business_date", "--set", "2030-02-01")
    call_command("business_date")
    call_command("business_date", "--clear")

    shown = capsys.readouterr().out.split()
    assert shown == [str(real), "2030-01-31", "2030-02-01", "2030-02-01", str(real)]


@pytest.mark.django_db
def test_moving_the_business_date_is_on_record_and_looking_at_it_is_not(capsys):
    real = business_date()
    call_command("business_date")
    assert not AuditEvent.objects.exists()
    call_command("business_date", "--set", "2030-01-31")
    call_command("business_date", "--clear")

    events = AuditEvent.objects.order_by("id")
    assert [(event.actor, event.verb) for event in events] == [(None, "business_date.moved")] * 2
    assert [event.details for event in events] == [
        {"before": str(real), "after": "2030-01-31"},
        {"before": "2030-01-31", "after": str(real)},
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("move", [["--set", "2030-01-31"], ["--clear"]])
def test_nobody_moves_the_date_in_production(move, settings, capsys):
    settings.APP_ENV = "production"
    with pytest.raises(CommandError):
        call_command("business_date", *move)

    assert not BusinessClock.objects.exists()
    call_command("business_date")
    assert capsys.readouterr().out.strip() == str(business_date())
