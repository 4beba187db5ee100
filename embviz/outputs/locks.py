"""A folder that one process holds; the system lets go when the process ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

from embviz.errors import OutputError
from embviz.outputs.unfinished import undone

LOCK = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for this process.

    Raises:
        OutputError: If another process holds it.
    """
    try:
        file = take(folder)
    except OSError as error:
        raise OutputError(folder, f"cannot be written: {error.strerror or error}") from error
    if file is None:
        raise OutputError(folder, "another process is writing to it", "wait until it has ended")
    with undone(partial(release, folder, file)):
        yield


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process moves files to their places in a folder, and let none begin.

    Nothing is left in the folder; where the system has no such lock, or not of this folder, two
    processes are not kept apart.
    """
    number = -1
    with suppress(ImportError, OSError):
        import fcntl

        number = os.open(folder, os.O_RDONLY)
        fcntl.flock(number, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if number >= 0:
            os.close(number)


def release(folder: Path, file: IO[bytes]) -> None:
    """Let go of a lock and leave no file, if the folder is still the one that was locked.

    A lock that was let go of already stays so.
    """
    if file.closed:
        return
    with suppress(OSError, ValueError):  # Another thread may close it first.
        if os.name == "nt":  # An open file cannot be removed there.
            file.close()
            (folder / LOCK).unlink()
        elif os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat()):
            (folder / LOCK).unlink()
    file.close()


def take(folder: Path) -> IO[bytes] | None:
    """Return a folder's lock, held until it is closed; None if another process holds it."""
    while True:
        file = (folder / LOCK).open("ab")
        if not _lock(file):
            file.close()
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat()):
                return file
        file.close()  # The folder was replaced meanwhile.


def _lock(file: IO[bytes]) -> bool:
    """Lock an open file; False if another process holds it."""
    try:
        if os.name == "nt":
            import msvcrt

            locking: Any = msvcrt
            file.seek(0)
            locking.locking(file.fileno(), locking.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
