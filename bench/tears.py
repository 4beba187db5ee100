"""What it takes to say where a t-SNE map is torn, beside the map itself, and how far a grid is off.

    python bench/tears.py VECTORS.npy [--perplexity 30] [--points 70000] [--exact]

Prints CPU and wall seconds of both and the quantiles of the score; with --exact also sums all pairs
and says by how much the scores on the grid differ.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from embviz.model import EmbeddingTable
from embviz.projections import tsne, tsne_tears
from embviz.projections.tsne import TSNE
from embviz.projections.tsne_tears import measure_tears


def main() -> None:
    """Measure one map."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("vectors")
    parser.add_argument("--perplexity", type=float)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--points", type=int)
    parser.add_argument("--exact", action="store_true")
    options = parser.parse_args()
    vectors = np.load(options.vectors, mmap_mode="r")[: options.points]
    kept: list[Any] = []

    def measure(points: Any, affinities: Any, n_threads: int) -> Any:
        begun = time.process_time(), time.perf_counter()
        found = measure_tears(points, affinities, n_threads)
        took = time.process_time() - begun[0], time.perf_counter() - begun[1]
        kept.append((points.copy(), affinities, n_threads, found, took))
        return found

    tsne.measure_tears = measure
    begun = time.process_time(), time.perf_counter()
    TSNE(metric="euclidean", perplexity=options.perplexity, iterations=options.iterations).project(
        EmbeddingTable(vectors)
    )
    points, affinities, n_threads, found, took = kept[-1]
    whole = time.process_time() - begun[0], time.perf_counter() - begun[1]
    print(f"{len(points):,} points, extent {np.ptp(points, axis=0).max():.0f}")
    print(f"map and scores: {whole[0]:.1f} s CPU, {whole[1]:.1f} s")
    if found is None:
        print("no scores: too many points, or too large a map")
        return
    print(f"scores, {found.method}: {took[0]:.2f} s CPU, {took[1]:.2f} s")
    marks = (5, 50, 95, 99)
    quantiles = np.nanpercentile(found.scores, marks)
    told = ", ".join(f"{m} %: {q:.2f}" for m, q in zip(marks, quantiles, strict=True))
    print(f"unsettled {found.unsettled:.4%}; {told}")
    if options.exact and found.method != "exact":
        tsne_tears.EXACT_POINTS = {2: len(points)}
        begun = time.process_time(), time.perf_counter()
        exact = measure_tears(points, affinities, n_threads)
        print(f"all pairs: {time.process_time() - begun[0]:.1f} s CPU")
        assert exact is not None
        off = np.abs(found.scores / exact.scores - 1)
        print("off by, median, 95 %, 99 %:", np.nanpercentile(off, (50, 95, 99)).round(5))


if __name__ == "__main__":
    main()
