"""The records of word2vec's binary files: found in one pass, read where they are sliced."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, counted
from embviz.inputs import open_file
from embviz.loaders.bytes.packed import open_unpacked
from embviz.loaders.words.records import (
    LONGEST_WORD,
    cut_records,
    decode_words,
    gather_bytes,
    record_ends,
)
from embviz.rows import BLOCK_BYTES, Rows

_log = logging.getLogger("embviz")

CONTROL = re.compile(rb"[\0-\x08\x0e-\x1f]")
_LONGEST_PHRASE = 200
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Layout:
    """What the first line says, where it ends, and how wide the numbers behind it are."""

    n_rows: int
    n_dims: int
    begin: int
    width: int

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(f"<f{self.width}")

    @property
    def row_bytes(self) -> int:
        return self.n_dims * self.width


def read_blocks(path: Path, begin: int = 0) -> Iterator[bytes]:
    """Yield the content of a file from a byte on, unpacked where it is packed.

    Raises:
        LoadError: If it cannot be unpacked, or unpacks to more than anything that is true would.
    """
    with open_unpacked(path) as (packing, stream):
        if not packing:
            cast(BinaryIO, stream).seek(begin)
        elif begin:
            stream.read(begin)
        while block := stream.read(_READ_BYTES):
            yield block


class _RecordRows:
    """Rows that lie between words: read block by block where they are sliced.

    Args:
        path: The file.
        layout: Its layout.
        offsets: int64 (n_rows,), the byte at which each vector begins.
    """

    def __init__(self, path: Path, layout: Layout, offsets: NDArray[np.int64]) -> None:
        self._path, self._offsets, self._row_bytes = path, offsets, layout.row_bytes
        self.dtype = layout.dtype
        self.shape = (len(offsets), layout.n_dims)

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        offsets = self._offsets[rows]
        out = np.empty((len(offsets), self._row_bytes), np.uint8)
        with open_file(self._path) as file:
            at = 0
            while at < len(offsets):
                begin = int(offsets[at])
                room = max(self._row_bytes, BLOCK_BYTES)
                stop = max(at + 1, int(np.searchsorted(offsets, begin + room - self._row_bytes)))
                file.seek(begin)
                raw = file.read(int(offsets[stop - 1]) - begin + self._row_bytes)
                out[at:stop] = _gather(raw, offsets[at:stop] - begin, self._row_bytes, self._path)
                at = stop
        return out.view(self.dtype)


def _gather(
    raw: bytes, offsets: NDArray[np.int64], row_bytes: int, path: Path
) -> NDArray[np.uint8]:
    """Return the rows of bytes at some offsets, uint8 (n_rows, row_bytes)."""
    if len(offsets) and int(offsets[-1]) + row_bytes > len(raw):
        raise LoadError(path, "has become shorter while it was read", "try again")
    return gather_bytes(raw, offsets, row_bytes)


class Records:
    """The records of one file: their rows, and their words.

    Args:
        path: The file.
        layout: What its first line and first records say.
        strict: Whether what can be read in part is refused.
    """

    def __init__(self, path: Path, layout: Layout, strict: bool) -> None:
        self._path, self._layout, self._strict = path, layout, strict
        self._words: list[
            tuple[bytes, NDArray[np.int32]]
        ] = []  # a block's, joined, and their lengths
        self._rest = b""
        self._n_phrases = 0
        with open_unpacked(path) as (packing, _):
            self.rows: Rows = self._read() if packing else self._find()

    def _find(self) -> Rows:
        """Find all rows of a plain file."""
        found = [offsets + base for _, offsets, base in self._blocks()]
        n_rows = self._check_count(sum(map(len, found)))
        return _RecordRows(self._path, self._layout, np.concatenate(found)[:n_rows])

    def _read(self) -> Rows:
        """Read all rows of a packed file into memory."""
        row_bytes = self._layout.row_bytes
        values = np.empty((0, row_bytes), np.uint8)
        n_rows = 0
        for raw, offsets, _ in self._blocks():
            if n_rows + len(offsets) > len(values):
                values.resize(((n_rows + len(offsets)) * 5 // 4, row_bytes), refcheck=False)
            values[n_rows : n_rows + len(offsets)] = _gather(raw, offsets, row_bytes, self._path)
            n_rows += len(offsets)
        n_rows = self._check_count(n_rows)
        values.resize((n_rows, row_bytes), refcheck=False)
        return values.view(self._layout.dtype)

    def _blocks(self) -> Iterator[tuple[bytes, NDArray[np.int64], int]]:
        """Yield (content, where vectors begin in it, the byte of the file at which it begins).

        Raises:
            LoadError: If no word ends where one must.
        """
        row_bytes = self._layout.row_bytes
        base, n_found = self._layout.begin, 0
        for block in read_blocks(self._path, base):
            raw = self._rest + block
            words = cut_records(raw, b" ", row_bytes)
            if _is_odd(words):
                words = _cut_with_care(raw, row_bytes)
                self._n_phrases += sum(b" " in word for word in words)
            n_found += len(words)
            ends = record_ends(words, row_bytes)
            at = int(ends[-1]) if words else 0
            if raw.find(b" ", at, at + LONGEST_WORD) < 0 and len(raw) > at + LONGEST_WORD:
                raise LoadError(
                    self._path,
                    f"record {n_found + 1} has no blank in {LONGEST_WORD} bytes, where "
                    "a word must end",
                    "are the dimensions in its first line right?",
                )
            lengths = np.fromiter(map(len, words), np.int32, len(words))
            self._words.append((b"".join(words), lengths))
            yield raw, ends - row_bytes, base
            self._rest = raw[at:]
            base += at

    def _check_count(self, n_found: int) -> int:
        """Return how many records are taken; tell or refuse another number than was said."""
        n_said = self._layout.n_rows
        if n_found == 0:
            raise LoadError(self._path, "no whole record in it", "write or fetch it again")
        if self._n_phrases:
            _log.info(
                "%s: %s with blanks in them, as the rows behind tell",
                self._path, counted(self._n_phrases, "word"),
            )  # fmt: skip
        rest = len(self._rest.strip(b"\n"))
        if n_found == n_said and not rest:
            return n_found
        n_taken = n_found
        said = f"the first line says {counted(n_said, 'row')}, "
        said += "1 is there" if n_found == 1 else f"{n_found:,} are there"
        if n_found > n_said > 0 and _repeat(self._split(), n_said):
            n_taken = n_said
            said += "; those behind repeat their words and are left out"
        if rest:
            said += f"; {counted(rest, 'byte')} at its end are no whole record"
        self._tell(said)
        return n_taken

    def _tell(self, said: str) -> None:
        """Tell what was read in part.

        Raises:
            LoadError: If that is refused.
        """
        if self._strict:
            raise LoadError(self._path, said, "leave out --strict to take what is there")
        _log.warning("%s: %s", self._path, said)

    def _split(self) -> list[bytes]:
        words = []
        for joined, lengths in self._words:
            ends = np.cumsum(lengths).tolist()
            words += [joined[a:b].lstrip(b"\n") for a, b in zip([0, *ends], ends, strict=False)]
        return words

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words as text; what is not UTF-8 in them becomes U+FFFD, which is told.

        Raises:
            LoadError: If that is refused.
        """
        words = self._split()[: self.rows.shape[0]]
        texts, said = decode_words(words)
        if said:
            self._tell(said)
        blank = [i for i, text in enumerate(texts) if not text.strip()]
        if blank:
            said = f"{counted(len(blank), 'word')} without a letter; the first is row {blank[0]}"
            _log.info("%s: %s", self._path, said)
        return texts


