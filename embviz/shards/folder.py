"""A folder of placed rows: shards of places and distances, and what they are."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, OutputError, ParameterError
from embviz.outputs.folders import check_folder, fresh_folder

MANIFEST = "embviz-placed.json"
FORMAT = "embviz placed rows"
VERSION = 1
OPTION = "--place-all"
_WORK = ".work"


@dataclass(frozen=True)
class Layout:
    """Which files hold which rows.

    Attributes:
        folder: Where they are written, absolute.
        n_rows: How many rows there are.
        rows_a_file: How many each has; the last one has the rest.
        prefixes: Of the files of each projection, such as `places` or `tsne-places`.
    """

    folder: str
    n_rows: int
    rows_a_file: int
    prefixes: tuple[str, ...]

    @property
    def n_files(self) -> int:
        return -(-self.n_rows // self.rows_a_file)

    @property
    def work(self) -> Path:
        """The folder in it for what is removed in the end."""
        return Path(self.folder) / _WORK

    def name(self, prefix: str, first: int) -> str:
        """Return the name of the file whose first row has a number."""
        digits = max(5, len(str(self.n_files - 1)))
        return f"{prefix}-{first // self.rows_a_file:0{digits}d}.npy"

    def path(self, prefix: str, first: int) -> Path:
        return Path(self.folder) / self.name(prefix, first)

    def names(self, prefix: str) -> list[str]:
        """Return the names of all files of a prefix, in the order of their rows."""
        return [self.name(prefix, first) for first in range(0, self.n_rows, self.rows_a_file)]

    def write(self, prefix: str, first: int, values: NDArray[np.float32]) -> None:
        """Write a file whole or not at all: who writes it again, or late, changes nothing.

        Raises:
            OutputError: If it cannot be written.
        """
        target = self.path(prefix, first)
        temporary = self.work / f"{target.name}.{secrets.token_hex(8)}"
        try:
            with temporary.open("xb") as file:
                np.save(file, values, allow_pickle=False)
            os.replace(temporary, target)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise OutputError(
                f"{OPTION}: {target.name}",
                f"cannot be written ({error.strerror or error})",
                "name a folder that all workers can write to",
            ) from error


def prefixes_of(keys: Sequence[str]) -> tuple[str, ...]:
    """Return the prefixes of the files of projections, by their keys."""
    return ("places",) if len(keys) == 1 else tuple(f"{key}-places" for key in keys)


def check_placed_folder(folder: Path) -> None:
    """Refuse a folder to place rows in, before work is spent on it.

    Raises:
        OutputError: If it cannot be written.
        ParameterError: If something else than placed rows is there.
    """
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"{OPTION} {folder}", "a file is there", "name a folder")
    check_folder(folder)
    if folder.is_dir() and any(folder.iterdir()):
        try:
            read_manifest(folder)
        except LoadError:
            raise ParameterError(
                f"{OPTION} {folder}", "is a folder with other things in it", "name a new one"
            ) from None


@contextmanager
def placed_folder(folder: Path) -> Iterator[Path]:
    """Give a folder that takes the place of another one of placed rows when all went well.

    Raises:
        OutputError: If it cannot be written; the old one stays.
    """
    with fresh_folder(folder) as building:
        work = building / _WORK
        work.mkdir()
        yield building.resolve()
        _remove(work)


def _remove(work: Path) -> None:
    """Remove what was of use on the way, from under workers that come late."""
    import shutil

    for _ in range(5):
        shutil.rmtree(work, ignore_errors=True)
        if not work.exists():
            return


def write_manifest(layout: Layout, entries: dict[str, Any]) -> None:
    """Write what the files are, as the last of them."""
    text = json.dumps({"format": FORMAT, "version": VERSION, **entries}, indent=1)
    (Path(layout.folder) / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what a folder of placed rows says of itself.

    Raises:
        LoadError: If it is none.
    """
    file = folder / MANIFEST
    try:
        said = json.loads(file.read_bytes())
    except (OSError, ValueError):
        raise LoadError(folder, "is no folder of placed rows") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise LoadError(folder, "is no folder of placed rows")
    return said
