"""TensorFlow checkpoints as a source of tables: paths, names, which tensor.

`checkpoint_paths` finds the files, `tensor_bundle` (V2) and `checkpoint_v1` read them,
`tensor_choice` knows the names; this module is what the registry of loaders sees.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from embviz.errors import LoadError, ParameterError, printable
from embviz.loaders.bytes.protobuf import MalformedError
from embviz.loaders.checkpoint.bundle import TensorBundle
from embviz.loaders.checkpoint.graph import GRAPH_KEY, VALUE_SUFFIX, ObjectGraph, parse_object_graph
from embviz.loaders.checkpoint.paths import Location, list_some, locate, looks_like_checkpoint
from embviz.loaders.checkpoint.types import NUMERIC, type_name
from embviz.loaders.checkpoint.v1 import V1Checkpoint
from embviz.loaders.choice import (
    NamedTensor,
    choose_default,
    find_closest,
    find_duplicates,
    find_parts,
    find_slots,
    match_name,
)
from embviz.model import EmbeddingTable, TensorInfo

logger = logging.getLogger("embviz")
Reader = TensorBundle | V1Checkpoint


def accepts(path: Path) -> bool:
    """Tell whether a path leads to a TensorFlow checkpoint, or to what is left of one."""
    return looks_like_checkpoint(path)


def list_tensors(path: Path) -> list[TensorInfo]:
    """List the tensors of a checkpoint, without reading their values.

    Returns:
        One entry a tensor, by name; the one that `load` takes by default has `taken` set. None has
        where several are equally good or no tensor is a table.

    Raises:
        LoadError: If the path leads to no checkpoint, or its index is damaged.
    """
    _, tensors = _open(locate(path))
    best = choose_default(tensors)
    return [
        TensorInfo(t.name, t.shape, type_name(t.dtype), t.note(), len(best) == 1 and t is best[0])
        for t in tensors
    ]


def load(path: Path, tensor: str | None) -> EmbeddingTable:
    """Load a tensor of a checkpoint as a table of vectors.

    Args:
        path: A prefix, one of its files, a state file, a folder of checkpoints or a SavedModel.
        tensor: A name as `match_name` understands it; None takes the default one and logs which.

    Returns:
        Vectors of the stored shape and type: a read-only memory map where the bytes lie in one run,
        with big-endian types as stored. `verify` checks the stored checksums.

    Raises:
        LoadError: If the checkpoint is incomplete or damaged, or the tensor is not rows of numbers.
        ParameterError: If the name is not there or means several tensors.
    """
    location = locate(path)
    reader, tensors = _open(location)
    chosen = _choose(path, tensors) if tensor is None else _find(path, tensors, tensor)
    _check_is_table(path, chosen)
    vectors, verify = reader.read(chosen.key)
    return EmbeddingTable(vectors, name=chosen.name, source=location.source, verify=verify)


def _open(location: Location) -> tuple[Reader, list[NamedTensor]]:
    """Open a checkpoint and name its tensors, sorted, without the object graph."""
    reader: Reader
    if location.prefix is not None:
        reader = TensorBundle(location.prefix)
        graph = _read_graph(reader)
    else:
        reader, graph = V1Checkpoint(location.v1_files), ObjectGraph()
    entries = {key: entry for key, entry in reader.entries.items() if key != GRAPH_KEY}
    tensors = []
    for key in sorted(entries):
        name = key.removesuffix(VALUE_SUFFIX)
        tensors.append(
            NamedTensor(
                key,
                key if name in entries or not name else name,
                graph.full_names.get(key, ""),
                entries[key].shape,
                entries[key].dtype,
            )
        )
    slots = find_slots(tensors, graph.slots)
    repeats = find_duplicates(tensors, lambda key: entries[key].identity)
    return reader, [
        t._replace(is_slot=t.key in slots, duplicate_of=repeats.get(t.key, ""))
        if t.key in slots or t.key in repeats
        else t
        for t in tensors
    ]


def _read_graph(bundle: TensorBundle) -> ObjectGraph:
    """Read a bundle's object graph; the tensors can be had without it."""
    if GRAPH_KEY not in bundle.entries:
        return ObjectGraph()
    try:
        return parse_object_graph(bundle.read_string(GRAPH_KEY))
    except (LoadError, MalformedError) as error:
        logger.warning("the names of variables in the program are not known: %s", error)
        return ObjectGraph()


def _choose(path: Path, tensors: Sequence[NamedTensor]) -> NamedTensor:
    """Take the default tensor and say so."""
    best = choose_default(tensors)
    if not best:
        what = list_some([t.describe() for t in tensors]) or "none"
        raise LoadError(path, f"no tensor in it is rows of numbers; there is {what}")
    if len(best) > 1:
        names = list_some([t.describe() for t in best])
        raise LoadError(
            path, f"{len(best)} tensors are equally good: {names}", "choose by --tensor"
        )
    chosen = best[0]
    others = [t.name for t in tensors if t.is_candidate and t is not chosen]
    also = f"; also there: {list_some(others)} (--tensor NAME)" if others else ""
    known = f", known as {chosen.known_as}" if chosen.known_as else ""
    logger.info("%s", printable(f"{path}: taking {chosen.describe()}{known}{also}", limit=1000))
    return chosen


def _find(path: Path, tensors: Sequence[NamedTensor], asked: str) -> NamedTensor:
    """Return the one tensor that a name means.

    Raises:
        ParameterError: If there is none, or several.
    """
    found = match_name(tensors, asked)
    if len(found) == 1:
        return found[0]
    what = f"tensor '{asked}'"
    if found:
        names = list_some([t.name for t in found])
        why = f"the name of {len(found)} tensors of {path}: {names}"
        raise ParameterError(what, why, "name one in full")
    parts = find_parts(tensors, asked)
    if parts:
        names = list_some([t.describe() for t in parts])
        raise ParameterError(what, f"{path} holds it in parts: {names}", "name one of these")
    tables = list_some([t.name for t in tensors if t.is_table])
    close = find_closest(tensors, asked)
    way_out = f"did you mean {list_some(close)}" if close else ""
    raise ParameterError(what, f"{path} holds {tables or 'no table of numbers'}", way_out)


def _check_is_table(path: Path, t: NamedTensor) -> None:
    """Refuse what is not rows of numbers."""
    if t.dtype not in NUMERIC:
        raise LoadError(path, f"tensor '{t.name}' is {type_name(t.dtype)}, real numbers are needed")
    shape = " x ".join(map(str, t.shape))
    if len(t.shape) != 2:
        rank = f"{len(t.shape)}-D ({shape})" if t.shape else "a scalar"
        raise LoadError(path, f"tensor '{t.name}' is {rank}, a table of rows is 2-D")
    if 0 in t.shape:
        raise LoadError(path, f"tensor '{t.name}' is empty ({shape})")
