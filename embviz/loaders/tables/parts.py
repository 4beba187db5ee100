"""Files of one table in a folder: which belong together, and in which order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from embviz.errors import LoadError, printable
from embviz.loaders.confined import find_within
from embviz.loaders.joined import natural_order
from embviz.loaders.opened import Source
from embviz.loaders.tables.arrow_table import ArrowTable, Part
from embviz.loaders.tables.arrow_tensors import arrow_tensors

# As Hugging Face's datasets number the files of a split: train-00000-of-00002.parquet.
_NUMBERED = re.compile(r"(.*?)[-_.]?(\d{1,9})-of-(\d{1,9})(?:-[0-9a-f]+)?", re.IGNORECASE)


def find_parts(names: Sequence[str], suffixes: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the files of a folder that are parts of a table, in natural order, by split.

    The split is "" where all belong to one; hidden files and those that begin with _ are none.
    """
    parts = [n for n in names if n.lower().endswith(suffixes) and not n.startswith((".", "_"))]
    splits: dict[str, list[str]] = {}
    for name in sorted(parts, key=natural_order):
        numbered = _NUMBERED.fullmatch(name.rpartition(".")[0])
        splits.setdefault(numbered[1] if numbered else "", []).append(name)
    return {"": next(iter(splits.values()))} if len(splits) == 1 else splits


def open_parts(
    path: Path,
    suffixes: tuple[str, ...],
    open_file: Callable[[Path], Part],
    asked: str | None = None,
) -> Source:
    """Open a file, or the files of a folder, as one table or one of each split.

    `asked` is what `--columns` says.

    Raises:
        LoadError: If a file is damaged, or the files have other columns.
    """
    if not path.is_dir():
        return Source(path, arrow_tensors(ArrowTable(path, (open_file(path),)), asked=asked))
    splits = find_parts([p.name for p in path.iterdir()], suffixes)
    for split, names in splits.items():
        _check_all_there(path, split, names)
    return open_splits(
        path,
        {s: [find_within(path, name, path) for name in names] for s, names in splits.items()},
        open_file,
        asked,
    )


def _check_all_there(path: Path, split: str, names: list[str]) -> None:
    """Refuse numbered files of which some are missing."""
    found = [_NUMBERED.fullmatch(name.rpartition(".")[0]) for name in names]
    totals = {int(match[3]) for match in found if match}
    if totals and totals != {len(names)}:
        which = f" of '{printable(split, 60)}'" if split else ""
        raise LoadError(
            path, f"{len(names)} of {max(totals)} files{which} are there",
            "fetch the others, or give files by themselves",
        )  # fmt: skip


def open_splits(
    path: Path,
    splits: dict[str, list[Path]],
    open_file: Callable[[Path], Part],
    asked: str | None = None,
) -> Source:
    """Open files by split as the tables of one source; of several splits each names its tensors.

    Raises:
        LoadError: If a file is damaged, or the files of a split have different columns.
    """
    tensors = [
        tensor
        for split, files in splits.items()
        for tensor in arrow_tensors(
            ArrowTable(path, tuple(map(open_file, files))), f"{split}/" if split else "", asked
        )
    ]
    return Source(path, tuple(tensors), files=tuple(f for fs in splits.values() for f in fs))
