"""Tables of vectors as text: TSV, CSV, word2vec and GloVe, plain or gzip."""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, printable
from embviz.loaders.opened import Claim, Source, Start, Tensor, TextColumns
from embviz.loaders.reading import Reading
from embviz.loaders.refusals import foreign_content
from embviz.loaders.text.blocks import make_plain, read_block
from embviz.loaders.text.chunks import TextSource
from embviz.loaders.text.layout import SAMPLE_LINES, TextLayout, find_layout, is_number
from embviz.loaders.text.lines import Columns, read_lines

_log = logging.getLogger("embviz")
_progress = logging.getLogger("embviz.progress")

_OF_ARRAYS = (".npy", ".npz")  # Text under such a name is a mistake to be told.
_MOST_WORKERS = 4
_BLANK_LINE = re.compile(rb"\n(?=[^\S\n]*\n)")
_PROGRESS_BYTES = 32 << 20


@dataclass(frozen=True)
class TextFormat:
    """Reads one text format.

    Content decides which of them reads a file, so that a file of blanks named .tsv is read too; a
    format that is asked for by its name reads a file as its own, or refuses it.

    Attributes:
        name: What `--input-format` takes.
        suffixes: Names that are claimed where the content does not tell.
        delimiters: The bytes of which one separates fields.
        counted: Whether the first line says how many rows and dimensions follow.
    """

    name: str
    suffixes: tuple[str, ...]
    delimiters: bytes
    counted: bool = False

    def claim(self, start: Start) -> Claim | None:
        """Claim what looks like this format, or is named so and is nothing else."""
        if start.kind != "file" or start.suffix in _OF_ARRAYS:
            return None
        if foreign_content(start) is not None:
            return None
        layout = _sniff(start)
        if layout is not None:
            return Claim.CONTENT if self._is_of(layout) else None
        return Claim.NAME if start.suffix in self.suffixes else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Find out how a file is laid out from its first lines.

        Returns:
            Its one table: float32 in C order, each value float32 of the float64 nearest to its
            text, and the text columns as metadata; both are read in one pass, when either is.

        Raises:
            LoadError: If these are no vectors.
            ParameterError: If these are vectors of another text format.
        """
        source, lines = _open(path)
        layout = self._layout(lines, source)
        return Source(path, (text_tensor(path, source, layout, path.name, (path.stem,)),))

    def _is_of(self, layout: TextLayout) -> bool:
        counted = layout.n_rows is not None
        return counted if self.counted else not counted and layout.delimiter in self.delimiters

    def _layout(self, lines: list[bytes], source: TextSource) -> TextLayout:
        """Return the layout of first lines as this format."""
        shown = source.shown
        wrong: LoadError | None = None
        try:
            layout = find_layout(lines, None, shown)
        except LoadError as error:
            wrong = error
        if wrong is not None or not self._is_of(layout):
            try:
                layout = find_layout(lines, self.delimiters, shown)
            except LoadError as error:
                raise wrong or error from None  # What is said of the file as it is goes first.
        if not self._is_of(layout):
            raise ParameterError(
                f"--input-format {self.name}",
                f"{shown} begins {'with' if layout.n_rows is not None else 'without'} "
                "a line of two counts, its rows and dimensions",
                "leave it out",
            )
        return layout


WORD2VEC = TextFormat("word2vec", (".vec", ".w2v"), b" \t", counted=True)
GLOVE = TextFormat("glove", (".glove",), b" ")
TSV = TextFormat("tsv", (".tsv", ".tab", ".txt"), b"\t")
CSV = TextFormat("csv", (".csv",), b",;")


@lru_cache(maxsize=2)
def _sniff(start: Start) -> TextLayout | None:
    """Return the layout that a file's first lines have, None where they are no vectors."""
    if not start.unpacked or (b"\0" in start.unpacked and not start.unpacked.isascii()):
        return None
    try:
        source, lines = _open(start.path)
        return find_layout(lines, None, source.shown)
    except LoadError:
        return None


