"""Where heavy work is done: the processor, or a card by PyTorch.

The work itself is written once, against `Arrays`, in the rooms that it belongs to:
`neighbors.on_device`, `projections.tsne_device` and `pictures.on_device`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Literal

from embviz.devices.arrays import Array, Arrays, Kind
from embviz.devices.blocks import in_blocks, telling_shortage
from embviz.errors import ParameterError

__all__ = [
    "DEVICES",
    "Array",
    "Arrays",
    "Device",
    "Kind",
    "choose_device",
    "in_blocks",
    "telling_shortage",
]

log = logging.getLogger("embviz")

Device = Literal["auto", "cpu", "cuda"]
AUTO_POINTS = 20_000
"""Beyond so many points a card is taken unasked; its start takes longer than fewer save."""


def _numpy() -> Arrays:
    from embviz.devices.numpy_arrays import NumPyArrays

    return NumPyArrays()


@cache
def _card() -> Arrays:
    from embviz.devices.torch_arrays import TorchArrays

    return TorchArrays("cuda")


DEVICES: dict[str, Callable[[], Arrays]] = {"numpy": _numpy, "cuda": _card}
"""The arrays of each device by name; `numpy` is for tests and not offered."""


def choose_device(wanted: Device, n_points: int) -> Arrays | None:
    """Return the arrays of the card that work is done on; None for the processor's own ways.

    Args:
        wanted: `cpu`; `cuda`; or `auto`: a card where there is one and more than 20,000 points.
        n_points: How many points there are.

    Raises:
        ParameterError: If a card is wanted and PyTorch is not there, or sees none.
    """
    if wanted == "cpu" or (wanted == "auto" and n_points <= AUTO_POINTS):
        return None
    why, way_out = _why_no_card()
    if not why:
        return DEVICES["cuda"]()
    if wanted == "cuda":
        raise ParameterError("--device cuda", why, way_out)
    return None


def _why_no_card() -> tuple[str, str]:
    """Return why no card can be used and what to do then; nothing where one can."""
    if find_spec("torch") is None:
        return "PyTorch is not installed", "pip install 'embviz[gpu]', or leave --device out"
    try:
        import torch
    except (ImportError, OSError) as error:  # Of libraries that are not there, or of another CUDA.
        return f"PyTorch cannot be loaded ({error})", "install it anew, or give --device cpu"
    if not torch.cuda.is_available():
        return f"PyTorch {torch.__version__} sees no card", "give --device cpu"
    return "", ""
