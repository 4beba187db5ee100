"""Vectors in cells: `[0.1, 0.2]` as JSON, Python and NumPy print it, and bare numbers in one field.

NumPy breaks long vectors over lines and elides the middle of those of more than 1,000 numbers
(numpy.set_printoptions), so that they are lost.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.loaders.text.numbers import PAD, parse_numbers, read_number

LINE_END = b"\0"
"""What a line end within quotes is replaced by, so that lines can be told by line feeds."""
HIDDEN = b"\1"
"""What a delimiter within brackets is replaced by."""

MISSING = frozenset(
    {b"", b"NA", b"N/A", b"n/a", b"#N/A", b"<NA>", b"na", b"NULL", b"null", b"None", b"none"}
)
"""Fields that stand for a number that is missing, beside nan."""
_OPEN, _CLOSE = b"[({", b"])}"
_SEPARATORS = b",;|[](){}\0\1\t\r\n"
_TO_BLANKS = bytes.maketrans(_SEPARATORS, b" " * len(_SEPARATORS))
_WRAPPED = re.compile(
    rb"(?:np\.|numpy\.)?(?:array|tensor|c)\((.*)\)|[A-Za-z_][\w.]*\(\s*(\[.*\].*)\)", re.DOTALL
)
# `, dtype=float32`, and what PyTorch says of a tensor: `, device='cuda:0', grad_fn=<MulBackward0>`.
_SAID_OF = re.compile(rb"(?:,[\s\0]*+[a-z_]++=(?:[\w.]++|'[^']*+'|<[^<>]*+>|\([^()]*+\)))++,?\s*+")
_SEVERAL = re.compile(rb"\][\s,;\0\1]*\[")
_SCALAR = re.compile(rb"np\.float(?:16|32|64)\(([^()]*)\)")
_BLANK, _LINE_FEED = 32, 10


def is_list(field: bytes) -> bool:
    """Tell whether a field is in brackets."""
    field = field.strip()
    return (field[:1] in (b"[", b"(", b"{") and field[-1:] in (b"]", b")", b"}")) or bool(
        _WRAPPED.fullmatch(field)
    )


def is_elided(field: bytes) -> bool:
    """Tell whether the middle of a printed vector is left out."""
    return b"..." in field or b"\xe2\x80\xa6" in field


def split_cell(field: bytes) -> list[bytes]:
    """Return the numbers of a cell as they are written."""
    return _plain(field).split()


def count_numbers(field: bytes) -> int:
    """Return how many numbers a cell holds, 0 where it holds anything else, or one number alone."""
    tokens = split_cell(field)
    if _SEVERAL.search(field) or not (is_list(field) or _is_run(field, len(tokens))):
        return 0
    for token in tokens:
        if token in MISSING:
            continue
        try:
            read_number(token)
        except ValueError:
            return 0
    return len(tokens)


def _is_run(field: bytes, n_tokens: int) -> bool:
    """Tell whether two fields or more without brackets are separated alike."""
    counts = [n for n in map(field.count, (b",", b";", b"|", b"\t")) if n]
    return n_tokens > 1 and (not counts or counts == [n_tokens - 1])


def _plain(field: bytes) -> bytes:
    """Return a cell's numbers with blanks between them."""
    if b"(" in field:
        field = _SCALAR.sub(rb"\1", field)
        wrapped = _WRAPPED.fullmatch(field.strip())
        field = _without_words(wrapped[1] or wrapped[2] or b"") if wrapped else field
    return field.translate(_TO_BLANKS)


def _without_words(inner: bytes) -> bytes:
    """Return what an array was printed of without what may be said of it at its end."""
    at = inner.rfind(b",", 0, max(0, inner.find(b"=")))
    return inner[:at] if at >= 0 and _SAID_OF.fullmatch(inner, at) else inner


def read_cells(cells: list[bytes], n_dims: int) -> NDArray[np.float32] | None:
    """Read cells of one number of numbers each.

    Args:
        cells: A cell a row.
        n_dims: How many numbers each holds.

    Returns:
        float32 (n_rows, n_dims), finite or nan; None where a cell holds anything else, which
        `read_cell` tells.
    """
    joined = b"\n".join(map(_plain, cells)) + b"\n"
    raw = b" " * PAD + joined + b" " * PAD
    text = np.frombuffer(raw + b" " * (-len(raw) % 8), np.uint8)
    inside = text > _BLANK
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    stops = np.flatnonzero(text == _LINE_FEED)
    counts = np.diff(np.searchsorted(starts, stops), prepend=0)
    if len(stops) != len(cells) or (counts != n_dims).any():
        return None
    values = parse_numbers(text, starts, ends)
    if values is None or np.isinf(values).any():
        return None
    return values.reshape(len(cells), n_dims)


def read_tokens(tokens: list[bytes]) -> NDArray[np.float32] | None:
    """Read fields that are one number each; None where one is no finite number or nan."""
    return None if not tokens else _one_each(tokens)


def _one_each(tokens: list[bytes]) -> NDArray[np.float32] | None:
    lengths = np.fromiter(map(len, tokens), np.int64, len(tokens))
    raw = b" " * PAD + b" ".join(tokens) + b" " * PAD
    text = np.frombuffer(raw + b" " * (-len(raw) % 8), np.uint8)
    ends = np.cumsum(lengths + 1) - 1 + PAD
    if int(lengths.min()) == 0:
        return None
    values = parse_numbers(text, ends - lengths, ends)
    return None if values is None or np.isinf(values).any() else values


def refuse_elided(where: str, name: str) -> LoadError:
    """Return what is said of vectors whose middle was left out."""
    return LoadError(
        where,
        f"the vectors{f' of {name!r}' if name else ''} were elided in printing ('...'): their "
        "numbers are lost",
        "write each as a list (column.map(list) before to_csv), or save them by numpy.save",
    )
