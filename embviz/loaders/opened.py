"""The seam of all formats: how a path begins, who claims it, and what an opened source holds."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError
from embviz.inputs import open_file
from embviz.loaders.bytes.packed import LONGEST_BLOCK, SUFFIXES, find_packing, unpack_start
from embviz.loaders.reading import Reading
from embviz.model import Bookmark, Sprite
from embviz.rows import Rows

HEAD_BYTES = 4096
TAIL_BYTES = 64
_MOST_UNPACKED = 1 << 16

Role = Literal["table", "slot", "duplicate", "other"]


class Claim(IntEnum):
    """How sure a format is of a path; the strongest claim reads it.

    NAME: only the name says so. CONTENT: what is in it looks so. MAGIC: a mark in it that no other
    format has.
    """

    NAME = 1
    CONTENT = 2
    MAGIC = 3


@dataclass(frozen=True, eq=False)
class Start:
    """What is known of a path before any format is asked, read once for all of them.

    Attributes:
        path: As it was given.
        kind: `missing` for what is neither file nor folder nor anything else, such as the prefix
            of a checkpoint; `other` for pipes and devices, which are not opened.
        head: The first 4 KiB of a file.
        tail: The last 64 bytes of a file.
        size: A file's bytes.
        names: The sorted names in a folder.
    """

    path: Path
    kind: Literal["file", "folder", "missing", "other"]
    head: bytes = b""
    tail: bytes = b""
    size: int = 0
    names: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """The last suffix of the name in small letters, that before .gz or such where there is."""
        packed = self.path.suffix.lower() in SUFFIXES
        return (self.path.with_suffix("") if packed else self.path).suffix.lower()

    @cached_property
    def unpacked(self) -> bytes:
        """The first bytes of the content: of what is packed, what its first block unpacks to.

        bzip2 and Zstandard give nothing before a whole block is there, which is up to 900 KB.
        """
        found = unpack_start(self.head, _MOST_UNPACKED)
        if found or self.size <= len(self.head) or not find_packing(self.head):
            return found
        with open_file(self.path) as file:
            return unpack_start(file.read(LONGEST_BLOCK), _MOST_UNPACKED)


def read_start(path: Path) -> Start:
    """Look at a path once.

    Raises:
        OSError: If it is there and cannot be read.
        ValueError: If it is no path.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Start(path, "missing")
    if stat.S_ISDIR(found.st_mode):
        return Start(path, "folder", names=tuple(sorted(os.listdir(path))))
    if not stat.S_ISREG(found.st_mode):
        return Start(path, "other")
    with open_file(path) as file:
        head = file.read(HEAD_BYTES)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read(TAIL_BYTES)
    return Start(path, "file", head, tail, size)


ONE_COLUMN_NAME = "label"
"""The name of a column of labels that has none."""


class Columns(Protocol):
    """Metadata, read where it is asked."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in order."""
        ...

    @property
    def label(self) -> str | None:
        """The column that names the points; None where there is no column."""
        ...

    def value(self, column: str, point: int) -> str:
        """Return a point's text in a column, "" for none."""
        ...

    def find(self, text: str) -> list[int]:
        """Return the points with a label, in order."""
        ...

    def column(self, name: str) -> tuple[str, ...]:
        """Return a whole column."""
        ...


@dataclass(frozen=True, eq=False)
class TextColumns:
    """Metadata that is in memory: columns of texts by name.

    `named_by` is the column that names the points; None is the first that is not all numbers.
    """

    metadata: Mapping[str, tuple[str, ...]]
    named_by: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.metadata)

    @cached_property
    def label(self) -> str | None:
        from embviz.model import find_label_column

        if self.named_by is not None:
            return self.named_by
        return find_label_column(self.metadata)

    def value(self, column: str, point: int) -> str:
        return self.metadata[column][point]

    def find(self, text: str) -> list[int]:
        if self.label is None:
            return []
        return [i for i, value in enumerate(self.metadata[self.label]) if value == text]

    def column(self, name: str) -> tuple[str, ...]:
        return self.metadata[name]