def tsv_tensor(path: Path, name: str) -> Tensor:
    """Return the table of a file of tabs in which a first line of numbers is a row.

    Raises:
        LoadError: If these are no vectors.
    """
    source, lines = _open(path)
    fields = lines[0].rstrip(b"\r").split(b"\t") if lines else []
    if len(fields) > 1 and all(map(is_number, fields)):
        layout = TextLayout(b"\t", len(fields), tuple(range(len(fields))))
    else:
        layout = find_layout(lines, b"\t", source.shown)
    return text_tensor(path, source, layout, name)


def text_tensor(
    path: Path, source: TextSource, layout: TextLayout, name: str, aliases: tuple[str, ...] = ()
) -> Tensor:
    """Return the table of a text file as a tensor; its rows are counted when they are asked for.

    Raises:
        LoadError: If it has no more than one column of numbers.
    """
    if len(layout.numeric) < 2:
        raise LoadError(
            source.shown,
            "one column of numbers, where a vector needs two or more",
            "separate columns by tabs, commas or blanks; labels go to --metadata",
        )
    n_dims = len(layout.numeric)
    read = cache(lambda: _read_all(source, layout))
    sides = (layout.n_rows, n_dims) if layout.n_rows is not None else None
    return Tensor(
        name,
        sides or (lambda: (_count_rows(source, layout), n_dims)),
        "float32",
        rows=lambda: read()[0],
        aliases=aliases,
        note="text",
        columns=lambda: TextColumns(read()[1]),
    )


def _open(path: Path) -> tuple[TextSource, list[bytes]]:
    """Return a file and its first lines that are not blank."""
    source = TextSource(path)
    if source.size == 0:
        raise LoadError(source.shown, "0 bytes", "a table of vectors is needed")
    lines: list[bytes] = []
    for chunk, number in source.chunks():
        if b"\0" in chunk[:1000] and not chunk[:1000].isascii():
            raise LoadError(source.shown, "binary data, not text")
        for offset, line in enumerate(chunk.split(b"\n", 4 * SAMPLE_LINES)[: 4 * SAMPLE_LINES]):
            if b"\0" in line:
                raise LoadError(
                    f"{source.shown}:{number + offset}", "a NUL byte", "the file is damaged"
                )
            if line.strip():
                lines.append(line)
        if len(lines) >= SAMPLE_LINES:
            break
    return source, lines[:SAMPLE_LINES]


def _read_all(
    source: TextSource, layout: TextLayout
) -> tuple[NDArray[np.float32], dict[str, tuple[str, ...]]]:
    """Read all rows and text columns in one pass."""
    for name in layout.named_as:
        _log.info(
            "%s: column '%s' is kept as metadata, not as a dimension",
            source.shown, printable(name),
        )  # fmt: skip
    if layout.n_header and layout.n_rows is None:
        _log.info("%s: the first line is column names", source.shown)
    rows = _Rows(layout, source)
    if source.size <= source.chunk_bytes:
        for chunk, number in _data_chunks(source, layout):
            rows.add(*_read(chunk, layout, number, source.shown))
    else:
        _read_in_threads(source, layout, rows)
    return rows.table()


def _count_rows(source: TextSource, layout: TextLayout) -> int:
    """Count the lines that hold rows, in one pass that reads no number."""
    n_rows = 0
    for chunk, _ in _data_chunks(source, layout):
        n_rows += chunk.count(b"\n")
        n_rows -= sum(1 for _ in _BLANK_LINE.finditer(b"\n" + chunk))
    if n_rows == 0:
        raise LoadError(source.shown, "column names and no data")
    return n_rows


def _data_chunks(source: TextSource, layout: TextLayout) -> Iterator[tuple[bytes, int]]:
    """Yield chunks of lines behind the header, with the number of the first line of each."""
    skip = layout.n_header
    for chunk, number in source.chunks():
        while skip and chunk:
            line, _, chunk = chunk.partition(b"\n")
            number += 1
            skip -= bool(line.strip())
        if chunk:
            yield chunk, number


