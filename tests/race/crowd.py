"""People who press the button at the same moment, and what each of them is told."""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urlsplit

from accounts.models import User
from accounts.tests.api import session_of
from accounts.tokens import access_token_for
from chitfund.testing import in_own_connection

R = TypeVar("R")
PATIENCE = 120
TOLD_BY_A_TRIGGER = "What is decided or posted is never changed or removed."
# What somebody who lost a race may be told; everything else is a fault of ours.
REFUSALS = frozenset({400, 403, 404, 409, 422})


@dataclass(frozen=True)
class Answer:
    """One response, as it came over the wire."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code; empty for an answer without one."""
        return str(self.json.get("code", "")) if self.status >= 400 else ""

    @property
    def was_replayed(self) -> bool:
        return self.headers.get("idempotency-replayed") == "true"

    @property
    def asks_to_come_back(self) -> bool:
        """Tell whether the office was too busy, did nothing, and says when to try again."""
        return self.status == 503 and "retry-after" in self.headers

    @property
    def is_told_by_the_database(self) -> bool:
        """Tell whether a constraint or a trigger had to refuse what the service let pass."""
        told = str(self.json.get("message", "")) if self.status >= 400 else ""
        return "(rule: " in told or told.startswith(TOLD_BY_A_TRIGGER)


@dataclass(frozen=True)
class Caller:
    """Somebody with a token, speaking to one office."""

    office: str
    token: str = ""

    @classmethod
    def signed_in(cls, office: str, user: User) -> Caller:
        return cls(office, access_token_for(user, session_of(user)))

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        return self.send("POST", path, body, key=key)

    def put(self, path: str, body: Any) -> Answer:
        return self.send("PUT", path, body)

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """Send a request, and once more for as long as the office is too busy to do it.

        503 with Retry-After promises that nothing was done: a crowded machine is no failure.
        """
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._send(method, path, body, key)
            if not answer.asks_to_come_back or time.monotonic() > until:
                return answer
            time.sleep(float(answer.headers["retry-after"]))

    def _send(self, method: str, path: str, body: Any, key: str | None) -> Answer:
        """Send one request over a connection of its own, so that both processes get some."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        connection = http.client.HTTPConnection(urlsplit(self.office).netloc, timeout=PATIENCE)
        try:
            connection.request(method, f"/api/{path}", json.dumps(body or {}).encode(), headers)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, response.read(), names)
        finally:
            connection.close()


class Crowd:
    """Threads that begin together."""

    def __init__(self, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="crowd")

    def at_once(self, calls: Sequence[Callable[[], R]]) -> list[R]:
        """Begin all calls at one barrier and return their results in the order given."""
        barrier = Barrier(len(calls))

        def begin(call: Callable[[], R]) -> R:
            barrier.wait(PATIENCE)
            return in_own_connection(call)()

        begun = [self._pool.submit(begin, call) for call in calls]
        return [each.result(PATIENCE) for each in begun]

    def one_after_another(self, calls: Iterable[Callable[[], R]]) -> list[R]:
        """Do all calls as quickly as the threads can, without waiting for each other."""
        begun = [self._pool.submit(in_own_connection(call)) for call in calls]
        return [each.result(PATIENCE) for each in begun]

    def close(self) -> None:
        self._pool.shutdown()


def statuses(answers: Iterable[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def faults(answers: Iterable[Answer]) -> list[tuple[int, str]]:
    """Return the answers that are neither a success nor a refusal with a reason."""
    return [
        (answer.status, answer.body.decode(errors="replace")[:300])
        for answer in answers
        if not (200 <= answer.status < 300 or answer.status in REFUSALS)
    ]
