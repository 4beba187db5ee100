"""UMAP where numba finds no place for what it compiles."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

# Not imported, which takes seconds of each process that collects the tests.
pytestmark = pytest.mark.skipif(find_spec("umap") is None, reason="needs umap-learn")

# As where the package cannot be written and there is no home: only a folder that is named is left.
NO_PLACE = """
import sys
import numba.core.caching as caching
for kind in (caching.InTreeCacheLocator, caching.UserWideCacheLocator):
    kind.from_function = classmethod(lambda cls, function, file: None)
from embviz.cli import main
sys.exit(main(sys.argv[1:] if sys.argv[1:] else None))
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "x.npy"
    np.save(path, np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32))
    (tmp_path / "temp").mkdir()
    return path


def project(source: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["project", str(source), "--method", "umap", "-o", str(source.parent / "out.html")]
    return subprocess.run(
        [sys.executable, "-c", NO_PLACE, *command], capture_output=True, text=True, timeout=300,
        env={**os.environ, "NUMBA_CACHE_DIR": "", **environment},
    )  # fmt: skip


def test_a_temporary_folder_serves_until_the_process_ends(tmp_path: Path) -> None:
    """With a package of one function, as those of UMAP take a quarter of a minute to compile."""
    (tmp_path / "temp").mkdir()
    (tmp_path / "compiled.py").write_text(
        "import numba\n@numba.njit(cache=True)\ndef twice(x): return 2 * x\n"
    )
    code = NO_PLACE.partition("from embviz")[0] + (
        "import importlib, os\n"
        "from embviz.projections.numba_cache import import_compiled\n"
        "package = import_compiled(lambda: importlib.import_module('compiled'), 'compiled')\n"
        "print(package.twice(21), len(os.listdir('temp')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "NUMBA_CACHE_DIR": "", "TMPDIR": str(tmp_path / "temp")},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("42 1\n", "")
    assert list((tmp_path / "temp").iterdir()) == []


def test_a_named_folder_that_cannot_be_written_is_refused(source: Path) -> None:
    done = project(source, NUMBA_CACHE_DIR=str(source))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "NUMBA_CACHE_DIR: numba cannot write there; name another folder" in line


@pytest.mark.skipif(os.name == "nt", reason="no signal ends a process there")
def test_a_stopped_run_leaves_no_temporary_folder(source: Path) -> None:
    temp = source.parent / "temp"
    code = NO_PLACE.replace("sys.argv[1:] if sys.argv[1:] else None", "None")
    command = ["project", str(source), "--method", "umap", "-o", str(source.parent / "out.html")]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command], stderr=subprocess.PIPE,
        env={**os.environ, "NUMBA_CACHE_DIR": "", "TMPDIR": str(temp)},
    )  # fmt: skip
    until = time.monotonic() + 120
    while not list(temp.glob("embviz-numba-*/*")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert list(temp.iterdir()) == []
