"""Queries that come line by line, from a file or a program that waits for each answer."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from embviz.errors import LoadError
from embviz.inputs import open_input

_MOST_LINE_BYTES = 1 << 16
_HELD = 256


def read_groups(name: str, most: int) -> Iterator[list[str | LoadError]]:
    """Yield groups of lines as they come: those that are there already, at most `most`.

    A line that is no UTF-8 or very long stands as the error that it is refused with.

    Args:
        name: A file, or - for standard input.
        most: Lines in a group.

    Raises:
        LoadError: If the file cannot be read.
    """
    shown = "standard input" if name == "-" else name
    if name == "-" and sys.stdin is None:
        raise LoadError(shown, "is closed")
    try:
        file: IO[bytes] = sys.stdin.buffer if name == "-" else open_input(Path(name))
    except OSError as error:
        raise LoadError(name, f"cannot be read ({error.strerror or error})") from None
    lines: queue.Queue[bytes | BaseException | None] = queue.Queue(_HELD)
    # A thread reads, so that what waits can be taken together without waiting for more.
    threading.Thread(target=_read, args=(file, lines), daemon=True).start()
    number = 0
    ended = False
    while not ended:
        group: list[str | LoadError] = []
        item = lines.get()
        while True:
            if item is None:
                ended = True
                break
            if isinstance(item, BaseException):
                if group:
                    yield group
                raise LoadError(shown, f"cannot be read ({item})") from None
            number += 1
            if number == 1:
                item = item.removeprefix(b"\xef\xbb\xbf")
            group.append(_decode(item, f"{shown}:{number}"))
            if len(group) == most or lines.empty():
                break
            item = lines.get()
        if group:
            yield group


def _read(file: IO[bytes], lines: queue.Queue[bytes | BaseException | None]) -> None:
    """Put each line into a queue, then None; an error of the system in place of a line."""
    try:
        with file:
            while line := file.readline(_MOST_LINE_BYTES + 1):
                lines.put(line)
                while len(line) > _MOST_LINE_BYTES and not line.endswith(b"\n"):
                    line = file.readline(_MOST_LINE_BYTES + 1)  # The rest of a line too long.
    except (OSError, ValueError) as error:
        lines.put(error)
        return
    lines.put(None)


def _decode(raw: bytes, shown: str) -> str | LoadError:
    if len(raw) > _MOST_LINE_BYTES:
        return LoadError(shown, f"a line of more than {_MOST_LINE_BYTES} bytes", "one query a line")
    try:
        return raw.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return LoadError(shown, "not UTF-8", "save the file as UTF-8")
