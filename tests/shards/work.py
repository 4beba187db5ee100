"""What workers do in these tests; they import it by its name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from embviz.shards.components import summarize
from embviz.shards.running import Node
from embviz.shards.values import Block


def first_and_process(block: Block) -> tuple[int, int]:
    return block.first, os.getpid()


def later_ones_first(block: Block) -> int:
    time.sleep(0.05 * (block.first == 0))
    return block.first


def note_and_die_once(folder: str, at: int, block: Block) -> int:
    """Say that a block was begun; kill the worker at one block, the first time."""
    (Path(folder) / f"{block.first}.begun-{time.time_ns()}").touch()
    mark = Path(folder) / "died"
    if block.first == at and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return block.first


def die(block: Block) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def summarize_slowly(block: Block) -> tuple[int, tuple[Node[Any], ...]]:
    """Return a worker's process and what `summarize` does."""
    time.sleep(0.1)
    return os.getpid(), summarize(block)


def tell_slowly(folder: str, block: Block) -> int:
    """Say that a block was begun, and take a while."""
    (Path(folder) / f"{block.first}.{os.getpid()}").touch()
    time.sleep(0.2)
    return block.first
