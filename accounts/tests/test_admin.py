"""The staff desk: its door, and what is decided there."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from accounts.limits import OWN_PASSWORD, SIGN_IN_PAIR
from accounts.models import AuditEvent, User
from accounts.services import change_role, sign_out_everywhere, suspend_user
from accounts.services.people import change_password, record_changed_permissions
from accounts.tests.api import session_of
from accounts.tests.factories import PASSWORD, AdminFactory, ForemanFactory, UserFactory

LOGIN = "/admin/login/"


def sign_in(client, who, password=PASSWORD):
    return client.post(LOGIN, {"username": who, "password": password, "next": "/admin/"})


def may_enter(client):
    return client.get("/admin/").status_code == 200


def desk_of(client, admin=None):
    client.force_login(admin or AdminFactory.create())
    return client


def act(client, action, *users, reason="as decided"):
    return client.post(
        reverse("admin:accounts_user_changelist"),
        {"action": action, "_selected_action": [user.pk for user in users], "reason": reason},
        follow=True,
    )


@pytest.mark.django_db
def test_staff_sign_in_with_their_address(client):
    admin = AdminFactory.create()
    response = sign_in(client, admin.email.upper())

    assert response.status_code == 302
    assert may_enter(client)
    assert AuditEvent.objects.filter(verb="desk.opened", actor=admin).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("make", [UserFactory, ForemanFactory])
def test_nobody_else_does(client, make):
    page = sign_in(client, make.create().email)

    assert "not right" in page.content.decode()
    assert "_auth_user_id" not in client.session
    assert not may_enter(client)


@pytest.mark.django_db
def test_suspended_staff_do_not_sign_in(client):
    admin = AdminFactory.create(suspended=True)
    response = sign_in(client, admin.email)

    assert "suspended" in response.content.decode()
    assert not may_enter(client)


@pytest.mark.django_db
def test_guessing_at_the_desk_is_limited_like_at_the_api(client):
    admin = AdminFactory.create()
    for _ in range(SIGN_IN_PAIR.attempts):
        assert "not right" in sign_in(client, admin.email, "wrong").content.decode()

    assert "Too many attempts" in sign_in(client, admin.email).content.decode()
    assert not may_enter(client)


@pytest.mark.django_db
def test_authority_that_ends_closes_the_desk_at_once(client):
    chief = AdminFactory.create()
    endings = [
        lambda admin: suspend_user(user_id=admin.pk, actor=chief, reason="fraud"),
        lambda admin: change_role(user_id=admin.pk, role="USER", actor=chief, reason="left"),
        lambda admin: change_password(user_id=admin.pk, actor=admin, password="another good one"),
        lambda admin: record_changed_permissions(user_id=admin.pk, actor=chief),
        lambda admin: sign_out_everywhere(actor=admin),
    ]
    for end in endings:
        admin = AdminFactory.create()
        sign_in(client, admin.email)
        assert may_enter(client)
        end(admin)
        assert not may_enter(client)


@pytest.mark.django_db
def test_ones_own_password_is_changed_through_the_service(client):
    admin = AdminFactory.create()
    sign_in(client, admin.email)
    response = client.post(
        reverse("admin:password_change"),
        {
            "old_password": PASSWORD,
            "new_password1": "another good one",
            "new_password2": "another good one",
        },
    )

    assert response.status_code == 302
    assert may_enter(client)  # this session goes on
    assert User.objects.get(pk=admin.pk).token_version == 1
    assert AuditEvent.objects.filter(verb="user.password_changed").exists()


@pytest.mark.django_db
def test_guessing_ones_own_password_at_the_desk_is_limited_and_leaves_a_trace(client):
    admin = AdminFactory.create()
    sign_in(client, admin.email)
    fields = {"new_password1": "another good one", "new_password2": "another good one"}
    path = reverse("admin:password_change")
    for _ in range(OWN_PASSWORD.attempts):
        page = client.post(path, fields | {"old_password": "wrong"}).content.decode()
        assert "not your password" in page
    page = client.post(path, fields | {"old_password": PASSWORD}).content.decode()

    assert "Too many attempts" in page
    assert User.objects.get(pk=admin.pk).check_password(PASSWORD)
    refused = AuditEvent.objects.filter(verb="user.password_refused", target_id=admin.pk)
    assert refused.count() == OWN_PASSWORD.attempts


@pytest.mark.django_db
def test_a_foreman_is_approved_at_the_desk(client):
    foreman = ForemanFactory.create(unapproved=True)
    admin = AdminFactory.create()
    act(desk_of(client, admin), "approve_foreman_selected", foreman)

    foreman.refresh_from_db()
    assert (foreman.status, foreman.foreman_approved_by) == ("ACTIVE", admin)
    assert AuditEvent.objects.get(verb="user.foreman_approved").details["reason"] == "as decided"


@pytest.mark.django_db
def test_people_are_suspended_and_activated_at_the_desk_and_a_refusal_stops_no_other(client):
    users = UserFactory.create_batch(2)
    already = UserFactory.create(suspended=True)
    page = act(desk_of(client), "suspend_selected", already, *users)

    assert "it cannot become suspended" in page.content.decode()
    assert set(User.objects.filter(status="SUSPENDED")) == {*users, already}
    act(client, "activate_selected", *users)
    assert set(User.objects.filter(status="SUSPENDED")) == {already}


@pytest.mark.django_db
def test_a_decision_at_the_desk_needs_a_reason(client):
    user = UserFactory.create()
    page = act(desk_of(client), "suspend_selected", user, reason=" ")

    assert "Give a reason" in page.content.decode()
    user.refresh_from_db()
    assert user.status == "ACTIVE"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "codename"),
    [
        ("approve_foreman_selected", "approve_foreman"),
        ("suspend_selected", "suspend_user"),
        ("activate_selected", "suspend_user"),
    ],
)
def test_each_action_has_its_own_permission(client, action, codename):
    admin = AdminFactory.create(is_superuser=False)
    names = {"view_user", "approve_foreman", "suspend_user", "change_user"} - {codename}
    admin.user_permissions.set(Permission.objects.filter(codename__in=names))
    foreman = ForemanFactory.create(unapproved=True)
    act(desk_of(client, admin), action, foreman)
    before = User.objects.get(pk=foreman.pk)

    assert (before.status, before.foreman_approved_at) == ("PENDING", None)
    assert not AuditEvent.objects.filter(target_id=foreman.pk).exists()


@pytest.mark.django_db
def test_nothing_about_a_person_is_edited_at_the_desk(client):
    user = UserFactory.create()
    desk = desk_of(client)
    path = reverse("admin:accounts_user_change", args=[user.pk])

    assert desk.get(path).status_code == 200
    assert desk.post(path, {"status": "SUSPENDED", "role": "ADMIN"}).status_code == 403
    assert desk.get(reverse("admin:accounts_user_add")).status_code == 403
    assert desk.post(reverse("admin:accounts_user_delete", args=[user.pk])).status_code == 403


@pytest.mark.django_db
def test_a_superuser_gives_another_administrator_permissions_and_nothing_else(client):
    clerk = AdminFactory.create(is_superuser=False)
    group = Group.objects.create(name="Approvers")
    path = reverse("admin:accounts_user_change", args=[clerk.pk])
    response = desk_of(client).post(
        path, {"groups": [group.pk], "user_permissions": [], "role": "USER", "is_superuser": "on"}
    )

    assert response.status_code == 302
    clerk.refresh_from_db()
    assert [*clerk.groups.all()] == [group]
    assert (clerk.role, clerk.is_superuser, clerk.token_version) == ("ADMIN", False, 1)
    event = AuditEvent.objects.get(verb="user.permissions_changed")
    assert event.details == {"groups": ["Approvers"], "permissions": []}


@pytest.mark.django_db
def test_a_clerk_with_change_user_cannot_give_permissions(client):
    clerk, other = AdminFactory.create_batch(2, is_superuser=False)
    names = ["view_user", "change_user"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    path = reverse("admin:accounts_user_change", args=[other.pk])

    assert desk_of(client, clerk).post(path, {"groups": []}).status_code == 403


def group_page(name, *groups):
    return reverse(f"admin:auth_group_{name}", args=[group.pk for group in groups])


@pytest.mark.django_db
def test_a_clerk_with_every_permission_on_groups_says_nothing_of_what_is_in_one(client):
    clerk = AdminFactory.create(is_superuser=False)
    group = Group.objects.create(name="Clerks")
    clerk.groups.add(group)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    everything = [*Permission.objects.values_list("pk", flat=True)]
    desk = desk_of(client, clerk)

    assert desk.get(group_page("changelist")).status_code == 200
    for path in (group_page("change", group), group_page("add")):
        answer = desk.post(path, {"name": "Clerks", "permissions": everything})
        assert answer.status_code == 403
    assert desk.post(group_page("delete", group), {"post": "yes"}).status_code == 403
    desk.post(
        group_page("changelist"),
        {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"},
    )
    assert Group.objects.get().permissions.count() == 0


@pytest.mark.django_db
def test_a_changed_group_is_on_record_and_ends_the_sessions_of_its_members(client):
    chief, clerk, other = AdminFactory.create(), *AdminFactory.create_batch(2, is_superuser=False)
    group = Group.objects.create(name="Clerks")
    group.user_set.add(clerk, chief)
    permission = Permission.objects.get(codename="suspend_user")
    session = session_of(clerk)
    answer = desk_of(client, chief).post(
        group_page("change", group), {"name": "Clerks", "permissions": [permission.pk]}
    )

    assert answer.status_code == 302
    session.refresh_from_db()
    assert session.ended_at is not None
    versions = dict(User.objects.values_list("pk", "token_version"))
    assert [versions[person.pk] for person in (clerk, other, chief)] == [1, 0, 0]
    event = AuditEvent.objects.get(verb="group.changed")
    assert (event.actor, event.target_type, event.target_id.int) == (chief, "group", group.pk)
    assert event.details == {"name": "Clerks", "permissions": ["suspend_user"]}
    assert AuditEvent.objects.get(verb="user.permissions_changed").target_id == clerk.pk


@pytest.mark.django_db
def test_a_new_group_is_on_record(client):
    answer = desk_of(client).post(group_page("add"), {"name": "Cashiers", "permissions": []})

    assert answer.status_code == 302
    event = AuditEvent.objects.get(verb="group.created")
    assert event.details == {"name": "Cashiers", "permissions": []}


@pytest.mark.django_db
@pytest.mark.parametrize("at_once", [False, True])
def test_a_group_that_goes_ends_the_sessions_of_its_members(client, at_once):
    clerk = AdminFactory.create(is_superuser=False)
    group = Group.objects.create(name="Clerks")
    clerk.groups.add(group)
    path = group_page("changelist") if at_once else group_page("delete", group)
    selected = {"action": "delete_selected", "_selected_action": [group.pk]} if at_once else {}
    desk_of(client).post(path, {"post": "yes", **selected})

    assert not Group.objects.exists()
    clerk.refresh_from_db()
    assert clerk.token_version == 1
    assert AuditEvent.objects.get(verb="group.deleted").details == {"name": "Clerks"}


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["user", "auditevent", "jobrun", "accountmail", "authsession"])
def test_every_list_of_the_desk_opens_and_searches(client, model):
    desk = desk_of(client)
    path = reverse(f"admin:accounts_{model}_changelist")

    assert desk.get(path).status_code == 200
    assert desk.get(path, {"q": "x"}).status_code == 200
    assert desk.get(reverse(f"admin:accounts_{model}_add")).status_code == 403
