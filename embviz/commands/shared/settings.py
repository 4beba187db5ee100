"""An `embviz.toml`: how it is read, and which of its settings name a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from embviz.errors import LoadError

CONFIG = "embviz.toml"
FILES = {"source", "more", "output", "metadata", "sprite", "images", "bookmark", "labels", "figure"}
FILES |= {"save_coordinates", "save_bookmark", "save_changes", "metadata_b", "a", "b", "o"}
"""The options that name a file or folder, as they are typed, with `_` for `-`."""
OUTPUTS = ("output", "save_coordinates", "save_bookmark", "figure")
"""Those of `embviz project` that are written, by parameter."""


def read_config(path: Path) -> dict[str, Any]:
    """Read an `embviz.toml`; file names in it are relative to its folder.

    Raises:
        LoadError: If it cannot be read or is not TOML.
    """
    import tomllib

    found: dict[str, Any]
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise LoadError(path, f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LoadError(path, f"is not TOML: {error}") from error
    for table in (found, *(item for item in found.values() if isinstance(item, dict))):
        for key in FILES & {key.replace("-", "_") for key in table}:
            name = key if key in table else key.replace("_", "-")
            table[name] = _beside(path, table[name])
        if "coordinates" in table:
            table["coordinates"] = _if_there(path, table["coordinates"])
    return found


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
