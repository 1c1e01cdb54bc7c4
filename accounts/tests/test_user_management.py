"""What the office does for people: sends links again, and takes the list along."""

from __future__ import annotations

import csv
import io

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import Address, AddressKind, AuditEvent, MailPurpose, Role
from accounts.services import invite_user
from accounts.spreadsheets import csv_lines, harmless
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory


def clerk(*codenames):
    admin = AdminFactory.create(is_superuser=False)
    admin.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return admin


def invited(admin):
    return invite_user(
        actor=admin,
        full_name="New Person",
        email="new@example.com",
        phone_number="+919812345678",
        role=Role.USER,
    )


@pytest.mark.django_db
def test_an_invitation_is_sent_again_and_the_one_before_is_void():
    admin = AdminFactory.create()
    person = invited(admin)
    first = person.account_mails.get()
    answer = client_for(admin).post(f"/api/users/{person.pk}/resend-invitation")
    assert answer.status_code == 202
    first.refresh_from_db()
    assert first.used_at is not None
    assert person.account_mails.get(used_at=None).purpose == MailPurpose.INVITATION
    assert AuditEvent.objects.filter(verb="user.invitation_resent").count() == 1
    reset = client_for(admin).post(f"/api/users/{person.pk}/send-reset-link")
    assert reset.status_code == 409


@pytest.mark.django_db
def test_a_reset_link_is_sent_and_no_password_told():
    admin, user = AdminFactory.create(), UserFactory.create()
    answer = client_for(admin).post(f"/api/users/{user.pk}/send-reset-link")
    assert answer.status_code == 202
    assert "password" not in answer.content.decode()
    assert user.account_mails.get().purpose == MailPurpose.PASSWORD_RESET
    assert AuditEvent.objects.filter(verb="user.reset_link_sent").count() == 1
    invitation = client_for(admin).post(f"/api/users/{user.pk}/resend-invitation")
    assert invitation.status_code == 409
    shut_out = UserFactory.create(suspended=True)
    assert client_for(admin).post(f"/api/users/{shut_out.pk}/send-reset-link").status_code == 409


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "codename"),
    [("resend-invitation", "add_user"), ("send-reset-link", "change_user")],
)
def test_links_are_sent_by_permission_and_not_without_end(action, codename):
    person = invited(AdminFactory.create()) if "invitation" in action else UserFactory.create()
    url = f"/api/users/{person.pk}/{action}"
    for stranger in (UserFactory.create(), ForemanFactory.create(), clerk("view_user")):
        assert client_for(stranger).post(url).status_code == 403
    client = client_for(clerk("view_user", codename))
    # A key of its own on each: what a refused one has counted and recorded is not undone.
    keys = [{"HTTP_IDEMPOTENCY_KEY": f"link-{number}"} for number in range(7)]
    codes = [client.post(url, **key).status_code for key in keys]
    assert codes == [202] * 5 + [429] * 2
    assert AuditEvent.objects.filter(verb="limit.reached").count() == 1


@pytest.mark.django_db
def test_the_office_is_told_when_somebody_last_signed_in_and_nobody_else():
    foreman, admin = ForemanFactory.create(last_login=timezone.now()), AdminFactory.create()
    rows = client_for(admin).get("/api/users?role=FOREMAN").json()["results"]
    assert rows[0]["last_login"] is not None
    assert "last_login" in client_for(admin).get(f"/api/users/{foreman.pk}").json()
    assert "last_login" not in client_for(foreman).get(f"/api/users/{foreman.pk}").json()


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["email", "phone_number", "ucfsin", "full_name"])
def test_people_are_found_by_whatever_names_them(field):
    admin = client_for(AdminFactory.create())
    user, _other = UserFactory.create(full_name="Thenmozhi"), UserFactory.create()
    needle = getattr(user, field).lstrip("+")
    rows = admin.get("/api/users", {"search": needle}).json()["results"]
    assert [row["id"] for row in rows] == [str(user.pk)]


@pytest.mark.django_db
def test_the_list_is_taken_along_as_csv_with_eleven_columns():
    admin = AdminFactory.create()
    user = UserFactory.create(full_name="=cmd|' /C calc'!A1", email="zed@example.com")
    for kind, city in ((AddressKind.PERMANENT, "Salem"), (AddressKind.CURRENT, "Erode")):
        Address.objects.create(
            user=user, kind=kind, line1="1", city=city, district="d", state="TN", pin_code="636001"
        )
    answer = client_for(admin).get("/api/users/export?role=USER", HTTP_ACCEPT="text/csv")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    header, row = list(csv.reader(io.StringIO(text)))
    assert len(header) == len(row) == 11
    assert row[1:6] == ["'=cmd|' /C calc'!A1", "zed@example.com", f"'{user.phone_number}", "Erode",
                        "TN"]  # fmt: skip
    event = AuditEvent.objects.get(verb="users.exported")
    assert event.details == {"count": 1}


@pytest.mark.django_db
def test_the_list_is_not_for_everybody():
    for person in (UserFactory.create(), ForemanFactory.create(), clerk("suspend_user")):
        answer = client_for(person).get("/api/users/export", HTTP_ACCEPT="text/csv")
        assert answer.status_code == 403
        assert answer.json()["message"] == "Forbidden"
    assert not AuditEvent.objects.filter(verb="users.exported").exists()


@pytest.mark.django_db
def test_the_file_asks_the_same_however_long_it_is(django_assert_max_num_queries):
    client = client_for(AdminFactory.create())
    for _ in range(2):
        UserFactory.create_batch(10)
        with django_assert_max_num_queries(8):
            b"".join(client.get("/api/users/export").streaming_content)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", " ="])
def test_no_cell_begins_a_formula(begin):
    assert harmless(f"{begin}1+1") == f"'{begin}1+1"
    [_header, line] = csv_lines(["a"], [[f"{begin}HYPERLINK()"]])
    assert line.startswith(("'", "\"'"))


def test_other_cells_stay_what_they_are():
    assert [harmless(value) for value in ("a=b", None, 0, "R. Meena")] == [
        "a=b",
        "",
        "0",
        "R. Meena",
    ]
