"""PyTorch's tensors, on a card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from embviz.devices.arrays import Array, Kind

# What the libraries beneath PyTorch say where they get no memory.
_SHORT = ("out of memory", "ALLOC_FAILED", "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED")


class TorchArrays:
    """A device of PyTorch: a card, or the processor in tests.

    Args:
        name: As PyTorch has it, `cuda` or `cpu`.
    """

    def __init__(self, name: str = "cuda") -> None:
        self._device = torch.device(name)
        card = name.startswith("cuda")
        own = torch.cuda.get_device_name(self._device) if card else name
        self.title = f"{own}, PyTorch {torch.__version__}"
        self._is_card = card

    def put(self, values: NDArray[Any]) -> Array:
        kept = np.ascontiguousarray(values)
        # PyTorch warns of memory that it may not write to, as that of a mapped file.
        kept = kept if kept.flags.writeable else kept.copy()
        return torch.from_numpy(kept).to(self._device)

    def get(self, array: Array) -> NDArray[Any]:
        values: NDArray[Any] = array.cpu().numpy()
        return values

    def cast(self, array: Array, kind: Kind) -> Array:
        return array.to(getattr(torch, kind))

    def full(self, shape: Sequence[int], value: float, kind: Kind) -> Array:
        return torch.full(tuple(shape), value, dtype=getattr(torch, kind), device=self._device)

    def steps(self, n: int) -> Array:
        return torch.arange(n, device=self._device)

    def exp(self, array: Array) -> Array:
        return torch.exp(array)

    def log(self, array: Array) -> Array:
        return torch.log(array)

    def sqrt(self, array: Array) -> Array:
        return torch.sqrt(array)

    def floor(self, array: Array) -> Array:
        return torch.floor(array)

    def round(self, array: Array) -> Array:
        return torch.round(array)

    def sign(self, array: Array) -> Array:
        return torch.sign(array)

    def where(self, condition: Array, yes: Array, no: Array) -> Array:
        return torch.where(condition, yes, no)

    def sum(self, array: Array, axis: int, kind: Kind | None = None) -> Array:
        return torch.sum(array, dim=axis, dtype=None if kind is None else getattr(torch, kind))

    def least(self, array: Array, axis: int) -> Array:
        return torch.amin(array, dim=axis)

    def largest(self, array: Array, axis: int) -> Array:
        return torch.amax(array, dim=axis)

    def total(self, array: Array) -> float:
        return float(torch.sum(array, dtype=torch.float64))

    def join(self, parts: Sequence[Array], axis: int) -> Array:
        return torch.cat(list(parts), dim=axis)

    def take(self, array: Array, places: Array) -> Array:
        found = torch.index_select(array, 0, places.reshape(-1))
        return found.reshape(*places.shape, *array.shape[1:])

    def take_along(self, array: Array, places: Array) -> Array:
        return torch.gather(array, 1, places)

    def repeat(self, array: Array, counts: Array) -> Array:
        return torch.repeat_interleave(array, counts)

    def keep(self, array: Array, condition: Array) -> Array:
        return array[condition]

    def products(self, a: Array, b: Array) -> Array:
        with _all_digits():
            return a @ b

    def smallest(self, values: Array, k: int) -> tuple[Array, Array]:
        least, places = torch.topk(values, k, dim=1, largest=False, sorted=True)
        return least, places

    def scatter_add(self, array: Array, places: Array, values: Array) -> None:
        array.index_add_(0, places, values)

    def segment_sum(self, values: Array, starts: Array) -> Array:
        along = values.reshape(-1, values.shape[-1]).T.contiguous()
        sums = torch.segment_reduce(along, "sum", offsets=starts, axis=0, unsafe=True)
        return sums.T.reshape(*values.shape[:-1], len(starts) - 1)

    def sort(self, values: Array) -> tuple[Array, Array]:
        ordered, places = torch.sort(values, dim=-1, stable=True)
        return ordered, places

    def count_below(self, ordered: Array, limits: Array) -> Array:
        return torch.searchsorted(ordered, limits.contiguous())

    def transform(self, values: Array, size: int) -> Array:
        return torch.fft.rfftn(values, s=(size,) * values.ndim)

    def transform_back(self, spectrum: Array, size: int) -> Array:
        return torch.fft.irfftn(spectrum, s=(size,) * spectrum.ndim)

    def wait(self) -> None:
        if self._is_card:
            torch.cuda.synchronize(self._device)

    def is_short(self, error: BaseException) -> bool:
        if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
            return True
        return isinstance(error, RuntimeError) and any(text in str(error) for text in _SHORT)

    def release(self) -> None:
        if self._is_card:
            torch.cuda.empty_cache()


@contextmanager
def _all_digits() -> Iterator[None]:
    """Have products of float32 keep all their digits, whatever the process has chosen."""
    chosen = torch.get_float32_matmul_precision()
    if chosen == "highest":
        yield
        return
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(chosen)
