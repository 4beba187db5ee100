"""Whether something fits into the memory of this machine, asked before it is taken."""

from __future__ import annotations

from embviz.errors import ParameterError
from embviz.kernels.memory import available_memory

SHARE = 0.8
"""Of what is free: the rest is left to what else is needed."""


def check_memory(n_bytes: int, what: str, way_out: str) -> None:
    """Refuse what does not fit into memory, where the system tells how much there is.

    Args:
        n_bytes: How much it takes.
        what: What takes it.
        way_out: What takes less.

    Raises:
        ParameterError: With the bytes that it takes and those that are free.
    """
    free = available_memory()
    if free and n_bytes > SHARE * free:
        why = f"{what} takes {n_bytes / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free"
        raise ParameterError("memory", why, way_out)
