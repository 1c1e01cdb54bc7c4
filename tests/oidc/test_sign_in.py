"""Signing in with another provider, end to end, and what an attacker would try."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import time_machine
from django.utils import timezone

from accounts.models import (
    AccountMail,
    AuditEvent,
    AuthSession,
    ExternalIdentity,
    MailPurpose,
    OAuthAttempt,
    SignInMethod,
)
from accounts.models.factors import TimeBasedFactor
from accounts.services import oidc, second_factor
from accounts.tests.api import client_for
from accounts.tests.factories import PASSWORD, AdminFactory, UserFactory
from chitfund.settings.oidc import OidcProvider
from tests.oidc.conftest import PAGE, Browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha():
    return UserFactory(email="asha@example.com")


def test_a_proven_address_links_and_signs_in(browser, asha):
    answer = browser.call(browser.come_back("asha-1"))
    assert answer.status_code == 200, answer.json()
    assert answer.json()["user"]["id"] == str(asha.pk)

    me = browser.client.get(
        "/api/auth/me", headers={"Authorization": f"Bearer {answer.json()['access_token']}"}
    )
    assert me.status_code == 200
    assert AuthSession.objects.get().signed_in_with == SignInMethod.OIDC
    assert ExternalIdentity.objects.get().subject == "asha-1"
    assert AccountMail.objects.filter(user=asha, purpose=MailPurpose.IDENTITY_LINKED).count() == 1


def test_a_linked_person_is_known_by_the_subject_whatever_their_address_is_now(browser, asha):
    browser.call(browser.come_back("asha-1"))
    asha.email = "another@example.com"
    asha.save()

    answer = browser.call(browser.come_back("asha-1"))
    assert answer.json()["user"]["id"] == str(asha.pk)
    assert ExternalIdentity.objects.count() == 1


def test_it_asks_with_pkce_state_and_nonce_and_for_one_page_only(browser):
    begun = browser.begin()
    asked = parse_qs(urlsplit(begun["authorization_url"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert asked["state"] == [begun["state"]]
    assert asked["redirect_uri"] == [PAGE]
    assert len(asked["nonce"][0]) >= 43
    assert asked["code_challenge"] != asked["nonce"]


def test_the_provider_refuses_a_code_without_its_verifier(browser, asha, monkeypatch):
    """The negative control of PKCE: this provider looks at the verifier."""
    body = browser.come_back("asha-1")
    real = oidc.person_of_code

    def with_another_verifier(provider, **asked):
        return real(provider, **asked | {"verifier": "x" * 43})

    monkeypatch.setattr(oidc, "person_of_code", with_another_verifier)
    answer = browser.call(body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "sign_in_not_confirmed"
    assert not AuthSession.objects.exists()


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("unverified-2", "address_not_verified"),
        ("textual-3", "address_not_verified"),
        ("stranger-4", "not_registered"),
    ],
)
def test_nobody_is_linked_by_an_address_that_is_not_proven(browser, asha, subject, code):
    answer = browser.call(browser.come_back(subject))
    assert answer.status_code == 403
    assert answer.json()["code"] == code
    assert not ExternalIdentity.objects.exists()
    assert not AuthSession.objects.exists()


def test_an_account_whose_own_address_is_unproven_is_not_linked(browser):
    UserFactory(email="asha@example.com", pending=True)
    answer = browser.call(browser.come_back("asha-1"))
    assert answer.status_code == 403
    assert answer.json()["code"] == "email_not_verified"
    assert not ExternalIdentity.objects.exists()


def test_a_suspended_person_is_refused_as_at_any_sign_in(browser, asha):
    browser.call(browser.come_back("asha-1"))
    asha.status = "SUSPENDED"
    asha.save()
    answer = browser.call(browser.come_back("asha-1"))
    assert (answer.status_code, answer.json()["code"]) == (403, "account_suspended")
    assert AuthSession.objects.count() == 1


def test_staff_are_not_linked_by_their_address(browser):
    AdminFactory(email="staff@example.com")
    answer = browser.call(browser.come_back("staff-5"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_linked")
    assert not ExternalIdentity.objects.exists()


def test_staff_link_themselves_with_their_password_and_then_sign_in(provider):
    staff = AdminFactory(email="staff@example.com")
    browser = Browser(provider, client_for(staff))
    refused = browser.call(browser.come_back("staff-5", password="wrong"), "link")
    assert (refused.status_code, refused.json()["code"]) == (400, "wrong_password")

    linked = browser.call(browser.come_back("staff-5", password=PASSWORD), "link")
    assert linked.status_code == 201, linked.json()
    assert AuditEvent.objects.filter(actor=staff, verb="identity.linked").count() == 1

    fresh = Browser(provider)
    answer = fresh.call(fresh.come_back("staff-5"))
    assert answer.json()["user"]["id"] == str(staff.pk)


def test_a_person_elsewhere_belongs_to_one_account(provider, asha):
    other = UserFactory()
    browser = Browser(provider, client_for(asha))
    assert browser.call(browser.come_back("asha-1", password=PASSWORD), "link").status_code == 201
    thief = Browser(provider, client_for(other))
    answer = thief.call(thief.come_back("asha-1", password=PASSWORD), "link")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_linked")


def test_a_link_is_listed_and_removed_by_its_owner_only(provider, asha):
    browser = Browser(provider, client_for(asha))
    browser.call(browser.come_back("asha-1", password=PASSWORD), "link")
    listed = browser.client.get("/api/auth/identities").json()["results"]
    assert [row["provider"] for row in listed] == ["test"]
    address = f"/api/auth/identities/{listed[0]['id']}/remove"
    body = {"password": PASSWORD}
    assert client_for(UserFactory()).post(address, body).status_code == 404
    assert browser.client.post(address, {"password": "wrong"}).status_code == 400
    assert browser.client.post(address, body).status_code == 204
    assert not ExternalIdentity.objects.exists()
    assert AccountMail.objects.filter(user=asha, purpose=MailPurpose.IDENTITY_REMOVED).exists()


def test_the_list_of_links_takes_the_same_statements_however_many(
    asha, django_assert_max_num_queries
):
    client = client_for(asha)
    for name in ("one", "two", "three"):
        ExternalIdentity.objects.create(user=asha, provider=name, subject=name)
    with django_assert_max_num_queries(3):
        assert len(client.get("/api/auth/identities").json()["results"]) == 3


def test_the_second_factor_is_still_asked_for_and_the_state_sent_again(browser, asha):
    secret = enrol(asha)
    body = browser.come_back("asha-1")
    first = browser.call(body)
    assert (first.status_code, first.json()["code"]) == (401, "second_factor_required")
    assert not AuthSession.objects.exists()

    wrong = browser.call(body | {"second_factor_code": "000000"})
    assert wrong.json()["code"] == "wrong_second_factor"

    right = browser.call(body | {"second_factor_code": pyotp.TOTP(secret).now()})
    assert right.status_code == 200, right.json()
    assert AuthSession.objects.get().second_factor_at is not None
    again = browser.call(body | {"second_factor_code": pyotp.TOTP(secret).now()})
    assert again.json()["code"] == "invalid_state"


def enrol(user):
    """Give a person a confirmed authenticator app; return its secret."""
    now = timezone.now()
    factor = TimeBasedFactor(user=user, created_at=now, confirmed_at=now)
    secret = pyotp.random_base32()
    factor.secret = second_factor.sealed_secret(user.pk, secret)
    factor.save(force_insert=True)
    return secret


def test_a_state_works_once(browser, asha):
    body = browser.come_back("asha-1")
    assert browser.call(body).status_code == 200
    again = browser.call(body)
    assert (again.status_code, again.json()["code"]) == (400, "invalid_state")
    assert AuthSession.objects.count() == 1


def test_another_browser_cannot_complete_a_sign_in(browser, provider, asha):
    body = browser.come_back("asha-1")
    thief = Browser(provider)
    thief.begin()  # it has a cookie of its own
    answer = thief.call(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_state")
    assert Browser(provider).call(body).json()["code"] == "invalid_state"
    assert browser.call(body).status_code == 200


def test_a_made_up_state_is_refused(browser, asha):
    body = browser.come_back("asha-1")
    answer = browser.call(body | {"state": "x" * 43})
    assert answer.json()["code"] == "invalid_state"


def test_an_attempt_ends_after_ten_minutes(browser, asha):
    body = browser.come_back("asha-1")
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert browser.call(body).json()["code"] == "invalid_state"


def test_a_code_of_somebody_else_is_held_to_its_own_nonce(browser, provider, asha):
    theirs = Browser(provider).come_back("asha-1")
    body = browser.come_back("asha-1")
    answer = browser.call(body | {"code": theirs["code"]})
    assert (answer.status_code, answer.json()["code"]) == (400, "sign_in_not_confirmed")


@pytest.mark.parametrize(
    "how",
    [
        {"alg": "none"},
        {"alg": "HS256", "secret": "a-secret-of-the-office-and-the-provider"},
        {"foreign_key": True},
        {"claims": {"aud": "another-client"}},
        {"claims": {"aud": ["chitfund", "another-client"]}},
        {"claims": {"azp": "another-client"}},
        {"claims": {"iss": "https://accounts.example.com"}},
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"exp": 1_000_000_000}},
        {"claims": {"exp": None}},
        {"claims": {"sub": None}},
        {"claims": {"sub": ""}},
        {"claims": {"sub": 7}},
        {"claims": {"sub": "x" * 300}},
    ],
    ids=str,
)
def test_a_token_that_does_not_hold_signs_nobody_in(browser, provider, asha, how):
    provider.bend(**how)
    answer = browser.call(browser.come_back("asha-1"))
    assert (answer.status_code, answer.json()["code"]) == (400, "sign_in_not_confirmed")
    assert not AuthSession.objects.exists()


def test_a_bent_token_that_changes_nothing_still_holds(browser, provider, asha):
    """The negative control of the test above: re-signed with the provider's own key."""
    provider.bend(claims={"locale": "en"})
    assert browser.call(browser.come_back("asha-1")).status_code == 200


