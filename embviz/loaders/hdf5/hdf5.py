"""HDF5 files and Keras archives: each data set a tensor, with the names that Keras shows."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

from embviz.errors import LoadError
from embviz.inputs import open_file
from embviz.loaders.bytes.zip_members import MAGIC as ZIP
from embviz.loaders.bytes.zip_members import (
    check_member,
    data_offset,
    first_member,
    open_archive,
    open_member,
)
from embviz.loaders.extras import need_package
from embviz.loaders.hdf5.anndata import anndata_tensors, is_anndata
from embviz.loaders.hdf5.rows import is_text
from embviz.loaders.hdf5.tensors import node_tensor, plain_tensor, refused_tensors
from embviz.loaders.hdf5.tree import MAGIC, Node, Tree, Window, read_tree
from embviz.loaders.opened import Claim, Role, Source, Start, Tensor
from embviz.loaders.reading import Reading

_SUFFIXES = (".h5", ".hdf5", ".he5", ".h5ad", ".keras")
_WEIGHTS = "model.weights.h5"
_OPTIMIZERS = ("optimizer", "optimizer_weights")
# The groups that Keras 3, Keras 2 of .keras, and the old format put at the top.
_KERAS_GROUPS = ("layers", "_layer_checkpoint_dependencies", "model_weights")
_KERAS_NOTES = ("keras_version", "layer_names")
_FIRST_MEMBERS = (b"metadata.json", b"config.json", _WEIGHTS.encode())


class Hdf5Format:
    """Reads HDF5 files, AnnData and Keras models among them."""

    name = "hdf5"

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins as HDF5 does, behind a user block too, and archives of Keras."""
        if start.kind != "file":
            return None
        if start.head.startswith(MAGIC):
            return Claim.MAGIC
        if any(start.head[at : at + 8] == MAGIC for at in (512, 1024, 2048)):
            return Claim.CONTENT
        if start.head.startswith(ZIP) and _holds_weights(start):
            return Claim.MAGIC
        return Claim.NAME if start.path.suffix.lower() in _SUFFIXES else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the structure of a file, or of the weights in an archive.

        Raises:
            LoadError: If pyfive is missing, or it is damaged.
        """
        need_package(path, "HDF5", "pyfive", "hdf5")
        tree = _open_tree(path)
        if is_anndata(tree):
            return Source(path, anndata_tensors(tree))
        is_model = _is_keras(tree)
        beside = Counter(name.rpartition("/")[0] for name in tree.nodes)
        tensors = [_as_tensor(tree, node, is_model, beside) for node in tree.nodes.values()]
        return Source(path, (*tensors, *refused_tensors(tree)), is_model=is_model)


HDF5 = Hdf5Format()


def _is_keras(tree: Tree) -> bool:
    """Tell whether a file holds the weights of a Keras model."""
    if any(name in tree.groups[""] for name in _KERAS_NOTES):
        return True
    texts = any(len(node.shape) == 1 and is_text(node) for node in tree.nodes.values())
    return any(name in tree.groups for name in _KERAS_GROUPS) and not texts


def _holds_weights(start: Start) -> bool:
    if first_member(start.head) not in _FIRST_MEMBERS:
        return False
    try:
        with open_archive(start.path) as archive:
            return _WEIGHTS in archive.namelist()
    except LoadError:
        return False


def _open_tree(path: Path) -> Tree:
    with open_file(path) as file:
        is_archive = file.read(4) == ZIP
    if not is_archive:
        return read_tree(path, str(path), Window(path))
    what = f"{path}: '{_WEIGHTS}'"
    with open_archive(path) as archive:
        found = [info for info in archive.infolist() if info.filename == _WEIGHTS]
    if not found:
        raise LoadError(path, f"a zip archive without {_WEIGHTS}", "unpack it first")
    info = found[-1]
    check_member(path, info, what)
    if info.compress_type == 0:
        start = data_offset(path, info, what)
        return read_tree(path, what, Window(path, start, info.file_size))
    with open_member(path, info, what) as member:
        raw = b"".join(iter(lambda: member.read(1 << 20), b""))
    return read_tree(path, what, io.BytesIO(raw))


def _as_tensor(tree: Tree, node: Node, is_model: bool, beside: Counter[str]) -> Tensor:
    parts = PurePosixPath(node.name).parts
    if is_model:
        slot = bool(parts) and parts[0] in _OPTIMIZERS
        known = _layer_name(tree, node, beside)
        role: Role = "slot" if slot else "table"
        note = "kept by the optimizer" if slot else "weights"
        return node_tensor(tree, node, None, role=role, aliases=known, note=note)

    return plain_tensor(tree, node)


def _layer_name(tree: Tree, node: Node, beside: Counter[str]) -> tuple[str, ...]:
    """Return the name that a layer's variable has in the program, where Keras 3 keeps it.

    `beside` counts the data sets of each group.
    """
    parent, _, number = node.name.rpartition("/")
    if not parent.endswith("vars"):
        return ()
    layer: Any = tree.groups.get(parent, {}).get("name")
    layer = layer.decode("utf-8", "replace") if isinstance(layer, bytes) else layer
    alone = beside[parent] == 1
    return ((layer if alone else f"{layer}/{number}"),) if isinstance(layer, str) and layer else ()
