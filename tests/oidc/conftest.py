"""A real provider on a port of its own, and a browser that goes back and forth."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from rest_framework.test import APIClient

from chitfund.settings.oidc import OidcProvider
from chitfund.testing.servers import free_port

PROGRAM = Path(__file__).parent / "provider.py"
PAGE = "http://localhost:3000/auth/callback"
PEOPLE = [
    {"sub": "asha-1", "email": "Asha@example.com", "email_verified": True},
    {"sub": "unverified-2", "email": "asha@example.com", "email_verified": False},
    {"sub": "textual-3", "email": "asha@example.com", "email_verified": "true"},
    {"sub": "stranger-4", "email": "stranger@example.com", "email_verified": True},
    {"sub": "staff-5", "email": "staff@example.com", "email_verified": True},
]


@dataclass
class Provider:
    """What is known of the running provider."""

    url: str
    settings: OidcProvider = field(init=False)

    def __post_init__(self) -> None:
        self.settings = OidcProvider(
            name="test", label="Test", issuer=self.url, client_id="chitfund",
            client_secret="a-secret-of-the-office-and-the-provider", scopes="openid email",
        )  # fmt: skip

    def bend(self, **how: Any) -> None:
        httpx.post(f"{self.url}/bend", json=how).raise_for_status()

    def sign_in(self, address: str, subject: str) -> dict[str, str]:
        """Sign in there as a browser does; return what it is sent back with."""
        answer = httpx.post(address, data={"sub": subject, "action": "authorize"})
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        assert answer.headers["location"].startswith(PAGE)
        return {name: values[0] for name, values in parse_qs(back.query).items()}


@pytest.fixture(scope="session")
def running_provider() -> Iterator[Provider]:
    port = free_port()
    process = subprocess.Popen([sys.executable, str(PROGRAM), str(port), json.dumps(PEOPLE)])
    provider = Provider(f"http://127.0.0.1:{port}")
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"{provider.url}/.well-known/openid-configuration").raise_for_status()
            break
        except httpx.TransportError:
            assert process.poll() is None, "The provider did not start."
            assert time.monotonic() < deadline, "The provider does not answer."
            time.sleep(0.1)  # a program of its own tells in no other way that it is up
    yield provider
    process.terminate()
    process.wait(10)


@pytest.fixture
def provider(running_provider, settings) -> Iterator[Provider]:
    settings.OIDC_PROVIDERS = {"test": running_provider.settings}
    settings.OIDC_REDIRECT_URIS = [PAGE]
    yield running_provider
    running_provider.bend()


@dataclass
class Browser:
    """Somebody's browser between the office and the provider."""

    provider: Provider
    client: APIClient = field(default_factory=APIClient)

    def begin(self) -> dict[str, Any]:
        answer = self.client.get("/api/auth/oauth/test/start", {"redirect_uri": PAGE})
        assert answer.status_code == 200, answer.json()
        return answer.json()

    def come_back(self, subject: str, **more: str) -> dict[str, str]:
        """Go to the provider and return with what the callback is told."""
        back = self.provider.sign_in(self.begin()["authorization_url"], subject)
        return {"code": back["code"], "state": back["state"], **more}

    def call(self, body: dict[str, str], path: str = "callback") -> Any:
        return self.client.post(f"/api/auth/oauth/test/{path}", body, format="json")


@pytest.fixture
def browser(provider) -> Browser:
    return Browser(provider)
