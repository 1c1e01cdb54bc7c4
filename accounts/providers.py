"""What we say to a sign-in provider and what we believe of its answers (OpenID Connect).

Nothing of an answer is trusted before the ID token is verified against the provider's own keys.
Everything is fetched anew for each sign-in: a provider that changes its keys needs no restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from chitfund.exceptions import InvalidInput, Unavailable
from chitfund.settings.oidc import OidcProvider, is_safe_address

# Signatures that a provider's published key checks; never `none`, never a shared secret.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
TIMEOUT = httpx.Timeout(5, connect=2)
LARGEST_ANSWER = 256 * 1024
CLOCK_LEEWAY = 60
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
RETRY_AFTER = 30


@dataclass(frozen=True)
class Person:
    """Who somebody is to a provider. The address counts only if the provider vouches for it."""

    subject: str
    email: str
    is_email_verified: bool


def authorization_url(
    provider: OidcProvider, *, redirect_uri: str, state: str, nonce: str, verifier: str
) -> str:
    """Return where the browser goes to sign in; raise Unavailable without the provider."""
    with _Conversation(provider) as talk:
        endpoint = talk.metadata["authorization_endpoint"]
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": provider.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def person_of_code(
    provider: OidcProvider, *, code: str, redirect_uri: str, nonce: str, verifier: str
) -> Person:
    """Exchange a code for an ID token, verify it, and return whom it is about.

    Raises InvalidInput for a code that the provider does not take or a token that does not
    hold, Unavailable for a provider that does not answer or not as the standard says.
    """
    with _Conversation(provider) as talk:
        answer = talk.exchange(code=code, redirect_uri=redirect_uri, verifier=verifier)
        claims = _verified(provider, answer.get("id_token"), talk.keys(), nonce)
        if "email" not in claims and "userinfo_endpoint" in talk.metadata:
            claims |= talk.userinfo(answer.get("access_token"), subject=claims["sub"])
    return Person(
        subject=claims["sub"],
        email=str(claims.get("email", "")).strip().lower(),
        is_email_verified=claims.get("email_verified") is True,
    )


class _Conversation:
    """One exchange with one provider, over one connection, without redirects."""

    def __init__(self, provider: OidcProvider) -> None:
        self.provider = provider
        self.client = httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)
        self.metadata: dict[str, Any] = {}

    def __enter__(self) -> _Conversation:
        try:
            self.metadata = self._discover()
        except BaseException:
            self.client.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def _discover(self) -> dict[str, Any]:
        issuer = self.provider.issuer
        found = self._json("GET", f"{issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != issuer:
            raise self._unavailable()
        for name in ENDPOINTS:
            if not is_safe_address(str(found.get(name, ""))):
                raise self._unavailable()
        return found

    def exchange(self, *, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """Send the code with its PKCE verifier; the client's secret goes as Basic."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return self._json(
            "POST",
            self.metadata["token_endpoint"],
            data=form,
            auth=httpx.BasicAuth(self.provider.client_id, self.provider.client_secret),
        )

    def keys(self) -> KeySet:
        try:
            return KeySet.import_key_set(self._json("GET", self.metadata["jwks_uri"]))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as exc:
            raise self._unavailable() from exc

    def userinfo(self, token: object, *, subject: str) -> dict[str, Any]:
        """Return what the ID token left out; about the same subject, or nothing is believed."""
        endpoint = str(self.metadata["userinfo_endpoint"])
        if not is_safe_address(endpoint):
            raise self._unavailable()
        told = self._json("GET", endpoint, headers={"Authorization": f"Bearer {token}"})
        if told.get("sub") != subject:
            raise not_believed(self.provider)
        return {name: told[name] for name in ("email", "email_verified") if name in told}

    def _json(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        try:
            with self.client.stream(method, url, **options) as answer:
                body = b""
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST_ANSWER:
                        raise self._unavailable()
                if method == "POST" and httpx.codes.is_client_error(answer.status_code):
                    raise not_believed(self.provider)
                if answer.status_code != httpx.codes.OK:
                    raise self._unavailable()
                found = httpx.Response(answer.status_code, content=body).json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
            raise self._unavailable() from exc
        if not isinstance(found, dict):
            raise self._unavailable()
        return found

    def _unavailable(self) -> Unavailable:
        return Unavailable(
            f"{self.provider.label} does not answer as it should. Try again in a minute, or sign "
            "in with your password.",
            code="provider_unavailable",
            retry_after=RETRY_AFTER,
        )


def _verified(provider: OidcProvider, id_token: object, keys: KeySet, nonce: str) -> dict[str, Any]:
    """Return the claims of an ID token that is signed, ours, fresh and of this attempt."""
    registry = jwt.JWTClaimsRegistry(
        leeway=CLOCK_LEEWAY,
        iss={"essential": True, "values": [provider.issuer, f"{provider.issuer}/"]},
        aud={"essential": True, "value": provider.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        token = jwt.decode(str(id_token), keys, algorithms=ALGORITHMS)
        registry.validate(token.claims)
    except (JoseError, ValueError, TypeError) as exc:
        raise not_believed(provider) from exc
    claims = token.claims
    audience = claims["aud"]
    is_shared = isinstance(audience, list) and len(audience) > 1
    if (is_shared or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise not_believed(provider)
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:  # noqa: PLR2004
        raise not_believed(provider)
    return claims


def not_believed(provider: OidcProvider) -> InvalidInput:
    return InvalidInput.on(
        "code",
        f"{provider.label} did not confirm this sign-in. Begin again.",
        code="sign_in_not_confirmed",
    )
