"""Compare two models' vectors: embviz beside plain scripts of NumPy and scikit-learn.

    python bench/compare.py                     50,000 x 300 against 50,000 x 768
    python bench/compare.py --points 10000      fewer points
    python bench/compare.py --words FILE.npy    vectors against themselves with 10 % of noise

Prints the seconds and the peak memory of each, in a process of its own, their ratio, and how far
the figures differ. One rival is NumPy alone, which multiplies each block of rows once; the other
looks for the 50 nearest with scikit-learn's brute force and multiplies again for the ranks. For one
way to do it that holds all pairs, the memory that emblaze's n x n matrices of float16 take is
computed, not measured.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

BLOCK = 500  # Rows of the rivals' matrices.


def make_models(folder: Path, n_points: int) -> tuple[Path, Path]:
    """Write two models of the same clustered points, the second wider and partly other."""
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((500, 300))
    kinds = rng.integers(0, 500, n_points)
    first = centers[kinds] + rng.standard_normal((n_points, 300))
    moved = np.where(rng.random(n_points) < 0.1, rng.integers(0, 500, n_points), kinds)
    hidden = first + centers[moved] - centers[kinds] + rng.standard_normal(first.shape) / 2
    second = hidden @ rng.standard_normal((300, 768)) / 17
    paths = folder / "a.npy", folder / "b.npy"
    for path, vectors in zip(paths, (first, second), strict=True):
        np.save(path, vectors.astype(np.float32))
    return paths


def add_noise(folder: Path, path: Path) -> Path:
    """Write vectors with noise of a tenth of their length in a random direction."""
    vectors = np.load(path).astype(np.float32)
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(vectors.shape).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    noise *= 0.1 * lengths / np.linalg.norm(noise, axis=1, keepdims=True)
    np.save(folder / "noisy.npy", vectors + noise)
    return folder / "noisy.npy"


def run_ours(a: str, b: str) -> dict[str, Any]:
    import embviz

    found = embviz.compare(a, b, match="row")
    return {**found.figures, "n_compared": len(found.compared)}


def run_rival(a: str, b: str) -> dict[str, Any]:
    """Do it in NumPy: both sides' cosines of a block of rows once, for all figures."""
    from sklearn.preprocessing import normalize

    sides = [normalize(np.load(path)) for path in (a, b)]
    n = len(sides[0])
    common, ranks = {k: np.empty((2, n)) for k in (10, 50)}, np.empty((2, n, 10), np.int64)
    for first in range(0, n, BLOCK):
        rows = np.arange(first, min(first + BLOCK, n))
        cosines = [side[rows] @ side.T for side in sides]
        near = []
        for side in cosines:
            side[np.arange(len(rows)), rows] = -np.inf
            some = np.argpartition(-side, 50, axis=1)[:, :50]
            order = np.argsort(-np.take_along_axis(side, some, 1), axis=1)
            near.append(np.take_along_axis(some, order, 1))
        for here, there in ((0, 1), (1, 0)):
            for k, found in common.items():
                same = near[here][:, :k, None] == near[there][:, None, :k]
                found[here, rows] = same.any(axis=2).mean(axis=1)
            limits = np.take_along_axis(cosines[there], near[here][:, :10], 1)
            for column in range(10):
                nearer = cosines[there] > limits[:, column, None]
                ranks[here, rows, column] = 1 + np.count_nonzero(nearer, axis=1)
    return {
        "overlap10": float(common[10].mean()),
        "overlap50": float(common[50].mean()),
        "rank_median": float(np.median(ranks[0])),
        "rank_back_median": float(np.median(ranks[1])),
    }


def run_library(a: str, b: str) -> dict[str, Any]:
    """Do it with scikit-learn's neighbors, sets, and the cosines again for the ranks."""
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import normalize

    sides = [normalize(np.load(path)) for path in (a, b)]
    near = []
    for side in sides:
        search = NearestNeighbors(n_neighbors=51, algorithm="brute", n_jobs=-1).fit(side)
        near.append(search.kneighbors(side, return_distance=False)[:, 1:])
    n = len(sides[0])
    shares = {
        k: np.mean([len({*x[:k]} & {*y[:k]}) / k for x, y in zip(*near, strict=True)])
        for k in (10, 50)
    }
    ranks = np.empty((2, n, 10), np.int64)
    for here, there in ((0, 1), (1, 0)):
        for first in range(0, n, BLOCK):
            part = slice(first, first + BLOCK)
            cosines = sides[there][part] @ sides[there].T
            limits = np.take_along_axis(cosines, near[here][part, :10], 1)
            for column in range(10):
                # The point itself is nearer than all others, and no neighbor.
                nearer = cosines > limits[:, column, None]
                ranks[here, part, column] = np.count_nonzero(nearer, axis=1)
    return {
        "overlap10": float(shares[10]),
        "overlap50": float(shares[50]),
        "rank_median": float(np.median(ranks[0])),
        "rank_back_median": float(np.median(ranks[1])),
    }


RUNS = {"embviz": run_ours, "NumPy": run_rival, "scikit-learn": run_library}


def measure(name: str, a: Path, b: Path) -> dict[str, Any]:
    """Run one of RUNS in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--run", name, str(a), str(b)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--words", type=Path)
    parser.add_argument("--run", nargs=3)
    given = parser.parse_args()
    if given.run:
        name, a, b = given.run
        start, cpu = time.perf_counter(), time.process_time()
        figures = RUNS[name](a, b)
        took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**figures, **took, "peak_mib": peak}))
        return
    with tempfile.TemporaryDirectory() as folder:
        if given.words:
            a, b = given.words, add_noise(Path(folder), given.words)
        else:
            a, b = make_models(Path(folder), given.points)
        names = list(RUNS)[: 1 if given.words else 3]
        found = {name: measure(name, a, b) for name in names}
        for name, ran in found.items():
            cost = f"{ran['seconds']:8.1f} s{ran['cpu']:8.1f} s of CPU{ran['peak_mib']:8.0f} MiB"
            shown = [f"{k} {v:.4g}" for k, v in ran.items() if v and k[:4] in ("over", "rank")]
            print(f"{name:14}{cost}\n  {', '.join(shown)}")
        n = len(np.load(a, mmap_mode="r"))
        print(f"n x n of float16 for both: {2 * 2 * n * n / 2**20:,.0f} MiB")
        for name in names[1:]:
            times = [f"{found['embviz'][k] / found[name][k]:.2f}" for k in ("seconds", "cpu")]
            print(f"{times[0]} of the time of {name}, {times[1]} of its CPU time")


if __name__ == "__main__":
    main()
