"""What is being written: undone when the process must end, and never left between two moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_undo: dict[int, Callable[[], None]] = {}
_moving = threading.RLock()
_movers: list[int] = []


@contextmanager
def undone(undo: Callable[[], None]) -> Iterator[None]:
    """Have something undone at the end of a block, and also where the process ends within it.

    Args:
        undo: Removes what is temporary and still there; it may be called twice, from any thread.
    """
    key = object()
    _undo[id(key)] = undo
    try:
        yield
    finally:
        undo()
        del _undo[id(key)]


@contextmanager
def moving() -> Iterator[None]:
    """Hold off the end of the process while files or folders are moved to their places."""
    with _moving:
        _movers.append(threading.get_ident())
        try:
            yield
        finally:
            _movers.pop()


def is_moving() -> bool:
    """Tell whether the calling thread moves something to its place."""
    return threading.get_ident() in _movers


def undo_all(timeout: float) -> None:
    """Undo all that is unfinished, and let nothing be moved from then on.

    Args:
        timeout: How long a move may take to its end, in seconds.
    """
    _moving.acquire(timeout=timeout)  # Never released: the process ends.
    for undo in list(_undo.values()):
        with suppress(Exception):
            undo()
