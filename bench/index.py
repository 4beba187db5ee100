"""Building an index: time, size and memory by the number of rows, and recall against time.

    python bench/index.py VECTORS.npy ROWS [ROWS ...]

Each index is built by a process of its own from the first ROWS rows; the queries of the second
table run within one process, after a first one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # As the command does for one query.

import numpy as np


def main() -> None:
    vectors = np.load(sys.argv[1], mmap_mode="r")
    folder = Path(tempfile.mkdtemp(dir=Path(sys.argv[1]).parent))
    built, curves = [], []
    for rows in map(int, sys.argv[2:]):
        np.save(folder / "part.npy", vectors[:rows])
        start = time.perf_counter()
        command = [sys.executable, "-m", "embviz", "index", "part.npy", "-o", f"idx{rows}"]
        process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0
        wall, cpu = time.perf_counter() - start, used.ru_utime + used.ru_stime
        size = sum(file.stat().st_size for file in (folder / f"idx{rows}").iterdir())
        peak = used.ru_maxrss / 1024
        built.append(f"| {rows:,} | {wall:.1f} | {cpu:.1f} | {size / 1e6:.0f} | {peak:.0f} |")
        curves += [
            measure(folder / f"idx{rows}", recall) for recall in (0.9, 0.95, 0.98, 0.99, 0.999, 1.0)
        ]
        (folder / "part.npy").unlink()
        print(built[-1], flush=True)
    print("\n| points | build s | CPU s | size MB | memory MB |\n|---|---|---|---|---|")
    print("\n".join(built))
    print("\n| points | recall wanted | measured | cells | rows read | ms a query |")
    print("|---|---|---|---|---|---|")
    print("\n".join(curves))
    subprocess.run(["rm", "-r", str(folder)], check=True)


def measure(path: Path, wanted: float) -> str:
    from embviz import open_index

    index = open_index(path)
    points = np.random.default_rng(9).choice(index.n_points, 30, replace=False)
    index.find_neighbors(points[:1], 10, recall=wanted)
    times = []
    for point in points:
        start = time.perf_counter()
        found = index.find_neighbors([point], 10, recall=wanted)
        times.append(time.perf_counter() - start)
    cells, share = index.store.n_cells, 1.0
    place = None if index.recall is None else index.recall.choose(10, wanted)
    if place is not None and index.recall is not None:
        cells, share = index.recall.cells[place], index.recall.rows[place]
    return (
        f"| {index.n_points:,} | {wanted} | {found.recall:.4f} | {cells:,} of "
        f"{index.store.n_cells:,} | {100 * share:.1f} % | {1e3 * float(np.median(times)):.1f} |"
    )


if __name__ == "__main__":
    main()
