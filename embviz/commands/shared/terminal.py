"""What the user is told on stderr: notes always, progress only on a terminal."""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
from contextlib import suppress

TICK = 0.9
"""Seconds after which a stage that says nothing new is said again, with how long it has taken."""


_hearers: list[list[str]] = []


def hear(into: list[str] | None) -> None:
    """Put the lines that are said from now on into a list too; None for no more."""
    _hearers[:] = [] if into is None else [into]


def say(text: str) -> None:
    """Write a line to stderr, in place of a progress line; nothing where it cannot be written."""
    if _hearers:
        _hearers[-1].append(text)
    _progress.clear()
    _write(f"{text}\n")


class _Notes(logging.Handler):
    """Says one line a message."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


class _Progress(logging.Handler):
    """Rewrites one line in place, and says it again with the time where nothing new comes."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._begun = self._written = 0.0
        self._shown = False
        self._line = threading.RLock()
        self._running: threading.Event | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != threading.main_thread().ident:
            return  # What is done meanwhile.
        self._text = record.getMessage()
        self._begun = time.monotonic()
        self._show(self._text)

    def start(self, text: str) -> None:
        """Begin with a stage, which is said once it has taken a second."""
        self.stop()
        self._text, self._begun = text, time.monotonic()
        self._written = self._begun
        self._running = threading.Event()
        threading.Thread(target=self._repeat, args=(self._running,), daemon=True).start()

    def stop(self) -> None:
        """End and leave no line."""
        if self._running is not None:
            self._running.set()
            self._running = None
        self.clear()

    def clear(self) -> None:
        """Leave an empty line where the progress was."""
        with self._line:
            if self._shown:
                _write("\r\x1b[2K")
                self._shown = False

    def _show(self, text: str, taken: str = "") -> None:
        width = shutil.get_terminal_size().columns - 1 - len(taken)
        with self._line:
            if self._running is not None and self._running.is_set():
                return
            _write(f"\r\x1b[2K{text[:width]}{taken}")
            self._shown = True
            self._written = time.monotonic()

    def _repeat(self, running: threading.Event) -> None:
        while not running.wait(TICK / 3):
            now = time.monotonic()
            if now - self._written >= TICK:
                self._show(self._text, f", {now - self._begun:.0f} s")


_progress = _Progress()


def _write(text: str) -> None:
    with suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()


def listen(logger: logging.Logger) -> None:
    """Show a logger's notes on stderr, and its child `progress` where stderr is a terminal."""
    hear(None)
    logger.setLevel(logging.INFO)
    logger.handlers[:] = [_Notes()]
    logger.propagate = False
    progress = logger.getChild("progress")
    progress.propagate = False
    progress.handlers[:] = [_progress if _is_terminal() else logging.NullHandler()]


def begin_progress(text: str) -> None:
    """Let a stage be heard of on a terminal until `end_progress`, and all that is said after it."""
    if _is_terminal():
        _progress.start(text)


def end_progress() -> None:
    """Leave the terminal to what is written next."""
    _progress.stop()


def can_show(text: str) -> bool:
    """Tell whether standard output's encoding has some characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
