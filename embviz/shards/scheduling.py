"""What runs the blocks: threads, processes, a Dask cluster, or an executor that was given."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, InvalidStateError
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embviz.checks import check_kind
from embviz.errors import LoadError, ParameterError, printable, shell_word
from embviz.kernels import count_cores
from embviz.outputs.unfinished import beginning

OPTION = "--scheduler"
KINDS = "processes:N, tcp://HOST:PORT, or the file that a Dask scheduler wrote"
MOST_PROCESSES = 512
_UNKNOWN = 16  # Workers of an executor that does not say how many it has.
CONNECTING = 10.0
"""Seconds in which a scheduler must answer, and have a worker."""
_ADDRESS = re.compile(r"(?:(?:tcp|tls|ws|wss|ucx)://[^\s/]+:\d{1,5}(?:/\S*)?|inproc://\S+)")


def _as_it_is(error: BaseException) -> BaseException:
    return error


@dataclass
class Workers:
    """What runs functions on blocks.

    Attributes:
        executor: Takes the functions; another one where processes were started anew.
        n_workers: How many blocks are worked on at once.
        shown: As the user named it.
        noun: What a worker is.
        when_dead: The way out where workers die again and again.
        make: Starts what takes the place of an executor that broke; None where nothing can.
        why_gone: Says why nothing will come any more, "" while something may.
        explain: Returns what is raised in place of an error that is not embviz's own.
    """

    executor: Executor
    n_workers: int
    shown: str
    noun: str = "a worker"
    when_dead: str = ""
    make: Callable[[], Executor] | None = None
    why_gone: Callable[[], str] = str
    explain: Callable[[BaseException], BaseException] = _as_it_is

    def renew(self) -> bool:
        """Start processes anew where some died; tell whether that could be done."""
        if self.make is None:
            return False
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self.make()
        return True


@contextmanager
def open_workers(scheduler: str | Executor | None = None) -> Iterator[Workers]:
    """Start or join what runs blocks, and let go of it in the end.

    Args:
        scheduler: None for threads of this process; `processes:N`; the address of a Dask scheduler
            or the file that it wrote; from Python any executor, which stays the caller's.

    Raises:
        ParameterError: If it is none of these, or Dask is not installed.
        LoadError: If there is no scheduler, or it has no worker that could do the work.
    """
    if scheduler is None:
        with _threads() as workers:
            yield workers
        return
    if isinstance(scheduler, Executor):
        yield _given(scheduler)
        return
    check_kind("executor", scheduler, str, "an Executor of concurrent.futures, or a text")
    shown = f"{OPTION} {shell_word(printable(scheduler, 200))}"
    if scheduler.startswith("processes"):
        with _processes(_count(scheduler, shown), shown) as workers:
            yield workers
        return
    from embviz.shards.dask_cluster import join_cluster

    with join_cluster(_address(scheduler, shown), shown) as workers:
        yield workers


def _given(executor: Executor) -> Workers:
    """Return an executor of the caller's as workers."""
    if type(executor).__module__.partition(".")[0] == "distributed":
        from embviz.shards.dask_cluster import given_client

        return given_client(executor)
    names = ("_max_workers", "num_workers")  # Of Python's own and joblib's; of mpi4py.
    known = [getattr(executor, name, None) for name in names]
    n_workers = next((n for n in known if isinstance(n, int) and n > 0), _UNKNOWN)
    return Workers(executor, n_workers, "executor", when_dead="give one with more memory")


def check_scheduler(scheduler: str) -> None:
    """Refuse what names no scheduler, before anything is started.

    Raises:
        ParameterError: With what may be named.
        LoadError: If a scheduler's file is damaged.
    """
    shown = f"{OPTION} {shell_word(printable(scheduler, 200))}"
    if scheduler.startswith("processes"):
        _count(scheduler, shown)
    else:
        from embviz.shards.dask_cluster import check_installed

        _address(scheduler, shown)
        check_installed(shown)


@contextmanager
def _threads() -> Iterator[Workers]:
    from concurrent.futures import ThreadPoolExecutor

    n_threads = count_cores()
    pool = ThreadPoolExecutor(n_threads)
    try:
        yield Workers(pool, n_threads, "threads", "a thread")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _count(scheduler: str, shown: str) -> int:
    found = re.fullmatch(r"processes:(\d{1,6})", scheduler, re.ASCII)
    if not found or not 1 <= int(found[1]) <= MOST_PROCESSES:
        why = f"no whole number of processes in 1 .. {MOST_PROCESSES}"
        raise ParameterError(shown, why, f"such as {OPTION} processes:{count_cores()}")
    return int(found[1])


