"""Taking one's data along, and asking for erasure."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import (
    Address,
    AuditEvent,
    BankAccount,
    Consent,
    ErasureRequest,
    ErasureStatus,
    Nominee,
    User,
    UserProfile,
)
from accounts.notices import CURRENT_VERSIONS
from accounts.tests.api import client_for
from accounts.tests.factories import AdminFactory, UserFactory
from accounts.tests.test_profiles import ACCOUNT, ADDRESS, NOMINEE
from chitfund.data_rights import ERASERS, HOLDS, SECTIONS, erasers, holds_on, sections
from kyc.models import UserKYC, VerificationStatus
from kyc.tests.factories import UserKYCFactory
from notifications.models import NotificationEvent
from notifications.services import notify
from schemes.models import Scheme, SchemeStatus
from subscriptions.services import withdraw
from subscriptions.tests.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db

REASON = {"reason": "as the law says"}


def somebody():
    """A person who has said everything there is to say."""
    user = UserFactory.create()
    client, base = client_for(user), f"/api/users/{user.pk}"
    body = {"permanent_address": ADDRESS, "occupation": "FARMER"}
    client.put(f"{base}/profile", body, format="json")
    client.put(f"{base}/nominees", {"nominees": [NOMINEE]}, format="json")
    client.post(f"{base}/bank-accounts", ACCOUNT, format="json")
    for purpose, version in CURRENT_VERSIONS.items():
        consent = {"purpose": purpose, "version": version, "granted": True}
        client.post(f"{base}/consents", consent, format="json")
    return user


def left(user):
    """Which kinds of data of a person are there."""
    models = {
        "profile": UserProfile,
        "addresses": Address,
        "nominees": Nominee,
        "bank_accounts": BankAccount,
        "consents": Consent,
    }
    return {name for name, model in models.items() if model.objects.filter(user=user).exists()}


def test_every_registered_function_is_there():
    user = UserFactory.create()
    assert {name for name, section in sections() if isinstance(section(user.pk), list)} == set(
        SECTIONS
    )
    assert {name for name, _ in erasers()} == set(ERASERS)
    assert len(HOLDS) == 4
    assert holds_on(user.pk)


def test_whatever_is_shown_is_erased_or_held_by_a_law_that_is_named():
    user = UserFactory.create()
    SubscriptionFactory.create(subscriber=user)
    held = {name for hold in holds_on(user.pk) for name in hold.what}
    assert SECTIONS.keys() - ERASERS.keys() - held == set()
    assert (ERASERS.keys() | held) - SECTIONS.keys() == set()


def test_a_ticket_of_before_the_chit_is_shown_and_held_too():
    user = UserFactory.create()
    ticket = SubscriptionFactory.create(subscriber=user)
    withdraw(subscription_id=ticket.pk, actor=user, reason="changed my mind")
    shown = {name for name, section in sections() if section(user.pk)}
    held = {name for hold in holds_on(user.pk) for name in hold.what}
    assert "tickets" in shown
    assert shown - ERASERS.keys() - held == set()


def test_an_export_that_fails_uses_no_day_up(monkeypatch):
    user = UserFactory.create()
    client = client_for(user)

    def broken():
        raise RuntimeError("A section is broken.")

    with monkeypatch.context() as patched:
        patched.setattr("accounts.services.data_rights.sections", broken)
        assert client.get(f"/api/users/{user.pk}/export").status_code == 500
    assert client.get(f"/api/users/{user.pk}/export").status_code == 200
    assert client.get(f"/api/users/{user.pk}/export").status_code == 429


def test_people_take_their_data_along_once_a_day():
    user = somebody()
    ticket = SubscriptionFactory.create(subscriber=user)
    UserKYCFactory.create(user=user)
    notify(recipient_id=user.pk, event=NotificationEvent.KYC_VERIFIED, document="PAN")
    client = client_for(user)
    answer = client.get(f"/api/users/{user.pk}/export")
    assert answer.status_code == 200
    parts = answer.json()["sections"]
    assert parts.keys() == SECTIONS.keys()
    assert parts["account"][0]["email"] == user.email
    assert parts["nominees"][0]["full_name"] == NOMINEE["full_name"]
    assert parts["bank_accounts"][0]["number_last4"] == "8901"
    assert parts["tickets"][0]["id"] == str(ticket.pk)
    assert len(parts["kyc_documents"]) == 1
    assert len(parts["notifications"]) == 1
    assert {row["by"] for row in parts["audit_events"]} == {"you"}
    text = answer.content.decode()
    for secret in (ACCOUNT["account_number"], user.password, "number_sealed", "document_url"):
        assert secret not in text
    again = client.get(f"/api/users/{user.pk}/export")
    assert again.status_code == 429
    assert again["Retry-After"]
    assert AuditEvent.objects.filter(verb="user.data_exported", actor=user).count() == 1


def test_nobody_takes_the_data_of_another():
    user = UserFactory.create()
    for stranger in (UserFactory.create(), AdminFactory.create()):
        assert client_for(stranger).get(f"/api/users/{user.pk}/export").status_code == 404
        answer = client_for(stranger).post(f"/api/users/{user.pk}/erasure-request", {})
        assert answer.status_code in (403, 404)
    assert not ErasureRequest.objects.exists()


def test_a_request_erases_at_once_what_no_law_keeps_and_says_what_stays():
    user = somebody()
    client = client_for(user)
    answer = client.post(f"/api/users/{user.pk}/erasure-request", {"note": "please"})
    assert answer.status_code == 201
    assert answer.json()["erased"] == ["profile"]
    assert answer.json()["status"] == "PENDING"
    assert [hold["what"] for hold in answer.json()["kept"]] == [
        ["account", "foreman_profile", "consents", "audit_events"],
        ["sessions", "second_factor", "account_mails", "erasure_requests"],
    ]
    assert all(hold["law"] and hold["why"] for hold in answer.json()["kept"])
    assert left(user) == {"addresses", "nominees", "bank_accounts", "consents"}
    assert client.post(f"/api/users/{user.pk}/erasure-request", {}).status_code == 409
    assert len(client.get(f"/api/users/{user.pk}/erasure-request").json()["results"]) == 1


def test_the_office_erases_what_is_not_held():
    user = somebody()
    client_for(user).post(f"/api/users/{user.pk}/erasure-request", {})
    row = ErasureRequest.objects.get()
    desk = client_for(AdminFactory.create())
    answer = desk.post(f"/api/erasure-requests/{row.pk}/accept", REASON)
    assert answer.status_code == 200
    assert answer.json()["erased"] == ["addresses", "bank_accounts", "nominees", "profile"]
    assert left(user) == {"consents"}
    assert User.objects.filter(pk=user.pk).exists()
    assert desk.post(f"/api/erasure-requests/{row.pk}/accept", REASON).status_code == 409
    assert desk.post(f"/api/erasure-requests/{row.pk}/refuse", REASON).status_code == 409
    assert AuditEvent.objects.filter(verb="erasure.done").count() == 1


@pytest.mark.parametrize("is_over", [False, True])
def test_who_stands_in_the_records_of_a_chit_is_kept_for_eight_years(is_over):
    user = somebody()
    ticket = SubscriptionFactory.create(subscriber=user)
    if is_over:
        Scheme.objects.filter(pk=ticket.scheme_id).update(
            status=SchemeStatus.TERMINATED,
            terminated_at="2026-03-01T12:00:00Z",
            termination_reason="agreed",
        )
    client_for(user).post(f"/api/users/{user.pk}/erasure-request", {})
    row = ErasureRequest.objects.get()
    answer = client_for(AdminFactory.create()).post(
        f"/api/erasure-requests/{row.pk}/accept", REASON
    )
    held = answer.json()["kept"][2]
    assert "s.45" in held["law"]
    assert held["until"] == ("2034-03-01" if is_over else None)
    assert left(user) == {"addresses", "nominees", "bank_accounts", "consents"}


def test_a_ticket_given_back_before_the_chit_began_holds_nothing_but_itself():
    user = UserFactory.create()
    ticket = SubscriptionFactory.create(subscriber=user)
    before = holds_on(user.pk)
    withdraw(subscription_id=ticket.pk, actor=user, reason="changed my mind")
    after = holds_on(user.pk)
    assert len(before) - len(after) == 1
    assert {name for hold in before for name in hold.what} >= {"addresses", "tickets"}
    assert "addresses" not in {name for hold in after for name in hold.what}
    assert ("tickets",) in {hold.what for hold in after}


def test_documents_that_proved_nothing_go_and_a_verified_identity_stays():
    user, proven = UserFactory.create(), UserFactory.create()
    UserKYCFactory.create(user=user)
    UserKYCFactory.create(
        user=proven,
        status=VerificationStatus.VERIFIED,
        verified_at="2026-03-01T12:00:00Z",
        reviewed_by=AdminFactory.create(),
    )
    desk = client_for(AdminFactory.create())
    for person in (user, proven):
        client_for(person).post(f"/api/users/{person.pk}/erasure-request", {})
        row = ErasureRequest.objects.get(user=person)
        desk.post(f"/api/erasure-requests/{row.pk}/accept", REASON)
    assert UserKYC.objects.get().user == proven


def test_a_refusal_says_why_and_another_request_may_follow():
    user = somebody()
    client = client_for(user)
    client.post(f"/api/users/{user.pk}/erasure-request", {})
    row = ErasureRequest.objects.get()
    desk = client_for(AdminFactory.create())
    assert desk.post(f"/api/erasure-requests/{row.pk}/refuse", {}).status_code == 400
    assert desk.post(f"/api/erasure-requests/{row.pk}/refuse", REASON).status_code == 200
    mine = client.get(f"/api/users/{user.pk}/erasure-request").json()["results"][0]
    assert (mine["status"], mine["decision_reason"]) == ("REFUSED", REASON["reason"])
    assert client.post(f"/api/users/{user.pk}/erasure-request", {}).status_code == 201


def test_the_desk_needs_its_permissions():
    user = somebody()
    client_for(user).post(f"/api/users/{user.pk}/erasure-request", {})
    row = ErasureRequest.objects.get()
    looking = AdminFactory.create(is_superuser=False)
    looking.user_permissions.set(Permission.objects.filter(codename="view_erasurerequest"))
    for person, expected in ((user, 403), (looking, 200)):
        assert client_for(person).get("/api/erasure-requests").status_code == expected
        for decision in ("accept", "refuse"):
            answer = client_for(person).post(f"/api/erasure-requests/{row.pk}/{decision}", REASON)
            assert answer.status_code == 403
    row.refresh_from_db()
    assert row.status == ErasureStatus.PENDING


def test_nobody_decides_on_their_own_request():
    admin = AdminFactory.create()
    client = client_for(admin)
    client.post(f"/api/users/{admin.pk}/erasure-request", {})
    row = ErasureRequest.objects.get()
    assert client.post(f"/api/erasure-requests/{row.pk}/accept", REASON).status_code == 403


@pytest.mark.parametrize(
    ("action", "status"), [("accept_selected", "DONE"), ("refuse_selected", "REFUSED")]
)
def test_requests_are_decided_in_the_admin(action, status):
    user = somebody()
    client_for(user).post(f"/api/users/{user.pk}/erasure-request", {})
    row = ErasureRequest.objects.get()
    desk = Client()
    desk.force_login(AdminFactory.create())
    url = reverse("admin:accounts_erasurerequest_changelist")
    form = {"action": action, "_selected_action": [row.pk], "reason": " "}
    assert "Give a reason" in desk.post(url, form, follow=True).content.decode()
    desk.post(url, form | REASON)
    row.refresh_from_db()
    assert row.status == status


def test_lists_ask_the_same_however_long_they_are(django_assert_num_queries):
    admin = client_for(AdminFactory.create())
    user = UserFactory.create()
    own = client_for(user)
    for _ in range(2):
        ErasureRequest.objects.bulk_create(
            ErasureRequest(
                user=user,
                status=ErasureStatus.REFUSED,
                decided_by=UserFactory.create(),
                decision_reason="no",
            )
            for _ in range(4)
        )
        with django_assert_num_queries(2):
            assert admin.get("/api/erasure-requests?status=REFUSED").status_code == 200
        with django_assert_num_queries(2):
            assert own.get(f"/api/users/{user.pk}/erasure-request").status_code == 200
