"""Hidden files beside those that are being written, and what killed processes left of them.

Who writes such a file holds it by a lock of the system's, which ends with the process: one that
nobody holds is nobody's, and the next run that writes to the same place removes it.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_held: dict[Path, int] = {}


def hidden_name(target: Path, kind: str = "") -> Path:
    """Return a name beside a path that begins as `hidden_start` and is nobody else's."""
    return target.parent / f"{hidden_start(target, kind)}{os.urandom(4).hex()}"


def hidden_start(target: Path, kind: str = "") -> str:
    """Return how hidden names beside a path begin; a long name is cut and told by a checksum."""
    from zlib import crc32

    name = target.name
    if len(os.fsencode(name)) > 200:
        name = f"{name[:40]}~{crc32(os.fsencode(name)):08x}"
    return f".{name}.{kind}" + ("-" if kind else "")


def hold(number: int, temporary: Path) -> bool:
    """Hold an open file until `let_go`; False if it was taken for one that nobody holds.

    Args:
        number: Its descriptor, which may be closed meanwhile.
        temporary: Its name.
    """
    try:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_SH)
    except (ImportError, OSError):
        return True  # Where nothing can be held, nothing is removed either.
    try:
        if not os.path.samestat(os.fstat(number), os.stat(temporary)):
            return False
    except FileNotFoundError:
        return False
    _held[temporary] = os.dup(number)
    return True


def let_go(temporary: Path) -> None:
    """Hold a file no longer."""
    number = _held.pop(temporary, None)
    if number is not None:
        os.close(number)


def remove_left(target: Path, kind: str = "") -> None:
    """Remove the hidden files of a kind beside a path that no process holds."""
    try:
        import fcntl
    except ImportError:
        return
    name = re.compile(re.escape(hidden_start(target, kind)) + "[0-9a-f]{8}")
    with suppress(OSError):
        for entry in list(os.scandir(target.parent)):
            if not name.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
                continue
            with suppress(OSError):
                number = os.open(entry.path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
                try:
                    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(entry.path)
                finally:
                    os.close(number)