def _read(
    raw: bytes, layout: TextLayout, number: int, shown: str
) -> tuple[NDArray[np.float32], Columns]:
    """Read lines in the fastest way that understands them."""
    block = read_block(raw, layout)
    if block is None:
        plain = make_plain(raw, layout)
        block = read_block(plain, layout) if plain and plain != raw else None
    return block or read_lines(raw, layout, number, shown)


def _read_in_threads(source: TextSource, layout: TextLayout, rows: _Rows) -> None:
    """Read chunks side by side; NumPy lets go of the interpreter in all large operations."""
    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    pending: deque[Future[tuple[NDArray[np.float32], Columns]]] = deque()
    done, reported = 0, 0
    with ThreadPoolExecutor(workers) as pool:
        try:
            for chunk, number in _data_chunks(source, layout):
                pending.append(pool.submit(_read, chunk, layout, number, source.shown))
                if len(pending) > 2 * workers:
                    rows.add(*pending.popleft().result())
                done += len(chunk)
                if done - reported >= _PROGRESS_BYTES:
                    reported = done
                    _progress.info("%s: %s rows read", source.shown, f"{rows.n_rows:,}")
            while pending:
                rows.add(*pending.popleft().result())
        finally:
            for future in pending:
                future.cancel()


class _Rows:
    """The rows read so far, in one array that grows."""

    def __init__(self, layout: TextLayout, source: TextSource) -> None:
        self.layout, self.source = layout, source
        self.n_rows = 0
        self._values = np.empty((0, len(layout.numeric)), np.float32)
        self._texts: list[list[str]] = [[] for _ in layout.text_columns]

    def add(self, values: NDArray[np.float32], columns: Columns) -> None:
        n_rows = self.n_rows + len(values)
        if n_rows > len(self._values):
            self._grow(n_rows, len(values))
        self._values[self.n_rows : n_rows] = values
        self.n_rows = n_rows
        for texts, new in zip(self._texts, columns, strict=True):
            texts.extend(new)

    def _grow(self, n_rows: int, n_new: int) -> None:
        """Make room, for the whole file where its size tells how many rows it holds."""
        room = n_rows + n_rows // 4
        if not self.source.packed and len(self._values) == 0:
            chunks = self.source.size / min(self.source.size, self.source.chunk_bytes)
            room = max(n_rows, int(n_new * chunks * 1.05))
        self._values.resize((room, self._values.shape[1]), refcheck=False)

    def table(self) -> tuple[NDArray[np.float32], dict[str, tuple[str, ...]]]:
        """Return the vectors and the text columns by name, once all rows are there."""
        layout, shown = self.layout, self.source.shown
        if self.n_rows == 0:
            raise LoadError(shown, "column names and no data")
        if layout.n_rows is not None and layout.n_rows != self.n_rows:
            raise LoadError(
                f"{shown}:1",
                f"the header says {layout.n_rows} rows, the file has {self.n_rows}",
                "is the file whole? else correct or remove the first line",
            )
        self._values.resize((self.n_rows, self._values.shape[1]), refcheck=False)
        return self._values, _name_columns(layout.text_names, self._texts, shown)


def _name_columns(
    names: tuple[str, ...], texts: list[list[str]], shown: str
) -> dict[str, tuple[str, ...]]:
    """Return text columns by name, those without one as `label`, `label 2` and so on."""
    metadata: dict[str, tuple[str, ...]] = {}
    for name, values in zip(names, texts, strict=True):
        if name in metadata and name:
            raise LoadError(f"{shown}:1", f"two columns are named '{name}'", "rename one")
        taken = {*metadata, *names}
        numbered = ("label" if k == 1 else f"label {k}" for k in range(1, len(names) + 2))
        metadata[name or next(n for n in numbered if n not in taken)] = tuple(values)
        values.clear()
    return metadata
