"""How large is a page without vectors beside Plotly Express's of the same points and names?

    python bench/page_size.py [--vectors words.npy --labels words.tsv] [--points 10000 100000 341479]

Ours holds ten principal components, names, measures and texts; theirs the first two or three components
as float32 and the names, with Plotly's script inside. Without files the points are Gaussian, of 100
dimensions in ten clusters, and are called p0, p1, ...
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))


def make_points(n: int) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(10, 100)) * 2
    points = centers[rng.integers(0, 10, n)] + rng.normal(size=(n, 100))
    return points.astype(np.float32), [f"p{i}" for i in range(n)]


def read_points(vectors: Path, labels: Path, n: int) -> tuple[np.ndarray, list[str]]:
    with labels.open(encoding="utf-8", newline="\n") as file:
        names = [line.rstrip("\n") for line in itertools.islice(file, n)]
    return np.asarray(np.load(vectors, mmap_mode="r")[:n]), names


def size_of_theirs(path: Path, coordinates: np.ndarray, names: list[str]) -> int:
    import plotly.express as px

    x, y, *z = coordinates.T
    if z:
        figure = px.scatter_3d(x=x, y=y, z=z[0], hover_name=names)
    else:
        figure = px.scatter(x=x, y=y, hover_name=names, render_mode="webgl")
    figure.write_html(path, include_plotlyjs=True)
    return path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    options = parser.parse_args()
    import embviz

    print("| points | ours, MB | theirs in 2D, MB | ratio | theirs in 3D, MB | ratio |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.html"
        for n in options.points:
            if options.vectors:
                vectors, names = read_points(options.vectors, options.labels, n)
            else:
                vectors, names = make_points(n)
            table = embviz.EmbeddingTable(vectors, {"name": tuple(names)}, "points")
            found = embviz.PCA().project(table)
            ours = embviz.write_report(path, table, [found], vectors="none")
            row = [f"{n:,}", f"{ours / 1e6:.2f}"]
            for dims in (2, 3):
                theirs = size_of_theirs(path, np.asarray(found.coordinates[:, :dims]), names)
                row += [f"{theirs / 1e6:.2f}", f"{ours / theirs:.2f}"]
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
