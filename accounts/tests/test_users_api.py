"""The people of the office over HTTP."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from accounts.models import AuditEvent, KycStatus, Role, User
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, ForemanFactory, UserFactory

REASON = {"reason": "as decided in the meeting"}


def emails(response):
    return {row["email"] for row in response.json()["results"]}


def admin_with(*codenames):
    admin = AdminFactory.create(is_superuser=False)
    admin.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return admin


@pytest.mark.django_db
def test_the_office_sees_everybody_a_foreman_themselves_and_a_subscriber_no_list():
    user, foreman, admin = UserFactory.create(), ForemanFactory.create(), AdminFactory.create()

    assert emails(client_for(admin).get("/api/users")) == {user.email, foreman.email, admin.email}
    assert emails(client_for(foreman).get("/api/users")) == {foreman.email}
    assert client_for(user).get("/api/users").status_code == 403
    assert client_for(None).get("/api/users").status_code == 401


@pytest.mark.django_db
def test_an_administrator_without_the_permission_sees_only_themselves():
    admin = admin_with()
    UserFactory.create()

    assert emails(client_for(admin).get("/api/users")) == {admin.email}


@pytest.mark.django_db
def test_the_list_is_filtered_searched_and_ordered():
    admin = AdminFactory.create(full_name="Zoya")
    UserFactory.create(full_name="Asha Rao", email="a@example.com", kyc_verified=True)
    ForemanFactory.create(full_name="Bala", email="b@example.com")
    UserFactory.create(full_name="Chitra", email="c@example.com", suspended=True)
    client = client_for(admin)

    def found(query):
        return emails(client.get(f"/api/users?{query}"))

    assert found("role=FOREMAN") == {"b@example.com"}
    assert found("status=SUSPENDED") == {"c@example.com"}
    assert found(f"kyc_status={KycStatus.VERIFIED}") == {"a@example.com"}
    assert found("search=rao") == {"a@example.com"}
    assert client.get("/api/users?role=KING").status_code == 400
    names = [
        row["full_name"] for row in client.get("/api/users?ordering=full_name").json()["results"]
    ]
    assert names == ["Asha Rao", "Bala", "Chitra", "Zoya"]


@pytest.mark.django_db
def test_an_ordering_that_is_not_allowed_changes_nothing():
    client = client_for(AdminFactory.create())
    UserFactory.create_batch(3)

    usual = client.get("/api/users").json()["results"]
    assert client.get("/api/users?ordering=password").json()["results"] == usual


@pytest.mark.django_db
def test_the_list_asks_the_same_however_long_it_is(django_assert_max_num_queries):
    client = client_for(AdminFactory.create())
    for _ in range(2):
        UserFactory.create_batch(10)
        with django_assert_max_num_queries(3):
            assert client.get("/api/users?page_size=100").status_code == 200


@pytest.mark.django_db
def test_a_stranger_is_not_found():
    user, other, foreman = UserFactory.create(), UserFactory.create(), ForemanFactory.create()
    for client in (client_for(user), client_for(foreman)):
        assert client.get(f"/api/users/{other.pk}").status_code == 404
        assert client.put(f"/api/users/{other.pk}", {}).status_code == 404
    assert client_for(user).get(f"/api/users/{user.pk}").status_code == 200


@pytest.mark.django_db
def test_one_changes_ones_own_details_and_nothing_that_is_the_offices():
    user = UserFactory.create()
    before = User.objects.get(pk=user.pk)
    response = client_for(user).put(
        f"/api/users/{user.pk}",
        {
            "full_name": "Asha Rao",
            "phone_number": user.phone_number,
            "date_of_birth": "1985-01-01",
            "role": "ADMIN",
            "status": "SUSPENDED",
            "ucfsin": "UCFSIN-2020-999999",
            "chit_score": 900,
            "kyc_status": "VERIFIED",
            "email": "else@example.com",
            "is_superuser": True,
            "is_staff": True,
            "token_version": 9,
        },
    )

    assert response.status_code == 200
    after = User.objects.get(pk=user.pk)
    assert after.full_name == "Asha Rao"
    kept = ("role", "status", "ucfsin", "chit_score", "kyc_status", "email", "is_superuser")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert after.token_version == before.token_version
    event = AuditEvent.objects.get(verb="user.changed")
    assert event.details == {"fields": ["date_of_birth", "full_name"]}


@pytest.mark.django_db
def test_put_needs_the_whole_and_patch_a_part():
    user = UserFactory.create()
    client = client_for(user)

    assert client.put(f"/api/users/{user.pk}", {"full_name": "New"}).status_code == 400
    response = client.patch(f"/api/users/{user.pk}", {"full_name": "New name"})
    assert response.json()["full_name"] == "New name"
    assert response.json()["phone_number"] == user.phone_number


@pytest.mark.django_db
def test_a_taken_number_is_a_conflict():
    user, other = UserFactory.create_batch(2)
    admin = client_for(AdminFactory.create())
    response = admin.patch(f"/api/users/{user.pk}", {"phone_number": other.phone_number})

    assert response.status_code == 409
    assert other.phone_number not in response.content.decode()


@pytest.mark.django_db
def test_a_child_cannot_be_made_of_a_member():
    user = UserFactory.create()
    response = client_for(user).patch(f"/api/users/{user.pk}", {"date_of_birth": "2020-01-01"})

    assert response.status_code == 400


@pytest.mark.django_db
def test_a_verified_name_is_changed_by_the_office_only():
    user = UserFactory.create(kyc_verified=True)
    path = f"/api/users/{user.pk}"

    assert client_for(user).patch(path, {"full_name": "Other"}).status_code == 409
    assert client_for(user).patch(path, {"full_name": user.full_name}).status_code == 200
    assert client_for(AdminFactory.create()).patch(path, {"full_name": "Other"}).status_code == 200


@pytest.mark.django_db
def test_an_administrator_who_may_only_look_may_not_change():
    user = UserFactory.create()
    client = client_for(admin_with("view_user"))

    assert client.get(f"/api/users/{user.pk}").status_code == 200
    assert client.patch(f"/api/users/{user.pk}", {"full_name": "Other"}).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "codename"),
    [
        ("suspend", "suspend_user"),
        ("activate", "suspend_user"),
        ("approve-foreman", "approve_foreman"),
        ("role", "change_role"),
    ],
)
def test_each_decision_needs_its_own_permission(action, codename):
    user = UserFactory.create()
    path = f"/api/users/{user.pk}/{action}"
    everything_else = {"view_user", "suspend_user", "approve_foreman", "change_role"} - {codename}

    for person in (user, ForemanFactory.create(), admin_with(*everything_else)):
        response = client_for(person).post(path, REASON | {"role": "USER"})
        assert response.status_code == 403
        assert response.json()["message"] == "Forbidden"
    allowed = client_for(admin_with("view_user", codename)).post(path, REASON | {"role": "USER"})
    assert allowed.status_code in (200, 409)


@pytest.mark.django_db
def test_a_decision_needs_a_reason():
    user = UserFactory.create()
    client = client_for(AdminFactory.create())

    assert client.post(f"/api/users/{user.pk}/suspend", {}).status_code == 400
    assert client.post(f"/api/users/{user.pk}/suspend", {"reason": " "}).status_code == 400


@pytest.mark.django_db
def test_suspending_and_activating():
    user = UserFactory.create()
    client = client_for(AdminFactory.create())

    assert client.post(f"/api/users/{user.pk}/suspend", REASON).json()["status"] == "SUSPENDED"
    again = client.post(f"/api/users/{user.pk}/suspend", REASON)
    assert (again.status_code, again.json()["code"]) == (409, "invalid_transition")
    assert client.post(f"/api/users/{user.pk}/activate", REASON).json()["status"] == "ACTIVE"
    assert client.post(f"/api/users/{user.pk}/activate", REASON).status_code == 409


@pytest.mark.django_db
def test_approving_a_foreman():
    foreman = ForemanFactory.create(unapproved=True)
    client = client_for(AdminFactory.create())
    path = f"/api/users/{foreman.pk}/approve-foreman"

    assert client.post(path, REASON).json()["status"] == "ACTIVE"
    assert client.post(path, REASON).status_code == 409
    user = UserFactory.create()
    assert client.post(f"/api/users/{user.pk}/approve-foreman", REASON).status_code == 409


@pytest.mark.django_db
def test_changing_a_role():
    user = UserFactory.create()
    client = client_for(AdminFactory.create())
    response = client.post(f"/api/users/{user.pk}/role", REASON | {"role": "foreman"})

    assert response.json()["role"] == Role.FOREMAN
    assert response.json()["status"] == "ACTIVE"


@pytest.mark.django_db
def test_nobody_decides_about_themselves():
    admin = AdminFactory.create()
    client = client_for(admin)
    for action in ("suspend", "activate", "approve-foreman", "role"):
        path = f"/api/users/{admin.pk}/{action}"
        assert client.post(path, REASON | {"role": "USER"}).status_code == 403


@pytest.mark.django_db
def test_an_unknown_user_is_not_found():
    client = client_for(AdminFactory.create())

    missing = "01990000-0000-7000-8000-000000000000"
    assert client.get(f"/api/users/{missing}").status_code == 404
    assert client.post(f"/api/users/{missing}/suspend", REASON).status_code == 404
