"""Folders that TensorBoard's projector shows: its config, and the files that this names."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from embviz.errors import LoadError, printable
from embviz.inputs import map_file
from embviz.loaders.arrays.npy import npy_tensor
from embviz.loaders.choice import match_name
from embviz.loaders.labels.metadata import read_metadata
from embviz.loaders.opened import Claim, Columns, Source, Start, Tensor, TextColumns
from embviz.loaders.projector.config import (
    FILE_NAME,
    EmbeddingInfo,
    MetadataNote,
    ProjectorConfig,
    read_config,
)
from embviz.loaders.projector.config_json import (
    JSON_NAME,
    looks_like_config,
    read_json_config,
    starts_as_json,
)
from embviz.loaders.projector.files import (
    PLUGIN_FOLDER,
    find_checkpoint,
    find_config,
    find_inside,
    is_npy,
    is_utf8,
)
from embviz.loaders.projector.tags import TAG_STEP
from embviz.loaders.reading import AS_IT_IS, Reading
from embviz.model import Bookmark, Sprite
from embviz.outputs.cells import unescaped
from embviz.rows import Rows

_log = logging.getLogger("embviz")

_DEFAULT_NAME = "tensor"


class LogdirFormat:
    """Reads the tensors that a projector's config names, and those of its checkpoint."""

    name = "logdir"

    def claim(self, start: Start) -> Claim | None:
        """Claim a projector's folder, one whose only run is such, and a config file."""
        if start.kind == "file":
            if start.path.name == FILE_NAME or looks_like_config(start.head):
                return Claim.MAGIC
            return Claim.CONTENT if start.path.suffix == ".pbtxt" else None
        if start.kind != "folder":
            return None
        if FILE_NAME in start.names or (start.path / PLUGIN_FOLDER / FILE_NAME).is_file():
            return Claim.MAGIC
        try:
            return None if find_config(start.path) is None else Claim.CONTENT
        except LoadError:  # Several runs: which is meant is asked on opening.
            return Claim.CONTENT

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the config of a folder, and the headers of the files that it names.

        Returns:
            Its tensors with metadata, sprites and bookmarks. The first is preferred, or the last
            step of its tag, where tags have steps.

        Raises:
            LoadError: If the config is unfit, or none of the files it names can be read.
        """
        config_path = find_config(path)
        if config_path is None:
            raise LoadError(path, f"no {FILE_NAME} or {JSON_NAME} in it")
        is_json = config_path.suffix == ".json" or starts_as_json(config_path)
        config = (read_json_config if is_json else read_config)(config_path)
        tensors = _file_tensors(config, reading)
        checkpoint = None
        try:
            checkpoint = _open_checkpoint(config, path, needed=not tensors)
        except LoadError as error:
            if not tensors:
                raise
            _log.warning("%s: only what has files of its own is read: %s", config.path, error)
            tensors += _refused_entries(config, tensors, error)
        if checkpoint is not None:
            tensors += _checkpoint_tensors(config, checkpoint, tensors, reading)
        refusals = [t.refusal for t in tensors if t.refusal is not None]
        if refusals and len(refusals) == len(tensors):
            raise refusals[0]
        files = (config_path, *_named_files(config), *(checkpoint.files if checkpoint else ()))
        return Source(path, tuple(tensors), is_model=checkpoint is not None, files=files)


LOGDIR = LogdirFormat()


def _name(embedding: EmbeddingInfo) -> str:
    name = embedding.tensor_name or Path(embedding.tensor_path).name or _DEFAULT_NAME
    return name.removesuffix(":0")


def _named_files(config: ProjectorConfig) -> Iterator[Path]:
    """Yield the files in its folder that a config names."""
    for embedding in config.embeddings:
        for field in ("tensor_path", "metadata_path", "image_path", "bookmarks_path"):
            with suppress(LoadError):  # What is wrong with it is said when it is read.
                yield find_inside(config, field, getattr(embedding, field))


def _file_tensors(config: ProjectorConfig, reading: Reading) -> list[Tensor]:
    """Return the tensors whose files a config names; an unfit one is told when asked for."""
    entries: dict[tuple[str, str], EmbeddingInfo] = {}
    for embedding in config.embeddings:
        if not embedding.tensor_path:
            continue
        key = _name(embedding), embedding.tensor_path
        # What add_embedding writes again stands twice, and its files were written over.
        if entries.setdefault(key, embedding) is not embedding:
            _log.warning(
                "%s: %s stands twice for one file; the first entry counts",
                config.path, printable(key[0], 60),
            )  # fmt: skip
    names = Counter(name for name, _ in entries)
    for name in (name for name, n in names.items() if n > 1):
        files = ", ".join(
            printable(e.tensor_path, 60) for (n, _), e in entries.items() if n == name
        )
        _log.warning("%s: %s stands for several files: %s", config.path, printable(name, 60), files)
    first = _first(list(entries.values()))
    tensors = []
    for (name, path), embedding in entries.items():
        aliases = (name, path)
        unique = name if names[name] == 1 else f"{name} ({path})"
        try:
            tensor = replace(_file_tensor(config, embedding, unique), aliases=aliases)
        except LoadError as error:
            tensor = _refused(unique, aliases, error)
        tensors.append(_with_files(config, embedding, tensor, reading, embedding is first))
    return tensors


def _first(entries: list[EmbeddingInfo]) -> EmbeddingInfo | None:
    """Return the first entry, or the last step of its tag, as add_embedding writes both."""
    if not entries:
        return None
    tag = TAG_STEP.fullmatch(entries[0].tensor_name)
    if tag is None:
        return entries[0]
    steps = [(m, e) for e in entries if (m := TAG_STEP.fullmatch(e.tensor_name))]
    return max(
        ((int(m["step"]), i, e) for i, (m, e) in enumerate(steps) if m["tag"] == tag["tag"]),
        key=lambda found: found[:2],
    )[2]


def _refused(name: str, aliases: tuple[str, ...], error: LoadError) -> Tensor:
    def rows() -> Rows:
        raise error

    return Tensor(
        name, (), "", rows, role="other", aliases=aliases, note=printable(error.why), refusal=error
    )


def _open_checkpoint(config: ProjectorConfig, path: Path, needed: bool) -> Source | None:
    """Open the checkpoint that belongs to a config; None where there is none.

    Raises:
        LoadError: If it leads out of the folder or is damaged, or there is none and one is needed.
    """
    from embviz.loaders.checkpoint.checkpoint import CHECKPOINT

    checkpoint = find_checkpoint(config, path, needed)
    return None if checkpoint is None else CHECKPOINT.open(checkpoint, AS_IT_IS)


def _refused_entries(
    config: ProjectorConfig, of_files: list[Tensor], error: LoadError
) -> list[Tensor]:
    """Return the tensors that a config names in a checkpoint that cannot be read."""
    taken = _names(of_files)
    names = [_name(e) for e in config.embeddings if e.tensor_name and not e.tensor_path]
    return [_refused(name, (), error) for name in dict.fromkeys(names) if name not in taken]


def _names(tensors: list[Tensor]) -> set[str]:
    return {name for tensor in tensors for name in tensor.names}


def _checkpoint_tensors(
    config: ProjectorConfig, checkpoint: Source, of_files: list[Tensor], reading: Reading
) -> list[Tensor]:
    """Return a checkpoint's tensors, with the files that a config names for each.

    One that has the name of a tensor with a file of its own stands beside it, with the checkpoint
    behind its name.
    """
    tensors = checkpoint.tensors
    entries: dict[str, EmbeddingInfo] = {}
    for embedding in config.embeddings:
        if not embedding.tensor_name or embedding.tensor_path:
            continue
        found = match_name(tensors, embedding.tensor_name)
        if len(found) != 1:
            _log.warning(
                "%s: it names '%s', which is %s of %s",
                config.path, printable(embedding.tensor_name, 80),
                "several tensors" if found else "no tensor", checkpoint.path,
            )  # fmt: skip
        else:
            entries.setdefault(found[0].name, embedding)
    has_first = any(t.preferred for t in of_files)
    first = None if has_first else next(iter(entries), None)
    # What is said of no tensor in particular is said of each, but for its pictures.
    unnamed = next((e for e in config.embeddings if not (e.tensor_name or e.tensor_path)), None)
    rest = replace(unnamed or EmbeddingInfo(), image_path="", single_image_dim=())
    named = [
        _with_files(config, entries.get(t.name, rest), t, reading, t.name == first) for t in tensors
    ]
    taken = _names(of_files)
    return [
        _renamed(t, checkpoint.shown, taken) if t.name.removesuffix(":0") in taken else t
        for t in named
    ]


def _renamed(tensor: Tensor, place: str, taken: set[str]) -> Tensor:
    """Return a tensor with its place behind its name, which is an alias then."""
    name = f"{tensor.name} ({place})"
    while name in taken:
        name += "'"
    return replace(tensor, name=name, aliases=(tensor.name, *tensor.aliases))


def _file_tensor(config: ProjectorConfig, embedding: EmbeddingInfo, name: str) -> Tensor:
    path = find_inside(config, "tensor_path", embedding.tensor_path)
    if is_npy(path):
        tensor = npy_tensor(path, name)
    elif path.suffix == ".bytes" or not is_utf8(path):
        return _raw_tensor(config, embedding, path, name)
    else:
        from embviz.loaders.text.tables import tsv_tensor

        tensor = tsv_tensor(path, name)
    shape = embedding.tensor_shape
    if not shape:
        return replace(tensor, note=embedding.tensor_path)

    def rows() -> Rows:
        there = tensor.rows()
        if shape == there.shape:
            return there
        found = " x ".join(map(str, there.shape))
        raise LoadError(
            config.path,
            f"tensor_shape says {' x '.join(map(str, shape))}, {embedding.tensor_path} is {found}",
            "correct tensor_shape",
        )

    sides = tensor.sides if len(shape) != 2 or not callable(tensor.sides) else shape
    return replace(tensor, rows=rows, sides=sides, note=embedding.tensor_path)


def _raw_tensor(config: ProjectorConfig, embedding: EmbeddingInfo, path: Path, name: str) -> Tensor:
    """Return raw little-endian float32 rows, which are mapped."""
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
    return Tensor(
        name,
        shape,
        "float32",
        rows=lambda: map_file(path, "<f4", 0, (shape[0], shape[1])),
        note=shown,
    )


def _with_files(
    config: ProjectorConfig,
    embedding: EmbeddingInfo,
    tensor: Tensor,
    reading: Reading,
    preferred: bool,
) -> Tensor:
    """Return a tensor with the metadata, sprite and bookmarks that an entry names."""

    def columns() -> Columns:
        path = find_inside(config, "metadata_path", embedding.metadata_path)
        n_points = tensor.rows().shape[0]
        found = read_metadata(path, n_points, reading.unlabeled, lines_first=True)
        found = _restore(found, config.notes.get(embedding.metadata_path))
        # A file of vectors with a label column keeps it behind what the metadata file says.
        own = tensor.columns() if tensor.columns else TextColumns({})
        n_rows = len(next(iter(found.values())))
        others = {name: own.column(name)[:n_rows] for name in own.names if name not in found}
        return TextColumns({**found, **others})

    def sprite() -> Sprite:
        from embviz.sprites import load_sprite

        dims = embedding.single_image_dim
        if len(dims) != 2 or 0 in dims:
            raise LoadError(
                config.path,
                f"single_image_dim is {list(dims)}",
                "give two counts above 0: the tile's width and height in pixels",
            )
        path = find_inside(config, "image_path", embedding.image_path)
        # PyTorch's twin tensorboardX leaves what was in memory in the tiles behind the last.
        n_points = tensor.rows().shape[0]
        return load_sprite(path, (dims[0], dims[1]), n_points, refuse_surplus=False)

    def bookmarks() -> tuple[Bookmark, ...]:
        from embviz.bookmarks import read_bookmarks

        return read_bookmarks(find_inside(config, "bookmarks_path", embedding.bookmarks_path))

    has_sprite = bool(embedding.image_path or embedding.single_image_dim)
    return replace(
        tensor,
        preferred=preferred,
        columns=columns if embedding.metadata_path else tensor.columns,
        sprite=sprite if has_sprite else None,
        bookmarks=bookmarks if embedding.bookmarks_path else None,
    )


def _restore(
    columns: dict[str, tuple[str, ...]], note: MetadataNote | None
) -> dict[str, tuple[str, ...]]:
    """Undo what `embviz export` did so that TensorBoard reads the file row by row."""
    if note is None:
        return columns
    if note.escaped:
        columns = {
            unescaped(name): tuple(map(unescaped, values)) for name, values in columns.items()
        }
    if len(columns) > 1:
        columns = {name: values for name, values in columns.items() if name != note.extra}
    return columns
