"""Blocks that are mapped by threads, processes and executors, and what becomes of dead workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embviz import LoadError, ParameterError
from embviz.shards.blocks import open_shards
from embviz.shards.running import (
    fold_leaves,
    map_blocks,
    open_workers,
    reduce_in_order,
    reduce_nodes,
)
from embviz.shards.scheduling import Workers, check_scheduler
from embviz.shards.values import Block
from tests.shards import work

ROWS = np.random.default_rng(3).normal(size=(60, 3)).astype(np.float32)
FIRSTS = list(range(0, 60, 4))


@pytest.fixture
def blocks(tmp_path: Path) -> list[Block]:
    np.save(tmp_path / "x.npy", ROWS)
    return open_shards(tmp_path / "x.npy").blocks(4)


@pytest.fixture(scope="module")
def processes() -> Iterator[Workers]:
    with open_workers("processes:2") as workers:
        yield workers


def test_results_come_in_the_order_of_blocks_whichever_ends_first(blocks: list[Block]) -> None:
    with open_workers() as workers:
        assert list(map_blocks(workers, work.later_ones_first, blocks, "x")) == FIRSTS


def test_processes_share_the_blocks(blocks: list[Block], processes: Workers) -> None:
    found = list(map_blocks(processes, work.first_and_process, blocks, "x"))
    assert [first for first, _ in found] == FIRSTS
    assert 1 <= len({process for _, process in found}) <= 2


def test_any_executor_may_be_given_and_stays_open(blocks: list[Block]) -> None:
    with ThreadPoolExecutor(2) as pool:
        with open_workers(pool) as workers:
            assert list(map_blocks(workers, work.later_ones_first, blocks, "x")) == FIRSTS
        assert pool.submit(len, "abc").result() == 3


def test_processes_of_joblib_may_be_given(blocks: list[Block]) -> None:
    from joblib.externals.loky import get_reusable_executor

    pool = get_reusable_executor(1)
    with open_workers(pool) as workers:
        found = list(map_blocks(workers, work.first_and_process, blocks, "x"))
    pool.shutdown()
    assert [first for first, _ in found] == FIRSTS
    assert os.getpid() not in {process for _, process in found}


class _Counting(Executor):
    """Runs nothing until it is waited for, and counts what was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.asked += 1
        done: Future[Any] = Future()
        done.set_result(function(*args, **kwargs))
        return done


def test_only_some_blocks_are_asked_for_before_they_are_taken(blocks: list[Block]) -> None:
    counting = _Counting()
    workers = Workers(counting, 2, "executor")
    results = map_blocks(workers, work.later_ones_first, blocks, "x")
    assert next(results) == 0
    assert counting.asked <= 6 < len(blocks)


def test_the_fault_that_is_told_is_the_first_in_row_order(tmp_path: Path) -> None:
    rows = ROWS.copy()
    rows[[22, 41]] = np.nan
    np.save(tmp_path / "x.npy", rows)
    blocks = open_shards(tmp_path / "x.npy").blocks(4)
    with (
        open_workers() as workers,
        pytest.raises(LoadError, match=r"x.npy, row 22: holds NaN; mend that row"),
    ):
        list(map_blocks(workers, partial(Block.read_finite, dtype=np.float64), blocks, "x"))


def test_a_process_that_is_killed_is_replaced_and_only_unfinished_blocks_run_again(
    tmp_path: Path, blocks: list[Block], processes: Workers
) -> None:
    killing = partial(work.note_and_die_once, str(tmp_path), 32)
    assert list(map_blocks(processes, killing, blocks, "x")) == FIRSTS
    begun = [int(note.stem) for note in tmp_path.glob("*.begun-*")]
    assert begun.count(32) == 2
    assert begun.count(0) == begun.count(4) == 1
    assert len(begun) <= len(FIRSTS) + 6  # Those that were asked for and not taken.
    assert list(map_blocks(processes, work.later_ones_first, blocks, "x")) == FIRSTS


def test_processes_that_always_die_are_one_line(blocks: list[Block]) -> None:
    with (
        pytest.raises(LoadError, match=r"--scheduler processes:2: a worker process died 4 times"),
        open_workers("processes:2") as workers,
    ):
        list(map_blocks(workers, work.die, blocks[:2], "x"))


