"""Folders of .npy files: the shards of one table in natural order, or tables beside each other."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from embviz.errors import LoadError, printable
from embviz.inputs import open_file
from embviz.loaders.arrays.npy import npy_tensor
from embviz.loaders.arrays.npy_header import NpyHeader, read_header
from embviz.loaders.arrays.texts import is_label, is_text_or_number, read_npy_columns
from embviz.loaders.confined import check_within, is_within
from embviz.loaders.joined import Part, join_tensors, natural_order, stem_of
from embviz.loaders.opened import Claim, Columns, Source, Start, Tensor, TextColumns
from embviz.loaders.reading import Reading

_log = logging.getLogger("embviz")

_MOST_FILES = 50_000
_LAST_NUMBER = re.compile(r"\d+(?=(?:-of-\d+)?$)")
_LABEL_STEMS = ("labels", "metadata", "meta", "words", "vocab", "tokens", "names", "ids", "texts")
_LABEL_SUFFIXES = (".tsv", ".txt", ".csv", ".jsonl", ".json")
# What other formats know a folder by.
_OF_OTHERS = (
    ".index", ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".parquet",
    ".arrow", ".pbtxt",
)  # fmt: skip
_NAMES_OF_OTHERS = ("checkpoint", "config.json", "dataset_info.json", "state.json")


@dataclass(frozen=True, eq=False)
class _File:
    """One .npy file of the folder, its header read."""

    path: Path
    header: NpyHeader

    @property
    def stem(self) -> str:
        return stem_of(self.path.stem)

    @property
    def is_flat(self) -> bool:
        """Whether it may be labels: one value a row."""
        return len(self.header.shape) == 1 and is_text_or_number(self.header.dtype)


class ArraysFormat:
    """Reads a folder's .npy files; those whose names differ in a number alone are one table."""

    name = "arrays"

    def claim(self, start: Start) -> Claim | None:
        """Claim a folder with .npy files in it, surely where no other format knows its files."""
        if start.kind != "folder" or not _arrays(start.names):
            return None
        others = [n for n in start.names if n.endswith(_OF_OTHERS) or n in _NAMES_OF_OTHERS]
        return Claim.NAME if others else Claim.CONTENT

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the headers of a folder's arrays.

        Returns:
            A table for each name without the number at its end, its files in natural order. Arrays
            of one value a row are its columns where they are as many; so is a file of labels.

        Raises:
            LoadError: If a file is damaged or leads out of the folder, or the shards of a table
                differ in width or dtype.
        """
        names = _arrays([p.name for p in path.iterdir()])
        if len(names) > _MOST_FILES:
            raise LoadError(path, f"{len(names)} arrays, more than {_MOST_FILES} are not read")
        files = [_read(path, name) for name in names]
        groups: dict[str, list[_File]] = {}
        for file in files:
            groups.setdefault(file.stem, []).append(file)
        flat = {stem: g for stem, g in groups.items() if all(f.is_flat for f in g)}
        tables = {stem: g for stem, g in groups.items() if stem not in flat}
        if not tables:
            raise LoadError(path, "no array in it is rows of numbers", "labels go to --metadata")
        texts = _label_file(path)
        several = len(tables) > 1
        tensors = [_table(path, s, group, flat, texts, several) for s, group in tables.items()]
        beside = (texts,) if texts is not None else ()
        return Source(path, tuple(tensors), files=(*(file.path for file in files), *beside))


ARRAYS = ArraysFormat()


def _arrays(names: Sequence[str]) -> list[str]:
    """Return the names of arrays in natural order, without hidden files."""
    found = [n for n in names if n.lower().endswith(".npy") and not n.startswith(".")]
    return sorted(found, key=natural_order)


def _read(folder: Path, name: str) -> _File:
    path = folder / name
    check_within(folder, path)
    with open_file(path) as file:
        return _File(path, read_header(file, str(path)))


def _table(
    folder: Path,
    stem: str,
    group: list[_File],
    flat: Mapping[str, list[_File]],
    texts: Path | None,
    several: bool,
) -> Tensor:
    """Return the table of the files whose names begin alike."""
    whole = len(group) == 1
    _tell_gaps(folder, group)
    name = group[0].path.stem if whole else stem or folder.name
    parts = [Part(f.path.name, npy_tensor(f.path, f.path.stem, (f.path.name,))) for f in group]
    n_rows = [part.tensor.shape[0] for part in parts]
    fitting = {
        stem: files
        for stem, files in flat.items()
        if _fits(files, n_rows) and is_label(stem or "label", files[0].header.dtype, several)
    }

    @cache
    def columns() -> Columns:
        return TextColumns(_columns(folder, fitting, texts, sum(n_rows)))

    own = columns if fitting or texts is not None else None
    joined = join_tensors(name, parts, folder, columns=own)
    # The first of a series answers to its name, as several do.
    alone = whole and stem not in ("", name)
    return replace(joined, aliases=(*joined.aliases, stem)) if alone else joined


def _tell_gaps(folder: Path, group: list[_File]) -> None:
    """Say which numbers are missing among the files of one table."""
    numbers = [int(found[0]) for file in group if (found := _LAST_NUMBER.search(file.path.stem))]
    there = set(numbers)
    if len(there) < 2 or max(there) - min(there) >= 2 * len(there):
        return  # Numbers of steps, or of nothing that is counted.
    missing = [n for n in range(min(there), max(there)) if n not in there]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        _log.warning(
            "%s: number %s%s is missing between %s and %s",
            folder, missing[0], more, group[0].path.name, group[-1].path.name,
        )  # fmt: skip


def _fits(files: list[_File], n_rows: list[int]) -> bool:
    """Tell whether arrays of one value a row are as many as the rows, shard by shard."""
    lengths = [file.header.shape[0] for file in files]
    return lengths == n_rows or (len(lengths) == 1 and lengths[0] == sum(n_rows))


def _columns(
    folder: Path, flat: Mapping[str, list[_File]], texts: Path | None, n_points: int
) -> dict[str, tuple[str, ...]]:
    """Return the columns of arrays and of the file of labels, and tell which they are."""
    columns: dict[str, tuple[str, ...]] = {}
    taken: list[str] = []
    for stem, files in flat.items():
        read = [read_npy_columns(file.path) for file in files]
        for column in read[0]:
            name = stem or "label" if len(read[0]) == 1 else f"{stem} {column}"
            columns[name] = tuple(text for one in read for text in one[column])
        taken += [file.path.name for file in files[:1]]
    if texts is not None:
        from embviz.loaders.labels.metadata import read_metadata

        try:
            found = read_metadata(texts, n_points)
        except LoadError as error:
            _log.warning("%s is left aside: %s", error.what, error.why)
        else:
            columns = {**found, **{n: v for n, v in columns.items() if n not in found}}
            taken.append(texts.name)
    if taken:
        shown = ", ".join(printable(name, 60) for name in taken)
        _log.info("%s: its labels are those of %s (--metadata FILE for others)", folder, shown)
    return columns


def _label_file(folder: Path) -> Path | None:
    """Return the one file of a folder that is named as labels are; None where several are."""
    found = [
        folder / f"{stem}{suffix}"
        for stem in _LABEL_STEMS
        for suffix in _LABEL_SUFFIXES
        if (folder / f"{stem}{suffix}").is_file()
    ]
    inside = [file for file in found if is_within(folder, file)]
    if len(inside) > 1:
        names = ", ".join(file.name for file in inside)
        _log.info("%s: labels may be in %s: name one, --metadata FILE", folder, names)
    return inside[0] if len(inside) == 1 else None
