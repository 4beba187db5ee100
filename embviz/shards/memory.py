"""Whether something fits into the memory of this machine, asked before it is taken."""

from __future__ import annotations

import os
import re
from pathlib import Path

from embviz.errors import ParameterError

SHARE = 0.8
"""Of what is free: the rest is left to what else is needed."""


def free_memory() -> int | None:
    """Return how many bytes this process may still take; None where the system does not tell."""
    found = _free_of_system()
    most = _number("/sys/fs/cgroup/memory.max", r"(\d+)")
    taken = _number("/sys/fs/cgroup/memory.stat", r"^anon (\d+)$")  # The rest can be let go of.
    if most is not None and taken is not None:
        left = max(0, most - taken)
        found = left if found is None else min(found, left)
    return found


def _free_of_system() -> int | None:
    there = _number("/proc/meminfo", r"^MemAvailable:\s+(\d+) kB$")
    if there is not None:
        return there * 1024
    try:  # All there is, where what is free is not told.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _number(path: str, pattern: str) -> int | None:
    """Return a number in a file of the system's, None where it is not told."""
    try:
        text = Path(path).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    found = re.search(pattern, text, re.MULTILINE)
    return int(found[1]) if found else None


def check_memory(n_bytes: int, what: str, way_out: str) -> None:
    """Refuse what does not fit into memory.

    Args:
        n_bytes: How much it takes.
        what: What takes it.
        way_out: What takes less.

    Raises:
        ParameterError: With the bytes that it takes and those that are free.
    """
    free = free_memory()
    if free is not None and n_bytes > SHARE * free:
        why = f"{what} takes {n_bytes / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free"
        raise ParameterError("memory", why, way_out)
