"""Give a process the embedded server when nothing else is configured.

Every process that uses the server holds a shared lock while it lives. The last one to
leave stops the server; the kernel lets go of the lock of one that was killed, so nobody
has to count.
"""

import atexit
import fcntl
import os
from collections.abc import Callable, MutableMapping
from pathlib import Path

from chitfund.embedded import postgres
from chitfund.embedded.files import exclusive_lock
from chitfund.embedded.home import records_of
from chitfund.embedded.postgres import OWNER, Cluster, ensure_running


def lend_embedded_server(
    data_dir: Path, environment: MutableMapping[str, str], *, durable: bool = True
) -> Cluster:
    """Start or find the data folder's server and name it in the environment.

    It is kept until this process ends, and stopped then if no other one uses it.
    """
    cluster, leave = _join(data_dir, durable=durable)
    atexit.register(leave)
    environment["DATABASE_URL"] = cluster.url()
    environment["DATABASE_OWNER_URL"] = cluster.url(OWNER)
    if not environment.get("REDIS_URL"):
        environment.setdefault("CELERY_BROKER_URL", cluster.queue_url())
    return cluster


def _join(data_dir: Path, *, durable: bool) -> tuple[Cluster, Callable[[], None]]:
    folder = records_of(data_dir).parent
    cluster = ensure_running(data_dir, durable=durable)
    descriptor = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    # Until the lock is held another process may be leaving and stopping the server.
    with exclusive_lock(folder / "leave.lock"):
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    if postgres.find_running(data_dir) is None:
        cluster = ensure_running(data_dir, durable=durable)
    joined_by = os.getpid()

    def leave() -> None:
        # A forked child inherits the exit handler, but not the duty.
        if os.getpid() == joined_by:
            _leave(data_dir, descriptor)

    return cluster, leave


def _leave(data_dir: Path, descriptor: int) -> None:
    with exclusive_lock(records_of(data_dir).parent / "leave.lock"):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        postgres.stop(data_dir)
        os.close(descriptor)
