"""The cookie session over the wire: what a browser is told, and what the portal reads."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from accounts.tests.factories import PASSWORD, ForemanFactory

Reply = tuple[int, list[str], bytes]


def send(office: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """Send a request and return its status, its Set-Cookie lines and its body."""
    connection = http.client.HTTPConnection(urlsplit(office).netloc, timeout=30)
    try:
        told = {"Content-Type": "application/json", **headers}
        connection.request(method, path, json.dumps(body or {}).encode(), told)
        response = connection.getresponse()
        lines = [value for name, value in response.getheaders() if name.lower() == "set-cookie"]
        return response.status, lines, response.read()
    finally:
        connection.close()


def jar_of(lines: list[str]) -> dict[str, str]:
    """Keep what a browser would: cookies that have not ended."""
    pairs = [line.split(";", 1)[0].split("=", 1) for line in lines if "Max-Age=0" not in line]
    return {name: value for name, value in pairs}  # noqa: C416 - pairs are lists


def cookie_header(jar: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in jar.items())


def read_by_the_portal(token: str) -> dict[str, Any]:
    """Verify a token as the portal's middleware does, with nothing of ours but the secret."""
    head, payload, signature = token.split(".")
    key = str(settings.JWT_SECRET).encode()
    expected = hmac.new(key, f"{head}.{payload}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(expected).rstrip(b"=").decode() == signature
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["exp"] > time.time()
    return claims


def test_a_browser_signs_in_reads_refreshes_and_signs_out(live_office: str) -> None:
    foreman = ForemanFactory.create()
    credentials = {"identifier": foreman.email, "password": PASSWORD, "role": "foreman"}
    login = "/api/auth/login?session=cookie"
    home = {"Origin": live_office.replace("127.0.0.1", "localhost")}  # its PUBLIC_URL
    assert send(live_office, "POST", login, credentials)[0] == 403

    status, lines, body = send(live_office, "POST", login, credentials, **home)
    assert status == 200
    jar = jar_of(lines)
    assert jar.keys() == {"foremanToken", "__Secure-refreshToken"}
    assert not any(token.encode() in body for token in jar.values())
    (portal,) = [line for line in lines if line.startswith("foremanToken=")]
    attributes = set(portal.split("; ")[1:])
    wanted = {"HttpOnly", "Secure", "SameSite=Strict", "Path=/", "Max-Age=86400"}
    assert {each for each in attributes if not each.startswith("expires=")} == wanted
    claims = read_by_the_portal(jar["foremanToken"])
    assert (claims["userId"], claims["role"]) == (str(foreman.pk), "foreman")
    assert claims["ucfsin"] == foreman.ucfsin

    cookies = {"Cookie": cookie_header(jar)}
    assert send(live_office, "GET", "/api/auth/sessions", **cookies)[0] == 200
    assert send(live_office, "POST", "/api/v1/auth/refresh-token", **cookies)[0] == 403
    status, lines, _ = send(live_office, "POST", "/api/v1/auth/refresh-token", **cookies, **home)
    assert status == 200
    renewed = {"Cookie": cookie_header(jar_of(lines))}
    assert send(live_office, "POST", "/api/auth/logout", **renewed)[0] == 403
    status, lines, _ = send(live_office, "POST", "/api/auth/logout", **renewed, **home)
    assert (status, jar_of(lines), len(lines)) == (204, {}, 4)
    for old in (cookies, renewed):
        assert send(live_office, "GET", "/api/auth/sessions", **old)[0] == 401
