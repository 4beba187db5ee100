"""How long neighbors and t-SNE take on a card, and how good its maps are beside the processor's.

    PYTHONPATH=. python bench/device.py --data FOLDER [--budget SECONDS] [--points SHARE]

FOLDER holds mnist70k.npy (70,000 x 784) and words.npy (341,479 x 100), or their like as .npz; for
what is not there data of the same shape and some structure are drawn, and called so. The third are
1,000,000 x 128 of 2,000 Gaussian clusters.

Prints the names and versions first, then for each set a row for the card and, as far as the budget
reaches, one for the processor: seconds for the graph of 90 neighbors, for affinities and descent
(2D, 300 iterations, its start and its tears), for the quality figures, and for the whole; and the
KL divergence of both maps on the same exact affinities, those of the card's graph. It is measured
as the processor does where openTSNE is there, else on the card. Where faiss or openTSNE are not
there, the processor's stages that need them are left out, and said.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from embviz.devices import DEVICES, Arrays, Device
from embviz.model import EmbeddingTable, Metric, Neighbors
from embviz.neighbors import build_graph
from embviz.neighbors.known import bandwidth_distances
from embviz.pictures.quality import measure_qualities
from embviz.projections import TSNE
from embviz.space import open_space

BEGUN = time.monotonic()
K = 90
ROW = "{:28} {:5} {:>8} {:>8} {:>8} {:>8} {:>9}"


@dataclass(frozen=True)
class Data:
    """Vectors on disk, as `.npy`."""

    name: str
    path: Path
    metric: Metric

    @property
    def graph(self) -> Path:
        return self.path.with_suffix(".graph.npz")

    def map(self, device: str) -> Path:
        return self.path.with_suffix(f".{device}.npy")


def find_data(folder: Path | None, scratch: Path, share: float) -> Iterator[Callable[[], Data]]:
    """Yield what makes each set when it is its turn."""

    def known(stem: str, shape: tuple[int, int], metric: Metric) -> Data:
        target = scratch / f"{stem}.npy"
        n = int(shape[0] * share)
        for name in (f"{stem}.npy", f"{stem}.npz"):
            if folder is not None and (folder / name).exists():
                vectors = read_vectors(folder / name)[:n]
                np.save(target, vectors)
                return Data(f"{stem} {len(vectors):,} x {vectors.shape[1]}", target, metric)
        np.save(target, draw_clusters(n, shape[1], n // 500, 8, 1))
        return Data(f"drawn {n:,} x {shape[1]}", target, metric)

    yield lambda: known("mnist70k", (70_000, 784), "euclidean")
    yield lambda: known("words", (341_479, 100), "cosine")
    yield lambda: known("clusters", (1_000_000, 128), "euclidean")


def read_vectors(path: Path) -> np.ndarray:
    """Return an array of a file; in .npz `q` are whole numbers and `s` is what they count."""
    found = np.load(path)
    if path.suffix == ".npy":
        return found
    return np.asarray(found["q"] * found["s"] if "s" in found else found["q"])


def draw_clusters(n: int, n_dims: int, n_clusters: int, rank: int, seed: int) -> np.ndarray:
    """Return points of Gaussian clusters that are wide along a few directions each, float32."""
    rng = np.random.default_rng(seed)
    n_clusters = max(2, n_clusters)
    centers = rng.standard_normal((n_clusters, n_dims), np.float32)
    along = rng.standard_normal((n_clusters, rank, n_dims), np.float32) / np.float32(rank**0.5)
    which = rng.integers(0, n_clusters, n)
    out = np.empty((n, n_dims), np.float32)
    for part in np.array_split(np.arange(n), max(1, n // 20_000)):
        places = rng.standard_normal((len(part), 1, rank), np.float32)
        out[part] = centers[which[part]] + (places @ along[which[part]])[:, 0]
        out[part] += 0.1 * rng.standard_normal((len(part), n_dims), np.float32)
    return out


def read_graph(path: Path, metric: Metric) -> Neighbors:
    found = np.load(path)
    return Neighbors(found["indices"], found["distances"], metric, float(found["recall"]))


def run_stages(data: Data, device: str, stages: list[str]) -> None:
    """Run the stages on a device; print a line for each as soon as it is done."""
    begun = time.perf_counter()
    table = EmbeddingTable(np.load(data.path, mmap_mode="r"))
    arrays = None if device == "cpu" else DEVICES[device]()
    space = open_space(table).with_arrays(arrays)
    tell("opened", begun)
    graph = None
    if "graph" in stages:
        begun = time.perf_counter()
        graph = build_graph(table, K, data.metric, space=space)
        tell("graph", begun)
        if not data.graph.exists():
            np.savez(data.graph, indices=graph.indices, distances=graph.distances,
                     recall=graph.recall)  # fmt: skip
    if "tsne" in stages:
        graph = read_graph(data.graph, data.metric)
        begun = time.perf_counter()
        where: Device = "cpu" if arrays is None else "auto"
        flat = TSNE(metric=data.metric, neighbors=graph, device=where).project(table, space)
        tell("tsne", begun)
        np.save(data.map(device), flat.coordinates)
        print("note", flat.params["device"], "gradient", flat.params["gradient"], flush=True)
    if "3d" in stages:
        begun = time.perf_counter()
        found = TSNE(3, metric=data.metric, neighbors=graph).project(table, space)
        tell("3d", begun)
        print("note 3D", found.stats, found.params["gradient"], flush=True)
    if "quality" in stages and "tsne" in stages:
        begun = time.perf_counter()
        (quality,) = measure_qualities(space, [flat], graph)
        tell("quality", begun)
        print("note", dict(quality[0].figures), flush=True)


def tell(stage: str, begun: float) -> None:
    print("stage", stage, f"{time.perf_counter() - begun:.3f}", flush=True)


def measure_divergence(data: Data, device: str) -> tuple[float, str]:
    """Return the KL divergence of a map on the affinities of the card's graph, and how."""
    from embviz.projections.tsne_affinities import find_joint

    graph = read_graph(data.graph, data.metric)
    places = np.load(data.map(device)).astype(np.float64)
    if find_spec("openTSNE") is not None:
        from embviz.kernels import count_cores
        from embviz.projections.tsne_gradient import Gradient

        return Gradient(find_joint(graph, 30), count_cores()).divergence(places), "processor"
    from embviz.projections.tsne_device import DeviceGradient
    from embviz.projections.tsne_device_affinities import find_affinities

    arrays: Arrays = DEVICES["cuda"]()
    affinities = find_affinities(arrays, graph.indices, bandwidth_distances(graph), 30, 15)[0]
    points = arrays.put(np.ascontiguousarray(places.T))
    return DeviceGradient(affinities).divergence(points), "card"


