"""Folders that TensorBoard's projector shows: projector_config.pbtxt and the files it names."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embviz.bookmarks import read_bookmarks
from embviz.errors import LoadError, ParameterError, printable
from embviz.loaders.arrays import npy
from embviz.loaders.arrays.npy_header import MAGIC
from embviz.loaders.labels.metadata import read_metadata
from embviz.loaders.projector.config import (
    FILE_NAME,
    EmbeddingInfo,
    MetadataNote,
    ProjectorConfig,
    read_config,
    unescape_field,
)
from embviz.loaders.text.tables import load_text
from embviz.model import EmbeddingTable, TensorInfo
from embviz.sprites import load_sprite

_log = logging.getLogger("embviz")

PLUGIN_FOLDER = Path("plugins", "org_tensorflow_tensorboard_projector")
_DEFAULT_NAME = "tensor"


def accepts(path: Path) -> bool:
    """Tell whether a path is a projector's folder or its config file."""
    return find_config(path) is not None


def find_config(path: Path) -> Path | None:
    """Return the config file of a folder or of its one run, or of the file itself.

    Raises:
        LoadError: If several runs in the folder have one.
    """
    if path.is_dir():
        for candidate in (path / FILE_NAME, path / PLUGIN_FOLDER / FILE_NAME):
            if candidate.is_file():
                return candidate
        return _find_run(path)
    return path if path.is_file() and path.suffix == ".pbtxt" else None


def _find_run(path: Path) -> Path | None:
    """Return the config of the one run that has one, as TensorBoard looks for runs in a logdir."""
    if any(path.glob("*.index")) or (path / "checkpoint").is_file():
        return None
    found = [*path.glob(f"*/{FILE_NAME}"), *path.glob(f"*/{PLUGIN_FOLDER}/{FILE_NAME}")]
    runs = sorted({config.relative_to(path).parts[0] for config in found})
    if len(runs) > 1:
        names = ", ".join(printable(str(path / run), 80) for run in runs[:8])
        raise LoadError(path, f"holds {len(runs)} runs", f"name one: {names}")
    return min(found) if found else None


def list_tensors(path: Path) -> list[TensorInfo]:
    """Return the tensors a config names, and those of its checkpoint where it names none.

    Raises:
        LoadError: If the config or a file it names is unfit.
    """
    config = _read(path)
    infos: list[TensorInfo] = []
    for embedding in config.embeddings:
        if embedding.tensor_path:
            table = _load_file(config, embedding)
            name, dtype = _name(embedding), table.vectors.dtype.name
            infos.append(
                TensorInfo(name, table.vectors.shape, dtype, embedding.tensor_path, not infos)
            )
    checkpoint = _find_checkpoint(config, path, needed=not infos)
    if checkpoint is not None:
        from embviz.loaders.checkpoint import checkpoint as checkpoints

        found = checkpoints.list_tensors(checkpoint)
        infos += [replace(info, taken=False) for info in found] if infos else found
    return infos


def load(path: Path, tensor: str | None = None) -> EmbeddingTable:
    """Read one tensor of a projector's folder with its metadata, sprite and bookmarks.

    Args:
        path: The folder, or its config file.
        tensor: A tensor_name, with or without ":0"; None for the first listed.

    Raises:
        LoadError: If the config or a file it names is unfit.
        ParameterError: If no tensor has the name.
    """
    config = _read(path)
    embedding = _choose(config, tensor)
    if embedding is not None and embedding.tensor_path:
        table = _load_file(config, embedding)
        name = _name(embedding)
    else:
        checkpoint = _find_checkpoint(config, path, needed=True)
        assert checkpoint is not None
        from embviz.loaders.checkpoint import checkpoint as checkpoints

        wanted = tensor or (embedding.tensor_name if embedding else "") or None
        table = checkpoints.load(checkpoint, wanted)
        name = table.name
        embedding = embedding or _for_checkpoint(config, name)
    table = replace(table, name=name, source=str(path))
    return _add_files(config, embedding, table)


