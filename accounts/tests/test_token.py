"""The OAuth2 token endpoint: the standard's words around the office's own sign-in."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


def ask(**fields: str):
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    return APIClient().post("/api/auth/token", body, content_type=FORM)


def test_the_password_flow_answers_as_the_standard_says():
    person = UserFactory()
    answer = ask(grant_type="password", username=person.email, password=PASSWORD)
    assert answer.status_code == 200, answer.json()
    told = answer.json()
    assert set(told) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert told["token_type"] == "Bearer"
    assert "no-store" in answer["Cache-Control"]
    me = APIClient().get(
        "/api/auth/me", headers={"Authorization": f"Bearer {told['access_token']}"}
    )
    assert me.json()["user"]["id"] == str(person.pk)


def test_a_refresh_token_is_exchanged_for_a_new_pair():
    person = UserFactory()
    first = ask(grant_type="password", username=person.ucfsin, password=PASSWORD).json()
    second = ask(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"grant_type": "password", "username": "a@b.co", "password": "x"}, 401, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 401, "invalid_grant"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "a@b.co"}, 400, "invalid_request"),
        ({}, 400, "invalid_request"),
    ],
)
def test_a_refusal_has_both_shapes(fields, status, error):
    answer = ask(**fields)
    assert answer.status_code == status
    told = answer.json()
    assert told["error"] == error
    assert told["error_description"] == told["message"]
    assert {"code", "errors", "trace_id"} <= set(told)


def test_it_takes_forms_only_and_short_ones():
    assert APIClient().post("/api/auth/token", {}, format="json").status_code == 415
    assert ask(grant_type="password", username="x" * 5000).status_code == 413
