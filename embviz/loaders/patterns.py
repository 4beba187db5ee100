"""Patterns in place of a source: `shards/*.npy` in quotes is all files that match."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from embviz.checks import check_path
from embviz.errors import LoadError, shell_word
from embviz.loaders.joined import natural_order


def find_sources(named: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the paths that sources name, the files of a pattern in natural order.

    A file or folder of the very name, or the prefix of a checkpoint, is no pattern: names may hold
    brackets.

    Args:
        named: A path or a pattern of `*`, `?`, `[…]` and `**`, or several of these.

    Raises:
        LoadError: If nothing matches a pattern.
        ParameterError: If one is no name of a file.
    """
    found: list[Path] = []
    for name in named if isinstance(named, (tuple, list)) else [named]:
        path = check_path("source", name)
        found += _matches(path) if is_pattern(path) else [path]
    return found


_ALL_PARTS = re.compile(r"-\?{5}-of-\d{5}$")
"""How TensorFlow names the parts of a checkpoint together, which its format reads as one."""


def is_pattern(path: Path) -> bool:
    """Tell whether a path is a pattern and no file, folder or prefix of that very name."""
    text = os.fspath(path)
    if not glob.has_magic(text) or "\0" in text or _ALL_PARTS.search(text):
        return False
    return not os.path.lexists(text) and not glob.glob(f"{glob.escape(text)}.*")


def _matches(pattern: Path) -> list[Path]:
    """Return what matches a pattern, in natural order.

    Raises:
        LoadError: If nothing does.
    """
    found = glob.glob(os.fspath(pattern), recursive=True)
    if found:
        return sorted(map(Path, found), key=lambda path: natural_order(str(path)))
    folder = next(p for p in pattern.parents if not glob.has_magic(str(p)))
    there = next((p for p in (folder, *folder.parents) if p.is_dir()), Path())
    why = "no file or folder matches"
    why += "" if there == folder else f", and there is no folder {folder}"
    raise LoadError(
        pattern, why, f"see which are there: ls {_after_options(shell_word(str(there)))}"
    )


def _after_options(word: str) -> str:
    return f"-- {word}" if word.startswith("-") else word
