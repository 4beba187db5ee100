"""TensorFlow checkpoints as a source of tables.

`paths` finds the files, `bundle` (V2) and `v1` read them, `names` knows what their names say; this
module is what the registry of formats sees.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import replace
from pathlib import Path

from embviz.errors import LoadError
from embviz.loaders.bytes.protobuf import MalformedError
from embviz.loaders.checkpoint.bundle import TensorBundle
from embviz.loaders.checkpoint.graph import GRAPH_KEY, VALUE_SUFFIX, ObjectGraph, parse_object_graph
from embviz.loaders.checkpoint.names import NamedTensor, find_duplicates, find_slots
from embviz.loaders.checkpoint.paths import Location, claim_path, locate
from embviz.loaders.checkpoint.state import STATE_NAME
from embviz.loaders.checkpoint.types import NUMERIC, type_name
from embviz.loaders.checkpoint.v1 import V1Checkpoint
from embviz.loaders.joined import with_joined_parts
from embviz.loaders.opened import Claim, Role, Source, Start, Tensor
from embviz.loaders.reading import Reading
from embviz.rows import drop_unit_axes, tell_unit_axes

logger = logging.getLogger("embviz")
Reader = TensorBundle | V1Checkpoint


class CheckpointFormat:
    """Reads TensorFlow's V1 and V2 checkpoints."""

    name = "checkpoint"

    def claim(self, start: Start) -> Claim | None:
        """Claim what leads to a checkpoint, or to what is left of one."""
        return claim_path(start)

    def open(self, path: Path, reading: Reading) -> Source:
        """Read a checkpoint's index; no value is read.

        Args:
            path: A prefix, one of its files, a state file, a folder of checkpoints or a SavedModel.

        Returns:
            Its tensors by name, of the stored shape and type. Rows are a read-only memory map where
            the bytes lie in one run, with big-endian types as stored; else they are joined in
            memory. `verify` checks the stored checksums.

        Raises:
            LoadError: If the path leads to no checkpoint, or its index is damaged.
        """
        location = locate(path)
        reader, tensors = _open(location)
        found = _with_unit_axes_dropped([_as_tensor(path, reader, t) for t in tensors])
        found = with_joined_parts(path, found)
        files = (*location.files, path / STATE_NAME)
        return Source(path, tuple(found), location.source, is_model=True, files=files)


CHECKPOINT = CheckpointFormat()


def _with_unit_axes_dropped(tensors: list[Tensor]) -> list[Tensor]:
    """Return tensors that are tables but for axes of length 1 as tables.

    They are candidates where there is no table else: 1 x 1 convolutions have such axes too.
    """
    role: Role = "duplicate" if any(t.is_candidate for t in tensors) else "table"
    return [
        replace(t, sides=drop_unit_axes(t.shape), role=role, note=told, told=told)
        if t.role == "other" and t.refusal is None and (told := tell_unit_axes(t.shape))
        else t
        for t in tensors
    ]


def _as_tensor(path: Path, reader: Reader, t: NamedTensor) -> Tensor:
    # Vectors and their check come together, and are read when either is asked for.
    read = functools.cache(lambda: reader.read(t.key))
    refusal = None
    if t.dtype not in NUMERIC:
        why = f"tensor '{t.name}' is {type_name(t.dtype)}, real numbers are needed"
        refusal = LoadError(path, why)
    return Tensor(
        t.name,
        t.shape,
        type_name(t.dtype),
        rows=lambda: read()[0].reshape(drop_unit_axes(t.shape)),
        role=t.role,
        aliases=t.aliases,
        known_as=t.known_as,
        note=t.note(),
        refusal=refusal,
        verify=lambda: read()[1](),
    )


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
