"""Zarr folders, versions 2 and 3, AnnData in one among them (https://zarr-specs.readthedocs.io/)."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.inputs import read_file
from embviz.loaders.arrays.chunked import ChunkedRows, Place
from embviz.loaders.arrays.zarr_layout import MOST_CHUNK, Layout, UnreadableError, read_layout
from embviz.loaders.bytes.json_text import read_object
from embviz.loaders.confined import check_within
from embviz.loaders.extras import need_package
from embviz.loaders.hdf5.anndata import anndata_tensors, is_anndata
from embviz.loaders.hdf5.tensors import plain_tensor, refused_tensors
from embviz.loaders.hdf5.tree import MOST_DEPTH, MOST_OBJECTS, Node, Tree
from embviz.loaders.opened import Claim, Source, Start
from embviz.loaders.reading import Reading
from embviz.rows import Rows

_V3, _ARRAY, _GROUP, _NOTES = "zarr.json", ".zarray", ".zgroup", ".zattrs"
_MARKS = (_V3, _ARRAY, _GROUP, ".zmetadata")
_MOST_JSON = 64 << 20
_MOST_EXPANSION = 4096


class ZarrFormat:
    """Reads the arrays of Zarr folders."""

    name = "zarr"

    def claim(self, start: Start) -> Claim | None:
        """Claim folders with the metadata of Zarr in them."""
        if start.kind != "folder":
            return None
        if any(mark in start.names for mark in _MARKS):
            return Claim.MAGIC
        return Claim.NAME if start.path.suffix.lower() == ".zarr" else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the metadata of a folder's groups and arrays.

        Raises:
            LoadError: If the package numcodecs is missing, or the metadata are damaged.
        """
        need_package(path, "Zarr", "numcodecs", "zarr")
        tree = _read_tree(path)
        if is_anndata(tree):
            return Source(path, anndata_tensors(tree))
        tensors = [plain_tensor(tree, node) for node in tree.nodes.values()]
        return Source(path, (*tensors, *refused_tensors(tree)))


ZARR = ZarrFormat()


def _read_tree(path: Path) -> Tree:
    groups: dict[str, Mapping[str, Any]] = {"": {}}
    nodes: dict[str, Node] = {}
    refused: dict[str, tuple[str, str]] = {}
    pending = [""]
    while pending:
        name = pending.pop()
        if len(groups) + len(nodes) + len(refused) > MOST_OBJECTS or name.count("/") > MOST_DEPTH:
            raise LoadError(
                path, f"more than {MOST_OBJECTS:,} objects, or too deep", "take it apart"
            )
        folder = path / name
        kind, notes = _metadata(path, folder)
        if kind == "array":
            found = _array(path, folder, name, notes)
            if isinstance(found, Node):
                nodes[name or path.stem] = found
            else:
                refused[name or path.stem] = found
            continue
        if kind == "group":
            groups[name] = notes
        below = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir() and any((Path(entry.path) / m).is_file() for m in _MARKS):
                    check_within(path, Path(entry.path))
                    below.append(f"{name}/{entry.name}" if name else entry.name)
        pending += sorted(below, reverse=True)
    return Tree(path, str(path), groups, nodes, refused)


def _metadata(path: Path, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return what a folder is, `array`, `group` or "", with its attributes or its array's metadata.

    Those of an array have its attributes under `attributes`, as version 3 keeps them.
    """

    def read(name: str) -> dict[str, Any]:
        check_within(path, folder / name)
        return read_object(folder / name, _MOST_JSON)

    if (folder / _V3).is_file():
        found = read(_V3)
        kind = found.get("node_type")
        attributes = found.get("attributes")
        if kind == "array":
            return "array", found
        return "group", attributes if isinstance(attributes, dict) else {}
    notes = read(_NOTES) if (folder / _NOTES).is_file() else {}
    if (folder / _ARRAY).is_file():
        return "array", {**read(_ARRAY), "attributes": notes}
    return ("group" if (folder / _GROUP).is_file() else ""), notes


def _array(path: Path, folder: Path, name: str, notes: dict[str, Any]) -> Node | tuple[str, str]:
    """Return an array, or why it is not read and a way out."""
    what = f"{path}: '{printable(name)}'"
    try:
        layout = read_layout(notes)
    except UnreadableError as error:
        return str(error), "write it packed by zstd, without shards, or save it as .npy"
    attributes = notes.get("attributes")
    return Node(
        name or path.stem,
        layout,
        attributes if isinstance(attributes, dict) else {},
        read=lambda: _open(path, folder, layout, what),
    )


def _open(path: Path, folder: Path, layout: Layout, what: str) -> Rows:
    """Return an array as rows; its chunks are looked for within the folder that was given alone.

    Raises:
        LoadError: If its files cannot hold as much.
    """
    there = sum(entry.stat().st_size for entry in folder.rglob("*") if entry.is_file())
    if math.prod(layout.shape) * layout.dtype.itemsize > _MOST_EXPANSION * there:
        sides = " x ".join(map(str, layout.shape))
        raise LoadError(what, f"damaged: {sides} values are more than its files can hold")

    def read(place: Place) -> NDArray[Any]:
        file = folder / layout.key(place)
        check_within(path, file)
        if not file.is_file():
            return np.broadcast_to(np.asarray(layout.fill, layout.dtype), layout.sides)
        if file.stat().st_size > MOST_CHUNK:
            raise LoadError(file, f"a chunk of more than {MOST_CHUNK >> 30} GiB")
        try:
            return layout.unpack(read_file(file, MOST_CHUNK))
        except UnreadableError as error:
            raise LoadError(file, f"damaged: {error}", "write or fetch it again") from None

    return ChunkedRows(layout.shape, layout.dtype, layout.sides, read)
