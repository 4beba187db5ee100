"""How long exact PCA takes on a memory map, beside NumPy's own covariance in blocks.

    python bench/pca.py [--rows 1000000] [--dims 300] [--folder DIR]

Writes float32 vectors with a decaying spectrum to a temporary .npy, then runs each way as a
process and prints wall and CPU seconds and the memory beyond the page cache.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PEAK = """
import os, threading, time
peak = [0]
def watch():
    while True:
        with open("/proc/self/status") as status:
            held = [int(line.split()[1]) for line in status if line.startswith("RssAnon")]
        peak[0] = max([peak[0], *held])
        time.sleep(0.002)
if os.path.exists("/proc/self/status"):
    threading.Thread(target=watch, daemon=True).start()
"""
OURS = """
from embviz.model import EmbeddingTable
from embviz.projections import PCA
PCA().project(EmbeddingTable(np.load(sys.argv[1], mmap_mode="r")))
"""
NUMPY = """
x = np.load(sys.argv[1], mmap_mode="r")
mean = np.zeros(x.shape[1])
step = (1 << 24) // (4 * x.shape[1])
for i in range(0, len(x), step):
    mean += x[i : i + step].sum(axis=0)
mean = (mean / len(x)).astype(np.float32)
moments = np.zeros((x.shape[1],) * 2)
for i in range(0, len(x), step):
    block = x[i : i + step] - mean
    moments += block.T @ block
directions = np.linalg.eigh(moments)[1][:, :-11:-1].astype(np.float32)
out = np.empty((len(x), 10), np.float32)
for i in range(0, len(x), step):
    out[i : i + step] = (x[i : i + step] - mean) @ directions
"""


def write_vectors(path: Path, rows: int, dims: int) -> None:
    """Write float32 vectors, block by block."""
    rng = np.random.default_rng(0)
    scales = (1 / np.sqrt(np.arange(1, dims + 1))).astype(np.float32)
    turned = np.linalg.qr(rng.normal(size=(dims, dims)))[0].astype(np.float32)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, dims))
    for start in range(0, rows, 50_000):
        block = rng.standard_normal((min(50_000, rows - start), dims), dtype=np.float32)
        out[start : start + len(block)] = (block * scales) @ turned + 1
    out.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dims", type=int, default=300)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "vectors.npy"
        write_vectors(path, options.rows, options.dims)
        print(f"{options.rows:,} x {options.dims} float32, {path.stat().st_size >> 20:,} MB")
        print(f"{'run':8} {'wall s':>8} {'CPU s':>8} {'anonymous MB':>14}")
        for name, code in (("numpy", NUMPY), ("embviz", OURS)) * 2:
            script = f"{PEAK}\nimport sys, numpy as np\n{code}\nprint(time.process_time(), peak[0])"
            begun = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", script, str(path)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            wall = time.perf_counter() - begun
            cpu, peak = done.stdout.split()
            print(f"{name:8} {wall:8.2f} {float(cpu):8.2f} {int(peak) / 1024:14.0f}")


if __name__ == "__main__":
    main()
