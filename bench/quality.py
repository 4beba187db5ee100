"""What it costs to measure how faithful pictures are.

    python bench/quality.py mnist70k.npy words.npy [--only-beside] [--drawn]

Of each file PCA in 2D and 3D and a map of two components (PCA's, shaken) are measured, once beside the
neighbors of all points that t-SNE or UMAP look for, and once alone. CPU seconds are of all threads; those of the
first process to import SciPy and faiss are not counted.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from embviz import PCA, EmbeddingTable, Neighbors, Projection
from embviz.neighbors import build_graph
from embviz.pictures.quality import measure_qualities
from embviz.space import open_space


def draw(n_points: int) -> Neighbors:
    """Return neighbors that are none."""
    rng = np.random.default_rng(0)
    near = rng.integers(0, n_points, (n_points, 15), dtype=np.int32)
    return Neighbors(near, np.sort(rng.random(near.shape, np.float32), axis=1), "cosine", 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--only-beside", action="store_true", help="not without a graph")
    parser.add_argument(
        "--drawn", action="store_true", help="neighbors drawn at random: as costly to measure"
    )
    asked = parser.parse_args()
    warm = EmbeddingTable(np.random.default_rng(0).normal(size=(200, 5)))
    measure_qualities(open_space(warm), [PCA().project(warm)], build_graph(warm, 15))
    print(
        "| data | beside | points ranked | wall s | CPU s | figures of the map |\n|---|---|---|---|---|---|"
    )
    for path in asked.files:
        table = EmbeddingTable(np.load(path, mmap_mode="r"))
        space = open_space(table)
        linear = PCA().project(table)
        shaken = linear.coordinates[:, :2] + np.random.default_rng(0).normal(
            size=(table.n_points, 2)
        )
        pictures = [linear, Projection("map", shaken.astype(np.float32))]
        kinds = ["graph"] if asked.only_beside else ["graph", "cosine"]
        for kind in kinds:
            near = kind
            if kind == "graph":
                near = draw(table.n_points) if asked.drawn else build_graph(table, 15, space=space)
            wall, cpu = time.perf_counter(), time.process_time()
            (found,) = measure_qualities(space, pictures, near)[1]
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            beside = "neighbors of all" if kind == "graph" else "nothing"
            told = getattr(found, "figures", {"trustworthiness": found.trustworthiness})
            names = (
                "trustworthiness",
                "trustworthiness_se",
                "continuity",
                "continuity_se",
                "continuity50_se",
            )
            said = ", ".join(f"{name} {told[name]:.4f}" for name in names if name in told)
            shape = f"{path.stem} {table.n_points:,} × {table.n_dims}"
            print(
                f"| {shape} | {beside} | {found.sample:,} | {wall:.1f} | {cpu:.1f} | {said} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
