"""The columns of an index: text behind a table of ends, and a sorted look-up of labels."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.neighbors.index.files import IndexFiles

CODEC = ("utf-8", "surrogatepass")


def text_part(column: int) -> str:
    return f"column-{column}-text"


def ends_part(column: int) -> str:
    return f"column-{column}-ends"


def encode_column(values: Sequence[str], start: int) -> tuple[bytes, NDArray[np.int64]]:
    """Return a column's texts as UTF-8, one behind the other, and where each ends.

    Args:
        values: The texts.
        start: How many bytes lie before them.
    """
    encoded = [value.encode(*CODEC) for value in values]
    sizes = np.fromiter(map(len, encoded), np.int64, len(encoded))
    return b"".join(encoded), start + np.cumsum(sizes)


def sort_labels(values: Sequence[str], first: int) -> NDArray[np.int64]:
    """Return the points' numbers in the order of their labels, equal ones by number.

    Code points sort as their UTF-8 does.
    """
    return first + np.array(sorted(range(len(values)), key=values.__getitem__), np.int64)


@dataclass(eq=False)
class IndexColumns:
    """The columns of an opened index, read where they are asked.

    Attributes:
        files: The mapped parts.
        names: The columns in order.
        label: The column that names the points, or None.
        segments: How many points were added at a time.
    """

    files: IndexFiles
    names: tuple[str, ...]
    label: str | None
    segments: tuple[int, ...]

    def value(self, column: str, point: int) -> str:
        """Return a point's text in a column.

        Raises:
            LoadError: If the part is damaged.
        """
        number = self.names.index(column)
        return self._decoded(number, self._bytes(number, point))

    def find(self, text: str) -> list[int]:
        """Return the points with a label, in order, by bisection in the sorted table."""
        if self.label is None:
            return []
        wanted, column = text.encode(*CODEC), self.names.index(self.label)
        found: list[int] = []
        start = 0
        for size in self.segments:
            place = bisect_left(
                range(start, start + size), wanted, key=lambda i: self._bytes(column, self._nth(i))
            )
            for i in range(start + place, start + size):
                point = self._nth(i)
                if self._bytes(column, point) != wanted:
                    break
                found.append(point)
            start += size
        return sorted(found)

    def column(self, name: str) -> tuple[str, ...]:
        """Return a whole column."""
        number = self.names.index(name)
        places = self.files.read(ends_part(number))
        raw = self.files.read(text_part(number)).tobytes()
        if places[0] < 0 or places[-1] > len(raw) or (np.diff(places) < 0).any():
            raise self._no_ends(number)
        ends = places.tolist()
        starts = [0, *ends[:-1]]
        return tuple(self._decoded(number, raw[a:b]) for a, b in zip(starts, ends, strict=True))

    def _decoded(self, column: int, raw: bytes) -> str:
        try:
            return raw.decode(*CODEC)
        except UnicodeDecodeError:
            raise LoadError(self.files.file(text_part(column)), "damaged: not UTF-8") from None

    def _no_ends(self, column: int) -> LoadError:
        return LoadError(
            self.files.file(ends_part(column)), "damaged: ends that are not there",
            "build it again with embviz index",
        )  # fmt: skip

    def _nth(self, place: int) -> int:
        point = int(self.files.read("sorted", place, place + 1)[0])
        if not 0 <= point < sum(self.segments):
            raise LoadError(self.files.file("sorted"), f"damaged: it names point {point}")
        return point

    def _bytes(self, column: int, point: int) -> bytes:
        first = max(0, point - 1)
        ends = self.files.read(ends_part(column), first, point + 1).tolist()
        start = ends[0] if point else 0
        if not 0 <= start <= ends[-1] <= len(self.files.array(text_part(column))):
            raise self._no_ends(column)
        return self.files.read(text_part(column), start, ends[-1]).tobytes()
