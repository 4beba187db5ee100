"""Quantized tables whose scales lie beside them: multiplied as rows are read, or refused.

`X.weight` of float8 or int8 with `X.weight_scale_inv` (DeepSeek, transformers), `X.weight_scale`
(compressed-tensors, ModelOpt, vLLM, ComfyUI) or `X.scale_weight` (ComfyUI) stands for the product
of both: one scale for all, for each row, each column or each block; in spite of its name, that of
DeepSeek is multiplied too. Sources: transformers' integrations/finegrained_fp8.py, ComfyUI's
QUANTIZATION.md, https://github.com/vllm-project/compressed-tensors.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embviz.errors import LoadError, printable
from embviz.loaders.opened import list_some
from embviz.loaders.weights.scaled_rows import ScaledRows

_SCALED = ("F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8")
_INTEGERS = ("U8", "U16", "I16", "U32", "I32", "U64", "I64", "F4", "F6_E2M3", "F6_E3M2")
_FLOATS = ("F16", "BF16", "F32", "F64", "F8_E8M0")
_TELLS = re.compile(r"scale|absmax|zero_?p|qzeros|quant_|scb$", re.IGNORECASE)
_OF_ACTIVATIONS = re.compile(r"input|output|activation|(^|[._])act_|scale_input|[kvq]_scale")
_KNOWN = ("_scale_inv", "_scale")
_FEW = 8


class Stored(Protocol):
    """A tensor of any format; `code` is its type as safetensors spells it."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def code(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    def map(self) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Scale:
    """How a table is scaled.

    Attributes:
        entry: Where the scales are.
        blocks: How many rows and columns have one scale.
    """

    entry: Stored
    blocks: tuple[int, int]

    def describe(self, shape: tuple[int, ...]) -> str:
        """Say in a few words for what there is a scale, of a table of a shape."""
        rows, columns = self.blocks
        if self.blocks == shape:
            form = "one scale"
        elif rows == 1 and columns == shape[1]:
            form = "a scale a row"
        elif rows == shape[0] and columns == 1:
            form = "a scale a column"
        else:
            form = f"a scale for {rows} x {columns}"
        return f"{form} in {printable(self.entry.name)}"


def open_scaled(entry: Stored, scale: Scale) -> ScaledRows:
    """Map a table and read its scales."""
    counts = [-(-side // block) for side, block in zip(entry.shape, scale.blocks, strict=True)]
    return ScaledRows(entry.map(), np.asarray(scale.entry.map()).reshape(counts), scale.blocks)


def find_scales(
    entries: Iterable[Stored], block: tuple[int, int] | None = None
) -> Callable[[Stored], Scale | LoadError | None]:
    """Return what tells how a table is scaled: by what, that it is not known, or None for not.

    Args:
        entries: All tensors of the weights.
        block: The rows and columns of a block, where a config tells them.
    """
    families: dict[str, list[Stored]] = {}
    for entry in sorted(entries, key=_name):
        if _TELLS.search(_last(entry.name)) and not _OF_ACTIVATIONS.search(_last(entry.name)):
            families.setdefault(_family(entry.name), []).append(entry)

    def find(entry: Stored) -> Scale | LoadError | None:
        if entry.code not in _SCALED + _INTEGERS or len(entry.shape) != 2 or 0 in entry.shape:
            return None
        family = families.get(_family(entry.name), [])
        # Those that begin with its name are one run; of all a few are enough to tell.
        first = bisect_left(family, entry.name, key=_name)
        own = [e for e in family[first : first + _FEW] if e.name.startswith(entry.name)]
        beside = [e for e in own or family[:_FEW] if e is not entry]
        beside = beside or [e for e in family[:_FEW] if e is not entry]
        return _match(entry, beside, block) if beside else None

    return find


def _name(entry: Stored) -> str:
    return entry.name


def _family(name: str) -> str:
    """Return the layer that a tensor is of: X of X.weight, X.weight_scale and X.weight.absmax."""
    layer, mark, rest = name.rpartition(".weight")
    return layer if mark and not rest[:1].isalnum() else name.rpartition(".")[0]


def _last(name: str) -> str:
    return name.removeprefix(_family(name)).lstrip(".")


def _match(
    entry: Stored, beside: list[Stored], block: tuple[int, int] | None
) -> Scale | LoadError | None:
    own = [e for e in beside if e.name.startswith(entry.name)]
    names = {entry.name + ending for ending in _KNOWN}
    if entry.name.endswith("weight"):
        names.add(entry.name.removesuffix("weight") + "scale_weight")
    if not own and not _family(entry.name) and entry.code in _INTEGERS:
        return None  # Arrays that were saved together, and are of no layer.
    (scale, *more) = own or beside
    if not more and scale.name in names and entry.code in _SCALED and scale.code in _FLOATS:
        blocks = _find_blocks(entry.shape, scale.shape, block)
        if blocks is not None:
            return Scale(scale, blocks)
    shown = list_some([f"{printable(e.name)} ({_sides(e)})" for e in own or beside], 3)
    kind = "packed or scaled" if entry.code in _INTEGERS else "scaled"
    return LoadError(
        f"{entry.path}: tensor '{printable(entry.name)}'",
        f"{_sides(entry)} of {entry.code}, {kind} in a way that is not known, by {shown}",
        "save the model in bfloat16 or float32",
    )


def _sides(entry: Stored) -> str:
    return " x ".join(map(str, entry.shape)) or "one"


def _find_blocks(
    shape: tuple[int, ...], scales: tuple[int, ...], given: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Return the rows and columns that have one scale; None where that is not certain."""
    n_rows, n_columns = shape
    if all(side == 1 for side in scales):
        return n_rows, n_columns
    if len(scales) == 1:
        if n_rows == n_columns:
            return None
        scales = (n_rows, 1) if scales[0] == n_rows else (1, scales[0])
        given = None
        if scales[1] not in (1, n_columns):
            return None
    if len(scales) != 2 or 0 in scales:
        return None
    rows = _find_block(n_rows, scales[0], given[0] if given else 0)
    columns = _find_block(n_columns, scales[1], given[1] if given else 0)
    return (rows, columns) if rows and columns else None


def _find_block(n: int, n_blocks: int, given: int) -> int:
    """Return the length of blocks of which so many cover n; 0 where that is not certain.

    The one that is given; one or all; else that which divides n, and the power of two, which must
    not contradict each other.
    """
    if n_blocks == 1:
        return n
    if n_blocks == n:
        return 1
    if given:
        return given if -(-n // given) == n_blocks else 0
    found = {1 << k for k in range(n.bit_length()) if -(-n >> k) == n_blocks}
    if n % n_blocks == 0:
        found.add(n // n_blocks)
    return found.pop() if len(found) == 1 else 0
