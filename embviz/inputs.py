"""Files of others: opened without waiting for a writer, and watched while a command runs.

A file that is mapped and becomes shorter takes its pages away: who touches one is sent SIGBUS, in
whatever thread of whatever library. `commands.shared.lost` answers that; here is known what
changed.
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from embviz.errors import LoadError

if TYPE_CHECKING:
    import numpy as np

WAIT = 5.0
"""Seconds that are waited for somebody who writes to a pipe."""
_STEP = 0.25
_AGAIN = "run again when it is written"
_State = tuple[int, int, int, int]


class _Watch:
    """The files that were opened, by their absolute paths, with what they were then."""

    def __init__(self) -> None:
        self.on = False
        self.known: dict[str, _State] = {}
        self.growing: set[str] = set()


_watch = _Watch()


def watch_inputs() -> None:
    """Remember from now on what every file is when it is first opened; forget what was known."""
    _watch.on = True
    _watch.known.clear()
    _watch.growing.clear()


def open_file(path: Path, grows: bool = False) -> io.BufferedReader:
    """Open a regular file to read, as `open_raw` does, with a buffer."""
    return io.BufferedReader(open_raw(path, grows))


def open_raw(path: Path, grows: bool = False) -> io.FileIO:
    """Open a regular file to read, and refuse a pipe or device at once, where it would hang.

    Args:
        path: The file.
        grows: Whether it is made to be added to, so that only to become shorter is an error;
            of a file that was opened otherwise as well it says nothing.

    Raises:
        LoadError: If it is no regular file, or another one than when it was opened before.
        OSError: If it cannot be opened.
    """
    number = _open_at_once(path)
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode):
        os.close(number)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise LoadError(path, "a pipe or device, where a file is needed")
    file = io.FileIO(number)
    if _watch.on:
        name, state = os.path.abspath(path), _state(found)
        if not grows:
            _watch.growing.discard(name)
        elif name not in _watch.known:
            _watch.growing.add(name)
        if name in _watch.growing:
            _watch.known[name] = state
        # Some network file systems number a file anew each time.
        elif _watch.known.setdefault(name, state)[2:] != state[2:]:
            file.close()
            raise LoadError(path, "changed while it was read", _AGAIN)
    return file


def check_file(path: Path) -> None:
    """Refuse what `open_file` refuses, before a library opens a file by its name.

    Raises:
        LoadError, OSError: As `open_raw`.
    """
    open_raw(path).close()


def _open_at_once(path: Path) -> int:
    return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def _state(found: os.stat_result) -> _State:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def open_input(path: Path) -> io.BufferedReader:
    """Open a file, or a pipe that is written to.

    Raises:
        LoadError, OSError: As `open_file` and `open_pipe`.
    """
    return open_pipe(path) if stat.S_ISFIFO(path.stat().st_mode) else open_file(path)


def read_file(path: Path, most_bytes: int) -> bytes:
    """Return the bytes of a file, or of a pipe that is written to.

    Raises:
        LoadError: If they are more than `most_bytes`, or as `open_file` and `open_pipe` say.
        OSError: If it cannot be read.
    """
    with open_input(path) as file:
        raw = file.read(most_bytes + 1)
    if len(raw) > most_bytes:
        raise LoadError(path, f"more than {most_bytes:,} bytes, which are not read")
    return raw


def open_pipe(path: Path) -> io.BufferedReader:
    """Open a pipe to read, once somebody writes to it.

    Raises:
        LoadError: If nobody does within five seconds.
        OSError: If it cannot be opened.
    """
    pipe = io.FileIO(_open_at_once(path))
    first: bytes | None = b""
    with suppress(AttributeError):  # No such waiting here.
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        for _ in range(round(WAIT / _STEP)):
            # A hang-up is told once somebody wrote and left.
            if poll.poll(_STEP * 1000):
                break
            # None where somebody has it open and is silent, nothing where nobody has.
            first = pipe.read(1)
            if first != b"":
                break
        else:
            pipe.close()
            way_out = "start what writes to it, or name a file"
            raise LoadError(path, "a pipe that nobody writes to", way_out)
    os.set_blocking(pipe.fileno(), True)
    return io.BufferedReader(_Begun(first or b"", pipe))


class _Begun(io.RawIOBase):
    """A file of which the first bytes were read already."""

    def __init__(self, first: bytes, rest: io.FileIO) -> None:
        self._first, self._rest = first, rest

    def readable(self) -> bool:
        return True

    def readinto(self, out: Any, /) -> int | None:
        if not self._first:
            return self._rest.readinto(out)
        out[:1], self._first = self._first[:1], self._first[1:]
        return 1

    def close(self) -> None:
        self._rest.close()
        super().close()


def map_file(
    path: Path,
    dtype: Any,
    offset: int,
    shape: Sequence[int],
    order: Literal["C", "F"] = "C",
) -> np.memmap[Any, Any]:
    """Map an array in a file, whose size was checked, into memory.

    Raises:
        LoadError: If the file has become shorter, or another one.
        OSError: If it cannot be opened.
    """
    import numpy as np

    with open_file(path) as file:
        try:
            return np.memmap(file, dtype, "r", offset, tuple(shape), order)
        except ValueError:
            raise LoadError(path, "became shorter while it was read", _AGAIN) from None


def changed_input() -> LoadError | None:
    """Return what is wrong where a file was written into since it was opened, else None.

    One that another took the place of is still there for who has it open, as it was.
    """
    for name, known in list(_watch.known.items()):
        with suppress(OSError):
            now = _state(os.stat(name))
            if now[:2] != known[:2] or now == known:
                continue
            if name in _watch.growing and now[2] >= known[2]:
                continue
            why = "changed while it was read"
            if now[2] < known[2]:
                why = f"became shorter while it was read, {now[2]:,} of {known[2]:,} bytes are left"
            return LoadError(os.path.relpath(name), why, _AGAIN)
    return None


def check_inputs() -> None:
    """Refuse to go on once a file was written into since it was opened.

    Raises:
        LoadError: If one was.
    """
    error = changed_input()
    if error is not None:
        raise error
