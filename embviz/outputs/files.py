"""A file that is written whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from embviz.errors import OutputError


def write_file(path: Path, data: bytes | Iterable[bytes]) -> int:
    """Write a file under a temporary name beside it and move it there; return its size.

    The path `-` is the standard output.

    Args:
        path: The file; an existing regular one is replaced.
        data: Its bytes, whole or in parts; what making a part raises passes through.

    Raises:
        OutputError: If the folder or the file cannot be written; the old file stays.
    """
    check_output(path)
    parts = (data,) if isinstance(data, bytes) else data
    if str(path) == "-":
        size = sum(sys.stdout.buffer.write(part) for part in parts)
        sys.stdout.flush()
        return size
    if path.exists() and not path.is_file():  # a device, such as /dev/stdout
        return _write_device(path, parts)
    temporary, size = None, 0
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:40]}.", delete=False
        ) as out:
            temporary = Path(out.name)
            for part in parts:
                size += out.write(part)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {error.strerror}") from error
    finally:
        if temporary is not None and temporary.exists():
            temporary.unlink()
    return size


def check_output(path: Path) -> None:
    """Refuse an output that cannot be written, before work is spent on it.

    Raises:
        OutputError: If the path is a folder, or its folder is missing or not writable.
    """
    if str(path) == "-":
        return
    if path.is_dir():
        raise OutputError(path, "is a folder; name a file in it")
    if not path.parent.is_dir():
        raise OutputError(path, f"the folder {path.parent} does not exist", "make it first")
    if not os.access(path.parent, os.W_OK) and not (path.exists() and not path.is_file()):
        raise OutputError(path, f"the folder {path.parent} cannot be written")


def _write_device(path: Path, parts: Iterable[bytes]) -> int:
    try:
        with path.open("wb") as out:
            return sum(out.write(part) for part in parts)
    except OSError as error:
        raise OutputError(path, f"cannot be written: {error.strerror}") from error


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value
