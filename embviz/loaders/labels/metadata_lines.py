"""Columns of a metadata file read where they are asked, without a text for every point.

Only files that leave nothing to tell are read so: whole lines of UTF-8 that end in a line feed,
each of as many fields as the first, one line a point. `read_metadata` reads the others, or says
what is wrong with them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.inputs import open_raw
from embviz.loaders.labels.json_rows import is_json
from embviz.loaders.labels.metadata import (
    is_named_csv,
    name_columns,
    read_metadata,
)
from embviz.loaders.labels.quoted import SAMPLE_LINES, may_be_records
from embviz.loaders.opened import ONE_COLUMN_NAME
from embviz.model import is_numeric

_MOST_BYTES = 1 << 30
_MOST_COLUMNS = 256
_CHUNK = 1 << 16
_SAMPLE_BYTES = 1 << 20
TAB, LINE_FEED = 9, 10
# What the backslash that embviz writes before a formula begins with, which is taken off again.
_WRITTEN = re.compile(rb'[\t\n]\\"*(?:[=+\-@]|\xef\xbc[\x9d\x8b\x8d\xa0])')
BYTE_ORDER_MARKS = (bytearray(b"\xff\xfe"), bytearray(b"\xfe\xff"))


@dataclass(eq=False)
class MetadataLines:
    """An indexed metadata file.

    Attributes:
        path: The file.
        names: The columns in file order.
        label: The column that names the points: the first that is not all numbers.
        n_points: Lines without the header.
        raw: A line feed and the file's bytes, which end in a line feed.
        counts: int64 (n_chunks + 1,), how many fields end before each chunk of the file.
    """

    path: Path
    names: tuple[str, ...]
    label: str | None
    n_points: int
    raw: bytearray
    counts: NDArray[np.int64]

    @property
    def _n_header(self) -> int:
        return int(self.counts[-1]) // len(self.names) - self.n_points

    def value(self, column: str, point: int) -> str:
        """Return a point's text in a column."""
        width = len(self.names)
        field = (point + self._n_header) * width + self.names.index(column)
        start = self._end(field - 1) + 1 if field else 1
        return self.raw[start : self._end(field)].decode("utf-8")

    def find(self, text: str) -> list[int]:
        """Return the points with a label, in order."""
        if self.label is None or "\t" in text or "\n" in text:
            return []
        width, number = len(self.names), self.names.index(self.label)
        before = b"\n" if number == 0 else b"\t"
        after = b"\n" if number == width - 1 else b"\t"
        wanted = before + text.encode("utf-8", "surrogatepass") + after
        found = []
        at = self.raw.find(wanted)
        while at >= 0:
            end = at + len(wanted) - 1
            field = self._count(end)
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
        start = self._end(self._n_header * len(self.names) - 1) + 1 if self._n_header else 1
        for _ in range(self.n_points):
            end = self.raw.index(b"\n", start)
            yield self.raw[start:end].split(b"\t")[number].decode("utf-8")
            start = end + 1

    def _end(self, field: int) -> int:
        """Return where in `raw` a field ends."""
        chunk = int(np.searchsorted(self.counts, field, side="right")) - 1
        start = 1 + chunk * _CHUNK
        stops = np.flatnonzero(_stops(self.raw, start, start + _CHUNK, len(self.names)))
        return start + int(stops[field - int(self.counts[chunk])])

    def _count(self, place: int) -> int:
        """Return how many fields end before a place of `raw`."""
        chunk = (place - 1) // _CHUNK
        stops = _stops(self.raw, 1 + chunk * _CHUNK, place, len(self.names))
        return int(self.counts[chunk]) + int(np.count_nonzero(stops))


