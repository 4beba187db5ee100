"""A run that is stopped by a signal: what it began is undone, and it ends within two seconds.

Python runs its handlers between two steps of the main thread, and a library may keep that thread
for minutes within one. So a thread waits for signals too, on a pipe that the interpreter writes to
at once. It gives the main thread a second to end by itself, and then ends the process.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import NoReturn

from embviz.commands.shared.terminal import say
from embviz.outputs.unfinished import is_moving, undo_all

GRACE = 1.0  # Seconds.
_MOVE = 0.3
_LINE = 0.3
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Stopped(BaseException):
    """A signal asked the process to end; not an `Exception`, so that nothing goes on after it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Stopping:
    """Heeds the signals that ask the process to end, until `rest`."""

    def __init__(self) -> None:
        self._asked = 0
        self._raised = False
        self._ending = threading.Lock()
        self._before: dict[int, object] = {}
        reader, self._writer = os.pipe()
        if os.name != "nt":
            os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for name in _NAMES:
            number = getattr(signal, name, None)
            # Who starts a process in the background may have it ignore some.
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        threading.Thread(target=self._watch, args=(reader,), daemon=True).start()

    @property
    def asked(self) -> int:
        """The number of the signal that came, 0 if none did."""
        return self._asked

    def end(self) -> NoReturn:
        """End the process with its one line, without the interpreter's own way out.

        Threads of libraries may still run, and would crash while it takes their modules away.
        """
        self._ending.acquire()  # Never released: the first to come says it.
        undo_all(timeout=_MOVE)
        # A terminal that is held takes no line.
        saying = threading.Thread(target=say, args=("embviz: stopped",), daemon=True)
        saying.start()
        saying.join(_LINE)
        os._exit(128 + self._asked)

    def rest(self) -> None:
        """Leave the signals to the system again: nothing is left to undo."""
        for number in self._before:
            signal.signal(number, signal.SIG_DFL)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._asked = self._asked or number
        if self._raised or is_moving():
            return  # `_watch` asks again after a move.
        self._raised = True
        raise Stopped(self._asked)

    def _watch(self, reader: int) -> None:
        """Wait for a signal; end the process where the main thread does not within a second."""
        number = 0
        while number not in self._before:
            number = os.read(reader, 1)[0]
        self._asked = self._asked or number
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            time.sleep(0.05)
            if not self._raised:
                signal.raise_signal(number)
        self.end()