@pytest.mark.parametrize(
    "page",
    ["", PAGE + "/", PAGE + "?a=b", "http://localhost:3000.evil.example/auth/callback",
     "https://evil.example/", "javascript:alert(1)", PAGE.upper()],
)  # fmt: skip
def test_only_a_listed_page_is_sent_back_to(browser, page):
    answer = browser.client.get("/api/auth/oauth/test/start", {"redirect_uri": page})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "redirect_uri"
    assert not OAuthAttempt.objects.exists()


def test_a_provider_that_does_not_answer_is_a_503_and_leaves_no_attempt(browser, settings):
    settings.OIDC_PROVIDERS = {
        "test": OidcProvider("test", "Test", "http://127.0.0.1:9", "a", "b", "openid email")
    }
    answer = browser.client.get("/api/auth/oauth/test/start", {"redirect_uri": PAGE})
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert answer["Retry-After"]
    assert not OAuthAttempt.objects.exists()


def test_an_unknown_provider_is_a_404(browser):
    assert browser.client.get(
        "/api/auth/oauth/other/start", {"redirect_uri": PAGE}
    ).status_code == 404  # fmt: skip


def test_providers_are_listed_without_their_secrets(browser):
    answer = browser.client.get("/api/auth/oauth")
    assert answer.json() == {"providers": [{"name": "test", "label": "Test"}]}


def test_nothing_in_the_database_completes_an_attempt(browser):
    state = browser.begin()["state"]
    row = OAuthAttempt.objects.get()
    kept = f"{row.state_hash}{row.browser_hash}{bytes(row.secrets)!r}"
    assert state not in kept
    assert browser.client.cookies["__Secure-oauthBrowser"].value not in kept


def test_the_cookie_session_works_from_here_too(browser, asha, settings):
    body = browser.come_back("asha-1")
    answer = browser.client.post(
        "/api/auth/oauth/test/callback?session=cookie", body, format="json",
        headers={"Origin": settings.PUBLIC_URL},
    )  # fmt: skip
    assert answer.status_code == 200
    assert "access_token" not in answer.json()
    assert answer.cookies["userToken"]["httponly"]
