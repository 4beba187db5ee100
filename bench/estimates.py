"""How far what is said before a run is from what it takes.

    python bench/estimates.py [--sizes 3000 10000 30000 100000] [--dims 32 128 768] [--methods tsne umap]

Each is the whole command as a process of its own, on the points of bench/growth.py: its CPU seconds, and
the most memory that it held less the pages of the file, beside the estimate of both. Prints a line for each,
and the least and the largest ratio.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from bench.growth import make_points


def run(command: list[str]) -> tuple[float, float]:
    """Return the CPU seconds and the most bytes of a process."""
    child = os.posix_spawn(sys.executable, [sys.executable, *command], os.environ)
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit(f"stopped with {status}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024.0


def estimate(method: str, n: int, dims: int) -> Any:
    """Return what is said of a run before it."""
    from embviz.pictures.cost import estimate_cost
    from embviz.projections import PCA
    from embviz.projections.tsne import TSNE
    from embviz.projections.umap import UMAP

    projector, k = (TSNE(), 90) if method == "tsne" else (UMAP(), 14)
    return estimate_cost((n, dims), [PCA(), projector], {"cosine": k}, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[3000, 10_000, 30_000, 100_000])
    parser.add_argument("--dims", type=int, nargs="+", default=[32, 128, 768])
    parser.add_argument("--methods", nargs="+", default=["tsne", "umap"])
    options = parser.parse_args()
    print(
        "| points | method | CPU s | said | ratio | GB | said | ratio |\n|---|---|---|---|---|---|---|---|"
    )
    ratios: dict[str, list[float]] = {"time": [], "memory": []}
    with tempfile.TemporaryDirectory() as folder:
        for n in options.sizes:
            for dims in options.dims:
                points = Path(folder, "points.npy")
                make_points(points, n, dims)
                for method in options.methods:
                    command = ["-m", "embviz", "project", str(points), "--method", method]
                    page = ["--dims", "2", "-o", str(Path(folder, "out.html"))]
                    took, held = run([*command, *page])
                    held -= points.stat().st_size
                    said = estimate(method, n, dims)
                    ratios["time"].append(said.seconds / took)
                    ratios["memory"].append(said.memory / held)
                    print(
                        f"| {n:,} × {dims} | {method} | {took:.1f} | {said.seconds:.1f} | "
                        f"{said.seconds / took:.2f} | {held / 1e9:.2f} | {said.memory / 1e9:.2f} | "
                        f"{said.memory / held:.2f} |",
                        flush=True,
                    )
    for what, found in ratios.items():
        print(f"{what}: {min(found):.2f} to {max(found):.2f} of what it took")


if __name__ == "__main__":
    main()
