"""A source that becomes shorter while it is mapped ends a command in one line."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGBUS"), reason="no such signal here")

BEGIN = """
import os, signal, threading
from pathlib import Path
import numpy as np
from embviz.commands.shared.lost import heed_lost_pages
from embviz.inputs import map_file
from embviz.outputs.files import fresh_file
heed_lost_pages()
rows = map_file(Path("x.npy"), "<f4", 128, (30000, 64))
"""
TOUCHES = {
    "a sum": "rows.sum()",
    "a product of several threads": "rows @ rows[:500].T",
    "a sum in a thread": "run = threading.Thread(target=rows.sum); run.start(); run.join()",
    "eight threads at once": (
        "runs = [threading.Thread(target=rows[i::8].sum) for i in range(8)]\n"
        "    [run.start() for run in runs]; [run.join() for run in runs]"
    ),
    "one number": "float(rows[20000, 3])",
    "bytes that are written": "out.write(rows[20000:])",
}


def run_in(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES.keys())
def test_pages_that_are_gone_are_told_in_one_line_and_what_was_begun_is_undone(
    tmp_path: Path, touch: str
) -> None:
    np.save(tmp_path / "x.npy", np.ones((30000, 64), np.float32))
    body = f'with fresh_file(Path("out")) as out:\n    os.truncate("x.npy", 4096)\n    {touch}\n'
    ran = run_in(tmp_path, BEGIN + body)
    said = "x.npy: became shorter while it was read, 4,096 of 7,680,128 bytes are left"
    assert said in ran.stderr.splitlines()[-1]
    assert ran.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]
    if "write" not in touch:
        assert ran.stderr == f"embviz: {said}; run again when it is written\n"


def test_a_bus_error_that_no_file_explains_stays_one(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((30000, 64), np.float32))
    ran = run_in(tmp_path, BEGIN + "[os.kill(os.getpid(), signal.SIGBUS) for _ in range(2)]")
    assert ran.returncode == -signal.SIGBUS


COMMAND = """
import os, sys
from embviz.cli import main
from embviz.loaders.arrays import npy
mapped = npy.map_file
def map_and_hurt(*asked):
    rows = mapped(*asked)
    npy.map_file = mapped
    {}
    return rows
npy.map_file = map_and_hurt
sys.argv = ["embviz", {}]
sys.exit(main())
"""
HURTS = {
    "cut": 'os.truncate("x.npy", 4096)',
    "emptied": 'os.truncate("x.npy", 0)',
    "rewritten": 'open("x.npy", "r+b").write(b"\\x93NUMPY later")',
}


@pytest.mark.parametrize(
    "arguments",
    [
        '"project", "x.npy", "-o", "out"',
        '"export", "x.npy", "-o", "out"',
        '"neighbors", "--all", "--source", "x.npy", "-o", "out.tsv"',
        '"index", "x.npy", "-o", "out"',
    ],
)
@pytest.mark.parametrize("hurt", HURTS.values(), ids=HURTS.keys())
def test_a_command_whose_source_changes_ends_in_one_line_and_leaves_nothing(
    tmp_path: Path, arguments: str, hurt: str
) -> None:
    vectors = np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32)
    np.save(tmp_path / "x.npy", vectors)
    ran = run_in(tmp_path, COMMAND.format(hurt, arguments))
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("embviz: x.npy: ")
    assert "Traceback" not in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]
