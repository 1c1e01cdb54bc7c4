"""`manage.py serve web|worker|beat`: one process of the office, for containers and units."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chitfund.management.processes import beat_command, web_command, worker_command
from chitfund.settings.queue import QUEUES


class Command(BaseCommand):
    """Becomes the process it starts, so signals and the exit code are that one's own."""

    help = "Run one process of the office: web, worker or beat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("process", choices=["web", "worker", "beat"])
        parser.add_argument(
            "--queues",
            default=",".join(QUEUES),
            help="queues of a worker, by comma: give `high` one of its own when others are busy",
        )

    def handle(self, *args: Any, process: str, queues: str, **options: Any) -> None:
        if settings.CELERY_BROKER_URL.startswith("memory:"):
            raise CommandError("Set DATABASE_URL and REDIS_URL, or use `manage.py office`.")
        command = self._command(process, queues.split(","))
        if process == "web":
            os.environ["DB_LIMITS"] = "request"
        os.execv(command[0], command)  # noqa: S606 - our own program, no shell

    def _command(self, process: str, queues: list[str]) -> list[str]:
        if process == "web":
            return web_command(
                host=settings.HOST,
                port=settings.PORT,
                workers=settings.WEB_WORKERS,
                threads=settings.WEB_THREADS,
            )
        if process == "worker":
            return worker_command(queues=queues, processes=settings.TASK_PROCESSES)
        return beat_command()
