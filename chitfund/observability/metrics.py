"""What this process has counted about itself since it began."""

from __future__ import annotations

import time
from threading import Lock

# So long after its last failure a part still counts as degraded.
DEGRADED_SECONDS = 60.0


class FailureCounter:
    """How often a part the office can do without has failed, and whether it does now."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.total = 0
        self._told_at: float | None = None
        self._lock = Lock()

    def add(self) -> bool:
        """Count a failure; tell whether it is the first for a minute, which is worth a line."""
        with self._lock:
            is_news = not self.is_degraded
            self.total += 1
            # A failure that is no news does not put the next line off.
            self._told_at = time.monotonic() if is_news else self._told_at
        return is_news

    @property
    def is_degraded(self) -> bool:
        return self._told_at is not None and time.monotonic() - self._told_at < DEGRADED_SECONDS

    def reset(self) -> None:
        with self._lock:
            self.total, self._told_at = 0, None


uncounted_requests = FailureCounter("uncounted_requests")
