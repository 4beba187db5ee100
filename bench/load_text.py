"""How fast is text of vectors read, and in how much memory, next to pandas' C reader?

    python bench/load_text.py vectors.txt [more.txt …] [--repeat 3]

Each file is GloVe text (a word, then numbers, all separated by blanks) or, named .tsv, a table of
numbers. Each measurement is a process of its own; the best of the repeats is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

OURS = """
from embviz.loaders import load_table
table = load_table(path)
n_points, n_dims = table.vectors.shape
"""
PANDAS = """
import csv
import numpy as np
import pandas as pd
sep = "\\t" if path.endswith(".tsv") else " "
with open(path, encoding="utf-8") as file:
    width = file.readline().rstrip("\\n").count(sep) + 1
words = sep == " "
kinds = {c: str if words and c == 0 else np.float32 for c in range(width)}
frame = pd.read_csv(
    path, sep=sep, header=None, quoting=csv.QUOTE_NONE, engine="c", dtype=kinds,
    na_filter=False,
)
values = frame.iloc[:, int(words):].to_numpy(np.float32)
n_points, n_dims = values.shape
"""
CHILD = """
import json, os, sys, time
path = sys.argv[1]
began = time.perf_counter()
{body}
wall = time.perf_counter() - began
used = os.times()
try:
    import resource
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
except ImportError:
    peak = float("nan")
print(json.dumps(dict(wall=wall, cpu=used.user + used.system, peak=peak, n=n_points, d=n_dims)))
"""


def measure(body: str, path: Path, repeat: int) -> dict[str, float]:
    """Return the run with the least wall time; `peak` in MiB, of the whole process."""
    root = str(Path(__file__).resolve().parent.parent)
    environment = dict(os.environ, PYTHONPATH=root)
    runs = []
    for _ in range(repeat):
        done = subprocess.run(
            [sys.executable, "-c", CHILD.format(body=body), str(path)],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        runs.append(json.loads(done.stdout))
    return min(runs, key=lambda run: float(run["wall"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(f"{'file':24} {'reader':8} {'wall s':>7} {'CPU s':>7} {'peak MB':>8} {'wall ratio':>10}")
    for path in options.files:
        theirs = measure(PANDAS, path, options.repeat)
        ours = measure(OURS, path, options.repeat)
        for name, run in (("pandas", theirs), ("embviz", ours)):
            ratio = run["wall"] / theirs["wall"]
            print(
                f"{path.name:24} {name:8} {run['wall']:7.2f} {run['cpu']:7.2f} "
                f"{run['peak']:8.0f} {ratio:10.2f}"
            )
        array = ours["n"] * ours["d"] * 4 / 2**20
        print(f"{'':24} float32 array {array:.0f} MB, three times that {3 * array:.0f} MB")


if __name__ == "__main__":
    main()
