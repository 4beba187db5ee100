"""The signals that ask a process to end. Of the standard library only: it is imported first."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
STOPPED = "embviz: stopped"
_LINE = 0.3  # Seconds.


def heed(handle: Callable[[int, FrameType | None], object] | signal.Handlers) -> list[int]:
    """Set what answers the signals, and return their numbers.

    Who starts a process in the background may have it ignore some: those stay ignored.
    """
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    for number in numbers:
        signal.signal(number, handle)
    return numbers


def end_process(status: int, line: str, say: Callable[[str], None]) -> NoReturn:
    """End the process with its one line, without the interpreter's own way out.

    Threads of libraries may still run, and would crash while it takes their modules away.

    Args:
        status: The exit status, 128 + the signal where one asked for it.
        line: Why it ends.
        say: Writes the line; a terminal that is held takes none, and is not waited for.
    """
    saying = threading.Thread(target=say, args=(line,), daemon=True)
    saying.start()
    saying.join(_LINE)
    os._exit(status)


def heed_at_once() -> None:
    """Have a signal end the process while there is nothing to undo yet."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        heed(signal.SIG_IGN)
        end_process(128 + number, STOPPED, _write)

    heed(end)


def _write(text: str) -> None:
    if sys.stderr is not None:  # Else the number may be another file's.
        os.write(2, f"{text}\n".encode())