def _read(path: Path) -> ProjectorConfig:
    config = find_config(path)
    if config is None:
        raise LoadError(path, f"no {FILE_NAME} in it")
    return read_config(config)


def _name(embedding: EmbeddingInfo) -> str:
    name = embedding.tensor_name or Path(embedding.tensor_path).name or _DEFAULT_NAME
    return name.removesuffix(":0")


def _choose(config: ProjectorConfig, tensor: str | None) -> EmbeddingInfo | None:
    """Return the entry of a tensor; None where only the checkpoint can hold it."""
    listed = [e for e in config.embeddings if e.tensor_path or e.tensor_name]
    names = [_name(e) for e in listed]
    if tensor is not None:
        for name, embedding in zip(names, listed, strict=True):
            if tensor.removesuffix(":0") == name or tensor == embedding.tensor_name:
                return embedding
        if any(not e.tensor_path for e in config.embeddings) or not listed:
            return None
        shown = ", ".join(printable(n, 60) for n in names[:20])
        raise ParameterError(
            f"tensor '{tensor}'", f"{config.path} names {shown}", "name one of these"
        )
    with_files = [e for e in listed if e.tensor_path]
    chosen = next(iter(with_files or listed), None)
    if chosen is not None and len(listed) > 1:
        others = ", ".join(printable(n, 60) for n in names if n != _name(chosen))
        _log.info("%s: took tensor %s; --tensor for %s", config.path, _name(chosen), others)
    return chosen


def _for_checkpoint(config: ProjectorConfig, name: str) -> EmbeddingInfo:
    """Return the entry of a checkpoint's tensor, the first unnamed one where there is none."""
    for embedding in config.embeddings:
        if embedding.tensor_name.removesuffix(":0") == name.removesuffix(":0"):
            return embedding
    unnamed = next((e for e in config.embeddings if not e.tensor_name), EmbeddingInfo())
    return replace(unnamed, image_path="", single_image_dim=())


def _load_file(config: ProjectorConfig, embedding: EmbeddingInfo) -> EmbeddingTable:
    path = _inside(config, "tensor_path", embedding.tensor_path)
    if _is_npy(path):
        table = npy.load(path)
    elif path.suffix == ".bytes" or not _is_utf8(path):
        vectors = _map_raw(config, embedding, path)
        return EmbeddingTable(vectors, source=str(path))
    else:
        table = load_text(path, delimiter=b"\t", headless=True)
    shape = embedding.tensor_shape
    if shape and tuple(shape) != table.vectors.shape:
        found = " x ".join(map(str, table.vectors.shape))
        raise LoadError(
            config.path,
            f"tensor_shape says {' x '.join(map(str, shape))}, {embedding.tensor_path} is {found}",
            "correct tensor_shape",
        )
    return table


def _is_npy(path: Path) -> bool:
    """Tell whether a tensor is a .npy file, as one version of PyTorch writes it."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _is_utf8(path: Path) -> bool:
    """Tell whether a file begins as text does; gzip counts as text."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start[:2] == b"\x1f\x8b":
        return True
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as e:
        return len(start) == 4096 and e.start > 4092
    return b"\0" not in start


def _map_raw(config: ProjectorConfig, embedding: EmbeddingInfo, path: Path) -> NDArray[np.float32]:
    """Map raw little-endian float32 rows."""
    shape, shown = embedding.tensor_shape, embedding.tensor_path
    if len(shape) != 2 or 0 in shape:
        raise LoadError(
            config.path,
            f"tensor_shape of the raw file {shown} is {list(shape)}",
            "give two counts: tensor_shape: rows tensor_shape: columns",
        )
    wanted, size = math.prod(shape) * 4, path.stat().st_size
    if wanted != size:
        raise LoadError(
            config.path,
            f"tensor_shape {shape[0]} x {shape[1]} takes {wanted} bytes of float32, "
            f"{shown} has {size}",
            "correct tensor_shape",
        )
    return np.memmap(path, "<f4", "r", 0, (shape[0], shape[1]))


