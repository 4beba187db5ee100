"""Tables of vectors as text: TSV, CSV, word2vec and GloVe, plain or gzip."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, printable
from embviz.loaders.text.blocks import make_plain, read_block
from embviz.loaders.text.chunks import TextSource
from embviz.loaders.text.layout import SAMPLE_LINES, TextLayout, find_layout, is_number
from embviz.loaders.text.lines import Columns, read_lines
from embviz.model import EmbeddingTable, TensorInfo

_log = logging.getLogger("embviz")
_progress = logging.getLogger("embviz.progress")

TextFormat = Literal["tsv", "csv", "word2vec", "glove"]
_SUFFIXES: dict[TextFormat, tuple[str, ...]] = {
    "word2vec": (".vec", ".w2v"),
    "glove": (".glove",),
    "tsv": (".tsv", ".tab", ".txt"),
    "csv": (".csv",),
}
_DELIMITERS: dict[TextFormat, bytes] = {"tsv": b"\t", "word2vec": b" ", "glove": b" "}
_MOST_WORKERS = 4
_PROGRESS_BYTES = 32 << 20


@dataclass(frozen=True)
class TextLoader:
    """Reads one text format; satisfies the `Loader` protocol.

    The formats differ in the delimiter that is taken for granted; with `accepts` a file's content
    decides, and so a file of blanks named .tsv is read too.
    """

    format: TextFormat

    def accepts(self, path: Path) -> bool:
        """Tell whether a file has a name of this format or looks like one."""
        if not path.is_file():
            return False
        named = path.with_suffix("") if path.suffix == ".gz" else path
        if named.suffix.lower() in chain.from_iterable(_SUFFIXES.values()):
            return named.suffix.lower() in _SUFFIXES[self.format]
        try:
            layout, _ = _open(path, None)
        except LoadError:
            return False
        return self.format == _format_of(layout)

    def list_tensors(self, path: Path) -> list[TensorInfo]:
        """Return the one table a text file holds; reads the whole file.

        Raises:
            LoadError: If it cannot be read.
        """
        table = self.load(path)
        return [TensorInfo(path.name, table.vectors.shape, "float32", "text", taken=True)]

    def load(self, path: Path, tensor: str | None = None) -> EmbeddingTable:
        """Read a table of vectors.

        Returns:
            The table: float32 (n_points, n_dims) in C order, each value float32 of the float64
            nearest to its text, and the text columns as metadata.

        Raises:
            LoadError: If a line is not a row of numbers, with its number.
            ParameterError: If a tensor is asked for that is not the file's name.
        """
        return load_text(path, tensor)


WORD2VEC, GLOVE = TextLoader("word2vec"), TextLoader("glove")
TSV, CSV = TextLoader("tsv"), TextLoader("csv")


def load_text(
    path: Path, tensor: str | None = None, delimiter: bytes | None = None, headless: bool = False
) -> EmbeddingTable:
    """Read a table of vectors; see `TextLoader.load`.

    With `headless`, a first line of numbers is a row, whichever numbers they are.
    """
    if tensor not in (None, path.name, path.stem):
        raise ParameterError(
            f"tensor '{tensor}'", f"{path} holds one table without a name", "leave --tensor out"
        )
    layout, source = _open(path, delimiter, headless)
    rows = _Rows(layout, source)
    if source.size <= source.chunk_bytes:
        for chunk, number in _data_chunks(source, layout):
            rows.add(*_read(chunk, layout, number, source.shown))
    else:
        _read_in_threads(source, layout, rows)
    return rows.table()


def _open(
    path: Path, delimiter: bytes | None, headless: bool = False
) -> tuple[TextLayout, TextSource]:
    """Find a file's layout from its first lines."""
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
    if headless and delimiter and lines:
        fields = lines[0].rstrip(b"\r").split(delimiter)
        if len(fields) > 1 and all(map(is_number, fields)):
            return TextLayout(delimiter, len(fields), tuple(range(len(fields)))), source
    return find_layout(lines[:SAMPLE_LINES], delimiter, source.shown), source


def _format_of(layout: TextLayout) -> TextFormat:
    if layout.n_rows is not None:
        return "word2vec"
    return {b" ": "glove", b"\t": "tsv"}.get(layout.delimiter, "csv")  # type: ignore[return-value]


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

    def table(self) -> EmbeddingTable:
        """Return the table, once all rows are there."""
        layout, shown = self.layout, self.source.shown
        if self.n_rows == 0:
            raise LoadError(shown, "column names and no data")
        if layout.n_rows is not None and layout.n_rows != self.n_rows:
            raise LoadError(
                f"{shown}:1",
                f"the header says {layout.n_rows} rows, the file has {self.n_rows}",
                "is the file whole? else correct or remove the first line",
            )
        if len(layout.numeric) < 2:
            raise LoadError(shown, "one column of numbers, where a vector needs two or more", "")
        self._values.resize((self.n_rows, self._values.shape[1]), refcheck=False)
        for name in layout.named_as:
            _log.info(
                "%s: column '%s' is kept as metadata, not as a dimension", shown, printable(name)
            )
        if layout.n_header and layout.n_rows is None:
            _log.info("%s: the first line is column names", shown)
        metadata = _name_columns(layout.text_names, self._texts, shown)
        return EmbeddingTable(self._values, metadata, name=self.source.path.name, source=shown)


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
