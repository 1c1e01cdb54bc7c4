"""Which operating system account the server runs as, and where that one may go."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chitfund.embedded.errors import EmbeddedPostgresError

# PostgreSQL refuses to run as root. These exist on every Debian, Alpine and Red Hat.
SERVICE_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The account of the server; `switch` is set when we are root and it is not ours."""

    uid: int
    gid: int
    switch: bool

    def run(
        self, command: Sequence[str | Path], *, timeout: float = 120
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program as this account with a clean environment.

        Its output is not read: a server that it starts inherits the pipe and never closes it.
        """
        return subprocess.run(  # noqa: S603 - our own programs, no shell
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            umask=0o077,
            timeout=timeout,
            check=False,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def may_enter(self, folder: Path) -> bool:
        return self.run(["/bin/sh", "-c", 'cd "$0"', folder]).returncode == 0

    def own(self, path: Path) -> None:
        """Hand a path that we just created to the server."""
        if self.switch:
            os.chown(path, self.uid, self.gid)


def server_account(data: Path) -> Account:
    """Return the owner of an existing database, else an account fit to own one."""
    if os.geteuid() != 0:
        return Account(uid=os.geteuid(), gid=os.getegid(), switch=False)
    if data.is_dir() and data.stat().st_uid != 0:
        status = data.stat()
        return Account(uid=status.st_uid, gid=status.st_gid, switch=True)
    for name in SERVICE_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid, switch=True)
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root and there is no account 'postgres' or 'nobody'. "
        "Start as another user, or set DATABASE_URL."
    )