def _add_files(
    config: ProjectorConfig, embedding: EmbeddingInfo, table: EmbeddingTable
) -> EmbeddingTable:
    """Add metadata, sprite and bookmarks."""
    if embedding.metadata_path:
        path = _inside(config, "metadata_path", embedding.metadata_path)
        # A file of vectors with a label column keeps it behind what the metadata file says.
        columns = read_metadata(path, table.n_points)
        columns = _restore(columns, config.notes.get(embedding.metadata_path))
        table = replace(table, metadata={**columns, **_others(table, columns)})
    if embedding.image_path or embedding.single_image_dim:
        dims = embedding.single_image_dim
        if len(dims) != 2 or 0 in dims:
            raise LoadError(
                config.path,
                f"single_image_dim is {list(dims)}",
                "give two counts above 0: the tile's width and height in pixels",
            )
        path = _inside(config, "image_path", embedding.image_path)
        # PyTorch's twin tensorboardX leaves what was in memory in the tiles behind the last.
        sheet = load_sprite(path, (dims[0], dims[1]), table.n_points, refuse_surplus=False)
        table = replace(table, sprite=sheet)
    if embedding.bookmarks_path:
        path = _inside(config, "bookmarks_path", embedding.bookmarks_path)
        table = replace(table, bookmarks=read_bookmarks(path))
    return table


def _restore(
    columns: dict[str, tuple[str, ...]], note: MetadataNote | None
) -> dict[str, tuple[str, ...]]:
    """Undo what `embviz export` did so that TensorBoard reads the file row by row."""
    if note is None:
        return columns
    if note.escaped:
        columns = {
            unescape_field(name): tuple(map(unescape_field, values))
            for name, values in columns.items()
        }
    if len(columns) > 1:
        columns = {name: values for name, values in columns.items() if name != note.extra}
    return columns


def _others(
    table: EmbeddingTable, columns: dict[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    return {name: values for name, values in table.metadata.items() if name not in columns}


def _inside(config: ProjectorConfig, field: str, value: str) -> Path:
    """Return a path that a config names, which must stay in the config's folder.

    Raises:
        LoadError: If it is a URL, leads out of the folder, also by a link, or is no file.
    """
    what = f"{config.path}: {field} '{printable(value, 200)}'"
    if "://" in value:
        raise LoadError(what, "a URL, and nothing is fetched", "put the file into the folder")
    if "\0" in value or not value:
        raise LoadError(what, "not a path")
    path = _confine(config, value, what)
    try:
        if path.is_file():
            return path
    except OSError as e:
        raise LoadError(what, f"cannot be read ({e.strerror})") from None
    raise LoadError(what, "no such file", "paths are relative to the config's folder")


def _confine(config: ProjectorConfig, value: str, what: str) -> Path:
    folder = config.path.parent
    out = LoadError(
        what,
        "leads out of the config's folder",
        f"put what it names into {folder} and give its path from there",
    )
    if value.startswith("~"):
        raise out
    path = folder / value.replace("\\", "/") if not (folder / value).exists() else folder / value
    try:
        resolved = path.resolve()
        confined = resolved.is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        raise LoadError(what, "cannot be resolved (a loop of links?)") from None
    if not confined:
        raise out
    return path


def _find_checkpoint(config: ProjectorConfig, source: Path, needed: bool) -> Path | None:
    """Return the checkpoint a config names, or the folder that holds one: its own or the run."""
    if config.model_checkpoint_path:
        value = config.model_checkpoint_path
        what = f"{config.path}: model_checkpoint_path '{printable(value, 200)}'"
        return _confine(config, value, what)
    folder = config.path.parent
    for candidate in (folder, source if source.is_dir() else folder):
        if (candidate / "checkpoint").is_file() or any(candidate.glob("*.index")):
            return candidate
    if needed:
        raise LoadError(
            config.path,
            f"names no tensor_path, and {folder} holds no checkpoint",
            "give tensor_path, or model_checkpoint_path inside the folder",
        )
    return None
