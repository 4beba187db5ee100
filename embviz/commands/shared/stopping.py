"""A run that is stopped by a signal: what it began is undone, and it ends within two seconds.

Python runs its handlers between two steps of the main thread, and a library may keep that thread
for minutes within one. So a thread waits for signals too, on a pipe that the interpreter writes to
at once. It gives the main thread a second to end by itself, and then ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

from embviz.commands.shared.terminal import say
from embviz.outputs.unfinished import Stopped, forbid_moves, is_moving, undo_all
from embviz.signals import STOPPED, end_process, heed

GRACE = 1.0  # Seconds.
_MOVE = 0.3


class Stopping:
    """Heeds the signals that ask the process to end, until `rest`."""

    def __init__(self) -> None:
        self._asked = 0
        self._raises = False
        self._ending = threading.Lock()
        reader, self._writer = os.pipe()
        if os.name != "nt":
            os.set_blocking(self._writer, False)
        _keep_quiet()
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._heeded = heed(self._handle)
        threading.Thread(target=self._watch, args=(reader,), daemon=True).start()

    @property
    def asked(self) -> int:
        """The number of the signal that came, 0 if none did."""
        return self._asked

    def begin(self) -> None:
        """Let a signal raise `Stopped` in the main thread, once: one that has come, or will."""
        self._raises = True
        if self._asked:
            self._handle(self._asked, None)

    def end(self) -> NoReturn:
        """Undo what is unfinished and end the process with its one line."""
        self._ending.acquire()  # Never released: the first to come says it.
        undo_all(timeout=_MOVE)
        end_process(128 + self._asked, STOPPED, say)

    def rest(self, status: int) -> None:
        """Let a signal end the process with the status of its work: nothing is left to undo."""
        signal.set_wakeup_fd(-1)
        heed(lambda number, frame: os._exit(status))

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._asked = self._asked or number
        forbid_moves()
        if self._raises and not is_moving():  # `_watch` asks again after a move.
            self._raises = False
            raise Stopped

    def _watch(self, reader: int) -> None:
        """Wait for a signal; end the process where the main thread does not within a second."""
        number = 0
        while number not in self._heeded:
            number = os.read(reader, 1)[0]
        self._asked = self._asked or number
        forbid_moves()
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            time.sleep(0.05)
            if self._raises:
                signal.raise_signal(number)
        self.end()


def _keep_quiet() -> None:
    """Have the interpreter not tell that it dropped a `Stopped`, as it does in `__del__`."""
    tell = sys.unraisablehook
    sys.unraisablehook = lambda dropped: None if dropped.exc_type is Stopped else tell(dropped)
