"""Tables of vectors as text: TSV, CSV, word2vec and GloVe, plain or gzip."""

from __future__ import annotations

import logging
import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, ParameterError, counted, printable
from embviz.loaders.opened import Claim, Source, Start, Tensor, TextColumns
from embviz.loaders.reading import Reading
from embviz.loaders.refusals import foreign_content
from embviz.loaders.text.blocks import make_plain, read_block
from embviz.loaders.text.chunks import TextSource
from embviz.loaders.text.comments import blank_comments, has_comments
from embviz.loaders.text.faults import Faults
from embviz.loaders.text.fields import TextLayout, cut, is_number, is_quoted
from embviz.loaders.text.json_values import looks_like_json
from embviz.loaders.text.layout import find_layout
from embviz.loaders.text.lines import Lines, read_lines
from embviz.loaders.text.sample import Sample, take_sample
from embviz.loaders.text.taking import ONE_COLUMN, Taken, take_columns

_log = logging.getLogger("embviz")
_progress = logging.getLogger("embviz.progress")

# Vectors as text under such a name are a mistake to be told.
_OF_OTHERS = (".npy", ".npz", ".json", ".jsonl", ".ndjson")
_MOST_WORKERS = 4
_BLANK_LINE = re.compile(rb"\n(?=[^\S\n]*\n)")
_LABEL_AND_NUMBER = re.compile(
    rb"[^\t,;| ]++[\t,;| ]++[+-]?(?:[0-9]*+\.)?[0-9]++(?:[eE][+-]?[0-9]++)?"
)
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
    takes: tuple[str, ...] = ("columns",)

    def claim(self, start: Start) -> Claim | None:
        """Claim what looks like this format, or is named so and is nothing else."""
        if start.kind != "file" or start.suffix in _OF_OTHERS:
            return None
        if foreign_content(start) is not None or looks_like_json(start):
            return None
        layout = _sniff(start)
        if layout is not None:
            return Claim.CONTENT if self._is_of(layout) else None
        return Claim.NAME if start.suffix in self.suffixes else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Find out how a file is laid out, and what its columns are, from some of its lines.

        Returns:
            Its table, or one for each column of lists: float32 in C order, each value float32 of
            the float64 nearest to its text, and the text columns as metadata; both are read in one
            pass, when either is.

        Raises:
            LoadError: If these are no vectors.
            ParameterError: If these are vectors of another text format, or have no such columns.
        """
        source = TextSource(path)
        sample = take_sample(source)
        layout = self._layout(sample, source, reading.columns is not None)
        taken = take_columns(layout, sample, reading.columns, source.shown)
        _tell(source, sample, taken)
        return Source(path, tuple(_tensors(path, source, taken, reading)))

    def _is_of(self, layout: TextLayout) -> bool:
        counted = layout.n_rows is not None
        return counted if self.counted else not counted and layout.delimiter in self.delimiters

    def _layout(self, sample: Sample, source: TextSource, given: bool) -> TextLayout:
        """Return the layout of first lines as this format."""
        shown, lines = source.shown, sample.start
        find = partial(find_layout, sample, shown=shown, given=given)
        wrong: LoadError | None = None
        try:
            layout = find(None)
        except LoadError as error:
            wrong = error
        if wrong is not None or not self._is_of(layout):
            try:
                layout = find(self.delimiters)
            except LoadError as error:
                raise wrong or error from None  # What is said of the file as it is goes first.
            self._refuse_numbers_in_labels(layout, lines, shown)
        if not self._is_of(layout):
            raise ParameterError(
                f"--input-format {self.name}",
                f"{shown} begins {'with' if layout.n_rows is not None else 'without'} "
                "a line of two counts, its rows and dimensions",
                "leave it out",
            )
        return layout

    def _refuse_numbers_in_labels(
        self, layout: TextLayout, lines: Sequence[bytes], shown: str
    ) -> None:
        """Refuse to be a format by whose delimiter a number of each row is part of its label."""
        rows = [cut(line, layout) for line in lines[layout.n_header :]]
        for c, column in enumerate(layout.columns[:-1]):
            cells = [row[c] for row in rows if len(row) == layout.n_fields]
            ends = [_LABEL_AND_NUMBER.fullmatch(cell) for cell in cells]
            if column.kind == "text" and cells and all(ends):
                text = printable(cells[0].decode("utf-8", "replace"), 40)
                raise ParameterError(
                    f"--input-format {self.name}",
                    f"{shown} has another delimiter between labels and numbers ('{text}')",
                    "leave it out",
                )


WORD2VEC = TextFormat("word2vec", (".vec", ".w2v"), b" \t", counted=True)
GLOVE = TextFormat("glove", (".glove",), b" ")
TSV = TextFormat("tsv", (".tsv", ".tab", ".txt"), b"\t")
CSV = TextFormat("csv", (".csv",), b",;|")


@lru_cache(maxsize=2)
def _sniff(start: Start) -> TextLayout | None:
    """Return the layout that a file's first lines have, None where they are no vectors."""
    if not start.unpacked:
        return None
    try:
        source = TextSource(start.path)
        sample = take_sample(source, start_only=True)
        return find_layout(sample, None, source.shown, given=True)
    except LoadError:
        return None


