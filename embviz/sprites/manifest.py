"""What a sheet says of itself: the note inside an image, the manifest beside several.

The note is JSON in a `tEXt` chunk named `embviz` of a PNG file (https://www.w3.org/TR/png-3/#11tEXt),
and in the Exif tag ImageDescription of JPEG and WebP. The manifest is the same as a file, with the
names of the sheets.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embviz.errors import LoadError, printable
from embviz.inputs import open_file

if TYPE_CHECKING:
    from PIL.Image import Image

KEY = "embviz"
DESCRIPTION = 0x010E
_VERSION = 1
_MOST_TILES = 1 << 31
_MOST_SHEETS = 10_000


@dataclass(frozen=True)
class SheetNote:
    """How sheets are divided: tile size in pixels, tiles a row, thumbnails in all.

    `labels` is the name of a file of labels in the sheet's folder, "" for none; `files` are the
    sheets' names, for a manifest.
    """

    tile_width: int
    tile_height: int
    columns: int
    count: int
    labels: str = ""
    files: tuple[str, ...] = ()

    def encode(self) -> str:
        """Return the note as one line of JSON."""
        value: dict[str, Any] = {
            "embviz_sprite": _VERSION,
            "tile_width": self.tile_width,
            "tile_height": self.tile_height,
            "columns": self.columns,
            "count": self.count,
        }
        if self.labels:
            value["labels"] = self.labels
        if self.files:
            value["sheets"] = list(self.files)
        return json.dumps(value)


def is_manifest(raw: bytes) -> bool:
    """Tell whether a file begins as a manifest does."""
    return raw[:64].lstrip().startswith(b"{") and b'"embviz_sprite"' in raw[:4096]


def read_note(image: Image) -> SheetNote | None:
    """Return the note in an opened image; None where there is none, or none that is understood."""
    from embviz.sprites.images import PILLOW_FAILURES

    text = image.info.get(KEY)
    if text is None and "exif" in image.info:
        try:
            text = image.getexif().get(DESCRIPTION)
        except PILLOW_FAILURES:
            return None
    if not isinstance(text, str) or "embviz_sprite" not in text[:100]:
        return None
    try:
        return _check("", json.loads(text))
    except (ValueError, RecursionError, LoadError):
        return None


def read_manifest(path: Path, raw: bytes) -> SheetNote:
    """Read a manifest of several sheets.

    Raises:
        LoadError: If a field is missing or wrong, or a sheet is not in the manifest's folder.
    """
    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise LoadError(path, "not JSON", "write the sheets again: embviz sprite") from None
    note = _check(path, value)
    if not note.files:
        raise LoadError(path, "names no sheets", "write them again: embviz sprite")
    return note


def _check(path: object, value: Any) -> SheetNote:
    if not isinstance(value, dict) or value.get("embviz_sprite") != _VERSION:
        found = printable(repr(value.get("embviz_sprite")), 40) if isinstance(value, dict) else ""
        raise LoadError(path, f"a manifest of version {found}, not {_VERSION}")
    counts: list[int] = []
    for key in ("tile_width", "tile_height", "columns", "count"):
        count = value.get(key)
        if type(count) is not int or not 0 < count < _MOST_TILES:
            raise LoadError(path, f"{key} is {printable(repr(count), 40)}, not a count above 0")
        counts.append(count)
    files = value.get("sheets", [])
    if not isinstance(files, list) or len(files) > _MOST_SHEETS:
        raise LoadError(path, "sheets is not a list of names")
    for name in files:
        if not isinstance(name, str) or not _is_plain(name):
            raise LoadError(
                path,
                f"the sheet '{printable(str(name), 80)}' is not in the manifest's folder",
                "put the sheets beside it",
            )
    if len(set(files)) < len(files):
        twice = next(name for name, n in Counter(files).items() if n > 1)
        raise LoadError(
            path, f"names the sheet '{printable(twice, 80)}' twice", "write the sheets again"
        )
    labels = value.get("labels", "")
    if not isinstance(labels, str) or (labels and not _is_plain(labels)):
        labels = ""
    width, height, columns, count = counts
    return SheetNote(width, height, columns, count, labels, tuple(files))


def _is_plain(name: str) -> bool:
    """Tell whether a name stays in its folder."""
    return name not in ("", ".", "..") and not set(name) & set("/\\:\0")


def find_sheets(path: Path) -> list[Path]:
    """Return the sheets that are there of an earlier run for a sheet's name: it, or several."""
    from embviz.sprites.images import SHEET_FORMATS, open_image, read_bytes

    found: list[Path] = []
    manifest = path.with_suffix(".json")
    try:
        if manifest.is_file() and is_manifest(raw := read_bytes(manifest)):
            found += [path.parent / name for name in read_manifest(manifest, raw).files]
        if path.is_file():
            with open_file(path) as file:
                found += [path] if read_note(open_image(file, path, SHEET_FORMATS)) else []
    except (LoadError, OSError):
        return found
    return found


def find_labels(path: Path) -> Path | None:
    """Return the file of labels that was written with a sheet or manifest and lies beside it."""
    note = _find_note(path)
    if note is None or not note.labels:
        return None
    labels = path.parent / note.labels
    return labels if labels.is_file() and not labels.is_symlink() else None


def find_files(path: Path) -> list[Path]:
    """Return the files beside a sheet or manifest that belong to it: its sheets and its labels."""
    note = _find_note(path)
    if note is None:
        return []
    return [path.parent / name for name in (*note.files, note.labels) if name]


def _find_note(path: Path) -> SheetNote | None:
    """Return what a sheet or manifest says of itself; None where it says nothing or is damaged."""
    from embviz.sprites.images import SHEET_FORMATS, open_image, read_bytes

    try:
        raw = read_bytes(path)
        if is_manifest(raw):
            return read_manifest(path, raw)
        return read_note(open_image(raw, path, SHEET_FORMATS))
    except LoadError:
        return None  # the sheet itself is refused where it is read