@dataclass(frozen=True, eq=False)
class Tensor:
    """One array of a source: what is known of it from headers, and how its content is had.

    Attributes:
        name: What `--tensor` takes; no other tensor of the source has it.
        sides: The shape; or what finds it, for a table whose rows are only known by a pass over a
            file, and is called when the shape is asked for.
        dtype: As NumPy spells it, such as `float32` or `bfloat16`; else in a few words.
        rows: Opens the rows, which are read when they are sliced.
        role: `table` may be taken by default; `slot` belongs to another, as an optimizer's or
            scales do, `duplicate` repeats another, and both are taken by name only; `other` is no
            rows of real numbers.
        aliases: Other names it answers to.
        known_as: The alias that says more to its user than the name does, "" for none.
        note: What `embviz info` says of it.
        told: What is said where it is taken, such as what was done to it; "" for nothing.
        preferred: Whether the source itself puts it first, as a projector's config does.
        doubt: What its rows may be instead of vectors, which only a person can know: it is taken
            where it is named; "" where there is no doubt.
        refusal: Why it cannot be taken, where the format knows better than its shape tells.
        columns: Opens the metadata that belongs to it, in the order of the rows.
        by_number: Reads metadata that names the rows by their numbers, in any order, as the user
            gave it; None where a file is no such.
        numbers: Returns the rows' numbers in the source, int64 (n_rows,), where they are others.
        sprite: Reads its thumbnails.
        bookmarks: Reads the views that were saved with it.
        verify: Checks the stored checksums of all rows; raises LoadError.
    """

    name: str
    sides: tuple[int, ...] | Callable[[], tuple[int, ...]]
    dtype: str
    rows: Callable[[], Rows]
    role: Role = "table"
    aliases: tuple[str, ...] = ()
    known_as: str = ""
    note: str = ""
    told: str = ""
    preferred: bool = False
    doubt: str = ""
    refusal: LoadError | None = None
    columns: Callable[[], Columns] | None = None
    by_number: Callable[[Path], TextColumns | None] | None = None
    numbers: Callable[[], NDArray[np.int64]] | None = None
    sprite: Callable[[], Sprite] | None = None
    bookmarks: Callable[[], tuple[Bookmark, ...]] | None = None
    verify: Callable[[], None] | None = None

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape, found out if need be."""
        return self.sides() if callable(self.sides) else self.sides

    @property
    def is_table(self) -> bool:
        """Whether it is rows of real numbers."""
        if self.role == "other":
            return False
        return callable(self.sides) or (len(self.sides) == 2 and 0 not in self.sides)

    @property
    def is_candidate(self) -> bool:
        """Whether it may be taken by default."""
        return self.is_table and self.role == "table"

    @property
    def names(self) -> tuple[str, ...]:
        """Every name it answers to."""
        return tuple(dict.fromkeys(name for name in (self.name, *self.aliases) if name))

    def describe(self) -> str:
        """Return its name, and its shape and type where they are known without a search."""
        if callable(self.sides):
            return self.name
        return f"{self.name} ({' x '.join(map(str, self.sides)) or 'scalar'} {self.dtype})"


@dataclass(frozen=True, eq=False)
class Source:
    """A source that was opened: its headers are read, its tensors are not.

    Attributes:
        path: What was opened, as it was given.
        tensors: What is in it, in the order in which it is listed.
        shown: Its name as it is shown, "" for the path.
        is_model: Whether its tensors are the weights of one model, of which the vocabulary's table
            is the tallest; of arrays that someone saved together, size says nothing.
        files: What is read of it beside the path, where that is a folder, a prefix or names
            others; no output may replace one of them.
    """

    path: Path
    tensors: tuple[Tensor, ...]
    shown: str = ""
    is_model: bool = False
    files: tuple[Path, ...] = ()


class Format(Protocol):
    """What reads one kind of file or folder.

    It may have an attribute `takes`, the fields of `reading.OF_SOME_FORMATS` that it obeys.
    """

    @property
    def name(self) -> str:
        """What `--input-format` takes."""
        ...

    def claim(self, start: Start) -> Claim | None:
        """Tell how sure the format is of a path, None for not at all."""
        ...

    def open(self, path: Path, reading: Reading) -> Source:
        """Open a path, reading headers only; raises LoadError for what is damaged."""
        ...


def list_some(names: list[str], limit: int = 8) -> str:
    """Return names with commas, the tail counted when there are many."""
    text = ", ".join(names[:limit])
    return f"{text} and {len(names) - limit} more" if len(names) > limit else text
