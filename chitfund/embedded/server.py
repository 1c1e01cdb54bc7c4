"""Make, start, find and stop one PostgreSQL server."""

import shutil
import time
from pathlib import Path

import psycopg

from chitfund.embedded.errors import EmbeddedPostgresError
from chitfund.embedded.files import make_folder
from chitfund.embedded.home import (
    SUPERUSER,
    Home,
    ensure_free_port,
    ensure_socket_folder,
    programs,
)

START_SECONDS = 90
ORPHAN_SECONDS = 10
PROCESSES = Path("/proc")
LARGEST_LOG = 10_000_000

CONFIGURATION = """\
# Written at every start. Own settings go into postgresql.conf, below the include.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] %d '

# A statement and its values are personal data: the log names the error, not the row.
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_statement = none

fsync = {durable}
full_page_writes = {durable}
# On even for tests, so that a crash test proves what the office promises.
synchronous_commit = on
"""


def connect(home: Home, database: str = SUPERUSER) -> psycopg.Connection:
    """Open a superuser connection through the socket."""
    return psycopg.connect(
        host=home.socket_dir,
        port=home.port,
        user=SUPERUSER,
        password=home.passwords[SUPERUSER],
        dbname=database,
        autocommit=True,
        connect_timeout=5,
    )


def is_running(home: Home) -> bool:
    """Tell whether this very server answers, whoever started it.

    A server that is still starting, recovering or stopping is waited for.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        if _answers(home):
            return True
        if not _is_our_process(home) or time.monotonic() > deadline:
            return False
        time.sleep(0.1)


def _answers(home: Home) -> bool:
    """Tell whether a server with our password and our data is on the socket."""
    if not home.socket_dir or not home.port:
        return False
    try:
        with connect(home) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and Path(row[0]) == home.data


def _is_our_process(home: Home) -> bool:
    """Tell whether the process named in postmaster.pid is a server on our data.

    After a crash or a restart of the machine the number may belong to anybody, or to a
    dead process that nobody has buried.
    """
    pid = _recorded_pid(home)
    return pid is not None and _works_in(PROCESSES / str(pid), home.data)


def _works_in(process: Path, folder: Path) -> bool:
    """Tell whether a process lives and has a folder for its own, as servers have their data."""
    try:
        return (process / "cwd").readlink() == folder
    except OSError:
        return False


def _recorded_pid(home: Home) -> int | None:
    try:
        return int((home.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def start(home: Home) -> None:
    """Start the server, making its database cluster first if there is none."""
    if not home.data.is_dir():
        _initialise(home)
    _refuse_other_version(home)
    _clear_after_crash(home)
    for _attempt in range(3):
        ensure_socket_folder(home)
        ensure_free_port(home)
        _configure(home)
        if _pg_ctl(home, "start", f"--log={home.log}"):
            return
        # Another program may have taken the port between our look and the start.
        if "could not bind" not in log_tail(home):
            break
        home.port = 0
    raise EmbeddedPostgresError(f"PostgreSQL did not start. {home.log} says:\n{log_tail(home)}")


def _initialise(home: Home) -> None:
    """Run initdb beside the final place, so that an interrupted one leaves nothing."""
    unfinished = home.folder / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    make_folder(unfinished, mode=0o700)
    home.account.own(unfinished)
    password = home.folder / "initdb.password"
    password.touch(mode=0o600)
    home.account.own(password)
    password.write_text(home.passwords[SUPERUSER], encoding="ascii")
    command: list[str | Path] = [
        programs(home) / "initdb",
        f"--pgdata={unfinished}",
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        *([] if home.durable else ["--no-sync"]),
    ]
    try:
        result = home.account.run(command)
    finally:
        password.unlink()
    if result.returncode != 0:
        raise EmbeddedPostgresError(f"initdb failed ({result.returncode}) in {home.folder}.")
    with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\ninclude_if_exists = 'chitfund.conf'\n")
    unfinished.rename(home.data)


def _refuse_other_version(home: Home) -> None:
    made_by = (home.data / "PG_VERSION").read_text().strip()
    wheel = _wheel_version(home)
    if made_by != wheel:
        raise EmbeddedPostgresError(
            f"{home.data} was made by PostgreSQL {made_by}, the installed wheel is {wheel}. "
            "Install the earlier wheel, dump with pg_dumpall, move the folder away and restore."
        )


def _wheel_version(home: Home) -> str:
    catalogue = programs(home).parent / "share" / "postgres.bki"
    return catalogue.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# PostgreSQL ")


def _clear_after_crash(home: Home) -> None:
    """Remove the lock files of a server that is gone, though its number may be taken.

    PostgreSQL does it itself when the number is free, and else refuses to start. It also
    waits for the sessions of a killed server to end, so that is done here as well.
    """
    if not PROCESSES.is_dir() or _recorded_pid(home) is None:
        return
    deadline = time.monotonic() + ORPHAN_SECONDS
    while any(_works_in(process, home.data) for process in PROCESSES.glob("[0-9]*")):
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"Sessions of a killed server still work on {home.data}.")
        time.sleep(0.05)
    (home.data / "postmaster.pid").unlink(missing_ok=True)
    if home.socket_dir:
        for left in Path(home.socket_dir).glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)


def _configure(home: Home) -> None:
    path = home.data / "chitfund.conf"
    text = CONFIGURATION.format(
        port=home.port, socket_dir=home.socket_dir, durable="on" if home.durable else "off"
    )
    path.write_text(text, encoding="utf-8")
    home.account.own(path)
    if home.log.exists() and home.log.stat().st_size > LARGEST_LOG:
        home.log.replace(home.log.with_suffix(".log.1"))
    if not home.log.exists():
        home.log.touch(mode=0o600)
        home.account.own(home.log)


def stop(home: Home, *, mode: str) -> None:
    """Stop the server: `fast` ends every session cleanly, `immediate` is a crash."""
    if not _pg_ctl(home, "stop", f"--mode={mode}"):
        raise EmbeddedPostgresError(f"PostgreSQL did not stop; see {home.log}.")


def _pg_ctl(home: Home, action: str, option: str) -> bool:
    command: list[str | Path] = [
        programs(home) / "pg_ctl",
        action,
        f"--pgdata={home.data}",
        "--silent",
        "--wait",
        f"--timeout={START_SECONDS}",
        option,
    ]
    return home.account.run(command, timeout=START_SECONDS + 10).returncode == 0


def log_tail(home: Home, lines: int = 15) -> str:
    try:
        text = home.log.read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        return f"(unreadable: {exc})"
    return "\n".join(text.splitlines()[-lines:])
