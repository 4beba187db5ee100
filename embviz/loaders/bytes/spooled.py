"""Standard input and pipes as files: what comes is kept in a temporary file that is removed."""

from __future__ import annotations

import errno
import shutil
import stat
import sys
import tempfile
import weakref
from pathlib import Path
from typing import IO

from embviz.errors import LoadError, ParameterError
from embviz.inputs import open_pipe

STANDARD_INPUT = "-"
_STANDARD_NAMES = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_BLOCK_BYTES = 1 << 20
_MOST_BYTES = 1 << 36
_LEFT_FREE = 256 << 20


class SpooledPath(type(Path())):  # type: ignore[misc]
    """A temporary file that is shown by the name of what it was read from."""

    shown = ""

    def __str__(self) -> str:
        return self.shown or str(super().__str__())

    def __fspath__(self) -> str:
        return str(super().__str__())


def is_standard_input(path: str | Path | None) -> bool:
    """Tell whether a name is that of the standard input."""
    return path is not None and str(path) in (STANDARD_INPUT, *_STANDARD_NAMES)


def as_file(path: Path) -> Path:
    """Return a path itself, or a temporary file with what comes from the pipe that it is.

    `-` is the standard input. The file is removed when nothing refers to its path any more, at the
    latest when the process ends.

    Raises:
        LoadError: If the standard input is closed or a terminal, or the file would grow beyond 64
            GiB or leave less than 256 MiB in its folder; if nobody writes to the pipe, or it is a
            device.
    """
    if isinstance(path, SpooledPath):
        return path
    if str(path) == STANDARD_INPUT:
        if sys.stdin is None:
            raise LoadError(STANDARD_INPUT, "the standard input is closed", "pipe a file into it")
        if sys.stdin.isatty():
            raise LoadError(
                STANDARD_INPUT, "the standard input is a terminal", "such as: cat FILE | embviz …"
            )
        return _spool(sys.stdin.buffer, path)
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError):  # Told by what opens it.
        return path
    if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
        raise LoadError(path, "a device, where a file is needed")
    if not stat.S_ISFIFO(kind):
        return path
    with open_pipe(path) as pipe:
        return _spool(pipe, path)


def check_one_reader(*named: tuple[str, str | Path | None]) -> None:
    """Refuse that two things are read from the standard input.

    Args:
        named: What each is called, and its path.

    Raises:
        ParameterError: Naming the second.
    """
    found = [(what, path) for what, path in named if is_standard_input(path)]
    if len(found) > 1:
        (first, _), (second, path) = found[:2]
        raise ParameterError(
            f"{second} {path}", f"the standard input is read as {first} already", "name a file"
        )


def _spool(pipe: IO[bytes], named: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="embviz-"))
    path = SpooledPath(folder / "stdin")
    path.shown = str(named)
    weakref.finalize(path, shutil.rmtree, folder, ignore_errors=True)
    try:
        with open(path, "wb") as file:
            _copy(pipe, file, folder, str(named))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise _too_large(str(named), folder) from None
        raise
    return path


def _copy(pipe: IO[bytes], file: IO[bytes], folder: Path, shown: str) -> None:
    total = 0
    while block := pipe.read(_BLOCK_BYTES):
        total += len(block)
        full = total % (64 * _BLOCK_BYTES) < _BLOCK_BYTES and _free(folder) < _LEFT_FREE
        if total > _MOST_BYTES or (total > _LEFT_FREE and full):
            raise _too_large(shown, folder)
        file.write(block)


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _too_large(shown: str, folder: Path) -> LoadError:
    return LoadError(
        shown,
        f"what comes does not fit into {folder.parent}, where it is kept while it is read",
        "write it to a file and name that; or TMPDIR=FOLDER names another place",
    )
