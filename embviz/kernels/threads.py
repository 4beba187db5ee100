"""How many threads compute, and how they wait."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


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
    """Have products take one thread each.

    So it is where several threads multiply at once, and where a result must not depend on how many
    threads there are: BLAS sums in another order for each number of them.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


@contextmanager
def one_openmp_thread() -> Iterator[None]:
    """Have what this thread asks of OpenMP done by itself: other threads are asked too."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="openmp"):
        yield


@contextmanager
def meanwhile(work: Callable[[], T]) -> Iterator[Future[T]]:
    """Do something in a thread of its own beside what is done here; both have ended after it.

    What fails here is told at once, and the thread is left to end by itself.
    """
    pool = ThreadPoolExecutor(1)
    try:
        yield pool.submit(work)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def map_in_order(function: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """Yield what a function makes of items, in their order, some at a time.

    Products within it take one thread each, so that results are the same for any number of threads.
    """
    n_threads = count_cores()
    waiting: deque[Future[U]] = deque()
    with one_blas_thread(), ThreadPoolExecutor(n_threads) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
