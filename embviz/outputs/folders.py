"""Several files into a folder: all of them or none."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from embviz.errors import OutputError
from embviz.outputs.files import write_file


def stage_files(folder: Path, parts: Sequence[tuple[str, bytes | Iterable[bytes]]]) -> int:
    """Write files beside a folder, then move them into it, the last one last.

    Args:
        folder: Made where it is missing; its parent must exist.
        parts: Names with forward slashes, and bytes whole or in parts.

    Returns:
        The size in bytes.

    Raises:
        OutputError: If a file cannot be written; nothing new is left behind.
    """
    size = 0
    try:
        # Beside the folder, so that moving is renaming.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".embviz-") as name:
            stage = Path(name)
            for target, data in parts:
                place = stage / PurePosixPath(target)
                place.parent.mkdir(parents=True, exist_ok=True)
                size += write_file(place, data)
            folder.mkdir(exist_ok=True)
            for target, _ in parts:
                place = folder / PurePosixPath(target)
                place.parent.mkdir(parents=True, exist_ok=True)
                (stage / PurePosixPath(target)).replace(place)
    except OSError as error:
        raise OutputError(folder, f"cannot be written: {error.strerror}") from error
    return size
