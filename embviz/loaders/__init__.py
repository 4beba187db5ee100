"""Reading vectors: what a source is, and the table it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable, TensorInfo

ENTRY_POINTS = "embviz.loaders"
READ_FORMATS = (
    "TensorFlow checkpoints, .npy, .npz, TSV and CSV of vectors, word2vec and GloVe text "
    "(also .gz), folders with projector_config.pbtxt, neighbor indexes"
)

NPY_MAGIC = b"\x93NUMPY"


class Loader(Protocol):
    """What reads one format; a module with these three functions is one."""

    def accepts(self, path: Path) -> bool:
        """Tell whether a path is of this format, by its content first, then by its name."""
        ...

    def list_tensors(self, path: Path) -> list[TensorInfo]:
        """Return the tensors in a source, before they are read."""
        ...

    def load(self, path: Path, tensor: str | None) -> EmbeddingTable:
        """Read one tensor, the one that stands out where none is named."""
        ...


class _Deferred:
    """A loader whose module is imported when it is first asked."""

    def __init__(self, module: str, attribute: str = "") -> None:
        self._module, self._attribute = module, attribute

    def _loader(self) -> Loader:
        module: Any = import_module(self._module)
        loader: Loader = getattr(module, self._attribute) if self._attribute else module
        return loader

    def accepts(self, path: Path) -> bool:
        return self._loader().accepts(path)

    def list_tensors(self, path: Path) -> list[TensorInfo]:
        return self._loader().list_tensors(path)

    def load(self, path: Path, tensor: str | None) -> EmbeddingTable:
        return self._loader().load(path, tensor)


LOADERS: dict[str, Loader] = {
    "logdir": _Deferred("embviz.loaders.projector.logdir"),
    "index": _Deferred("embviz.loaders.indexes.folder"),
    "checkpoint": _Deferred("embviz.loaders.checkpoint.checkpoint"),
    "npz": _Deferred("embviz.loaders.arrays.npz"),
    "npy": _Deferred("embviz.loaders.arrays.npy"),
    "word2vec": _Deferred("embviz.loaders.text.tables", "WORD2VEC"),
    "glove": _Deferred("embviz.loaders.text.tables", "GLOVE"),
    "tsv": _Deferred("embviz.loaders.text.tables", "TSV"),
    "csv": _Deferred("embviz.loaders.text.tables", "CSV"),
}
"""Loaders by the name that `--input-format` takes, in the order in which they are asked."""

_found_entry_points = False


def load_table(
    source: str | Path,
    *,
    tensor: str | None = None,
    metadata: str | Path | None = None,
    sprite: str | Path | None = None,
    sprite_size: tuple[int, int] | None = None,
    input_format: str | None = None,
) -> EmbeddingTable:
    """Read a table of vectors.

    Args:
        source: A file, a checkpoint's prefix, or a folder.
        tensor: Which tensor, where the source holds several.
        metadata: A file of columns for the points, in place of the source's own.
        sprite: A sheet of thumbnails, in place of the source's own.
        sprite_size: A tile's width and height in pixels.
        input_format: A name in `LOADERS`; None to find out.

    Raises:
        LoadError: If a file is missing, damaged or of no known format.
        ParameterError: If there is no such tensor or format.
    """
    path = Path(source)
    loader = find_loader(path, input_format)
    with _reading(path):
        table = loader.load(path, tensor)
    if metadata is not None:
        table = add_metadata(table, metadata)
    if sprite is not None:
        from embviz.sprites import load_sprite

        table = replace(table, sprite=load_sprite(Path(sprite), sprite_size, table.n_points))
    elif sprite_size is not None and table.sprite is None:
        raise ParameterError("--sprite-size", "there is no sprite", "name one: --sprite FILE")
    return table


def add_metadata(table: EmbeddingTable, metadata: str | Path) -> EmbeddingTable:
    """Return a table with the columns of a metadata file in place of its own.

    Raises:
        LoadError: If the file is missing, damaged, or not of as many points.
    """
    from embviz.loaders.labels.metadata import read_metadata

    file = Path(metadata)
    _check_exists(file)
    with _reading(file):
        return replace(table, metadata=read_metadata(file, table.n_points))


def list_tensors(source: str | Path, input_format: str | None = None) -> list[TensorInfo]:
    """Return the tensors of a source, the one that would be taken marked.

    Raises:
        LoadError: If it is missing, damaged or of no known format.
        ParameterError: If there is no such format.
    """
    path = Path(source)
    loader = find_loader(path, input_format)
    with _reading(path):
        return loader.list_tensors(path)


def find_loader(path: Path, input_format: str | None = None) -> Loader:
    """Return what reads a source.

    Raises:
        LoadError: If it does not exist or no loader accepts it.
        ParameterError: If there is no such format.
    """
    if input_format is not None:
        if input_format not in LOADERS:
            _add_entry_points()
        if input_format not in LOADERS:
            raise ParameterError(
                f"--input-format '{input_format}'", "no such format", f"one of {', '.join(LOADERS)}"
            )
        if input_format != "checkpoint":
            _check_exists(path)
        return LOADERS[input_format]
    with _reading(path):
        # The prefix of a checkpoint is a source and no file.
        if not path.exists() and LOADERS["checkpoint"].accepts(path):
            return LOADERS["checkpoint"]
        _check_exists(path)
        if path.is_file():
            with path.open("rb") as file:
                if file.read(len(NPY_MAGIC)) == NPY_MAGIC and path.suffix.lower() == ".npy":
                    return LOADERS["npy"]
            _refuse_foreign(path)
        for loader in LOADERS.values():
            if loader.accepts(path):
                return loader
        known = len(LOADERS)
        _add_entry_points()
        for loader in list(LOADERS.values())[known:]:
            if loader.accepts(path):
                return loader
    raise _unknown(path)


def _refuse_foreign(path: Path) -> None:
    """Refuse the files of other programs by name."""
    from embviz.loaders.refusals import refuse_foreign

    if not (LOADERS["checkpoint"].accepts(path) or path.suffix.lower() in (".npy", ".npz")):
        refuse_foreign(path)


def _unknown(path: Path) -> LoadError:
    if path.is_dir():
        suffixes = (".npy", ".npz", ".tsv", ".csv", ".txt", ".vec")
        kind = f"a folder named {path.suffix}" if path.suffix in suffixes else "a folder"
        return LoadError(path, f"{kind} without a checkpoint or projector_config.pbtxt in it")
    if not path.is_file():
        return LoadError(path, "neither a file nor a folder")
    if path.stat().st_size == 0:
        return LoadError(path, "0 bytes")
    return LoadError(path, "of no known file type", f"what is read: {READ_FORMATS}")


def _check_exists(path: Path) -> None:
    try:
        if os.path.lexists(path) and not path.exists():
            if path.is_symlink():
                target = os.readlink(path)
                raise LoadError(path, f"a link to {target}, which does not exist")
            raise LoadError(path, "cannot be read (permission denied)")
        if path.exists():
            return
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or "not a path"
        raise LoadError(path, f"cannot be read ({reason})") from None
    raise LoadError(path, "no such file or folder")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what the system refuses into a LoadError that names the file."""
    try:
        yield
    except OSError as e:
        if e.filename is not None or e.errno is not None:
            raise LoadError(path, f"cannot be read ({e.strerror or e})") from None
        raise
    except ValueError as e:
        if "embedded null" in str(e):
            raise LoadError(path, "not a path") from None
        raise


def _add_entry_points() -> None:
    """Add the loaders that other packages offer, once."""
    global _found_entry_points
    if _found_entry_points:
        return
    _found_entry_points = True
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS):
        LOADERS.setdefault(entry.name, entry.load())
