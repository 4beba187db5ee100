"""How long clusters of a map take, and how well they agree with known classes.

python bench/clusters.py [MAP.npy LABELS.txt]

Without a map: points around 300 centers, 10,000 to 1,000,000 of them. Times are of the processor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from embviz.clusters.levels import find_levels
from embviz.clusters.names import name_groups
from embviz.clusters.spanning import span_map

T = TypeVar("T")
SIZES = (10_000, 70_000, 341_479, 1_000_000)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def around_centers(n_points: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(300, 2)) * 30
    noise = rng.normal(size=(n_points, 2))
    return (centers[rng.integers(0, 300, n_points)] + noise).astype(np.float32)


def tell(places: NDArray[np.float32], labels: list[str], known: bool) -> None:
    from sklearn.metrics import adjusted_rand_score

    n = len(places)
    _, of_tree = timed(lambda: span_map(places))
    levels, of_all = timed(lambda: find_levels(places))
    print(f"{n:,} points: {of_all:.1f} s, of which the tree {of_tree:.1f}")
    for codes in levels:
        k = int(codes.max()) + 1
        names, of_names = timed(lambda: name_groups(labels, codes, k, places, range(n)))  # noqa: B023
        line = f"  {k} clusters, {(codes < 0).mean():.0%} in none, names {of_names:.1f} s"
        if known:
            there = codes >= 0
            some = adjusted_rand_score(np.array(labels)[there], codes[there])
            line += f"; adjusted Rand index {adjusted_rand_score(labels, codes):.3f}, "
            line += f"{some:.3f} of those in one"
        print(f"{line}: {', '.join(names[:10])}")


def main() -> None:
    if len(sys.argv) == 3:
        labels = Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()
        tell(np.load(sys.argv[1]), labels, len(set(labels)) < 100)
        return
    for n_points in SIZES:
        tell(around_centers(n_points), [f"w{i}" for i in range(n_points)], known=False)


if __name__ == "__main__":
    main()
