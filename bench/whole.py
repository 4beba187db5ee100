"""The whole command on real vectors, of this checkout and of another one: time, memory, the map.

    python bench/whole.py vectors.npy [more.npy ...] --against OTHER_CHECKOUT [--dims 2] [--repeat 1]

Each runs as a process of its own, `embviz project FILE --method tsne`, in turn. KL is that of both
maps on the same affinities, from this checkout's neighbor graph; kept is the mean share of the ten
nearest neighbors in the map that are among the ten nearest of the vectors, of 3,000 points.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parents[1]
K = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--against", type=Path, help="a checkout, whose embviz is run too")
    parser.add_argument("--dims", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=1)
    asked = parser.parse_args()
    trees = {"this": HERE} | ({"other": asked.against.resolve()} if asked.against else {})
    print("| vectors | checkout | wall s | CPU s | peak MB | page MB | KL | kept |")
    print("|---|---|---|---|---|---|---|---|")
    for file in asked.files:
        with tempfile.TemporaryDirectory() as folder:
            best = {}
            for _ in range(asked.repeat):
                for name, tree in trees.items():
                    found = run(tree, file, asked.dims, Path(folder) / name)
                    best[name] = min(best.get(name, found), found)
            measured = judge(file, {n: Path(folder) / f"{n}.npz" for n in trees}, asked.dims)
            for name, (wall, cpu, peak, size) in best.items():
                kl, kept = measured[name]
                cells = f"{wall:.1f} | {cpu:.1f} | {peak:.0f} | {size:.1f} | {kl:.4f} | {kept:.4f}"
                print(f"| {file.stem} | {name} | {cells} |", flush=True)
            if len(best) == 2:
                ratios = [a / b for a, b in zip(best["this"], best["other"], strict=True)]
                kls = measured["this"][0] / measured["other"][0]
                shown = " | ".join(f"{ratio:.2f}" for ratio in ratios)
                print(f"| | ratio | {shown} | {kls:.4f} | |", flush=True)


def run(tree: Path, file: Path, dims: int, out: Path) -> tuple[float, float, float, float]:
    """Return a run's seconds, its processor's, its peak in MB, and the page's size in MB."""
    command = [sys.executable, "-m", "embviz", "project", str(file), "--method", "tsne"]
    command += ["--dims", str(dims), "-o", f"{out}.html", "--save-coordinates", f"{out}.npz"]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=out.parent, env={**os.environ, "PYTHONPATH": str(tree)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    told = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    if status:
        raise SystemExit(told.decode(errors="replace"))
    scale = 1024 if sys.platform != "darwin" else 1 << 20
    size = Path(f"{out}.html").stat().st_size / 1e6
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / scale, size


def judge(file: Path, maps: dict[str, Path], dims: int) -> dict[str, tuple[float, float]]:
    """Return each map's divergence on the same affinities, and the neighbors that it keeps."""
    sys.path.insert(0, str(HERE))
    from scipy.spatial import KDTree

    import embviz
    from embviz.kernels import count_cores
    from embviz.neighbors.graph import build_graph
    from embviz.projections.tsne_affinities import find_joint
    from embviz.projections.tsne_gradient import Gradient

    graph = build_graph(embviz.load_table(file), 90)
    gradient = Gradient(find_joint(graph, 30), count_cores())
    n = len(graph.indices)
    rows = np.random.default_rng(0).choice(n, min(n, 3000), replace=False)
    found = {}
    for name, path in maps.items():
        with np.load(path) as saved:
            key = next(k for k in saved.files if "tsne" in k and saved[k].shape == (n, dims))
            places = np.ascontiguousarray(saved[key], np.float64)
        near = KDTree(places).query(places[rows], K + 1)[1]
        true = graph.indices[rows, :K]
        kept = [
            len((set(line.tolist()) - {row}) & set(own.tolist()))
            for row, line, own in zip(rows.tolist(), near, true, strict=True)
        ]
        found[name] = gradient.divergence(places), float(np.mean(kept)) / K
    return found


if __name__ == "__main__":
    main()
