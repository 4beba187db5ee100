"""Standard output, which may be closed, full, or without a reader."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from embviz.errors import OutputError
from embviz.inputs import check_inputs

_CLOSED = OutputError("standard output", "is closed")


class ClosedOutput(io.TextIOBase):
    """Stands for a standard output that was closed, so that nothing written to it is lost."""

    def write(self, text: str) -> int:
        raise _CLOSED


@contextmanager
def standard_output() -> Iterator[None]:
    """Bring what is written to standard output within a block there, and tell where that fails.

    Raises:
        OutputError: If it is closed or takes no more.
        BrokenPipeError: If its reader has gone.
    """
    check_standard_output()
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_standard_output()
        check_inputs()
        raise cannot_be_written(error) from error


def cannot_be_written(error: OSError) -> OutputError:
    """Return our error for what the system says of standard output."""
    return OutputError("standard output", f"cannot be written: {error.strerror or error}")


@contextmanager
def standard_bytes() -> Iterator[IO[bytes]]:
    """Give standard output as a file of bytes.

    Raises:
        OutputError: If it is closed or takes no more.
        BrokenPipeError: If its reader has gone.
    """
    with standard_output():
        try:
            number = sys.stdout.fileno()
        except (OSError, ValueError):  # Python code holds what is written.
            yield sys.stdout.buffer
            return
        # Python's own may be unbuffered, and then writes less than it is given.
        sys.stdout.flush()
        with os.fdopen(os.dup(number), "wb") as out:
            yield out


def check_standard_output() -> None:
    """Refuse a standard output that was closed before the process began.

    Raises:
        OutputError: If it was.
    """
    if sys.stdout is None or isinstance(sys.stdout, ClosedOutput):
        raise _CLOSED


def discard_standard_output() -> None:
    """Let what standard output still holds go nowhere: it would fail again at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
