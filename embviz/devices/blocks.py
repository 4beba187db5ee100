"""Work in blocks that fit the memory of a device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from embviz.devices.arrays import Arrays
from embviz.errors import ParameterError


def in_blocks(arrays: Arrays, n: int, step: int, work: Callable[[slice], None]) -> None:
    """Do some work for all parts of 0 .. n - 1, in smaller ones where memory runs out.

    Args:
        arrays: Of the device.
        n: How many there are.
        step: How many are done at once at first.
        work: Does a part; what it did before memory ran out is done again.

    Raises:
        ParameterError: If there is not even memory for one.
    """
    start = 0
    while start < n:
        part = slice(start, min(start + step, n))
        try:
            work(part)
        except Exception as error:
            if not arrays.is_short(error) or step == 1:
                raise
        else:
            start = part.stop
            continue
        # Outside of the handler, where the exception holds what was in use no longer.
        step = max(1, min(step, n) // 2)
        arrays.release()


@contextmanager
def telling_shortage(arrays: Arrays, what: str) -> Iterator[None]:
    """Say in one line that a device has not enough memory.

    Args:
        arrays: Of the device.
        what: What it was for.

    Raises:
        ParameterError: In place of what the device raised.
    """
    try:
        yield
    except Exception as error:
        if not arrays.is_short(error):
            raise
        short = True
    else:
        short = False
    if short:
        arrays.release()
        raise ParameterError(
            arrays.title, f"has not enough free memory for {what}", "give --device cpu"
        )
