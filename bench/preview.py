"""What does a picture of the first view cost, in one thread?

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python bench/preview.py [--points 10000 100000 1000000]

For each number of points, in 2D and 3D: CPU seconds from points and their places to the bytes of the
PNG, the least of three, colored by ten categories and in one color with its density shaded; and of
as many thumbnails of 28 x 28 pixels, up to 100,000. Points are Gaussian in ten clusters.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from embviz import EmbeddingTable, Projection, pack_tiles
from embviz.preview import encode_preview

MOST_TILES = 100_000


def make_points(n: int, dims: int) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 10, n)
    centers = rng.normal(size=(10, dims)) * 4
    places = (centers[group] + rng.normal(size=(n, dims))).astype(np.float32)
    return places, tuple(map(str, group.tolist()))


def make_tiles(n: int) -> np.ndarray[Any, Any]:
    """Strokes on white, each its own."""
    rng = np.random.default_rng(0)
    tiles = np.full((n, 28, 28), 255, np.uint8)
    for i, (u, v) in enumerate(rng.integers(4, 18, (n, 2))):
        tiles[i, v : v + 6, 6:22] = 0
        tiles[i, 6:22, u : u + 3] = 0
    return tiles


def measure(table: EmbeddingTable, made: Projection, dims: int) -> tuple[float, int]:
    seconds, size = [], 0
    for _ in range(3):
        start = time.process_time()
        size = len(encode_preview(table, [made], dims=dims))
        seconds.append(time.process_time() - start)
    return min(seconds), size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    print("| points | | categories s | one color s | thumbnails s | file kB |")
    print("|---|---|---|---|---|---|")
    for n in parser.parse_args().points:
        for dims in (2, 3):
            places, group = make_points(n, dims)
            made = Projection("map", places)
            by_group, size = measure(EmbeddingTable(places, {"group": group}), made, dims)
            plain, _ = measure(EmbeddingTable(places), made, dims)
            tiled = "-"
            if n <= MOST_TILES:
                sprite = pack_tiles(make_tiles(n))
                table = EmbeddingTable(places, {"group": group}, sprite=sprite)
                tiled = f"{measure(table, made, dims)[0]:.2f}"
            row = f"| {n:,} | {dims}D | {by_group:.2f} | {plain:.2f} | {tiled} | {size // 1000} |"
            print(row, flush=True)


if __name__ == "__main__":
    main()
