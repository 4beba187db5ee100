"""How good and how fast t-SNE of few points is beside openTSNE's defaults.

    python bench/few_points.py [--words words.npy] [--sizes 4,5,…] [--seeds 4] [--first-seed 100]

Prints a table, each row the mean over seeds, which also draw the points: KL divergence of both maps
on the same exact affinities (all points compared, euclidean, perplexity 30 or the most that fits)
summed over all pairs in float64; trustworthiness for 10 neighbors or the most that fit, and how much
that of embviz is above openTSNE's with the standard error of this mean; the ratio of CPU seconds.
Seeds 0 to 3 drew the points on which the schedule was chosen among others, so that the default is
four that had no part in it.
"""

from __future__ import annotations

import argparse
import math
import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZES = (4, 5, 8, 12, 20, 50, 100, 200, 400, 800, 1500, 3000)
Rows = NDArray[np.float32]


def draw(rows: NDArray[Any], n: int, rng: np.random.Generator) -> Rows:
    return rows[np.sort(rng.choice(len(rows), min(n, len(rows)), replace=False))].astype("f4")


def clusters(n: int, rng: np.random.Generator) -> Rows:
    """Ten Gaussians of deviation 1 in 50 dimensions, their centers of deviation 1 too."""
    centers = rng.normal(size=(10, 50))
    return (centers[rng.integers(10, size=n)] + rng.normal(size=(n, 50))).astype(np.float32)


def divergence(affinities: Any, points: NDArray[Any]) -> float:
    """Return the KL divergence, every pair taken one by one."""
    points = np.asarray(points, np.float64)
    total = -float(len(points))
    for row in points:
        total += (1 / (1 + ((row - points) ** 2).sum(axis=1))).sum()
    pairs = affinities.tocoo()
    known = pairs.data > 0
    p, i, j = pairs.data[known], pairs.row[known], pairs.col[known]
    squares = ((points[i] - points[j]) ** 2).sum(axis=1)
    return float((p * (np.log(p) + np.log1p(squares) + np.log(total))).sum())


def theirs(vectors: Rows, seed: int) -> NDArray[Any]:
    import openTSNE

    return np.asarray(openTSNE.TSNE(n_jobs=2, random_state=seed).fit(vectors.astype(float)))


def ours(vectors: Rows, seed: int) -> NDArray[Any]:
    import embviz

    table = embviz.EmbeddingTable(vectors)
    return embviz.TSNE(metric="euclidean", seed=seed).project(table).coordinates


def measure(fit: Callable[..., NDArray[Any]], vectors: Rows, seed: int) -> tuple[float, ...]:
    """Return divergence, trustworthiness and CPU seconds."""
    from openTSNE import affinity, nearest_neighbors
    from scipy.spatial.distance import cdist
    from sklearn.manifold import trustworthiness

    begun = time.process_time()
    points = fit(vectors, seed)
    seconds = time.process_time() - begun
    n = len(vectors)
    perplexity = min(30, (n - 1) / 3)
    squares = cdist(vectors.astype(float), vectors.astype(float), "sqeuclidean")
    np.fill_diagonal(squares, np.inf)
    near = np.argsort(squares, axis=1)[:, : min(n - 1, math.ceil(3 * perplexity - 1e-9))]
    squares = np.take_along_axis(squares, near, axis=1)
    # Less the nearest, which cancels: openTSNE's search is off where all probabilities underflow.
    graph = nearest_neighbors.PrecomputedNeighbors(near, np.sqrt(squares - squares[:, :1]))
    known = affinity.PerplexityBasedNN(perplexity=perplexity, knn_index=graph, n_jobs=2)
    kept = trustworthiness(vectors, points, n_neighbors=min(10, (n - 1) // 2))
    return divergence(known.P, points), float(kept), seconds


def main() -> None:
    from sklearn.datasets import load_digits

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", help="word vectors, a .npy; 20,000 first ones are drawn from")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--first-seed", type=int, default=100)
    options = parser.parse_args()
    digits = load_digits().data
    kinds = {"digits": lambda n, rng: draw(digits, n, rng), "clusters": clusters}
    if options.words:
        words = np.load(options.words, mmap_mode="r")[:20_000]
        kinds["words"] = lambda n, rng: draw(words, n, rng)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for fit in (theirs, ours):
        fit(digits[:50].astype("f4"), 0)  # Imports are not measured.
    print("| n | data | draws | KL openTSNE | KL embviz | ratio | trust openTSNE | trust embviz "
          "| difference | CPU ratio |\n|" + "---|" * 10)  # fmt: skip
    for n in map(int, options.sizes.split(",")):
        for kind, make in kinds.items():
            sets = [make(n, np.random.default_rng(s)) for s in seeds]
            pairs = zip(seeds, sets, strict=True)
            found = np.array([[measure(fit, x, s) for fit in (theirs, ours)] for s, x in pairs])
            (a, ta, ca), (b, tb, cb) = found.mean(axis=0)
            apart = found[:, 1, 1] - found[:, 0, 1]
            error = apart.std(ddof=1) / len(apart) ** 0.5 if len(apart) > 1 else float("nan")
            print(
                f"| {len(sets[0]):,} | {kind} | {len(sets)} | {a:.4f} | {b:.4f} | {b / a:.3f} "
                f"| {ta:.3f} | {tb:.3f} | {tb - ta:+.4f} ± {error:.4f} | {cb / ca:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
