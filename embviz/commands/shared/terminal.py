"""What the user is told on stderr: notes always, progress only on a terminal."""

from __future__ import annotations

import logging
import shutil
import sys


class _Notes(logging.Handler):
    """Prints one line a message, clearing a progress line before it."""

    def emit(self, record: logging.LogRecord) -> None:
        _clear()
        print(record.getMessage(), file=sys.stderr, flush=True)


class _Progress(logging.Handler):
    """Rewrites one line in place."""

    def emit(self, record: logging.LogRecord) -> None:
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[2K{record.getMessage()[:width]}", end="", file=sys.stderr, flush=True)
        _Progress.shown = True

    shown = False


def _clear() -> None:
    if _Progress.shown:
        print("\r\x1b[2K", end="", file=sys.stderr)
        _Progress.shown = False


def listen(logger: logging.Logger) -> None:
    """Show a logger's notes on stderr, and its child `progress` where stderr is a terminal."""
    logger.setLevel(logging.INFO)
    logger.handlers[:] = [_Notes()]
    logger.propagate = False
    progress = logger.getChild("progress")
    progress.propagate = False
    progress.handlers[:] = [_Progress() if sys.stderr.isatty() else logging.NullHandler()]
