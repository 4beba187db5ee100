"""Checkpoints that the real TensorFlow wrote, once a session and in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

# What writes files byte by byte is of use beside their own tests.
for folder in ("checkpoint", "weights"):
    sys.path.insert(0, str(Path(__file__).with_name(folder)))


@pytest.fixture(scope="session")
def info_without() -> Callable[[str, Path], subprocess.CompletedProcess[str]]:
    """What `embviz info` says of a source where a package is not installed."""

    def run(package: str, source: Path) -> subprocess.CompletedProcess[str]:
        code = (
            f"import sys; sys.modules['{package}'] = None; "
            "sys.argv = ['embviz', 'info', sys.argv[1]]; "
            "from embviz.__main__ import main; sys.exit(main())"
        )
        return subprocess.run([sys.executable, "-c", code, source], capture_output=True, text=True)

    return run


@dataclass(frozen=True)
class Saved:
    """A folder of checkpoints and what TensorFlow reads from them.

    `tensors` is {prefix under root: {key: (shape, type name, bytes)}}; `table` float32 (100, 8) is
    the table that most of them hold, before training.
    """

    root: Path
    tensors: Mapping[str, Mapping[str, tuple[tuple[int, ...], str, bytes]]]
    table: NDArray[np.float32]


def _written_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of checkpoints, which one of several test processes writes for all."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    root, whole = place / "tf", place / "tf-is-whole"
    try:
        root.mkdir()
    except FileExistsError:
        until = time.monotonic() + 300
        while not whole.exists():
            assert time.monotonic() < until, "the other process wrote no checkpoints"
            time.sleep(0.05)
        return root
    script = Path(__file__).with_name("tf_checkpoints.py")
    done = subprocess.run(
        [sys.executable, str(script), str(root)], capture_output=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-3000:]
    whole.touch()
    return root


@pytest.fixture(scope="session")
def tf_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """Write one checkpoint of every kind; some 10 seconds."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed")
    root = _written_once(tmp_path_factory)
    oracle = json.loads((root / "oracle.json").read_text(encoding="utf-8"))
    binary = (root / "oracle.bin").read_bytes()
    tensors = {
        prefix: {
            key: (tuple(shape), dtype, binary[at : at + size])
            for key, (shape, dtype, at, size) in entries.items()
        }
        for prefix, entries in oracle.items()
    }
    table = np.random.default_rng(7).normal(size=(100, 8)).astype(np.float32)
    return Saved(root, tensors, table)
