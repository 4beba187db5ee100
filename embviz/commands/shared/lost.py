"""A run that loses pages of a file that it has mapped: one line, where the system ends processes.

The system sends SIGBUS to the thread that touches such a page, which may be one of BLAS in the
middle of a product. That thread waits in a handler for the interpreter, as any thread of Python
does, and ends the process from there: it stands between two instructions that only read, so it
holds no lock of the memory's. Python's own handlers would run when the fault has been met again.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

from embviz.commands.shared.terminal import say
from embviz.errors import LoadError
from embviz.inputs import changed_input, watch_inputs
from embviz.outputs.unfinished import undo_all
from embviz.signals import end_process

_MOVE = 0.3  # Seconds.
_PAUSE = 1.0
_SHARE = 20
_ending = threading.Lock()
_kept: list[Any] = []


def heed_lost_pages() -> None:
    """Watch the files that are opened, and end the process in one line where one changes."""
    watch_inputs()
    number = getattr(signal, "SIGBUS", None)
    # Without ctypes, or such a signal, the system ends the process as it does.
    with suppress(ImportError, AttributeError, OSError):
        if number is not None:
            _set_handler(number, _end)
    threading.Thread(target=_look, daemon=True).start()


def _look() -> None:
    """End the process soon after a file was written into, not after all the work on it."""
    pause = _PAUSE
    while True:
        time.sleep(pause)
        started = time.monotonic()
        error = changed_input()
        if error is not None:
            _leave(error)
        pause = max(_PAUSE, _SHARE * (time.monotonic() - started))


def _set_handler(number: int, handle: Callable[[int], None]) -> None:
    """Have a signal answered at once by the thread that it is sent to."""
    import ctypes

    library = ctypes.CDLL(None)
    library.signal.restype = ctypes.c_void_p
    library.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    function = ctypes.CFUNCTYPE(None, ctypes.c_int)(handle)
    _kept.append(function)  # It must outlive this call.
    library.signal(number, ctypes.cast(function, ctypes.c_void_p))


def _end(number: int) -> None:
    error = changed_input()
    if error is None:
        # No file is to blame: the fault is met again, and does what it would have done.
        signal.signal(number, signal.SIG_DFL)
        return
    _leave(error)


def _leave(error: LoadError) -> NoReturn:
    """Undo what is unfinished and end the process with its one line."""
    _ending.acquire()  # Never released: the first thread to come says it.
    undo_all(timeout=_MOVE)
    end_process(LoadError.exit_code, f"embviz: {error}", say)
