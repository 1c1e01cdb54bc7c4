"""Ring a task after the commit. The row is the work; the bell only saves the wait.

A broker that is down or hangs costs nobody their request: a bell that does not ring is
logged, and beat's sweep finds the row within a minute.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Task, current_app
from django.db import connection, transaction

from chitfund.observability.trace import current_trace_id, traced

logger = logging.getLogger("chitfund.doorbell")

TRACE_HEADER = "trace_id"
# After a failure the bell is not tried for so long: a hung broker takes a second to find out.
SILENT_SECONDS = 5.0
LONGEST_BATCH = 100


def ring(task_name: str, *args: str, queue: str | None = None) -> None:
    """Ring a task once after the current transaction commits; a rollback rings nothing."""
    transaction.on_commit(_Bell(task_name, args, queue), robust=True)


def ring_together(task_name: str, item: str, queue: str | None = None) -> None:
    """Add an item to the one bell of this transaction for a task that takes many.

    A settlement tells fifty people; fifty messages to the broker would keep it waiting.
    An item of a savepoint that was rolled back may still be rung; its row will not be there.
    """
    for _, waiting, *_ in connection.run_on_commit:
        if isinstance(waiting, _Bell) and waiting.takes(task_name, queue):
            waiting.args = (*waiting.args, item)
            return
    transaction.on_commit(_Bell(task_name, (item,), queue, is_shared=True), robust=True)


class _Bell:
    """One message to the broker, sent when called."""

    def __init__(
        self, task_name: str, args: tuple[str, ...], queue: str | None, *, is_shared: bool = False
    ) -> None:
        self.task_name = task_name
        self.args = args
        self.queue = queue
        self.is_shared = is_shared
        self.trace_id = current_trace_id()
        # Django names a robust callback by it when one fails, and fails itself without.
        self.__qualname__ = f"bell of {task_name}"

    def takes(self, task_name: str, queue: str | None) -> bool:
        return (
            self.is_shared
            and (self.task_name, self.queue) == (task_name, queue)
            and len(self.args) < LONGEST_BATCH
        )

    def __call__(self) -> None:
        if current_app.conf.task_always_eager:
            current_app.loader.import_default_modules()
            current_app.tasks[self.task_name].apply(self.args, headers=self._headers())
        elif time.monotonic() >= _Silence.until:
            self._publish()

    def _publish(self) -> None:
        options: dict[str, Any] = {"queue": self.queue} if self.queue else {}
        try:
            current_app.send_task(
                self.task_name, args=self.args, headers=self._headers(), retry=False, **options
            )
        except Exception as exc:
            # Each broker's client has errors of its own, and none may reach the request.
            _Silence.until = time.monotonic() + SILENT_SECONDS
            logger.warning(
                "bell not rung",
                extra={
                    "action": "task.not_rung",
                    "task": self.task_name,
                    "reason_code": type(exc).__name__,
                },
            )

    def _headers(self) -> dict[str, str]:
        return {TRACE_HEADER: self.trace_id}


class _Silence:
    """Until when this process leaves a broken bell alone."""

    until = 0.0


class TracedTask(Task):
    """A task that runs under the trace id of whoever rang it, or one of its own."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        headers = self.request.headers or {}
        with traced(headers.get(TRACE_HEADER)):
            return self.run(*args, **kwargs)
