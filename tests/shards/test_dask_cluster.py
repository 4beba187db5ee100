"""A real Dask cluster of two workers: the same bytes, also when one is killed; and its absence."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import LoadError, ParameterError
from embviz.shards import dask_cluster
from embviz.shards.blocks import open_shards
from embviz.shards.components import LEAF_ROWS, find_components, summarize
from embviz.shards.running import map_blocks, open_workers, reduce_nodes
from embviz.shards.scheduling import check_scheduler
from embviz.shards.values import ShardedRows
from tests.shards import work
from tests.shards.conftest import Cut

ROWS = np.random.default_rng(8).normal(size=(12 * LEAF_ROWS + 9, 6)).astype(np.float32)


@pytest.fixture
def sharded(cut: Cut) -> ShardedRows:
    return open_shards(cut(ROWS, [20_000, 20_000, len(ROWS) - 40_000]))


def as_bytes(summary: Any) -> bytes:
    return summary.moments.mean.tobytes() + summary.moments.scatter.tobytes()


def merge(a: Any, b: Any) -> Any:
    return a.merge(b)


def test_a_cluster_finds_the_same_bytes(cluster: Any, sharded: ShardedRows) -> None:
    found = []
    for scheduler in (None, cluster.scheduler_address):
        with open_workers(scheduler) as workers:
            found.append(find_components(sharded, 3, workers))
    assert found[0].directions.tobytes() == found[1].directions.tobytes()
    assert found[0].variances.tobytes() == found[1].variances.tobytes()


def test_a_worker_that_is_killed_changes_no_byte(cluster: Any, sharded: ShardedRows) -> None:
    blocks = sharded.blocks(LEAF_ROWS)
    with open_workers() as workers:
        expected = reduce_nodes(map_blocks(workers, summarize, blocks, "x"), merge)
    processes: list[int] = []
    killed: list[int] = []

    def nodes() -> Iterator[Any]:
        with open_workers(cluster.scheduler_address) as workers:
            assert workers.n_workers == 2
            for process, found in map_blocks(workers, work.summarize_slowly, blocks, "x"):
                processes.append(process)
                if len(processes) == 3:
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
                yield found

    assert as_bytes(reduce_nodes(nodes(), merge)) == as_bytes(expected)
    assert killed
    assert set(processes) > set(killed)


def test_a_fault_of_a_worker_comes_as_its_one_line(cluster: Any, cut: Cut) -> None:
    rows = ROWS.copy()
    rows[20_007, 2] = np.nan
    source = cut(rows, [20_000, 20_000, len(ROWS) - 40_000])
    with (
        open_workers(cluster.scheduler_address) as workers,
        pytest.raises(LoadError, match=r"part-1.npy, row 7: holds NaN; mend that row"),
    ):
        find_components(open_shards(source), 3, workers, LEAF_ROWS)


def test_the_executor_of_a_client_may_be_given(cluster: Any, sharded: ShardedRows) -> None:
    from distributed import Client

    blocks = sharded.blocks(LEAF_ROWS)
    with Client(cluster) as client:
        client.wait_for_workers(2, timeout=30)  # One was killed in another test.
        _run_on(client.get_executor(), blocks)


def _run_on(executor: Any, blocks: list[Any]) -> None:
    with open_workers(executor) as workers:
        assert workers.n_workers == 2
        firsts = list(map_blocks(workers, work.later_ones_first, blocks, "x"))
        with pytest.raises(LoadError, match="executor: workers died again and again at one block"):
            list(map_blocks(workers, work.die, blocks[:1], "x"))
    assert firsts == [block.first for block in blocks]


@contextmanager
def started(
    folder: Path, n_workers: int = 1, **environment: str
) -> Iterator[subprocess.Popen[Any]]:
    """Start a scheduler, which writes s.json, and workers as processes of their own."""
    env = os.environ | environment
    quiet: dict[str, Any] = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": folder,
    }
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    start += ["--port", "0", "--scheduler-file", "s.json", "--no-dashboard"]
    root = str(Path(__file__).parents[2])  # The scheduler opens what is sent to the workers.
    own = {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    running = [subprocess.Popen(start, **quiet, env=os.environ | own)]
    try:
        file, until = folder / "s.json", time.monotonic() + 30
        while time.monotonic() < until:
            if file.exists() and file.read_text().endswith("}"):
                break
            time.sleep(0.05)
        serve = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", "s.json"]
        serve += ["--no-dashboard", "--no-nanny", "--nthreads", "1", "--memory-limit", "0"]
        for _ in range(n_workers):
            running.append(subprocess.Popen(serve, **quiet, env=env))
        yield running
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None and "CI" not in os.environ,
    reason="no Dask here",
)

RUN = """
import sys
from functools import partial
from embviz.errors import EmbvizError
from embviz.shards.blocks import open_shards
from embviz.shards.running import map_blocks, open_workers
from tests.shards.work import tell_slowly
try:
    with open_workers("s.json") as workers:
        blocks = open_shards("x.npy").blocks(1)
        for first in map_blocks(workers, partial(tell_slowly, "."), blocks, "x"):
            pass
