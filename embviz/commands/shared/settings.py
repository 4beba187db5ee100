"""Settings in an `embviz.toml` or a `pyproject.toml`: how they are read, which name a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from embviz.errors import LoadError
from embviz.inputs import read_file

_MOST_BYTES = 4 << 20
_MOST_PARTS = 1_000
CONFIG = "embviz.toml"
PROJECT = "pyproject.toml"
"""The file of a Python project, whose table `[tool.embviz]` is read as an `embviz.toml` is."""
TABLE = "[tool.embviz]"
FILES = {"source", "more", "output", "metadata", "sprite", "images", "bookmark", "labels", "figure"}
FILES |= {"save_coordinates", "save_bookmark", "save_changes", "summary", "metadata_b"}
FILES |= {"save_clusters", "a", "b", "o", "preview", "preview_dark", "place_all"}
"""The options that name a file or folder, as they are typed, with `_` for `-`."""
OUTPUTS = (
    *("output", "save_coordinates", "save_clusters", "save_bookmark", "figure", "summary"),
    *("preview", "preview_dark", "place_all"),
)
"""Those of `embviz project` that are written, by parameter."""


def find_config(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the file of settings in a folder, `embviz.toml` else `pyproject.toml`, and them.

    A `pyproject.toml` that cannot be read or does not speak of embviz is no file of settings.

    Raises:
        LoadError: As `read_config`.
    """
    file = folder / CONFIG
    if file.is_file():
        return file, read_config(file)
    file = folder / PROJECT
    try:
        mentioned = file.is_file() and b"embviz" in file.read_bytes()
    except OSError:
        return None
    if not mentioned or _own_table(_read_toml(file)) is None:
        return None
    return file, read_config(file)


def read_config(path: Path) -> dict[str, Any]:
    """Read a file of settings; file names in it are relative to its folder.

    Args:
        path: The file. Of a `pyproject.toml` the table `[tool.embviz]` is read.

    Raises:
        LoadError: If it cannot be read, is not TOML, or has no such table.
    """
    found = _read_toml(path)
    if path.name == PROJECT:
        own = _own_table(found)
        if own is None:
            raise LoadError(path, f"has no table {TABLE}")
        found = own
    for table in (found, *(item for item in found.values() if isinstance(item, dict))):
        for key in FILES & {key.replace("-", "_") for key in table}:
            name = key if key in table else key.replace("_", "-")
            table[name] = _beside(path, table[name])
        if "coordinates" in table:
            table["coordinates"] = _if_there(path, table["coordinates"])
    return found


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        raw = read_file(path, _MOST_BYTES)
    except OSError as error:
        raise LoadError(path, f"cannot be read: {error.strerror}") from error
    # To read a key takes the square of its parts.
    if max(part.count(b".") for part in re.split(rb"[\n=]", raw)) > _MOST_PARTS:
        raise LoadError(path, f"more than {_MOST_PARTS:,} dots in a key or value")
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except RecursionError:
        raise LoadError(path, "is nested too deeply") from None
    except ValueError as error:  # Of TOML, of UTF-8, and of numbers of thousands of digits.
        raise LoadError(path, f"is not TOML: {error}") from error


def _own_table(found: dict[str, Any]) -> dict[str, Any] | None:
    tool = found.get("tool")
    own = tool.get("embviz") if isinstance(tool, dict) else None
    return own if isinstance(own, dict) else None


def _if_there(path: Path, named: Any) -> Any:
    """Return a file beside the settings, if it is there; columns and tensors stay as named."""
    from embviz.pictures.coordinates import split_place

    if isinstance(named, list):
        return [_if_there(path, item) for item in named]
    beside = _beside(path, named)
    found = split_place(beside)[0] if isinstance(beside, str) and beside else None
    return beside if found is not None and found.exists() else named


def _beside(path: Path, named: Any) -> Any:
    """Return a file name, or a list of them, as seen from here and not from a file's folder."""
    if isinstance(named, list):
        return [_beside(path, item) for item in named]
    if not isinstance(named, str) or not named:
        return named
    if Path(named).is_absolute() or path.parent == Path():
        return named
    return str(path.parent / named)
