"""Sign-in providers that speak OpenID Connect, one block of variables each.

`OIDC_PROVIDERS=google,office` names them; `OIDC_GOOGLE_ISSUER`, `OIDC_GOOGLE_CLIENT_ID`,
`OIDC_GOOGLE_CLIENT_SECRET` and, if wished, `OIDC_GOOGLE_LABEL` and `OIDC_GOOGLE_SCOPES`
describe each.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from chitfund.settings import env

NAME = re.compile(r"[a-z][a-z0-9]{0,29}")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class OidcProvider:
    """One provider: who it is, and who we are to it."""

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str


def oidc_providers() -> dict[str, OidcProvider]:
    """Return the providers by name, or refuse to boot and name the variable."""
    return {name: _provider(name) for name in env.words("OIDC_PROVIDERS")}


def redirect_uris(public_url: str) -> list[str]:
    """Return the pages that a provider may send people back to, compared letter by letter."""
    return env.words("OIDC_REDIRECT_URIS", f"{public_url}/auth/callback")


def is_safe_address(address: str) -> bool:
    """Tell whether an address is https, or of this machine."""
    parts = urlsplit(address)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    )


def _provider(name: str) -> OidcProvider:
    if not NAME.fullmatch(name):
        raise ImproperlyConfigured(
            "OIDC_PROVIDERS must name providers with small letters and digits, such as google."
        )
    prefix = f"OIDC_{name.upper()}"
    issuer = env.text(f"{prefix}_ISSUER")
    if not is_safe_address(issuer):
        raise ImproperlyConfigured(f"{prefix}_ISSUER must be an https address.")
    scopes = env.text(f"{prefix}_SCOPES", "openid email")
    if "openid" not in scopes.split():
        raise ImproperlyConfigured(f"{prefix}_SCOPES must contain openid.")
    return OidcProvider(
        name=name,
        label=env.text(f"{prefix}_LABEL", name.capitalize()),
        issuer=issuer.rstrip("/"),
        client_id=env.text(f"{prefix}_CLIENT_ID"),
        client_secret=env.text(f"{prefix}_CLIENT_SECRET"),
        scopes=scopes,
    )