def in_process(data: Data, device: str, stages: list[str], seconds: float) -> dict[str, str]:
    """Run stages in a process of their own; return their seconds, those that were done in time."""
    found: dict[str, str] = {}
    command = [sys.executable, __file__, "--stages", ",".join(stages), "--device", device,
               "--vectors", str(data.path), "--name", data.name, "--metric", data.metric]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=max(1, seconds))
        output, wrong = done.stdout, done.stderr if done.returncode else ""
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode() if isinstance(error.stdout, bytes) else ""
        wrong = f"stopped after {seconds:.0f} s"
    for line in output.splitlines():
        word, *rest = line.split(" ")
        if word == "stage":
            found[rest[0]] = rest[1]
            if rest[0] == "3d":
                print(f"    {device}: t-SNE in 3D {float(rest[1]):.1f} s", flush=True)
        else:
            print(f"    {device}: {' '.join(rest)}", flush=True)
    if wrong:
        print(f"    {device}: {wrong.strip()[-1500:]}", flush=True)
    return found


def print_row(data: Data, device: str, found: dict[str, str]) -> None:
    """Print a device's seconds, and the divergence of its map."""
    kl = "-"
    if "tsne" in found:
        try:
            value, how = measure_divergence(data, device)
            kl = f"{value:.4f}"
            print(f"    {device}: KL measured on the {how}", flush=True)
        except Exception:
            traceback.print_exc()
    seconds = [found.get(stage) for stage in ("graph", "tsne", "quality")]
    whole = "-"
    if all(s is not None for s in seconds[:2]):
        whole = f"{sum(float(s) for s in [found['opened'], *seconds] if s is not None):.1f}"
    shown = ["-" if s is None else f"{float(s):.1f}" for s in seconds]
    print(ROW.format(data.name, device, shown[0], shown[1], shown[2], whole, kl), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with mnist70k and words")
    parser.add_argument("--budget", type=float, default=420, help="seconds in all")
    parser.add_argument("--points", type=float, default=1, help="share of the points, for a try")
    parser.add_argument("--three", action="store_true", help="t-SNE in 3D of the first set too")
    parser.add_argument("--stages", help=argparse.SUPPRESS)
    parser.add_argument("--device", default="cuda", help=argparse.SUPPRESS)
    parser.add_argument("--vectors", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--name", default="", help=argparse.SUPPRESS)
    parser.add_argument("--metric", default="euclidean", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stages:
        data = Data(asked.name, asked.vectors, asked.metric)
        run_stages(data, asked.device, asked.stages.split(","))
        return
    print_names()
    print(ROW.format("data", "on", "graph", "t-SNE", "quality", "whole", "KL"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        sets = []
        for i, make in enumerate(find_data(asked.data, Path(folder), asked.points)):
            data = make()
            sets.append(data)
            stages = ["graph", "tsne", "quality", *(["3d"] if asked.three and i == 0 else [])]
            print_row(data, "cuda", in_process(data, "cuda", stages, left(asked.budget)))
        for data in sets:
            run_processor(data, left(asked.budget) - 20)


def run_processor(data: Data, seconds: float) -> None:
    """Run what the processor can do in the time left."""
    stages = []
    for stage, package in (("graph", "faiss"), ("tsne", "openTSNE")):
        if find_spec(package) is None:
            print(f"    cpu: no {stage}, since {package} is not installed", flush=True)
        elif stage != "tsne" or data.graph.exists():
            stages.append(stage)
    if seconds < 10 or not stages:
        print(f"    cpu: {data.name} left out{', no time left' if seconds < 10 else ''}")
        return
    # The map first, which may be finished where the graph is not.
    found: dict[str, str] = {}
    for stage in reversed(stages):
        begun = time.monotonic()
        found |= in_process(data, "cpu", [stage], seconds)
        seconds -= time.monotonic() - begun
        if seconds < 10:
            break
    print_row(data, "cpu", found)


def left(budget: float) -> float:
    return budget - (time.monotonic() - BEGUN)


def print_names() -> None:
    import torch

    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    print(f"card: {card}; PyTorch {torch.__version__}, CUDA {torch.version.cuda}")
    versions = [f"Python {platform.python_version()}", f"NumPy {np.__version__}"]
    versions += [f"{name}: {'there' if find_spec(name) else 'not there'}"
                 for name in ("faiss", "openTSNE")]  # fmt: skip
    print(f"processor: {len(os.sched_getaffinity(0))} cores; {', '.join(versions)}", flush=True)


if __name__ == "__main__":
    main()
