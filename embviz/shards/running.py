"""A map over blocks by whatever runs functions elsewhere, and a reduce whose order is fixed."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from embviz.errors import EmbvizError, LoadError
from embviz.kernels import one_blas_thread
from embviz.outputs.unfinished import beginning
from embviz.shards.scheduling import Workers, open_workers

if TYPE_CHECKING:
    from embviz.shards.values import Block

__all__ = [
    "Node",
    "Workers",
    "fold_leaves",
    "map_blocks",
    "open_workers",
    "reduce_in_order",
    "reduce_nodes",
]

T = TypeVar("T")
progress = logging.getLogger("embviz.progress")
log = logging.getLogger("embviz")
IN_FLIGHT = 3
"""Blocks a worker that are asked for and not taken yet."""
MOST_DEATHS = 3
"""How often processes may die in one map: a worker that is killed is no fault of a block."""
_POLL = 0.5  # Seconds between two looks at whether workers are still there.


@dataclass
class _Asked:
    """A block that was asked for."""

    block: Block
    future: Future[Any]


def map_blocks(
    workers: Workers, work: Callable[[Block], T], blocks: Sequence[Block], what: str
) -> Iterator[T]:
    """Yield what a function makes of blocks, in their order, whichever worker ends first.

    The fault that is raised is that of the first block that has one. A block whose worker died is
    run again.

    Args:
        workers: As `open_workers` gave them.
        work: A function of a module, or a `partial` of one, with small arguments: it travels to
            the workers with every block, and reads the rows there.
        blocks: In order.
        what: What is said to be going on.

    Raises:
        LoadError: What the function raised; or if workers die again and again, or are gone.
    """
    waiting: deque[_Asked] = deque()
    ahead = iter(blocks)
    n_rows = sum(block.n_rows for block in blocks)
    done, deaths = 0, 0
    try:
        while True:
            while len(waiting) < IN_FLIGHT * workers.n_workers:
                block = next(ahead, None)
                if block is None:
                    break
                waiting.append(_Asked(block, _submit(workers, work, block)))
            if not waiting:
                return
            first = waiting[0]
            try:
                result: T = _wait_for(first, workers)
            except BrokenExecutor as error:
                deaths += 1
                if deaths > MOST_DEATHS or not workers.renew():
                    raise _died(workers, first.block, deaths) from error
                log.info("%s died and is started anew", workers.noun)
                for asked in waiting:
                    if not _is_done(asked.future):
                        asked.future = _submit(workers, work, asked.block)
                continue
            waiting.popleft()
            done += first.block.n_rows
            progress.info("%s: %s of %s rows", what, f"{done:,}", f"{n_rows:,}")
            yield result
    finally:
        for asked in waiting:
            asked.future.cancel()


def _submit(workers: Workers, work: Callable[[Block], T], block: Block) -> Future[T]:
    """Ask for a block; what stands in the way is told when it is waited for."""
    try:
        with beginning():  # The first one starts processes, which a half-told one complains of.
            return workers.executor.submit(run_quietly, work, block)
    except Exception as error:
        refused: Future[T] = Future()
        refused.set_exception(workers.explain(error))
        return refused


def _is_done(future: Future[Any]) -> bool:
    """Tell whether a block came to an end that another worker could not change."""
    if not future.done() or future.cancelled():
        return False
    return not isinstance(future.exception(), BrokenExecutor)


def _wait_for(asked: _Asked, workers: Workers) -> Any:
    """Return what a block gave, looking now and then whether there still are workers.

    Raises:
        LoadError: If they are gone.
        BrokenExecutor: If a worker died.
    """
    while not wait([asked.future], timeout=_POLL).done:
        gone = workers.why_gone()
        if gone:
            raise LoadError(workers.shown, gone, "start it, and run this again")
    try:
        return asked.future.result()
    except (EmbvizError, BrokenExecutor):
        raise
    except (Exception, CancelledError) as error:
        raise workers.explain(error) from error


def _died(workers: Workers, block: Block, deaths: int) -> LoadError:
    times = "" if deaths == 1 else f" {deaths} times"
    return LoadError(
        workers.shown,
        f"{workers.noun} died{times}, the last at {block.tell(block.first)}",
        workers.when_dead,
    )


_busy = 0
_busy_lock = threading.Lock()
_limit: Any = None


@contextmanager
def _one_thread_a_product() -> Iterator[None]:
    """Have products take one thread each while any thread of this process is within.

    The setting is the process's: where a worker has several threads, none may give it back while
    another multiplies, since sums would come in another order.
    """
    global _busy, _limit
    with _busy_lock:
        if _busy == 0:
            _limit = one_blas_thread()
            _limit.__enter__()
        _busy += 1
    try:
        yield
    finally:
        with _busy_lock:
            _busy -= 1
            if _busy == 0:
                _limit.__exit__(None, None, None)


def run_quietly(work: Callable[[Block], T], block: Block) -> T:
    """Run a function on a block, in a worker."""
    with _one_thread_a_product():
        return work(block)


@dataclass(frozen=True, eq=False)
class Node(Generic[T]):
    """What 2^level leaves of a tree reduce to."""

    level: int
    value: T


def fold_leaves(first: int, leaves: Iterable[T], merge: Callable[[T, T], T]) -> tuple[Node[T], ...]:
    """Reduce leaves that follow each other as far as their numbers alone allow.

    Pairs of nodes 2k and 2k + 1 of a level merge, whichever block they come from, so that the same
    tree grows however the leaves are cut into blocks.

    Args:
        first: The number of the first leaf.
        leaves: At least one, in order.
        merge: Returns the value of two neighbors, the earlier first.
    """
    done: list[tuple[int, Node[T]]] = []
    for number, value in enumerate(leaves, first):
        _push(done, number, Node(0, value), merge)
    return tuple(node for _, node in done)


def _push(
    done: list[tuple[int, Node[T]]], number: int, node: Node[T], merge: Callable[[T, T], T]
) -> None:
    """Put a node behind others of a tree, merged with those that are its siblings.

    Args:
        done: Numbers within their levels, and nodes.
        number: The node's, within its level.
        node: What comes next.
        merge: As for `fold_leaves`.
    """
    while done and number % 2 and done[-1][1].level == node.level and done[-1][0] == number - 1:
        _, left = done.pop()
        node, number = Node(node.level + 1, merge(left.value, node.value)), number // 2
    done.append((number, node))


def reduce_nodes(results: Iterable[Sequence[Node[T]]], merge: Callable[[T, T], T]) -> T:
    """Reduce what `fold_leaves` gave of blocks, in their order, by the tree of all leaves.

    Raises:
        ValueError: If there are none.
    """
    done: list[tuple[int, Node[T]]] = []
    at = 0
    for nodes in results:
        for node in nodes:
            _push(done, at >> node.level, node, merge)
            at += 1 << node.level
    if not done:
        raise ValueError("no leaves")
    value = done.pop()[1].value
    while done:
        value = merge(done.pop()[1].value, value)
    return value


def reduce_in_order(results: Iterable[T], merge: Callable[[T, T], T]) -> T:
    """Reduce results, each of which is a leaf, by a tree that only their number decides.

    Args:
        results: At least one, in order.
        merge: Returns the value of two neighbors, the earlier first.
    """
    return reduce_nodes(((Node(0, value),) for value in results), merge)
