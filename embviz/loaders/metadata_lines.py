"""Columns of a metadata file read where they are asked, without a text for every point.

Only files that leave nothing to tell are read so: whole lines of UTF-8 that end in a line feed,
each of as many fields as the first, one line a point. `read_metadata` reads the others, or says
what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.loaders.metadata import ONE_COLUMN_NAME, name_columns, read_metadata
from embviz.model import is_numeric

_MOST_BYTES = 1 << 30
TAB, LINE_FEED = 9, 10


@dataclass(eq=False)
class MetadataLines:
    """An indexed metadata file.

    Attributes:
        path: The file.
        names: The columns in file order.
        label: The column that names the points: the first that is not all numbers.
        n_points: Lines without the header.
        raw: A line feed and the file's bytes.
        ends: int64 (n_lines, n_columns), where in `raw` each field ends; with the header's.
    """

    path: Path
    names: tuple[str, ...]
    label: str | None
    n_points: int
    raw: bytes
    ends: NDArray[np.int64]

    @property
    def _n_header(self) -> int:
        return len(self.ends) - self.n_points

    def value(self, column: str, point: int) -> str:
        """Return a point's text in a column."""
        number, line = self.names.index(column), point + self._n_header
        return self._field(line * len(self.names) + number).decode("utf-8")

    def find(self, text: str) -> list[int]:
        """Return the points with a label, in order."""
        if self.label is None or "\t" in text or "\n" in text:
            return []
        width, number = len(self.names), self.names.index(self.label)
        before = b"\n" if number == 0 else b"\t"
        after = b"\n" if number == width - 1 else b"\t"
        wanted = before + text.encode("utf-8", "surrogatepass") + after
        flat = self.ends.reshape(-1)
        found = []
        at = self.raw.find(wanted)
        while at >= 0:
            end = at + len(wanted) - 1
            field = int(np.searchsorted(flat, end))
            if field % width == number and field >= width * self._n_header:
                found.append(field // width - self._n_header)
            at = self.raw.find(wanted, end)
        return found

    def column(self, name: str) -> tuple[str, ...]:
        """Return a whole column."""
        return self.columns()[name]

    def columns(self) -> dict[str, tuple[str, ...]]:
        """Return all columns as `read_metadata` does."""
        return read_metadata(self.path, self.n_points)

    def texts(self, number: int) -> Iterator[str]:
        """Yield the texts of a column by its place."""
        for line in range(self._n_header, len(self.ends)):
            yield self._field(line * len(self.names) + number).decode("utf-8")

    def _field(self, field: int) -> bytes:
        flat = self.ends.reshape(-1)
        start = int(flat[field - 1]) + 1 if field else 1
        return self.raw[start : int(flat[field])]


def open_metadata_lines(path: Path, n_points: int) -> MetadataLines | None:
    """Index a metadata file; None where `read_metadata` has something to do or to say.

    Raises:
        OSError: If it cannot be read.
        LoadError: If two columns are of one name.
    """
    if not 0 < path.stat().st_size < _MOST_BYTES:
        return None
    raw = b"\n" + path.read_bytes()
    if b"\r" in raw or raw[1:3] in (b"\xff\xfe", b"\xfe\xff") or raw[1:4] == b"\xef\xbb\xbf":
        return None
    if not raw.isascii():
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            return None
    if not raw.endswith(b"\n"):
        raw += b"\n"
    first = raw[1 : raw.index(b"\n", 1)]
    width = first.count(b"\t") + 1
    n_lines = n_points + (width > 1)
    codes = np.frombuffer(raw, np.uint8)[1:]
    stops = codes == LINE_FEED if width == 1 else (codes == TAB) | (codes == LINE_FEED)
    places = 1 + np.flatnonzero(stops)
    if len(places) != n_lines * width or (width == 1 and b"\t" in raw):
        return None
    ends = places.reshape(n_lines, width)
    line_ends = np.frombuffer(raw, np.uint8)[ends] == LINE_FEED
    if not line_ends[:, -1].all() or int(np.count_nonzero(line_ends)) != n_lines:
        return None
    names: tuple[str, ...] = (ONE_COLUMN_NAME,)
    if width > 1:
        names = tuple(name_columns(path, first.decode("utf-8").split("\t")))
    lines = MetadataLines(path, names, names[0], n_points, raw, ends)
    for number, name in enumerate(names):
        if width > 1 and not is_numeric(lines.texts(number)):
            lines.label = name
            break
    return lines
