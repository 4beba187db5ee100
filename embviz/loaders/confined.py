"""Files that a source names or that lie in its folder: nothing outside the folder is read."""

from __future__ import annotations

from pathlib import Path

from embviz.errors import LoadError, printable


def find_within(folder: Path, name: str, what: object) -> Path:
    """Return the path of a file by its name in a folder, which need not be there.

    A link is followed as long as it stays in the folder. In the cache of the Hugging Face Hub,
    where `X/snapshots/R` holds links to `X/blobs`, it may lead there.

    Args:
        folder: The folder that was given.
        name: A path from there, with `/`.
        what: What names it, as it is told to the user.

    Raises:
        LoadError: If it leads out of the folder, or cannot be resolved.
    """
    shown = printable(name[:500], 200)
    parts = name.split("/")
    if not name or "\0" in name or "\\" in name or ":" in name or ".." in parts or not parts[0]:
        raise LoadError(what, f"names '{shown}', no file in {folder}", "nothing outside it is read")
    path = folder / name
    check_within(folder, path)
    return path


def check_within(folder: Path, path: Path) -> None:
    """Refuse what lies in a folder and leads out of it by a link.

    Raises:
        LoadError: If it does, or cannot be resolved.
    """
    try:
        if is_within(folder, path):
            return
        why = f"a link to {path.resolve()}, outside {folder}"
    except (OSError, RuntimeError, ValueError):
        raise LoadError(path, "cannot be resolved (a loop of links?)") from None
    raise LoadError(path, why, f"give that file itself, or copy it into {folder}")


def is_within(folder: Path, path: Path) -> bool:
    """Tell whether a path, its links followed, lies in a folder, or in the Hub's cache of it.

    Raises:
        OSError, RuntimeError, ValueError: If it cannot be resolved.
    """
    home, found = folder.resolve(), path.resolve()
    return found.is_relative_to(home) or found.is_relative_to(_hub_root(home) / "blobs")


def _hub_root(home: Path) -> Path:
    """Return the folder of a model in the Hub's cache that a folder lies in, else the folder."""
    for snapshots in home.parents:
        if snapshots.name == "snapshots":
            return snapshots.parent
    return home
