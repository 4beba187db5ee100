"""How long t-SNE takes in 3D beside 2D, each as the whole command in a process of its own.

    python bench/tsne_3d.py mnist20k.npy [mnist70k.npy …] [--tree]

Prints wall and CPU seconds to the finished page, those of the descent alone, and the KL divergence
as the page has it. With --tree a row more: 3D along Barnes and Hut's tree, as of maps that no grid
fits; 70,000 points take minutes.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = """
import sys, time
from embviz.projections import tsne, tsne_gradient
source, dims, way, out = sys.argv[1:]
if way == "tree":
    tsne_gradient.VOLUME_POINTS = float("inf")
descend = tsne._descend
def timed(*arguments):
    wall, cpu = time.perf_counter(), time.process_time()
    found = descend(*arguments)
    print("DESCENT", time.perf_counter() - wall, time.process_time() - cpu, file=sys.stderr)
    return found
tsne._descend = timed
from embviz.cli import main
sys.exit(main(["project", source, "--method", "tsne", "--dims", dims, "--device", "cpu", "-o", out]))
"""


def measure(source: Path, dims: int, way: str) -> list[float]:
    """Return wall and CPU seconds of the command, of affinities, descent and tears, and the KL."""
    with tempfile.TemporaryDirectory() as folder:
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        arguments = [str(source), str(dims), way, str(Path(folder) / "page.html")]
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *arguments], check=True, capture_output=True, text=True
        )
        wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # A map of many points begins with that of a sample.
    descents = re.findall(r"DESCENT (\S+) (\S+)", done.stderr)
    kl = re.findall(r"iterations, KL (\S+)", done.stderr)
    return [wall, cpu, *(sum(map(float, c)) for c in zip(*descents, strict=True)), float(kl[-1])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vectors", nargs="+", type=Path)
    parser.add_argument("--tree", action="store_true", help="3D along the tree, too")
    options = parser.parse_args()
    runs = [(2, "grid"), (3, "grid"), *([(3, "tree")] if options.tree else [])]
    print(f"{'data':12} {'run':9} {'wall s':>7} {'CPU s':>7} {'descent':>8} {'CPU s':>7} {'KL':>7}")
    for path in options.vectors:
        first = None
        for dims, way in runs:
            found = measure(path, dims, way)
            first = first or found
            seconds = [f"{x:7.1f} ({x / y:.2f})" for x, y in zip(found[:4], first[:4], strict=True)]
            print(f"{path.stem:12} {dims}D {way:6} {' '.join(seconds)} {found[4]:7.3f}", flush=True)


if __name__ == "__main__":
    main()
