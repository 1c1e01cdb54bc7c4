"""`manage.py office`: the whole office on one machine, opened and closed together."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from chitfund.embedded.files import make_folder
from chitfund.management.processes import Children, beat_command, web_command, worker_command
from chitfund.settings.queue import QUEUES

START_SECONDS = 60
DEMO_ENVS = ("development", "test")
# The office's processes answer requests; the right to alter tables stays with this one.
OWNER_VARIABLES = ("DATABASE_OWNER_URL", "DB_ROLE")


class Command(BaseCommand):
    """Migrates, then runs the web server, the task worker and the clock until stopped."""

    help = "Open the whole office on this machine: database, web, tasks and clock."

    def handle(self, *args: Any, **options: Any) -> None:
        self._refuse_what_cannot_work()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        children = Children(sys.stdout.buffer)
        try:
            self._prepare()
            self._open(children)
            self._keep_open(children)
        except KeyboardInterrupt:
            self.stdout.write("\nClosing the office ...")
        finally:
            # Impatience would only leave processes behind: they have ten seconds anyway.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            children.stop()

    def _refuse_what_cannot_work(self) -> None:
        if settings.APP_ENV == "production":
            raise CommandError("Production starts its processes one by one; see compose.yaml.")
        if settings.CELERY_BROKER_URL.startswith("memory:"):
            raise CommandError("Beside DATABASE_URL, set REDIS_URL or CELERY_BROKER_URL.")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.HOST, settings.PORT))
            except OSError as exc:
                raise CommandError(
                    f"Port {settings.PORT} is taken ({exc.strerror}). Set PORT to another one."
                ) from exc

    def _prepare(self) -> None:
        """Bring the database up to date as its owner."""
        # Only collected files lie there; without the folder every web process complains.
        make_folder(Path(str(settings.STATIC_ROOT)), mode=0o755)
        self.stdout.write("Preparing the database ...")
        self.stdout.flush()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        if settings.APP_ENV in DEMO_ENVS:
            command = [sys.executable, sys.argv[0], "seed_demo"]
            if subprocess.run(command, env=self._environment(), check=False).returncode:  # noqa: S603 - our own program, no shell
                raise CommandError("The demo office could not be set up.")

    def _open(self, children: Children) -> None:
        environment = self._environment()
        web = web_command(
            host=settings.HOST,
            port=settings.PORT,
            workers=settings.WEB_WORKERS,
            threads=settings.WEB_THREADS,
        )
        children.start("web", web, environment | {"DB_LIMITS": "request"})
        worker = worker_command(queues=QUEUES, processes=settings.TASK_PROCESSES)
        children.start("worker", worker, environment)
        children.start("beat", beat_command(), environment)
        self._wait_until_it_answers(children)
        self._tell_the_way()

    def _environment(self) -> dict[str, str]:
        return {k: v for k, v in os.environ.items() if k not in OWNER_VARIABLES}

    def _wait_until_it_answers(self, children: Children) -> None:
        address = f"http://127.0.0.1:{settings.PORT}/healthz"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self._refuse_if_ended(children)
            try:
                urllib.request.urlopen(address, timeout=5).close()
            except urllib.error.HTTPError as exc:
                # ALLOWED_HOSTS may not name this machine: a refusal is an answer too.
                if exc.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise CommandError(f"The health check answers {exc.code}.") from exc
                return
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise CommandError(f"The web server did not answer within {START_SECONDS} seconds.")

    def _keep_open(self, children: Children) -> None:
        while True:
            self._refuse_if_ended(children)
            time.sleep(0.5)

    def _refuse_if_ended(self, children: Children) -> None:
        if ended := children.ended():
            raise CommandError(f"The office closes: {ended}. Its last words are above.")

    def _tell_the_way(self) -> None:
        home = f"http://localhost:{settings.PORT}"
        self.stdout.write(f"\nThe office is open ({settings.APP_ENV}). Stop it with Ctrl-C.\n")
        self.stdout.write(f"  API        {home}/api/\n")
        self.stdout.write(f"  API docs   {home}/api-docs\n")
        self.stdout.write(f"  Staff desk {home}/admin/\n")
        self.stdout.write(f"  Mail, SMS  {settings.OUTBOX_DIR}\n")
        demo = settings.DATA_DIR / "demo.json"
        if settings.APP_ENV in DEMO_ENVS and demo.exists():
            self.stdout.write("\nDemo sign-ins\n")
            for who, entry in json.loads(demo.read_text(encoding="utf-8")).items():
                self.stdout.write(f"  {who:<10} {entry['email']}  {entry['password']}\n")
        self.stdout.flush()
