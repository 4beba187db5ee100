"""Rows of cells as lines of text, each column as wide as its widest cell on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence


def aligned(rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """Yield lines of rows of as many cells each.

    Args:
        rows: The cells.
        right: The columns that end alike, as numbers do; the others begin alike.
    """
    held = [list(row) for row in rows]
    widths = [max(map(shown_width, column)) for column in zip(*held, strict=True)]
    for row in held:
        cells = [
            _padded(cell, width, i in right)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def shown_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def _padded(cell: str, width: int, at_end: bool) -> str:
    space = " " * (width - shown_width(cell))
    return space + cell if at_end else cell + space
