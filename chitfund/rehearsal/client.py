"""A client of the office: one kept connection, one person signed in."""

from __future__ import annotations

import http.client
import json
import uuid
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class RefusedError(Exception):
    """The office answered with an error."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status}: {body.get('message', body)}")
        self.status = status
        self.message = str(body.get("message", ""))
        self.code = str(body.get("code", ""))


class Client:
    """One person at one connection."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            address.hostname or "127.0.0.1", address.port, timeout=60
        )
        self._token = ""
        self.user: dict[str, Any] = {}

    def sign_in(self, email: str, password: str) -> Client:
        """Sign in and keep the access token."""
        answer = self.post("/api/auth/login", {"email": email, "password": password})
        self._token = answer["access_token"]
        self.user = answer["user"]
        return self

    def get(self, path: str, **query: Any) -> Any:
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._ask("POST", path, body or {})

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Return the results of a list, all pages of it."""
        page = self.get(path, page_size=100, **query)
        results = list(page["results"])
        while page["next"]:
            following = urlsplit(page["next"])
            page = self.get(f"{following.path}?{following.query}")
            results += page["results"]
        return results

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = dict(JSON)
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if method == "POST" and self._token:
            headers["Idempotency-Key"] = uuid.uuid4().hex
        payload = json.dumps(body).encode() if body is not None else None
        status, text = self._send(method, path, payload, headers)
        data = json.loads(text) if text else {}
        if status >= HTTPStatus.BAD_REQUEST:
            raise RefusedError(status, data)
        return data

    def _send(
        self, method: str, path: str, payload: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """Ask, and once more where the server has closed a connection that was idle.

        Asking twice does no harm: a POST carries its idempotency key.
        """
        try:
            return self._send_once(method, path, payload, headers)
        except (ConnectionError, http.client.BadStatusLine):
            self._connection.close()
            return self._send_once(method, path, payload, headers)

    def _send_once(
        self, method: str, path: str, payload: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        self._connection.request(method, path, body=payload, headers=headers)
        response = self._connection.getresponse()
        return response.status, response.read()
