"""Word2vec's binary files, plain or gzip.

"N D", a line end, then for each row a word, a blank and D floats. Source: the end of TrainModel in
word2vec.c, which writes a line end behind each vector, and gensim's keyedvectors.py, which does
not; both take a line end before a word for none.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from embviz.errors import LoadError
from embviz.loaders.opened import Claim, Source, Start, Tensor, TextColumns
from embviz.loaders.reading import Reading
from embviz.loaders.words.word2vec_records import CONTROL, Layout, Records, read_blocks

_HEADER = re.compile(rb"[ \t]*([0-9]{1,11})[ \t]+([0-9]{1,7})[ \t\r]*\n")
_MOST_DIMS = 100_000
_PROBED_RECORDS = 50
_WIDTHS = (4, 8, 2)  # float32 as all write today; old versions of gensim wrote what they held.


class Word2vecBinaryFormat:
    """Reads word2vec's binary files; of a plain file rows are read where they are sliced."""

    name = "word2vec_binary"

    def claim(self, start: Start) -> Claim | None:
        """Claim "N D" and a line end with records behind them that are not text."""
        return Claim.MAGIC if start.kind == "file" and is_binary(start.unpacked) else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the first line and a few records; the others are found when the shape is asked for.

        Returns:
            Its one table of float32 (float16 or float64 where the records are of that length), and
            the words as the column `label`.

        Raises:
            LoadError: If the first line is not two counts; later, if no record is whole, or under
                `strict` if rows or words are not as they should be.
        """
        layout = _read_layout(path)
        records = cache(lambda: Records(path, layout, reading.strict))
        return Source(
            path,
            (
                Tensor(
                    path.name,
                    lambda: records().rows.shape,
                    layout.dtype.name,
                    rows=lambda: records().rows,
                    aliases=(path.stem,),
                    note="binary word2vec",
                    columns=lambda: TextColumns({"label": records().words}, named_by="label"),
                ),
            ),
        )


WORD2VEC_BINARY = Word2vecBinaryFormat()


def is_binary(start: bytes) -> bool:
    """Tell whether a file begins as binary word2vec, and not as word2vec's text in any script."""
    header = _HEADER.match(start)
    if header is None:
        return False
    rest = start[header.end() :]
    n_dims = int(header[2])
    if not 0 < n_dims <= _MOST_DIMS or _is_text_row(rest, n_dims):
        return False
    if CONTROL.search(rest):
        return True
    # Few numbers may have no such byte; then the records must fill the file and be no text.
    no_text = "\ufffd" in rest.decode("utf-8", "replace")
    return no_text and any(_walk(rest, n_dims * width)[1] for width in _WIDTHS)


def _is_text_row(rest: bytes, n_dims: int) -> bool:
    """Tell whether the first line ends in numbers that are written out."""
    line, end, _ = rest.lstrip(b"\r\n").partition(b"\n")
    fields = line.split()[1:]
    if not end:
        fields = fields[: max(1, len(fields) - 1)]
    return bool(fields) and all(map(_is_number, fields[-min(n_dims, -(-len(fields) // 2)) :]))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return field.isascii()


def _walk(rest: bytes, row_bytes: int) -> tuple[int, bool]:
    """Return how many records without a broken word begin here, and whether they end just here."""
    at = n = 0
    while n < _PROBED_RECORDS and at < len(rest):
        end = rest.find(b" ", at)
        if end < 0 or end + 1 + row_bytes > len(rest) or CONTROL.search(rest, at, end):
            break
        at = end + 1 + row_bytes
        n += 1
    return n, n > 0 and not rest[at:].strip(b"\n")


def _read_layout(path: Path) -> Layout:
    start = next(read_blocks(path), b"")
    header = _HEADER.match(start)
    if header is None:
        raise LoadError(
            path, "no binary word2vec: its first line is not two counts, rows and dimensions"
        )
    n_rows, n_dims = int(header[1]), int(header[2])
    if not 0 < n_dims <= _MOST_DIMS:
        raise LoadError(path, f"{n_dims} dimensions; 1 to {_MOST_DIMS} are read")
    rest = start[header.end() :]
    if _is_text_row(rest, n_dims):
        raise LoadError(path, "word2vec's text, not its binary form", "leave --input-format out")
    walks = {width: _walk(rest, n_dims * width) for width in _WIDTHS}
    # Of the widths the one whose records follow each other; where all end early, what is usual.
    width = max(_WIDTHS, key=lambda w: (walks[w][1], walks[w][0], w == 4))
    return Layout(n_rows, n_dims, header.end(), width)
