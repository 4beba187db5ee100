"""What is said on a terminal while a command works."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a pseudo terminal")

SLOW = """
import sys, time
import embviz.loaders as home
whole = home.list_tensors
def slow(*arguments, **options):
    time.sleep(3.2)
    return whole(*arguments, **options)
home.list_tensors = slow
from embviz.cli import main
sys.exit(main())
"""


def test_a_stage_that_says_nothing_is_said_again_each_second(tmp_path: Path) -> None:
    import pty

    np.save(tmp_path / "x.npy", np.eye(3, dtype=np.float32))
    main, side = pty.openpty()
    command = [sys.executable, "-c", SLOW, "info", "x.npy"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=side)
    os.close(side)
    seen, times = b"", []
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
        times.append(time.monotonic())
    os.close(main)
    assert process.stdout is not None
    assert process.stdout.read().decode().startswith("*  x  3 × 3")
    assert process.wait() == 0
    pieces = seen.decode().split("\r\x1b[2K")
    assert [p for p in pieces if p][:3] == [f"info: reading, {n} s" for n in (1, 2, 3)]
    assert seen.endswith(b"\r\x1b[2K")
    # Other work on this machine may take the processor for a moment.
    assert max(np.diff(times)) < 2.5


def test_nothing_is_said_where_there_is_no_terminal(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(3, dtype=np.float32))
    command = [sys.executable, "-c", SLOW, "info", "x.npy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert done.stderr == b""