def _repeat(words: list[bytes], n_said: int) -> bool:
    """Tell whether all words behind the first n_said are among these, as gensim writes int tags."""
    first = set(words[:n_said])
    return all(word in first for word in words[n_said:])


def _is_odd(words: list[bytes]) -> bool:
    """Tell whether some words are no text, as they are where a word before them held a blank."""
    joined = b" ".join(words)
    try:
        joined.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return CONTROL.search(joined) is not None


def _cut_with_care(raw: bytes, row_bytes: int) -> list[bytes]:
    """Do as `cut_records`, but end a word at a later blank where only then the next one is text.

    A word that holds a blank puts its vector, read from there, out of step, and some bytes of it
    before the next word.
    """
    words: list[bytes] = []
    at = 0
    last = len(raw) - row_bytes - 1
    while 0 <= (first := raw.find(b" ", at)) <= last:
        end = first
        while not _is_text_at(raw, end + 1 + row_bytes):
            end = raw.find(b" ", end + 1, min(last, at + _LONGEST_PHRASE) + 1)
            if end < 0 or not _is_text(raw[at:end], whole=True):
                end = first
                break
        words.append(raw[at:end])
        at = end + 1 + row_bytes
    return words


def _is_text_at(raw: bytes, at: int) -> bool:
    """Tell whether a word of text begins at a byte, or nothing."""
    end = raw.find(b" ", at, at + _LONGEST_PHRASE)
    return _is_text(raw[at : end if end >= 0 else at + _LONGEST_PHRASE], whole=False)


def _is_text(word: bytes, whole: bool) -> bool:
    """Tell whether bytes are UTF-8 without control characters; it may be cut where not `whole`."""
    try:
        word.decode("utf-8")
    except UnicodeDecodeError as error:
        if whole or error.reason != "unexpected end of data":
            return False
    return CONTROL.search(word) is None