@contextmanager
def _processes(n_processes: int, shown: str) -> Iterator[Workers]:
    """Start processes, each with its share of the cores."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    share = max(1, count_cores() // n_processes)
    _start_tracker()

    def make() -> Executor:
        return ProcessPoolExecutor(
            n_processes,
            mp_context=get_context("spawn"),
            initializer=begin_process,
            initargs=(share,),
        )

    fewer = f"take fewer: {OPTION} processes:{n_processes // 2}" if n_processes > 1 else ""
    memory = "they may have had too little memory" + (f": {fewer}" if fewer else "")
    workers = Workers(make(), n_processes, shown, "a worker process", memory, make)
    try:
        _check_start(workers)
        yield workers
    except BaseException:
        _end(workers.executor)
        raise
    else:
        workers.executor.shutdown(wait=True)


def _check_start(workers: Workers) -> None:
    """Refuse to go on with processes that cannot begin.

    Raises:
        LoadError: Saying what keeps them.
    """
    try:
        with beginning():
            begun = workers.executor.submit(count_cores)
        begun.result()
    except BrokenExecutor:  # Each imports the script that runs, and so would start others.
        why = "the processes ended as they began"
        way_out = "in a script, call what needs them under: if __name__ == '__main__':"
        raise LoadError(workers.shown, why, way_out) from None


def _start_tracker() -> None:
    """Start the process of Python's that removes what is left of processes that were stopped.

    It would warn of that on the standard error, where embviz has said that it was stopped.
    """
    if os.name != "posix":
        return
    import sys
    from multiprocessing.resource_tracker import ensure_running

    quiet = "ignore:resource_tracker:UserWarning"
    sys.warnoptions.append(quiet)
    try:
        ensure_running()
    finally:
        sys.warnoptions.remove(quiet)


def _end(executor: Executor) -> None:
    """End processes in the midst of their work.

    Python's own thread that looks after them says of each work that was no longer wanted when they
    were killed that it cannot tell what became of it; nobody asks.
    """
    keeper, shown = getattr(executor, "_executor_manager_thread", None), threading.excepthook

    def show(found: threading.ExceptHookArgs) -> None:
        if found.thread is not keeper or found.exc_type is not InvalidStateError:
            shown(found)

    threading.excepthook = show
    running = getattr(executor, "_processes", None) or {}
    for process in list(running.values()):
        process.kill()
    executor.shutdown(wait=False, cancel_futures=True)


def begin_process(n_threads: int) -> None:
    """Prepare a process: it ends with the one that started it, and takes its share of the cores.

    Args:
        n_threads: How many threads a library may compute with.
    """
    import signal
    from multiprocessing import parent_process

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(n_threads)
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=n_threads)  # Of what is loaded already.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the first process answers.
    logging.getLogger("embviz").addHandler(logging.NullHandler())
    parent = parent_process()

    def watch() -> None:
        from multiprocessing.connection import wait

        if parent is not None:
            wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _address(scheduler: str, shown: str) -> str:
    """Return the address of a scheduler: itself, or what its file says.

    Raises:
        ParameterError: If it is neither an address nor a file.
        LoadError: If the file is no scheduler's.
    """
    if _ADDRESS.fullmatch(scheduler):
        return scheduler
    file = Path(scheduler)
    if "\0" in scheduler or not file.is_file():
        why = "no address" if "://" in scheduler else "no such kind, and no file of that name"
        if scheduler.startswith("tcp://"):
            why = "an address without the number of a port"
        raise ParameterError(shown, why, f"one of {KINDS}")
    way_out = "the file is written by: dask scheduler --scheduler-file FILE"
    try:
        with file.open("rb") as opened:
            said: Any = json.loads(opened.read(1 << 20))
    except OSError as error:
        raise LoadError(file, f"cannot be read ({error.strerror})") from None
    except ValueError:
        raise LoadError(file, "is no file of a Dask scheduler (no JSON)", way_out) from None
    address = said.get("address") if isinstance(said, dict) else None
    if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
        raise LoadError(file, "is no file of a Dask scheduler (no address in it)", way_out)
    return address
