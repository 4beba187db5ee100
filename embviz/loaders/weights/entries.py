"""The tensors of safetensors files, quantized ones with the scales that lie beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from embviz.errors import LoadError
from embviz.loaders.joined import natural_order
from embviz.loaders.opened import Tensor
from embviz.loaders.weights.safetensors_header import Entry
from embviz.loaders.weights.scales import Scale, find_scales, open_scaled


def as_tensors(
    entries: Iterable[Entry], block: tuple[int, int] | None = None
) -> tuple[Tensor, ...]:
    """Return tensors by name, numbers in names in the order of numbers.

    Args:
        entries: All tensors of one or more files.
        block: The rows and columns that have one scale, where a config tells them.
    """
    ordered = sorted(entries, key=lambda entry: natural_order(entry.name))
    find = find_scales(ordered, block)
    scales = {entry.name: find(entry) for entry in ordered}
    users = {s.entry.name: name for name, s in scales.items() if isinstance(s, Scale)}
    return tuple(
        replace(t, role="slot", note=f"scales of {users[t.name]}") if t.name in users else t
        for t in (_as_tensor(entry, scales[entry.name]) for entry in ordered)
    )


def _as_tensor(entry: Entry, scale: Scale | LoadError | None) -> Tensor:
    refusal = scale if isinstance(scale, LoadError) else entry.refusal
    if isinstance(scale, Scale):
        return Tensor(
            entry.name,
            entry.shape,
            "float32",
            rows=partial(open_scaled, entry, scale),
            note=f"{entry.dtype} with {scale.describe(entry.shape)}",
        )
    note = "" if refusal is None else refusal.why
    if refusal is None and len(entry.shape) != 2:
        note = f"{len(entry.shape)}-D" if entry.shape else "scalar"
    elif refusal is None and 0 in entry.shape:
        note = "empty"
    return Tensor(
        entry.name,
        entry.shape,
        entry.dtype,
        rows=entry.map,
        role="table" if refusal is None else "other",
        note=note,
        refusal=refusal,
    )
