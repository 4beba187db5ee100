"""Arrow IPC: files, streams, Feather, and folders that Hugging Face's datasets saved.

https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
"""

from __future__ import annotations

from pathlib import Path

from embviz.errors import LoadError, printable
from embviz.inputs import open_file
from embviz.loaders.bytes.json_text import read_object
from embviz.loaders.confined import find_within
from embviz.loaders.extras import need_package
from embviz.loaders.opened import Claim, Source, Start
from embviz.loaders.reading import Reading
from embviz.loaders.tables.arrow_table import Part, open_arrow
from embviz.loaders.tables.parts import find_parts, open_parts, open_splits

_FILE, _FEATHER_1 = b"ARROW1", b"FEA1"
_SUFFIXES = (".arrow", ".feather", ".ipc", ".arrows")
_CONTINUED = b"\xff\xff\xff\xff"
_SPLITS, _STATE = "dataset_dict.json", "state.json"
_MOST_HEADER = 64 << 20
_MOST_JSON = 64 << 20


class ArrowFormat:
    """Reads the columns of lists of Arrow files and streams as tensors, mapped into memory."""

    name = "arrow"
    takes = ("columns",)

    def claim(self, start: Start) -> Claim | None:
        """Claim Arrow files and streams, and folders of them."""
        if start.kind == "folder":
            if _SPLITS in start.names or _STATE in start.names:
                saved = _SPLITS in start.names or "dataset_info.json" in start.names
                return Claim.MAGIC if saved else None
            return Claim.CONTENT if find_parts(start.names, _SUFFIXES) else None
        if start.head.startswith((_FILE, _FEATHER_1)):
            return Claim.MAGIC
        if _is_stream(start.head, start.size):
            return Claim.CONTENT
        return Claim.NAME if start.path.suffix.lower() in _SUFFIXES else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the headers of a file, a stream, or the files of a folder.

        Raises:
            LoadError: If pyarrow is missing, or a file is damaged.
        """
        kind = "a data set in Arrow files" if path.is_dir() else "Arrow"
        need_package(path, kind, "pyarrow", "parquet")
        if (path / _SPLITS).is_file():
            return _open_splits(path, reading.columns)
        if (path / _STATE).is_file():
            return open_splits(path, {"": _saved_files(path)}, open_arrow_file, reading.columns)
        return open_parts(path, _SUFFIXES, open_arrow_file, reading.columns)


ARROW = ArrowFormat()


def _is_stream(head: bytes, size: int) -> bool:
    """Tell whether a file begins with the length of a message and a message in its bounds."""
    at = 4 if head.startswith(_CONTINUED) else 0
    length = int.from_bytes(head[at : at + 4], "little")
    root = int.from_bytes(head[at + 4 : at + 8], "little")
    bounded = 8 <= length <= min(size - at - 4, _MOST_HEADER) and length % 8 == 0
    return bounded and 4 <= root < min(length, 1 << 16) and (at > 0 or _is_schema(head[4:]))


def _is_schema(message: bytes) -> bool:
    """Tell whether a flat buffer begins as a Message of Arrow that holds a schema."""
    root = int.from_bytes(message[:4], "little")
    table = root - int.from_bytes(message[root : root + 4], "little", signed=True)
    if not 0 <= table <= len(message) - 10:
        return False
    n_bytes = int.from_bytes(message[table : table + 2], "little")
    kind = int.from_bytes(message[table + 6 : table + 8], "little")
    return 10 <= n_bytes <= 64 and kind > 0 and message[root + kind : root + kind + 1] == b"\x01"


def open_arrow_file(path: Path) -> Part:
    """Read the headers of one file or stream; raises LoadError for what is none."""
    with open_file(path) as file:
        start = file.read(4096)
    if start.startswith(_FEATHER_1):
        raise LoadError(
            path, "Feather version 1", "write it again: pyarrow.feather.write_feather(table, path)"
        )
    if not start.startswith(_FILE) and not _is_stream(start, path.stat().st_size):
        raise LoadError(path, "neither an Arrow file nor an Arrow stream")
    return open_arrow(path, is_stream=not start.startswith(_FILE))


def _open_splits(path: Path, asked: str | None) -> Source:
    """Open the splits of a DatasetDict, each a folder of its own."""
    file = path / _SPLITS
    names = read_object(file, _MOST_JSON).get("splits")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise LoadError(file, "no list of splits in it")
    files = {name: _saved_files(_inside(path, name, file)) for name in names}
    return open_splits(path, files, open_arrow_file, asked)


def _saved_files(folder: Path) -> list[Path]:
    """Return the files of a saved data set in their order.

    Raises:
        LoadError: If its state is damaged, or it is a choice of rows of those files.
    """
    file = folder / _STATE
    state = read_object(file, _MOST_JSON)
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise LoadError(
            folder, "a choice of rows that is kept beside the files",
            "save it flat: dataset.flatten_indices().save_to_disk(…)",
        )  # fmt: skip
    if "_data_files" not in state:  # As the files of a cache lie, by their names alone.
        found = find_parts([path.name for path in folder.iterdir()], _SUFFIXES)
        if len(found) == 1:
            return [_inside(folder, name, file) for name in next(iter(found.values()))]
    entries = state.get("_data_files")
    names = (
        [e.get("filename") for e in entries if isinstance(e, dict)]
        if isinstance(entries, list)
        else []
    )
    if not names or not all(isinstance(name, str) for name in names):
        there = any(folder.glob("*.arrow"))
        raise LoadError(
            file, "no list of files in it", f"name them: {folder}/*.arrow" if there else ""
        )
    return [_inside(folder, name, file) for name in names if isinstance(name, str)]


def _inside(folder: Path, name: str, told_by: Path) -> Path:
    """Return a file or folder right in a folder, links that lead out refused."""
    if Path(name).name != name:
        raise LoadError(told_by, f"'{printable(name, 200)}' is not in this folder")
    path = find_within(folder, name, told_by)
    if not path.exists():
        raise LoadError(told_by, f"'{printable(name)}' is named and not there", "fetch it again")
    return path