def _tell(source: TextSource, sample: Sample, taken: Sequence[Taken]) -> None:
    """Say in one line what was left out."""
    notes = [*dict.fromkeys(note for one in taken for note in one.notes)]
    layout = taken[0].layout
    if layout.n_header and layout.n_rows is None:
        line = "a comment" if sample.first[layout.n_header - 1][:1] == b"#" else "the first line"
        said = f"{line} is column names" if any(layout.names) else "comments (#) left out"
        notes.insert(0, said)
    if notes:
        _log.info("%s: %s", source.shown, "; ".join(notes))


def _tensors(
    path: Path, source: TextSource, taken: Sequence[Taken], reading: Reading
) -> Iterator[Tensor]:
    """Yield the tables of a text file, named by their columns where they are several."""
    for number, one in enumerate(taken, 1):
        name = one.name or (path.name if len(taken) == 1 else f"column {number}")
        aliases = (path.name, path.stem) if len(taken) == 1 else ()
        yield text_tensor(path, source, one.layout, name, aliases, strict=reading.strict)


def tsv_tensor(path: Path, name: str) -> Tensor:
    """Return the table of a file of tabs in which a first line of numbers is a row.

    Raises:
        LoadError: If these are no vectors.
    """
    source = TextSource(path)
    sample = take_sample(source)
    fields = sample.start[0].rstrip(b"\r").split(b"\t") if sample.start else []
    if len(fields) > 1 and all(map(is_number, fields)):
        layout = TextLayout(b"\t", len(fields), tuple(range(len(fields))))
        return text_tensor(path, source, layout, name)
    layout = find_layout(sample, b"\t", source.shown)
    taken = take_columns(layout, sample, None, source.shown)[:1]
    _tell(source, sample, taken)
    return text_tensor(path, source, taken[0].layout, name)


def text_tensor(
    path: Path,
    source: TextSource,
    layout: TextLayout,
    name: str,
    aliases: tuple[str, ...] = (),
    *,
    strict: bool = False,
) -> Tensor:
    """Return the table of a text file as a tensor; its rows are counted when they are asked for.

    Raises:
        LoadError: If it has no more than one column of numbers.
    """
    if layout.n_dims < 2 and layout.cell is None:
        raise LoadError(source.shown, *ONE_COLUMN)
    read = cache(lambda: _read_all(source, layout, strict))

    def sides() -> tuple[int, int]:
        n_rows = _count_rows(source, layout)
        if layout.n_rows is not None and n_rows > layout.n_rows:
            n_rows = len(read()[0])  # Rows that are written twice are counted once.
        return n_rows, layout.n_dims

    def columns() -> TextColumns:
        metadata = read()[1]
        return TextColumns(metadata, next(iter(metadata)) if layout.labelled else None)

    return Tensor(
        name,
        sides,
        "float32",
        rows=lambda: read()[0],
        aliases=tuple(alias for alias in aliases if alias != name),
        note="text",
        columns=columns,
    )


def _read_all(
    source: TextSource, layout: TextLayout, strict: bool
) -> tuple[NDArray[np.float32], dict[str, tuple[str, ...]]]:
    """Read all rows and text columns in one pass."""
    rows = _Rows(layout, source, strict)
    if source.size <= source.chunk_bytes:
        for chunk, number in _data_chunks(source, layout, rows):
            rows.add(_read(chunk, layout, number, source.shown, strict))
    else:
        _read_in_threads(source, layout, rows, strict)
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


def _data_chunks(
    source: TextSource, layout: TextLayout, rows: _Rows | None = None
) -> Iterator[tuple[bytes, int]]:
    """Yield chunks of lines behind the header, with the number of the first line of each."""
    skip, commented = layout.n_header, has_comments(layout)
    quoted = layout.delimiter if layout.quoted else b""
    for chunk, number in source.chunks(quoted, layout.wrapped):
        while skip and chunk:
            line, _, chunk = chunk.partition(b"\n")
            number += 1
            skip -= bool(line.strip())
        chunk, n_comments = blank_comments(chunk, layout) if commented else (chunk, 0)
        if rows is not None:
            rows.n_comments += n_comments
        if chunk:
            yield chunk, number


