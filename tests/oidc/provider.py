"""A sign-in provider as a program: `python provider.py PORT USERS_JSON`.

oidc-provider-mock answers; PKCE (RFC 7636), which it does not ask for by itself, is demanded
here, and its ID tokens can be bent, as a lying provider's would be.
"""

# ruff: noqa: E402 - the libraries' own deprecations, not ours to judge, are raised at import
from __future__ import annotations

import base64
import json
import os
import sys
import warnings
from typing import Any

warnings.filterwarnings("ignore")
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import flask
import oidc_provider_mock
import uvicorn
from authlib.oauth2.rfc7636 import CodeChallenge
from joserfc import jwk, jwt
from oidc_provider_mock import _app, _storage

TOKEN_PATH = "/oauth2/token"
CHALLENGES: dict[str, tuple[str, str]] = {}
BENT: dict[str, Any] = {}
Server = _app.flask_oauth2.AuthorizationServer
register_as_it_is = Server.register_grant


class Pkce(CodeChallenge):
    """Holds a code to the challenge that it was asked for with."""

    def get_authorization_code_challenge(self, authorization_code: Any) -> str:
        return CHALLENGES[authorization_code.code][0]

    def get_authorization_code_challenge_method(self, authorization_code: Any) -> str:
        return CHALLENGES[authorization_code.code][1]


class Grant(_app.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def save_authorization_code(self, code: str, request: Any) -> None:
        super().save_authorization_code(code, request)
        asked = flask.request.args
        CHALLENGES[code] = (asked["code_challenge"], asked["code_challenge_method"])


def register_with_pkce(server: Any, grant: Any, extensions: Any = None) -> None:
    if grant is _app.AuthorizationCodeGrant:
        grant, extensions = Grant, [*extensions, Pkce(required=True)]
    register_as_it_is(server, grant, extensions)


def bend() -> Any:
    """Change what the next ID tokens say: `claims`, `alg`, or a key that nobody publishes."""
    BENT.clear()
    BENT.update(flask.request.get_json())
    return flask.jsonify({})


def bent(response: Any) -> Any:
    if BENT and flask.request.path == TOKEN_PATH and response.status_code == 200:
        body = response.get_json()
        claims = claims_of(body["id_token"]) | BENT.get("claims", {})
        body["id_token"] = signed_anew({k: v for k, v in claims.items() if v is not None})
        response.set_data(json.dumps(body))
    return response


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signed_anew(claims: dict[str, Any]) -> str:
    if BENT.get("alg") == "none":
        return f"{encoded({'alg': 'none'})}.{encoded(claims)}."
    if BENT.get("alg") == "HS256":
        key = jwk.OctKey.import_key(BENT["secret"])
        return jwt.encode({"alg": "HS256"}, claims, key)
    if BENT.get("foreign_key"):
        return jwt.encode({"alg": "RS256"}, claims, jwk.RSAKey.generate_key(2048))
    own = jwk.RSAKey.import_key(dict(_storage.storage.jwk.as_dict(is_private=True)))
    return jwt.encode({"alg": "RS256"}, claims, own)


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def main() -> None:
    port, users = int(sys.argv[1]), json.loads(sys.argv[2])
    Server.register_grant = register_with_pkce
    known = [_storage.User(sub=user.pop("sub"), claims=user) for user in users]
    app = oidc_provider_mock.app(require_nonce=True, user_claims=known)
    app.post("/bend")(bend)
    app.after_request(bent)
    uvicorn.run(app, interface="wsgi", host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
