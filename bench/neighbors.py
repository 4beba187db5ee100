"""One query as a whole process: embviz without and with an index, gensim, scikit-learn, faiss.

    python bench/neighbors.py DATA NAME [NAME ...] [--peers PYTHON] [--runs 5]

DATA holds NAME.npy (float32) and NAME.tsv (a label a line) for each size; the peers run under the
Python that has gensim, scikit-learn and faiss. Each process is run once to warm the files, then
RUNS times; the medians of wall time and CPU seconds, and the largest memory, are printed.

The recall is measured: the share of the 10 true neighbors of 300 random points that are found. The
cells that faiss visits are chosen so that its recall is that of embviz, or just below.
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

K, QUESTIONS = 10, 300
WANTED = (0.99, 0.95)

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

RECALL = """
import sys, numpy as np, embviz
folder, k, n_questions, *wanted = sys.argv[1:]
index = embviz.open_index(folder + '/idx')
points = np.random.default_rng(1).choice(index.n_points, int(n_questions), replace=False)
truth = index.find_neighbors(points, int(k), recall=1).indices
np.savez(folder + '/asked.npz', points=points, truth=truth)
print(index.store.n_cells)
for share in map(float, wanted):
    found = index.find_neighbors(points, int(k), recall=share).indices
    print(sum(len(set(a) & set(b)) for a, b in zip(found, truth)) / truth.size)
"""
PROBES = """
import sys, numpy as np, faiss
vectors, folder, *wanted = sys.argv[1:]
x = np.load(vectors, mmap_mode='r')
asked = np.load(folder + '/asked.npz')
points, truth = asked['points'], asked['truth']
unit = lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)
index = faiss.read_index(folder + '/ivf', faiss.IO_FLAG_MMAP)
q = unit(x[points])
order = index.quantizer.search(q, index.nlist)[1]
ranks = np.empty_like(order)
np.put_along_axis(ranks, order, np.arange(index.nlist)[None], axis=1)
cells = index.quantizer.search(unit(x[truth.ravel()]), 1)[1].reshape(truth.shape)
needed = np.take_along_axis(ranks, cells, axis=1)
shares = np.array([(needed < n).mean() for n in range(1, index.nlist + 1)])
for share in map(float, wanted):
    index.nprobe = max(1, int(np.count_nonzero(shares <= share)))
    found = index.search(q, truth.shape[1] + 1)[1]
    hit = [len(set(f[f != p][:truth.shape[1]]) & set(t)) for f, p, t in zip(found, points, truth)]
    print(index.nprobe, sum(hit) / truth.size)
"""


def run(command: list[str]) -> list[str]:
    """Run a process of its own, so that its memory is not counted as that of a measured one."""
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()


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
    print("| points | program | recall | wall s | CPU s | memory MB |\n|---|---|---|---|---|---|")
    for name in arguments.names:
        compare(arguments.data / name, arguments.peers, arguments.runs)


def compare(stem: Path, peers: str, runs: int) -> None:
    vectors, labels = f"{stem}.npy", f"{stem}.tsv"
    n_points = len(np.load(vectors, mmap_mode="r"))
    with open(labels, encoding="utf-8") as file:
        word = next(line for i, line in enumerate(file) if i == n_points // 7).rstrip("\n")
    embviz = [sys.executable, "-m", "embviz"]
    with tempfile.TemporaryDirectory(dir=stem.parent) as folder:
        run([*embviz, "index", vectors, "--metadata", labels, "-o", f"{folder}/idx"])
        asking = [sys.executable, "-c", RECALL, folder, str(K), str(QUESTIONS), *map(str, WANTED)]
        n_cells, *shares = run(asking)
        ours = {wanted: float(share) for wanted, share in zip(WANTED, shares, strict=True)}
        run([peers, "-c", PREPARE, vectors, labels, folder, n_cells])
        choose = [peers, "-c", PROBES, vectors, folder, *shares]
        probes = [line.split() for line in run(choose)]
        names = {"vectors": vectors, "labels": labels, "word": word, "saved": f"{folder}/gensim"}
        names |= {"flat": f"{folder}/flat", "ivf": f"{folder}/ivf"}
        asked = [*embviz, "neighbors", word]
        programs: dict[str, tuple[float | None, list[str]]] = {
            "Python that imports NumPy and reads the bytes": (
                None, [sys.executable, "-c", READ.format(**names)]
            ),
            "embviz, no index": (1, [*asked, "--source", vectors, "--metadata", labels]),
            "embviz, index, `--exact`": (1, [*asked, "--source", f"{folder}/idx", "--exact"]),
            "gensim `most_similar`": (1, [peers, "-c", GENSIM.format(**names)]),
            "scikit-learn brute": (1, [peers, "-c", SKLEARN.format(**names)]),
            "faiss flat, mapped": (1, [peers, "-c", FAISS_FLAT.format(**names)]),
        }  # fmt: skip
        for (wanted, recall), (n_probes, share) in zip(ours.items(), probes, strict=True):
            command = [*asked, "--source", f"{folder}/idx", "--recall", str(wanted)]
            programs[f"embviz, index, `--recall {wanted}`"] = recall, command
            command = [peers, "-c", FAISS_IVF.format(**names, probes=n_probes)]
            programs[f"faiss IVF, mapped, {n_probes} of {n_cells} cells"] = float(share), command
        for program, (recall, command) in programs.items():
            wall, cpu, peak = measure(command, runs)
            shown = "" if recall is None else f"{recall:.3f}"
            print(
                f"| {n_points:,} | {program} | {shown} | {wall:.3f} | {cpu:.3f} | {peak:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
