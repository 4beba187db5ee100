"""The header of a .npy file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)."""

from __future__ import annotations

import ast
import math
import re
import tokenize
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from embviz.errors import LoadError
from embviz.loaders.bytes.zip_members import Readable
from embviz.loaders.refusals import describe_start

MAGIC = b"\x93NUMPY"
_MOST_HEADER_BYTES = 10_000
_MOST_DIMENSIONS = 32
_MOST_SIDE = 1 << 63
_PYTHON2_LONG = re.compile(r"(?<=\d)L\b")


@dataclass(frozen=True)
class NpyHeader:
    """What a .npy file says of its array; `offset` is where its bytes begin."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool
    offset: int

    @property
    def n_bytes(self) -> int:
        """How many bytes the array takes, exactly."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: Readable, what: str) -> NpyHeader:
    """Read the header at the beginning of a file; nothing is unpickled or evaluated.

    Raises:
        LoadError: If it is no .npy header.
    """
    start = file.read(8)
    if not start:
        raise LoadError(what, "0 bytes", "a NumPy array is needed")
    if not start.startswith(MAGIC):
        start += file.read(24)
        raise LoadError(what, f"not a .npy file, {describe_start(start)}", "write it by numpy.save")
    width = {1: 2, 2: 4, 3: 4}.get(start[6] if len(start) == 8 else 0)
    if width is None:
        raise LoadError(what, "a damaged .npy header", "write it again")
    length = int.from_bytes(file.read(width), "little")
    if length > _MOST_HEADER_BYTES:
        raise LoadError(
            what, f"a .npy header of {length} bytes, more than {_MOST_HEADER_BYTES} are not read"
        )
    body = file.read(length)
    if len(body) != length:
        raise LoadError(what, f"cut off in its header, {len(body)} of {length} bytes are there")
    offset = 8 + width + length
    return _parse(body, offset, what)


def _parse(body: bytes, offset: int, what: str) -> NpyHeader:
    damaged = LoadError(what, "a damaged .npy header", "write it again")
    try:
        text = _PYTHON2_LONG.sub("", body.decode("utf-8"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # What Python says of odd literals.
            values = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, tokenize.TokenError):
        raise damaged from None
    if not isinstance(values, dict) or not {"descr", "fortran_order", "shape"} <= values.keys():
        raise damaged
    descr, shape = values["descr"], values["shape"]
    if not isinstance(shape, tuple) or len(shape) > _MOST_DIMENSIONS:
        raise damaged
    if not all(type(n) is int and 0 <= n < _MOST_SIDE for n in shape):
        raise damaged
    records = isinstance(descr, list)
    if not records and not (isinstance(descr, str) and len(descr) <= 40):
        raise damaged
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dtype: np.dtype[Any] = np.dtype(descr)
    except (TypeError, ValueError, SyntaxError, OverflowError, MemoryError, RecursionError):
        raise damaged from None
    if not records and (dtype.names or dtype.subdtype):
        raise damaged
    return NpyHeader(dtype, shape, bool(values["fortran_order"]), offset)


def loading(what: str, *, trusted: bool = False) -> str:
    """Return the Python that loads an array.

    Args:
        what: A file, or a member of an archive as `FILE: 'NAME'`.
        trusted: Whether Python objects in it are unpickled.
    """
    file, found, member = what.rpartition(": '")
    more = ", allow_pickle=True" if trusted else ""
    taken = f"[{member.removesuffix(chr(39))!r}]" if found else ""
    return f"numpy.load({(file if found else what)!r}{more}){taken}"
