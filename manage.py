#!/usr/bin/env python
"""The office's tool. `python manage.py help` lists what it can do."""

import os
import signal
import sys
from pathlib import Path

# These make or alter tables, so they connect as the owner; everything else as the runtime role.
# `office` migrates; the processes it starts are the runtime role's again.
OWNER_COMMANDS = {
    "createcachetable",
    "flush",
    "makemigrations",
    "migrate",
    "office",
    "sqlflush",
    "sqlmigrate",
}
# These need no database, and should not wait for one.
COMMANDS_WITHOUT_DATABASE = {
    "--help",
    "--version",
    "-h",
    "check",
    "collectstatic",
    "diffsettings",
    "help",
    "serve",
    "spectacular",
    "version",
}


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chitfund.settings")
    # A command may take as long as a job; only what answers a request must be quick.
    os.environ.setdefault("DB_LIMITS", "job")
    if command in OWNER_COMMANDS:
        os.environ["DB_ROLE"] = "owner"
    if wants_embedded_server(command):
        lend_server()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def wants_embedded_server(command: str) -> bool:
    """Tell whether nothing is configured. Production must be, and says so itself."""
    return (
        command not in COMMANDS_WITHOUT_DATABASE
        and "--help" not in sys.argv
        and not os.environ.get("DATABASE_URL")
        and os.environ.get("APP_ENV") != "production"
    )


def lend_server() -> None:
    from chitfund.embedded.launch import lend_embedded_server

    # A plain kill should leave by the front door too, and stop the server on the way.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    here = Path(__file__).resolve().parent
    data_dir = Path(os.environ.get("DATA_DIR") or here / ".data").expanduser().resolve()
    lend_embedded_server(data_dir, os.environ)


if __name__ == "__main__":
    main()
