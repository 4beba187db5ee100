"""One query as a whole process: embviz without and with an index, gensim, scikit-learn, faiss.

    python bench/neighbors.py DATA [--peers PYTHON] [--runs 5]

DATA holds NAME.npy (float32) and NAME.tsv (a label a line) for each size; the peers run under the
Python that has gensim, scikit-learn and faiss. Each process is run once to warm the files, then
RUNS times; the medians of wall time and CPU seconds, and the largest memory, are printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

READ = """
import numpy as np
buffer = bytearray(1 << 20)
with open({vectors!r}, 'rb', buffering=0) as file:
    while file.readinto(buffer): pass
"""
GENSIM = """
from gensim.models import KeyedVectors
kv = KeyedVectors.load({saved!r}, mmap='r')
print([w for w, _ in kv.most_similar({word!r}, topn=10)])
"""
SKLEARN = """
import numpy as np
from sklearn.neighbors import NearestNeighbors
x = np.load({vectors!r}, mmap_mode='r')
words = open({labels!r}, encoding='utf-8').read().split('\\n')
i = words.index({word!r})
nn = NearestNeighbors(n_neighbors=11, metric='cosine', algorithm='brute').fit(x)
print([words[j] for j in nn.kneighbors(x[i:i + 1])[1][0] if j != i])
"""
FAISS_FLAT = """
import faiss, numpy as np
words = open({labels!r}, encoding='utf-8').read().split('\\n')
i = words.index({word!r})
index = faiss.read_index({flat!r}, faiss.IO_FLAG_MMAP_IFC)
q = index.reconstruct(i)[None]
print([words[j] for j in index.search(q, 11)[1][0] if j != i])
"""
FAISS_IVF = """
import faiss, numpy as np
words = open({labels!r}, encoding='utf-8').read().split('\\n')
i = words.index({word!r})
x = np.load({vectors!r}, mmap_mode='r')
q = x[i:i + 1] / np.linalg.norm(x[i])
index = faiss.read_index({ivf!r}, faiss.IO_FLAG_MMAP)
index.nprobe = {probes}
print([words[j] for j in index.search(q, 11)[1][0] if j != i])
"""
PREPARE = """
import sys, numpy as np, faiss
from gensim.models import KeyedVectors
vectors, labels, folder, n_cells = sys.argv[1:]
x = np.load(vectors)
words = open(labels, encoding='utf-8').read().split('\\n')[:len(x)]
kv = KeyedVectors(x.shape[1])
kv.add_vectors(words, x)
kv.fill_norms()
kv.save(folder + '/gensim')
x /= np.linalg.norm(x, axis=1, keepdims=True)
flat = faiss.IndexFlatIP(x.shape[1])
flat.add(x)
faiss.write_index(flat, folder + '/flat')
del flat
quantizer = faiss.IndexFlatIP(x.shape[1])
ivf = faiss.IndexIVFFlat(quantizer, x.shape[1], int(n_cells), faiss.METRIC_INNER_PRODUCT)
ivf.cp.niter = 8
ivf.train(x)
ivf.add(x)
faiss.write_index(ivf, folder + '/ivf')
"""


def measure(command: list[str], runs: int) -> tuple[float, float, float]:
    """Return the medians of wall time and CPU seconds, and the largest memory in MB."""
    walls, cpus, peak = [], [], 0.0
    for run in range(runs + 1):
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            return float("nan"), float("nan"), float("nan")
        if run:
            walls.append(time.perf_counter() - start)
            cpus.append(used.ru_utime + used.ru_stime)
            peak = max(peak, used.ru_maxrss / 1024)
    return statistics.median(walls), statistics.median(cpus), peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    print("| points | program | wall s | CPU s | memory MB |\n|---|---|---|---|---|")
    for name in arguments.names:
        compare(arguments.data / name, arguments.peers, arguments.runs)


def compare(stem: Path, peers: str, runs: int) -> None:
    vectors, labels = f"{stem}.npy", f"{stem}.tsv"
    n_points = len(np.load(vectors, mmap_mode="r"))
    with open(labels, encoding="utf-8") as file:
        word = next(line for i, line in enumerate(file) if i == n_points // 7).rstrip("\n")
    embviz = [sys.executable, "-m", "embviz"]
    with tempfile.TemporaryDirectory(dir=stem.parent) as folder:
        subprocess.run(
            [*embviz, "index", vectors, "--metadata", labels, "-o", f"{folder}/idx"], check=True
        )
        from embviz import open_index

        index = open_index(f"{folder}/idx")
        assert index.recall is not None
        place = index.recall.choose(10, 0.99)
        names = {"vectors": vectors, "labels": labels, "word": word, "saved": f"{folder}/gensim"}
        names |= {"flat": f"{folder}/flat", "ivf": f"{folder}/ivf"}
        names["probes"] = str(index.store.n_cells if place is None else index.recall.cells[place])
        prepare = [peers, "-c", PREPARE, vectors, labels, folder, str(index.store.n_cells)]
        subprocess.run(prepare, check=True)
        asked = [*embviz, "neighbors", word]
        programs = {
            "NumPy, reading the bytes": [sys.executable, "-c", READ.format(**names)],
            "embviz, no index, exact": [*asked, "--source", vectors, "--metadata", labels],
            "embviz, index, recall 0.99": [*asked, "--source", f"{folder}/idx"],
            "embviz, index, recall 0.95": [*asked, "--source", f"{folder}/idx", "--recall", "0.95"],
            "embviz, index, exact": [*asked, "--source", f"{folder}/idx", "--exact"],
            "gensim most_similar, exact": [peers, "-c", GENSIM.format(**names)],
            "scikit-learn brute, exact": [peers, "-c", SKLEARN.format(**names)],
            "faiss flat, mapped, exact": [peers, "-c", FAISS_FLAT.format(**names)],
            "faiss IVF, mapped, as many cells": [peers, "-c", FAISS_IVF.format(**names)],
        }
        for program, command in programs.items():
            wall, cpu, peak = measure(command, runs)
            print(f"| {n_points:,} | {program} | {wall:.3f} | {cpu:.3f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