except EmbvizError as error:
    sys.exit(f"{error}")
"""


@needs_dask
def test_a_scheduler_that_goes_away_is_one_line_and_nothing_else(here: Path) -> None:
    np.save("x.npy", ROWS[:200])
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    with started(here, PYTHONPATH=path) as (scheduler, _):
        running = subprocess.Popen(
            [sys.executable, "-c", RUN],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
        )
        until = time.monotonic() + 30
        while not list(here.glob("3.*")) and time.monotonic() < until:
            time.sleep(0.05)
        scheduler.kill()
        _, said = running.communicate(timeout=30)
    assert running.returncode == 1
    assert said == (
        "--scheduler s.json: the Dask scheduler went away; start it, and run this again\n"
    )


@needs_dask
def test_workers_without_embviz_are_told_what_they_lack(here: Path) -> None:
    (here / "sitecustomize.py").write_text("import sys\nsys.modules['embviz'] = None\n")
    path = os.pathsep.join([str(here), os.environ.get("PYTHONPATH", "")])
    with (
        started(here, PYTHONPATH=path),
        pytest.raises(LoadError, match=r"s.json: the scheduler or a worker cannot import embviz.*"),
        open_workers("s.json"),
    ):
        pass


@needs_dask
def test_workers_of_another_embviz_are_refused(here: Path) -> None:
    (here / "sitecustomize.py").write_text("import embviz.shards.identity as i; i._CODE = 'old'\n")
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([str(here), root, os.environ.get("PYTHONPATH", "")])
    with (
        started(here, PYTHONPATH=path),
        pytest.raises(LoadError, match=r"the worker tcp://\S+ runs another embviz than this one"),
        open_workers("s.json"),
    ):
        pass


@needs_dask
def test_a_scheduler_without_workers_says_how_to_start_one(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECTING", 1.0)
    with (
        started(here, n_workers=0),
        pytest.raises(LoadError, match=r"has no workers; start some: dask worker tcp://127.0.0.1:"),
        open_workers("s.json"),
    ):
        pass


@needs_dask
def test_a_scheduler_that_loses_all_workers_is_one_line(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "LONELY", 1.0)
    np.save("x.npy", ROWS[:200])
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    with started(here, PYTHONPATH=path) as (_, worker), open_workers("s.json") as workers:
        blocks = open_shards("x.npy").blocks(1)
        results = map_blocks(workers, partial(work.tell_slowly, str(here)), blocks, "x")
        assert next(results) == 0
        worker.kill()
        with pytest.raises(LoadError, match="the Dask scheduler has had no workers for 1 seconds"):
            list(results)


@needs_dask
def test_no_scheduler_is_one_line_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    begun = time.monotonic()
    with pytest.raises(LoadError, match="no Dask scheduler answers there"), open_workers(address):
        pass
    assert time.monotonic() - begun < 5


@needs_dask
def test_something_else_that_listens_is_one_line_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECTING", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LoadError, match=r"no answer|no Dask"), open_workers(address):
            pass


def test_without_dask_it_is_said_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for take in (check_scheduler, lambda address: open_workers(address).__enter__()):
        with pytest.raises(ParameterError, match=r"needs Dask; pip install 'embviz\[dask\]'"):
            take("tcp://127.0.0.1:8786")