def open_metadata_lines(path: Path, n_points: int) -> MetadataLines | None:
    """Index a metadata file; None where `read_metadata` has something to do or to say.

    Raises:
        OSError: If it cannot be read.
        LoadError: If two columns are of one name.
    """
    raw = _read_plain(path)
    if raw is None:
        return None
    first = raw[1 : raw.index(b"\n", 1)]
    if _may_be_more(path, raw):
        return None
    width = first.count(b"\t") + 1
    if width > _MOST_COLUMNS:
        return None  # What goes through the file for each column would take its square.
    if width > 1 and b"\\" in raw and _WRITTEN.search(raw):
        return None
    counts = _count_fields(raw, width, n_points + (width > 1))
    if counts is None:
        return None
    names: tuple[str, ...] = (ONE_COLUMN_NAME,)
    if width > 1:
        names = tuple(name_columns(path, first.decode("utf-8").split("\t")))
    lines = MetadataLines(path, names, names[0], n_points, raw, counts)
    for number, name in enumerate(names):
        if width > 1 and not is_numeric(lines.texts(number)):
            lines.label = name
            break
    return lines


def _read_plain(path: Path) -> bytearray | None:
    """Return a line feed and the bytes of a file of UTF-8 lines; None if it is anything else."""
    size = path.stat().st_size
    if not 0 < size < _MOST_BYTES:
        return None
    raw = bytearray(size + 2)
    raw[0] = LINE_FEED
    with open_raw(path) as file, memoryview(raw) as view:
        filled = 1
        while n_read := file.readinto(view[filled:]):
            filled += n_read
    if filled != size + 1 or b"\r" in raw or raw[1:3] in BYTE_ORDER_MARKS:
        return None
    if raw[1:4] == b"\xef\xbb\xbf" or not _is_utf8(raw):
        return None
    if raw[size] == LINE_FEED:
        del raw[-1]
    else:
        raw[-1] = LINE_FEED
    return raw


def _may_be_more(path: Path, raw: bytearray) -> bool:
    """Tell whether a file may be more than lines and tabs, such as CSV or JSON."""
    if raw.startswith((b"\nPK\x03\x04", b"\nPAR1", b"\nARROW1", b"\nSQLite format 3", b"\n%PDF")):
        return True
    first = raw[1 : raw.index(b"\n", 1)].strip()
    # [PAD] is a token, and what begins so and is no whole line may be JSON.
    if first.startswith((b"{", b"[")) and not (first.endswith(b"]") and not is_json(first)):
        return True
    end = 0
    for _ in range(SAMPLE_LINES):
        end = raw.find(b"\n", end + 1)
        if end < 0 or end > _SAMPLE_BYTES:
            break
    stop = end if 0 < end <= _SAMPLE_BYTES else min(len(raw), _SAMPLE_BYTES)
    whole = raw[1:stop].decode("utf-8", "replace").removesuffix("\n").split("\n")
    return may_be_records(whole, is_named_csv(path))


def _is_utf8(raw: bytearray) -> bool:
    if raw.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with memoryview(raw) as view:
            for start in range(0, len(raw), 1 << 20):
                decoder.decode(view[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _stops(raw: bytearray, start: int, stop: int, width: int) -> NDArray[np.bool_]:
    """Return which of some bytes end a field."""
    codes = np.frombuffer(raw, np.uint8, max(0, min(stop, len(raw)) - start), start)
    return codes == LINE_FEED if width == 1 else codes - np.uint8(TAB) < 2


def _count_fields(raw: bytearray, width: int, n_lines: int) -> NDArray[np.int64] | None:
    """Return how many fields end before each chunk; None if the lines are not so many, or wide."""
    if width == 1 and b"\t" in raw:
        return None
    counts, n_feeds = [0], 0
    for start in range(1, len(raw), _CHUNK):
        stops = _stops(raw, start, start + _CHUNK, width)
        if width == 1:
            counts.append(counts[-1] + int(np.count_nonzero(stops)))
            continue
        codes = np.frombuffer(raw, np.uint8, len(stops), start)
        ends = codes[stops] == LINE_FEED
        n_feeds += int(np.count_nonzero(ends))
        # The last field of each line, and no other, ends in a line feed.
        if not ends[(width - 1 - counts[-1]) % width :: width].all():
            return None
        counts.append(counts[-1] + len(ends))
    if counts[-1] != n_lines * width or (width > 1 and n_feeds != n_lines):
        return None
    return np.array(counts, np.int64)