def _read(raw: bytes, layout: TextLayout, number: int, shown: str, strict: bool) -> Lines:
    """Read lines in the fastest way that understands them."""
    block = read_block(raw, layout)
    if block is None:
        plain = make_plain(raw, layout)
        block = read_block(plain, layout) if plain and plain != raw else None
    return Lines(*block, Faults()) if block else read_lines(raw, layout, number, shown, strict)


def _read_in_threads(source: TextSource, layout: TextLayout, rows: _Rows, strict: bool) -> None:
    """Read chunks side by side; NumPy lets go of the interpreter in all large operations."""
    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    pending: deque[Future[Lines]] = deque()
    done = reported = 0
    with ThreadPoolExecutor(workers) as pool:
        try:
            for chunk, number in _data_chunks(source, layout, rows):
                pending.append(pool.submit(_read, chunk, layout, number, source.shown, strict))
                if len(pending) > 2 * workers:
                    rows.add(pending.popleft().result())
                done += len(chunk)
                if done - reported >= _PROGRESS_BYTES:
                    reported = done
                    _progress.info("%s: %s rows read", source.shown, f"{rows.n_rows:,}")
            while pending:
                rows.add(pending.popleft().result())
        finally:
            for future in pending:
                future.cancel()


class _Rows:
    """The rows read so far, in one array that grows."""

    def __init__(self, layout: TextLayout, source: TextSource, strict: bool) -> None:
        self.layout, self.source, self.strict = layout, source, strict
        self.n_rows = self.n_comments = 0
        self.faults = Faults()
        self._values = np.empty((0, layout.n_dims), np.float32)
        self._texts: list[list[str]] = [[] for _ in layout.text_columns]

    def add(self, lines: Lines) -> None:
        values, columns, faults = lines
        self.faults.merge(faults)
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
        self.faults.tell(self.n_rows)
        if self.n_comments:
            _log.info("%s: %s (#) left out", shown, counted(self.n_comments, "comment"))
        if layout.n_rows is not None and layout.n_rows != self.n_rows:
            self._settle_count(layout.n_rows, shown)
        self._values.resize((self.n_rows, self._values.shape[1]), refcheck=False)
        if not layout.quoted:
            self._texts = [_unquote(texts) for texts in self._texts]
        return self._values, _name_columns(layout.text_names, self._texts, shown)

    def _settle_count(self, n_said: int, shown: str) -> None:
        """Go on with the rows that are there, where the header says another number.

        Raises:
            LoadError: If that is not wanted.
        """
        where, why = f"{shown}:1", f"the header says {n_said} rows, the file has {self.n_rows}"
        if self.strict:
            raise LoadError(where, why, "is the file whole? else correct or remove the first line")
        labels = self._texts[0] if self._texts else []
        if n_said and {*labels[n_said:]} <= {*labels[:n_said]} and labels[n_said:]:
            # gensim writes vectors of numbered documents twice.
            self.n_rows = n_said
            self._texts = [texts[:n_said] for texts in self._texts]
            _log.warning("%s: %s, which repeat labels; the first %s are taken", where, why, n_said)
        else:
            _log.warning("%s: %s, which are taken; --strict refuses", where, why)


def _unquote(texts: list[str]) -> list[str]:
    """Take quotes off a column in which they are not part of the texts, as R writes it."""
    if not any(text.startswith('"') for text in texts):
        return texts
    quoted = [text for text in texts if text.startswith('"')]
    if not all(is_quoted(text.encode("utf-8", "replace")) for text in quoted):
        return texts
    if len(quoted) < len(texts) and not any('""' in text[1:-1] for text in quoted):
        return texts
    return [text[1:-1].replace('""', '"') if text.startswith('"') else text for text in texts]


def _name_columns(
    names: tuple[str, ...], texts: list[list[str]], shown: str
) -> dict[str, tuple[str, ...]]:
    """Return text columns by name, those without one as `label`, `label 2` and so on."""
    metadata: dict[str, tuple[str, ...]] = {}
    taken = set(names)
    numbered = (n for k in count(1) if (n := "label" if k == 1 else f"label {k}") not in taken)
    for name, values in zip(names, texts, strict=True):
        if name in metadata and name:
            raise LoadError(f"{shown}:1", f"two columns are named '{name}'", "rename one")
        metadata[name or next(numbered)] = tuple(values)
        values.clear()
    return metadata
