"""What is being written: undone when the process must end, and never left between two moves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from embviz.inputs import check_inputs

_undo: dict[int, Callable[[], None]] = {}
_moving = threading.RLock()
_movers: list[int] = []
_forbidden = threading.Event()


class Stopped(BaseException):
    """The process was asked to end; not an `Exception`, so that nothing goes on after it."""


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
    """Hold off the end of the process while files or folders are moved to their places.

    Raises:
        Stopped: If the process was asked to end.
    """
    with _moving:
        _movers.append(threading.get_ident())
        try:
            check_move()
            yield
        finally:
            _movers.pop()


@contextmanager
def beginning() -> Iterator[None]:
    """Hold off the end of the process while a temporary file, or another process, is made.

    Once the process ends, a thread waits here for good, lest it make one that nobody removes.
    """
    with _moving:
        _movers.append(threading.get_ident())
        try:
            yield
        finally:
            _movers.pop()


def is_moving() -> bool:
    """Tell whether the calling thread begins something, or moves it to its place."""
    return threading.get_ident() in _movers


def forbid_moves() -> None:
    """Let no move begin from now on: the process was asked to end.

    What says so by `Stopped` is not heard where an exception is dropped, as in `__del__` or in a
    library's callback.
    """
    _forbidden.set()


def check_move() -> None:
    """Refuse to put anything in its place once the process was asked to end, or an input changed.

    Raises:
        Stopped: If it was asked to.
        LoadError: If a file was written into after it was opened.
    """
    if _forbidden.is_set():
        raise Stopped
    check_inputs()


def undo_all(timeout: float) -> None:
    """Undo all that is unfinished, the latest first, and let nothing be moved from then on.

    Args:
        timeout: How long a move may take to its end, in seconds. One that takes longer keeps what
            it needs to be put right by hand, or by the next run.
    """
    if not _moving.acquire(timeout=timeout):  # Never released: the process ends.
        return
    for undo in reversed(list(_undo.values())):
        with suppress(Exception):
            undo()
