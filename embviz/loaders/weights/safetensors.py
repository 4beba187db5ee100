"""Safetensors files, mapped into memory; `safetensors_header` knows their layout."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from embviz.loaders.opened import Claim, Source, Start, Tensor
from embviz.loaders.reading import Reading
from embviz.loaders.weights.safetensors_header import (
    SUFFIX,
    Entry,
    looks_like_safetensors,
    read_header,
)

_NUMBER = re.compile(r"([0-9]{1,18})")


class SafetensorsFormat:
    """Reads one file; rows are mapped, so that they cost their own bytes."""

    name = "safetensors"

    def claim(self, start: Start) -> Claim | None:
        """Claim what begins with a length and a JSON object, and what is named .safetensors."""
        if start.kind != "file":
            return None
        if looks_like_safetensors(start.head, start.size):
            return Claim.MAGIC
        return Claim.NAME if start.path.suffix.lower() == SUFFIX else None

    def open(self, path: Path, reading: Reading) -> Source:
        """Read the header of a safetensors file.

        Returns:
            Its tensors by name, in their stored types (bool as uint8).

        Raises:
            LoadError: If it is cut off, or breaks a rule of the format.
        """
        return Source(path, as_tensors(read_header(path)), is_model=True)


SAFETENSORS = SafetensorsFormat()


def as_tensors(entries: Iterable[Entry]) -> tuple[Tensor, ...]:
    """Return tensors by name, numbers in names in the order of numbers."""
    return tuple(_as_tensor(entry) for entry in sorted(entries, key=_in_order))


def _in_order(entry: Entry) -> list[tuple[int, str]]:
    parts = _NUMBER.split(entry.name)
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]


def _as_tensor(entry: Entry) -> Tensor:
    refusal = entry.refusal
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
