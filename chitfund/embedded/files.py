"""Locks and private files shared by processes that use one data folder."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def make_folder(folder: Path, *, mode: int) -> None:
    """Create a folder and its missing parents, changing none that exists already.

    The mode holds whatever the umask is.
    """
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        make_folder(folder.parent, mode=mode)
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold a lock among processes; the kernel releases it when the holder dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_private_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file that only its owner may read, in one step.

    A reader sees the old content or the new, never half of it.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    Path(temporary).replace(path)
