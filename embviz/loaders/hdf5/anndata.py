"""AnnData (.h5ad): embeddings in obsm, the matrix X and layers, cells described by obs.

https://anndata.readthedocs.io/en/stable/fileformat-prose.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.loaders.hdf5.rows import find_texts, is_text, read_array, read_texts, what_of
from embviz.loaders.hdf5.tensors import node_tensor, refused_tensors
from embviz.loaders.hdf5.tree import Known, Node, Tree
from embviz.loaders.hdf5.types import refers_to_texts
from embviz.loaders.opened import Tensor, TextColumns
from embviz.rows import Rows, why_not_numbers

_SPARSE_ROWS, _SPARSE_COLUMNS = "csr_matrix", "csc_matrix"
_SPARSE_PARTS = ("data", "indices", "indptr")
_MATRICES = ("obsm", "layers")
_MAP_WIDTH = 3


def is_anndata(tree: Tree) -> bool:
    """Tell whether a file is AnnData."""
    if _text(tree.groups.get("", {}).get("encoding-type")) == "anndata":
        return True
    everything = {*tree.nodes, *tree.groups, *tree.refused}
    return {"X", "obs", "var"} <= everything


def anndata_tensors(tree: Tree) -> tuple[Tensor, ...]:
    """Return the matrices of one row a cell: those of obsm, X, and the layers.

    One of obsm with more than three columns is what there is to look at; of several none is. Those
    with fewer are maps that were computed from others, and are taken by name only.
    """
    tree = _without_records(tree)
    columns = cache(lambda: TextColumns(*_read_obs(tree)))
    names = [n for n in _matrices(tree) if n.startswith("obsm/")]
    names += [n for n in _matrices(tree) if not n.startswith("obsm/")]
    wide = [n for n in names if n.startswith("obsm/") and _width(tree, n) > _MAP_WIDTH]
    found = [_tensor(tree, n, columns, bool(wide)) for n in names]
    if "obs" in tree.refused:
        told = f"no labels, since 'obs' cannot be read: {tree.refused['obs'][0]}"
        found = [replace(t, told=told) for t in found]
    return (*found, *refused_tensors(tree))


def _without_records(tree: Tree) -> Tree:
    """Return a file of before anndata 0.7 as one of today: the fields of records as data sets."""
    nodes, groups = dict(tree.nodes), dict(tree.groups)
    for name in ("obs", "obsm"):
        node = nodes.get(name)
        fields = node.dtype.names if node is not None else None
        if node is None or not fields or len(node.shape) != 1:
            continue
        del nodes[name]
        groups[name] = {"_index": fields[0], "column-order": np.array(fields)}
        for field in fields:
            kind = node.dtype[field]
            texts = refers_to_texts(kind.base)
            known = Known((*node.shape, *kind.shape), np.dtype(object) if texts else kind.base)
            read = partial(_Texts if texts else _Field, tree, node, field, known)
            nodes[f"{name}/{field}"] = Node(
                f"{name}/{field}", known, refusal=node.refusal, read=read
            )
            categories = nodes.get(f"uns/{field}_categories")
            if name == "obs" and categories is not None and kind.kind in "iu":
                nodes[f"obs/__categories/{field}"] = categories
    return replace(tree, nodes=nodes, groups=groups)


class _Field:
    """One field of records, as rows."""

    def __init__(self, tree: Tree, node: Node, field: str, known: Known) -> None:
        self.shape, self.dtype, self._field = known.shape, known.dtype, field
        self._records = read_array(tree, node)

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        return np.asarray(self._records[rows])[self._field]


class _Texts(_Field):
    """One field of records that refer to texts of any length."""

    def __init__(self, tree: Tree, node: Node, field: str, known: Known) -> None:
        super().__init__(tree, node, field, known)
        self._tree, self._what = tree, f"{tree.what}: '{printable(f'{node.name}/{field}')}'"

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        return np.array(find_texts(self._tree, self._what, super().__getitem__(rows)), object)


def _matrices(tree: Tree) -> list[str]:
    everything = [*tree.nodes, *tree.groups]
    found = [n for n in everything if n == "X" or _is_right_in(n, _MATRICES)]
    return [n for n in found if n in tree.nodes or _sparse_kind(tree, n)]


def _is_right_in(name: str, groups: tuple[str, ...]) -> bool:
    return name.count("/") == 1 and name.partition("/")[0] in groups


def _sparse_kind(tree: Tree, name: str) -> str:
    attributes = tree.groups.get(name, {})
    kind = _text(attributes.get("encoding-type"))
    if not kind and "h5sparse_format" in attributes:  # Before anndata 0.7.
        kind = _text(attributes["h5sparse_format"]) + "_matrix"
    return kind if kind in (_SPARSE_ROWS, _SPARSE_COLUMNS) else ""


def _sparse_shape(tree: Tree, name: str) -> tuple[int, ...]:
    attributes = tree.groups[name]
    raw = attributes.get("shape", attributes.get("h5sparse_shape"))
    try:
        return tuple(int(n) for n in np.asarray(raw).reshape(-1))
    except (TypeError, ValueError):
        return ()


def _width(tree: Tree, name: str) -> int:
    shape = tree.nodes[name].shape if name in tree.nodes else _sparse_shape(tree, name)
    return shape[1] if len(shape) == 2 else 0


def _tensor(tree: Tree, name: str, columns: Callable[[], TextColumns], has_wide: bool) -> Tensor:
    other = has_wide and not name.startswith("obsm/")
    if name not in tree.nodes:
        return _sparse_tensor(tree, name, columns, other)
    node = tree.nodes[name]
    if name.startswith("obsm/") and _width(tree, name) <= _MAP_WIDTH:
        note = f"coordinates: --coordinates {name}"
        return node_tensor(tree, node, columns, role="duplicate", note=note)
    return node_tensor(
        tree, node, columns, role="duplicate" if other else "table",
        note="what obsm was computed from" if other else "embedding" if "/" in name else "matrix",
    )  # fmt: skip


def _sparse_tensor(
    tree: Tree, name: str, columns: Callable[[], TextColumns], other: bool
) -> Tensor:
    what = f"{tree.what}: '{printable(name)}'"
    shape = _sparse_shape(tree, name)
    places = [f"{name}/{part}" for part in _SPARSE_PARTS]
    pieces = [tree.nodes.get(place) for place in places]
    refused = [reason for reason in map(partial(_why_no_part, tree), places) if reason]
    refusal = None
    if refused:
        refusal = refused[0]
    elif len(shape) != 2 or min(shape) < 0 or any(piece is None for piece in pieces):
        refusal = LoadError(what, "damaged: a sparse matrix without its parts", "write it again")
    elif _sparse_kind(tree, name) == _SPARSE_COLUMNS:
        refusal = LoadError(
            what, "a sparse matrix that is stored by columns", "adata.X = adata.X.tocsr()"
        )
    dtype = "" if pieces[0] is None else str(pieces[0].dtype)

    def rows() -> Rows:
        return SparseRows(tree, name, shape)

    return Tensor(
        name, shape, dtype, rows=rows,
        role="other" if refusal else "duplicate" if other else "table",
        note=refusal.why if refusal else "sparse, filled in block by block",
        refusal=refusal,
        columns=columns,
    )  # fmt: skip


def _why_no_part(tree: Tree, name: str) -> LoadError | None:
    """Return why a list of a sparse matrix cannot be read; None where it can, or is not there."""
    what = f"{tree.what}: '{printable(name)}'"
    if name in tree.refused:
        return LoadError(what, *tree.refused[name])
    node = tree.nodes.get(name)
    if node is None:
        return None
    reason = node.refusal or why_not_numbers(node.dtype)
    if reason is None and len(node.shape) != 1:
        reason = "no list of numbers", "write it again"
    return LoadError(what, *reason) if reason else None


class SparseRows:
    """A compressed sparse row matrix, whose rows are filled in as they are asked for."""

    def __init__(self, tree: Tree, name: str, shape: tuple[int, ...]) -> None:
        self._what = f"{tree.what}: '{printable(name)}'"
        nodes = {part: tree.nodes[f"{name}/{part}"] for part in _SPARSE_PARTS}
        self.shape, self.dtype = shape, nodes["data"].dtype
        self._data = read_array(tree, nodes["data"])
        self._indices = read_array(tree, nodes["indices"])
        ends = np.asarray(read_array(tree, nodes["indptr"])[0 : shape[0] + 1], np.int64)
        n_values = min(nodes["data"].shape[0], nodes["indices"].shape[0])
        if len(ends) != shape[0] + 1 or ends[0] < 0 or (np.diff(ends) < 0).any():
            raise LoadError(self._what, "damaged: its rows do not follow each other")
        if ends[-1] > n_values:
            raise LoadError(self._what, f"damaged: {ends[-1]} values named, {n_values} are there")
        self._ends = ends

    def __getitem__(self, rows: slice, /) -> NDArray[Any]:
        start, stop, step = rows.indices(self.shape[0])
        stop = max(start, stop)
        out = np.zeros((stop - start, self.shape[1]), self.dtype)
        first, last = int(self._ends[start]), int(self._ends[stop])
        places = np.asarray(self._indices[first:last], np.int64)
        if len(places) and not 0 <= int(places.min()) <= int(places.max()) < self.shape[1]:
            raise LoadError(self._what, f"damaged: a column beyond {self.shape[1]}")
        lengths = np.diff(self._ends[start : stop + 1])
        # A place that is named twice means the sum, as SciPy reads it.
        np.add.at(
            out, (np.repeat(np.arange(stop - start), lengths), places), self._data[first:last]
        )
        return out[::step]


def _read_obs(tree: Tree) -> tuple[dict[str, tuple[str, ...]], str | None]:
    """Return the columns that describe the cells, their names first, and which that is."""
    attributes = tree.groups.get("obs")
    if attributes is None:
        return {}, None
    index = _text(attributes.get("_index")) or "_index"
    order = attributes.get("column-order")
    listed = [] if order is None else [_text(name) for name in np.asarray(order).reshape(-1)]
    found: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys((index, *listed)):
        values = _read_column(tree, f"obs/{name}")
        if values is not None:
            found["cell" if name == "_index" and "cell" not in listed else name] = values
    first = next(iter(found), None)
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        raise LoadError(
            f"{tree.what}: 'obs'", f"damaged: columns of {sorted(set(lengths.values()))} rows"
        )
    return found, first if index in ("_index", first) else None


def _read_column(tree: Tree, name: str) -> tuple[str, ...] | None:
    """Return a column of obs: plain, categories, or numbers with a mask; None for others."""
    if name in tree.nodes:
        node = tree.nodes[name]
        categories = tree.nodes.get(f"obs/__categories/{name.rpartition('/')[2]}")
        if categories is not None:  # Before anndata 0.7.6.
            return _named(tree, categories, node)
        plain = is_text(node) or why_not_numbers(node.dtype) is None
        return read_texts(tree, node) if len(node.shape) == 1 and plain else None
    codes, categories = tree.nodes.get(f"{name}/codes"), tree.nodes.get(f"{name}/categories")
    if codes is not None and categories is not None:
        return _named(tree, categories, codes)
    values, mask = tree.nodes.get(f"{name}/values"), tree.nodes.get(f"{name}/mask")
    if values is not None and mask is not None and values.shape == mask.shape:
        missing = np.asarray(read_array(tree, mask)[0 : mask.shape[0]]).astype(bool)
        texts = read_texts(tree, values)
        return tuple("" if no else text for text, no in zip(texts, missing, strict=True))
    return None


def _named(tree: Tree, categories: Node, codes: Node) -> tuple[str, ...]:
    names = read_texts(tree, categories)
    numbers = np.asarray(read_array(tree, codes)[0 : codes.shape[0]])
    if numbers.dtype.kind not in "iu" or (len(numbers) and int(numbers.max()) >= len(names)):
        raise LoadError(what_of(tree, codes), f"damaged: a category beyond {len(names)}")
    return tuple(names[i] if i >= 0 else "" for i in numbers.tolist())


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if isinstance(value, str) else ""
