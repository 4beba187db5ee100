"""How many threads compute, and how they wait."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


def count_cores() -> int:
    """Return how many cores this process may use, at most what OMP_NUM_THREADS says."""
    affinity = getattr(os, "sched_getaffinity", None)
    n_cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(n_cores, max(1, int(limit))) if limit.isascii() and limit.isdigit() else n_cores


@contextmanager
def calm_threads() -> Iterator[None]:
    """Let OpenMP's threads sleep between tasks, in runtimes that are loaded meanwhile.

    Several libraries bring an OpenMP runtime each; threads of one that spin while they wait take
    the cores from the other. A setting of the user's own is kept.
    """
    missing = "OMP_WAIT_POLICY" not in os.environ
    if missing:
        os.environ["OMP_WAIT_POLICY"] = "passive"
    try:
        yield
    finally:
        if missing:
            del os.environ["OMP_WAIT_POLICY"]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have products take one thread each, where several threads multiply at once."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
