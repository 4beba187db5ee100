"""A Dask cluster as workers: joined by its scheduler's address, quietly, and left in the end."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

from embviz.errors import LoadError, ParameterError
from embviz.shards.identity import tell_identity
from embviz.shards.scheduling import CONNECTING, Workers

log = logging.getLogger("embviz")
LONELY = 30.0
"""Seconds that a scheduler may be without any worker: a cluster replaces those that die."""
_SILENT = logging.CRITICAL + 1
_START = "start one (dask scheduler), and its workers (dask worker ADDRESS)"


def check_installed(shown: str) -> None:
    """Refuse a cluster where Dask is not installed.

    Raises:
        ParameterError: With what installs it.
    """
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise ParameterError(shown, "needs Dask", "pip install 'embviz[dask]'")


@contextmanager
def join_cluster(address: str, shown: str) -> Iterator[Workers]:
    """Join a cluster.

    Args:
        address: Of its scheduler.
        shown: As the user named it.

    Raises:
        ParameterError: If Dask is not installed.
        LoadError: If no scheduler answers, or it has no worker that has embviz.
    """
    check_installed(shown)
    with _quietly():
        client = _connect(address, shown)
        try:
            n_workers = _check_workers(client, address, shown)
            cluster = _Cluster(client, shown)
            yield Workers(
                client.get_executor(pure=False),
                n_workers,
                shown,
                "a Dask worker",
                why_gone=cluster.why_gone,
                explain=cluster.explain,
            )
        finally:
            with suppress(Exception):
                client.close(timeout=2)


def given_client(executor: Any) -> Workers:
    """Return the executor of a client of the caller's as workers.

    Raises:
        LoadError: If its cluster has no worker that has this embviz.
    """
    client, shown = executor._client, "executor"
    n_workers = _check_workers(client, client.scheduler.address, shown)
    cluster = _Cluster(client, shown)
    return Workers(
        executor,
        n_workers,
        shown,
        "a Dask worker",
        why_gone=cluster.why_gone,
        explain=cluster.explain,
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what Dask and Tornado log off the standard error: what is wrong is said in one line."""
    import distributed  # noqa: F401  (sets the levels of its loggers)

    names = ("distributed", "tornado", "asyncio")
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in names]
    loggers = [logging.getLogger(name) for name in {*known, *names}]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(_SILENT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _connect(address: str, shown: str) -> Any:
    """Return a client of a scheduler.

    Raises:
        LoadError: If none answers in time.
    """
    from distributed import Client

    made: list[Any] = []

    def connect() -> None:
        try:
            made.append(Client(address, timeout=CONNECTING, set_as_default=False))
        except Exception as error:
            made.append(error)

    _knock(address, shown)
    # What takes a connection and never answers holds the client for good, whatever its timeout.
    connecting = threading.Thread(target=connect, daemon=True)
    connecting.start()
    connecting.join(CONNECTING + 1)
    if not made:
        raise LoadError(shown, f"what is there gives no answer in {CONNECTING:.0f} s", _START)
    if isinstance(made[0], Exception):
        reason = (str(made[0]) or type(made[0]).__name__).splitlines()[0]
        raise LoadError(shown, f"no Dask scheduler answers there ({reason})", _START)
    return made[0]


def _knock(address: str, shown: str) -> None:
    """Find out at once that nothing listens; the client would try for its whole timeout.

    Raises:
        LoadError: If nothing does.
    """
    found = re.fullmatch(r"(?:tcp|tls)://\[?([^/]+?)\]?:(\d{1,5})/?", address)
    if found is None:
        return
    try:
        socket.create_connection((found[1], int(found[2])), timeout=CONNECTING).close()
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LoadError(shown, f"no Dask scheduler answers there ({reason})", _START) from None


def _check_workers(client: Any, address: str, shown: str) -> int:
    """Return how many blocks the cluster works on at once.

    Raises:
        LoadError: If it has no workers, or one of them has no embviz, or another.
    """
    try:
        client.wait_for_workers(1, timeout=CONNECTING)
    except Exception:
        raise LoadError(shown, "has no workers", f"start some: dask worker {address}") from None
    try:  # The workers and, in new versions, the scheduler open what is sent to them.
        identities = client.run(tell_identity)
        client.submit(tell_identity, pure=False).result(timeout=CONNECTING)
    except Exception as error:
        raise _Cluster(client, shown).explain(error) from None
    code, numpy = tell_identity()
    for worker, (its_code, its_numpy) in sorted(identities.items()):
        if its_code != code:
            raise LoadError(
                shown,
                f"the worker {worker} runs another embviz than this one",
                "install the same version there, and start the workers anew",
            )
        if its_numpy != numpy:
            text = "%s: the worker %s has NumPy %s, here is %s: last bits may differ"
            log.warning(text, shown, worker, its_numpy, numpy)
    n_threads = client.nthreads()
    return sum(int(n_threads.get(worker, 1)) for worker in identities)


class _Cluster:
    """Looks at a cluster that is at work."""

    def __init__(self, client: Any, shown: str) -> None:
        self._client, self._shown = client, shown
        self._seen = time.monotonic()

    def why_gone(self) -> str:
        """Say why nothing will come any more, "" while something may."""
        if self._client.status != "running":
            return "the Dask scheduler went away"
        try:
            workers = self._client.sync(self._client.scheduler.ncores, callback_timeout=CONNECTING)
        except Exception:
            return "the Dask scheduler does not answer any more"
        now = time.monotonic()
        if workers:
            self._seen = now
        if now - self._seen > LONELY:
            return f"the Dask scheduler has had no workers for {LONELY:.0f} seconds"
        return ""

    def explain(self, error: BaseException) -> BaseException:
        """Return what is raised in place of an error of Dask's."""
        name, text = type(error).__name__, str(error)
        missing = "ModuleNotFoundError" in (name, text.split("(")[0]) and "'embviz" in text
        if missing or "deserialization of the task graph" in text:
            return LoadError(
                self._shown,
                "the scheduler or a worker cannot import embviz, whose functions are to run there",
                "install the same version where they run: pip install embviz",
            )
        if name == "KilledWorker":
            return LoadError(
                self._shown,
                "workers died again and again at one block, perhaps for want of memory",
                "give them more, or fewer threads each: dask worker --nthreads 1",
            )
        if isinstance(error, CancelledError) or name in ("FutureCancelledError", "CommClosedError"):
            return LoadError(
                self._shown, "the Dask scheduler went away", "start it, and run this again"
            )
        if isinstance(error, OSError | RuntimeError) and "closed" in text.lower():
            return LoadError(
                self._shown, "the Dask scheduler went away", "start it, and run this again"
            )
        return error
