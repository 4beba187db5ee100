"""A file that is written whole or not at all."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from embviz.errors import OutputError, ParameterError
from embviz.inputs import check_inputs
from embviz.outputs.left import hidden_name, hold, let_go, remove_left
from embviz.outputs.standard import check_standard_output, standard_bytes
from embviz.outputs.unfinished import beginning, moving, undone

_STANDARD = {"stdin": 0, "stdout": 1, "stderr": 2}
_DESCRIPTOR = re.compile(r"/dev/(stdin|stdout|stderr)|/(?:dev|proc/self)/fd/(\d{1,9})")


def write_file(path: Path, data: bytes | Iterable[bytes]) -> int:
    """Write a file as `fresh_file` does; return its size.

    Args:
        path: The file; an existing regular one is replaced.
        data: Its bytes, whole or in parts; what making a part raises passes through.

    Raises:
        OutputError: If the folder or the file cannot be written; the old file stays.
    """
    parts = (data,) if isinstance(data, bytes) else data
    with fresh_file(path) as out:
        return sum(out.write(part) for part in parts)


def append_file(path: Path, data: bytes) -> None:
    """Add bytes to the end of a file, all of them or none, behind an empty line if it has some.

    The file stays the same one, so that several processes may add to it. One that is not there is
    made. `-`, pipes and devices take the bytes as they come.

    Raises:
        OutputError: If the file cannot be written; it keeps what it has.
    """
    check_output(path)
    if str(path) == "-":
        with standard_bytes() as out:
            out.write(data)
        return
    with told(path):
        if takes_bytes(path):
            with _open_taker(path) as out:
                out.write(data)
            return
        target = followed(path)
        is_new = not target.exists()
        with target.open("ab+", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            gap = b"" if not end else b"\n" if file.read(1) == b"\n" else b"\n\n"
            try:
                _write_all(file, gap + data)
            except BaseException:
                file.truncate(end)
                if is_new:
                    target.unlink(missing_ok=True)
                raise


def _write_all(file: IO[bytes], data: bytes) -> None:
    """Write bytes to an unbuffered file, which may take them in parts."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


@contextmanager
def fresh_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes a path's place when all went well, and leaves nothing if not.

    It has a temporary name beside the path until then, and the permissions of the file that it
    replaces. A link is written through. `-`, pipes and devices take the bytes as they come.

    Raises:
        OutputError: If the folder or the file cannot be written; the old file stays.
    """
    check_output(path)
    if str(path) == "-":
        with standard_bytes() as out:
            yield out
        return
    with told(path):
        if takes_bytes(path):
            with _open_taker(path) as out:
                yield out
            return
        target = followed(path)
        with beside(target) as temporary:
            with open_beside(temporary, target) as out:
                yield out
            with moving():
                os.replace(temporary, target)


def check_output(path: Path) -> None:
    """Refuse an output that cannot be written, before work is spent on it.

    Raises:
        OutputError: If the path is a folder, its folder is missing or not writable, or it is a
            file that may not be written.
    """
    if str(path) == "-":
        check_standard_output()
        return
    check_name(path)
    with told(path):
        if path.is_dir():
            raise OutputError(path, "is a folder; name a file in it")
        if takes_bytes(path):
            return
        target = followed(path)
        if not target.parent.is_dir():
            raise OutputError(path, f"the folder {target.parent} does not exist", "make it first")
        if not os.access(target.parent, os.W_OK):
            raise OutputError(path, f"the folder {target.parent} cannot be written")
        if target.exists() and not os.access(target, os.W_OK):
            raise OutputError(path, "is write-protected", "allow writing to it, or name another")


def check_outputs(paths: Mapping[str, Path]) -> None:
    """Refuse outputs that cannot be written, or are one file.

    Args:
        paths: By the options that name them.

    Raises:
        OutputError: If one cannot be written.
        ParameterError: If two are the same file.
    """
    taken: dict[str, str] = {}
    for option, path in paths.items():
        check_output(path)
        place = os.path.realpath(path)
        if str(path) == "-" or not takes_bytes(path):
            if place in taken:
                raise ParameterError(path, f"is both {taken[place]} and {option}", "name two files")
            taken[place] = option


def check_name(path: Path) -> None:
    """Refuse a name that no file can have, and links that lead to each other.

    Raises:
        OutputError: If it is one.
    """
    if "\0" in str(path):
        raise OutputError(path, "no name of a file holds a NUL character")
    with told(path), suppress(FileNotFoundError):
        path.stat()


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what the system says of a path into an error of ours.

    Raises:
        OutputError: If the system refuses something.
        LoadError: If it does so of a file that changed while it was read.
    """
    try:
        yield
    except OSError as error:
        check_inputs()  # Of a map that lost its pages nothing can be written.
        raise OutputError(path, f"cannot be written: {error.strerror or error}") from error


def followed(path: Path) -> Path:
    """Return the file or folder that a link leads to, which may be missing; else the path."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def takes_bytes(path: Path) -> bool:
    """Tell whether a path is a pipe, a device or an open file, which cannot be replaced.

    Raises:
        OutputError: If it is the name of an open file that is closed.
    """
    number = _descriptor(path)
    if number is not None:
        if number == 1:
            check_standard_output()
        try:
            os.fstat(number)
        except OSError:
            raise OutputError(path, "is closed") from None
        return True
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


def is_standard_output(path: Path) -> bool:
    """Tell whether what is written to a path gets to the reader of standard output.

    So it is for `-`, for names of the open file, and for a file or pipe that it leads to.
    """
    if str(path) == "-" or _descriptor(path) == 1:
        return True
    try:
        own, other = os.fstat(sys.stdout.fileno()), path.stat()
    except (AttributeError, OSError, ValueError):
        return False
    return os.path.samestat(own, other) and not stat.S_ISCHR(own.st_mode)


@contextmanager
def beside(target: Path, kind: str = "") -> Iterator[Path]:
    """Give a temporary name beside a file; a file of that name is removed at the end.

    What processes that were killed left there is removed before.

    Args:
        target: Where it is to go.
        kind: What it is, as a part of the name.
    """
    remove_left(target, kind)
    temporary = hidden_name(target, kind)

    def remove() -> None:
        with suppress(OSError):
            temporary.unlink()

    with undone(remove):
        try:
            yield temporary
        finally:
            let_go(temporary)


def open_beside(temporary: Path, target: Path) -> IO[bytes]:
    """Open a new file with the permissions of the one that it will replace, and hold it."""
    mode = stat.S_IMODE(target.stat().st_mode) & 0o777 if target.exists() else None
    created = 0o666 if mode is None else mode | 0o200
    while True:
        with beginning():
            out = open(  # noqa: SIM115
                temporary, "xb", opener=lambda name, flags: os.open(name, flags, created)
            )
        if hold(out.fileno(), temporary):
            break
        out.close()
    if mode is not None:
        temporary.chmod(mode)  # What the umask took away comes back.
    return out


def _descriptor(path: Path) -> int | None:
    """Return the number of the open file that a path names, such as 1 of /dev/stdout."""
    found = _DESCRIPTOR.fullmatch(str(path))
    if found is None or os.name == "nt":
        return None
    return _STANDARD[found[1]] if found[1] else int(found[2])


def _open_taker(path: Path) -> IO[bytes]:
    """Open a pipe, device or open file to write to."""
    number = _descriptor(path)
    # A second opening would begin at the start of a file, and a socket has none.
    return path.open("wb") if number is None else os.fdopen(os.dup(number), "wb")