def test_an_executor_of_others_that_breaks_is_one_line(blocks: list[Block]) -> None:
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        open_workers(pool) as workers,
        pytest.raises(LoadError, match=r"executor: a worker died, the last at .*x.npy, row 0"),
    ):
        list(map_blocks(workers, work.die, blocks, "x"))


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_a_run_that_is_stopped_leaves_one_line_and_no_process(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.repeat(ROWS, 40_000, axis=0))
    command = [sys.executable, "-m", "embviz", "project", "x.npy", "--sample", "20000"]
    command += ["--scheduler", "processes:2", "-o", "x.html"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    first = running.stderr.readline()  # It has found the files, and starts the processes.
    time.sleep(1)
    running.terminate()
    rest = running.stderr.read()  # To its end, which the processes hold open while they live.
    assert running.wait() == 128 + signal.SIGTERM
    assert first == "2,400,000 rows x 3 float32 in 1 file\n"
    assert rest == "embviz: stopped\n"
    assert not (tmp_path / "x.html").exists()


def test_a_script_that_starts_itself_again_is_told_what_it_lacks(tmp_path: Path) -> None:
    code = "from embviz.shards.running import open_workers\nopen_workers('processes:1').__enter__()"
    (tmp_path / "run.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    line = "--scheduler processes:1: the processes ended as they began; in a script, call what "
    assert done.stderr.splitlines()[-1].endswith(
        f"{line}needs them under: if __name__ == '__main__':"
    )


SCRIPT = """
import sys, os, time
from functools import partial
from embviz.shards.blocks import open_shards
from embviz.shards.running import map_blocks, open_workers
from tests.shards.work import tell_slowly
if __name__ == "__main__":
    with open_workers("processes:2") as workers:
        blocks = open_shards("x.npy").blocks(1)
        for first in map_blocks(workers, partial(tell_slowly, "."), blocks, "x"):
            os._exit(9)
"""


def test_processes_end_with_the_one_that_started_them(tmp_path: Path, blocks: list[Block]) -> None:
    (tmp_path / "run.py").write_text(SCRIPT)
    # It waits for the end of its output, which the processes hold open while they live.
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "run.py"], cwd=tmp_path, capture_output=True, timeout=30, check=False,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 9
    assert len(list(tmp_path.glob("*.*"))) < 40


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("processes:0", "no whole number of processes in 1 .. 512; such as --scheduler processes:"),
        ("processes", "no whole number of processes"),
        ("processes:two", "no whole number of processes"),
        ("processes:99999", "no whole number of processes"),
        ("tcp:host", "no such kind, and no file of that name; one of processes:N, tcp://HOST:PORT"),
        ("http://host:8786", "no address; one of processes:N"),
        ("tcp://host:port", "without the number of a port"),
        ("tcp://host", "without the number of a port"),
        ("", "no such kind"),
    ],
)
def test_what_names_no_scheduler_is_refused_with_what_does(asked: str, why: str) -> None:
    with pytest.raises(ParameterError, match=why):
        check_scheduler(asked)
    with pytest.raises(ParameterError, match=why), open_workers(asked):
        pass


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"address": 5}', '{"address": "host"}', "\x00"])
def test_a_file_that_no_scheduler_wrote_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(LoadError, match=r"is no file of a Dask scheduler .*--scheduler-file FILE"):
        check_scheduler(str(tmp_path / "s.json"))


def _joined(a: str, b: str) -> str:
    return f"({a}{b})"


@given(st.integers(1, 70), st.lists(st.integers(1, 9), min_size=1), st.integers(1, 5))
def test_the_tree_is_that_of_the_leaves_whatever_the_blocks(
    n: int, lengths: list[int], scale: int
) -> None:
    whole = reduce_in_order(map(str, range(n)), _joined)
    nodes, start = [], 0
    while start < n:
        stop = min(n, start + scale * lengths[start % len(lengths)])
        nodes.append(fold_leaves(start, map(str, range(start, stop)), _joined))
        start = stop
    assert reduce_nodes(nodes, _joined) == whole


def test_leaves_merge_in_pairs() -> None:
    assert reduce_in_order("abcdefg", _joined) == "(((ab)(cd))((ef)g))"
    assert reduce_in_order("abcde", _joined) == "(((ab)(cd))e)"
