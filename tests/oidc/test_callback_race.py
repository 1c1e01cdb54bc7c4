"""Eight callbacks of one state at once: one session."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from accounts.models import AuthSession, ExternalIdentity
from accounts.tests.factories import UserFactory
from tests.oidc.conftest import PAGE

ROUNDS, AT_ONCE = 6, 8  # nine requests a round: within the limit of one address


@pytest.mark.django_db(transaction=True)
def test_eight_callbacks_of_one_state_open_one_session(running_provider, office_with):
    known = running_provider.settings
    office = office_with(
        OIDC_PROVIDERS="test",
        OIDC_TEST_ISSUER=known.issuer,
        OIDC_TEST_CLIENT_ID=known.client_id,
        OIDC_TEST_CLIENT_SECRET=known.client_secret,
        OIDC_REDIRECT_URIS=PAGE,
        PORTAL_COOKIES_SECURE="false",
    ).url
    UserFactory(email="asha@example.com")
    for sessions in range(1, ROUNDS + 1):
        with httpx.Client(base_url=office, timeout=30) as client:
            begun = client.get("/api/auth/oauth/test/start", params={"redirect_uri": PAGE}).json()
            back = running_provider.sign_in(begun["authorization_url"], "asha-1")
            body = {"code": back["code"], "state": back["state"]}
            with ThreadPoolExecutor(AT_ONCE) as pool:
                answers = list(
                    pool.map(
                        lambda _: client.post("/api/auth/oauth/test/callback", json=body),  # noqa: B023
                        range(AT_ONCE),
                    )
                )
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [200] + [400] * (AT_ONCE - 1), [answer.text for answer in answers]
        assert AuthSession.objects.count() == sessions
    assert ExternalIdentity.objects.count() == 1
