"""Data sets of HDF5 as tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from embviz.errors import LoadError, printable
from embviz.loaders.hdf5.rows import is_text, read_array, read_texts, what_of
from embviz.loaders.hdf5.tree import Node, Tree
from embviz.loaders.opened import Columns, Role, Tensor, TextColumns
from embviz.rows import why_not_numbers


def refused_tensors(tree: Tree) -> list[Tensor]:
    """Return what could not be opened as tensors that say why."""
    return [
        Tensor(
            name,
            (),
            "",
            rows=lambda: np.empty((0, 0)),
            role="other",
            note=why,
            refusal=LoadError(f"{tree.what}: '{printable(name)}'", why, way_out),
        )
        for name, (why, way_out) in tree.refused.items()
    ]


def node_tensor(
    tree: Tree,
    node: Node,
    columns: Callable[[], Columns] | None,
    *,
    role: Role = "table",
    aliases: Sequence[str] = (),
    note: str = "",
) -> Tensor:
    """Return a data set as a tensor; what is no table of numbers says why.

    Args:
        tree: What it is in.
        node: The data set.
        columns: Opens the metadata of its rows.
        role: Its role where it is a table.
        aliases: Other names it answers to; the first is shown.
        note: What `embviz info` says of it.
    """
    reason = node.refusal or (
        ("text", "labels go to --metadata") if is_text(node) else why_not_numbers(node.dtype)
    )
    refusal = LoadError(what_of(tree, node), *reason) if reason else None
    is_table = refusal is None and len(node.shape) == 2
    return Tensor(
        node.name,
        node.shape,
        _name(node),
        rows=lambda: read_array(tree, node),
        role=role if is_table else "other",
        aliases=tuple(aliases),
        known_as=aliases[0] if aliases else "",
        note=note if is_table else (reason[0] if reason else f"{len(node.shape)}-D"),
        refusal=refusal,
        columns=columns if is_table else None,
    )


def _name(node: Node) -> str:
    """Return a type as NumPy spells it, in a word where it does not."""
    if node.dtype.names:
        return "records"
    return "text" if is_text(node) else str(node.dtype.newbyteorder("="))


def plain_tensor(tree: Tree, node: Node) -> Tensor:
    """Return a data set as a tensor, with what lies beside it as its metadata."""
    columns = cache(lambda: TextColumns(_columns_beside(tree, node)))
    return node_tensor(tree, node, columns, note="data set")


def _columns_beside(tree: Tree, node: Node) -> dict[str, tuple[str, ...]]:
    """Return the data sets of one value a row that lie in the same group, by their names.

    Where another axis of a table there has as many values, they are nobody's.
    """
    parent = node.name.rpartition("/")[0]
    beside = [n for n in tree.nodes.values() if n.name.rpartition("/")[0] == parent]
    n_rows = node.shape[0]
    if any(n_rows in n.shape[1:] for n in beside):
        return {}
    columns = {}
    for other in beside:
        plain = is_text(other) or why_not_numbers(other.dtype) is None
        if other.shape == (n_rows,) and other.refusal is None and plain:
            columns[other.name.rpartition("/")[2]] = read_texts(tree, other)
    return columns
