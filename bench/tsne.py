"""How long a t-SNE report takes beside openTSNE's own defaults, each as a process to its file.

    python bench/tsne.py mnist10k.npy [mnist70k.npy …]

Prints a table: wall and CPU seconds, peak memory, KL divergence of both maps on the same exact
affinities (all points compared, perplexity 30, euclidean).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# The whole command, to the finished page; the coordinates are written beside it.
OURS = """
import sys
import numpy as np
from embviz.cli import main
source, out = sys.argv[1:]
options = ["--method", "tsne", "--dims", "2", "--metric", "euclidean"]
if main(["project", source, *options, "--save-coordinates", out + ".npz", "-o", out + ".html"]):
    sys.exit(1)
np.save(out, np.load(out + ".npz")["tsne_2"])
"""
THEIRS = """
import sys, numpy as np, openTSNE
vectors = np.load(sys.argv[1])
np.save(sys.argv[2], np.asarray(openTSNE.TSNE(n_jobs=2, random_state=0).fit(vectors)))
"""
KL = """
import sys, faiss, numpy as np
from openTSNE import affinity, kl_divergence, nearest_neighbors
vectors = np.load(sys.argv[1]).astype(np.float32)
vectors -= vectors.mean(axis=0)
squares, indices = faiss.knn(vectors, vectors, 91)
rows = np.arange(len(vectors))[:, None]
squares[indices == rows] = -1
order = np.argsort(squares, axis=1, kind="stable")[:, 1:]
indices = np.take_along_axis(indices, order, 1)
distances = np.sqrt(np.maximum(np.take_along_axis(squares, order, 1), 0))
known = nearest_neighbors.PrecomputedNeighbors(indices, distances)
P = affinity.PerplexityBasedNN(perplexity=30, knn_index=known, n_jobs=2).P
for name in sys.argv[2:]:
    points = np.ascontiguousarray(np.load(name), dtype=np.float64)
    print(kl_divergence.kl_divergence_approx_fft(
        P.indices, P.indptr, P.data, points, dof=1,
        n_interpolation_points=3, min_num_intervals=100, ints_in_interval=0.5))
"""


def run(code: str, *arguments: str) -> tuple[float, float, float, str]:
    """Return wall seconds, CPU seconds, peak MB and what was printed."""
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    )
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1024, done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vectors", nargs="+", type=Path)
    parser.add_argument("--no-kl", action="store_true", help="leave the KL divergences out")
    options = parser.parse_args()
    print(f"{'data':12} {'run':10} {'wall s':>8} {'CPU s':>8} {'ratio':>7} {'KL':>8} {'ratio':>7}")
    for path in options.vectors:
        with tempfile.TemporaryDirectory() as folder:
            files = [str(Path(folder) / name) for name in ("theirs.npy", "ours.npy")]
            runs = [run(code, str(path), f) for code, f in zip((THEIRS, OURS), files, strict=True)]
            kl = [float("nan")] * 2
            if not options.no_kl:
                kl = [float(v) for v in run(KL, str(path), *files)[3].split()]
        for i, name in enumerate(("openTSNE", "embviz")):
            wall, cpu = runs[i][:2]
            print(
                f"{path.stem:12} {name:10} {wall:8.1f} {cpu:8.1f} {wall / runs[0][0]:7.2f} "
                f"{kl[i]:8.4f} {kl[i] / kl[0]:7.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
