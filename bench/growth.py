"""How time and memory of each stage grow with the number of points.

    python bench/growth.py [--sizes 1000 10000 100000 1000000] [--dims 128] [--only graph t-SNE] [--limit 1200]

Each stage runs in a process of its own on what the stages before it left in files: CPU seconds of all
threads, seconds on the wall, and the most memory that the process held. --limit stops a stage at so many CPU seconds. The points are 2,000 clusters (a fiftieth of
the points where those are fewer) of unequal sizes around centers that stand in groups, each of
rank 8 and a little noise; each has a name and its group's as a class. Prints a table of CPU seconds with the
exponent between the two largest sizes, then one of the wall's and one of memory.
"""

from __future__ import annotations

import argparse
import copyreg
import math
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
LEAST_SECONDS = 0.05  # Below, an exponent says nothing.
RANK = 8
copyreg.pickle(MappingProxyType, lambda mapping: (dict, (dict(mapping),)))


def make_points(path: Path, n: int, dims: int) -> None:
    """Write points with structure, and the names and classes beside them."""
    rng = np.random.default_rng(0)
    n_clusters = min(2000, max(5, n // 50))
    sizes = rng.pareto(1.2, n_clusters) + 0.2
    cluster = rng.choice(n_clusters, n, p=sizes / sizes.sum())
    groups = rng.normal(0, 1, (n_clusters // 20 + 1, dims))
    group = rng.integers(0, len(groups), n_clusters)
    centers = groups[group] + rng.normal(0, 0.6, (n_clusters, dims))
    spread = 0.35 / np.sqrt(np.arange(1, RANK + 1))[:, None]
    bases = rng.normal(0, 1, (n_clusters, RANK, dims)) * spread
    out = np.lib.format.open_memmap(path, "w+", np.float32, (n, dims))
    for start in range(0, n, 20_000):
        own = cluster[start : start + 20_000]
        inner = rng.normal(0, 1, (len(own), RANK))
        rows = rng.normal(0, 0.1, (len(own), dims)) + centers[own]
        for each in np.unique(own):
            of_it = own == each
            rows[of_it] += inner[of_it] @ bases[each]
        out[start : start + len(own)] = rows
    out.flush()
    with path.with_suffix(".tsv").open("w", encoding="utf-8") as file:
        file.write("name\tgroup\n")
        file.writelines(f"p{i}\tg{g}\n" for i, g in enumerate(group[cluster].tolist()))


def kept(folder: Path, name: str) -> Any:
    """Return what a stage before left."""
    return pickle.loads((folder / f"{name}.pickle").read_bytes())


def keep(folder: Path, name: str, value: Any) -> None:
    (folder / f"{name}.pickle").write_bytes(pickle.dumps(value, protocol=5))


def load(folder: Path) -> Callable[[], Any]:
    import embviz

    return lambda: embviz.load_table(folder / "points.npy", metadata=folder / "points.tsv")


def with_table(stage: Callable[[Path, Any, Any], Callable[[], Any]]) -> Any:
    """Return a stage that is given the table and its space, opened before."""

    def prepare(folder: Path) -> Callable[[], Any]:
        from embviz.pictures.selection import choose_points

        part = choose_points(load(folder)())
        return stage(folder, part, part.space)

    return prepare


@with_table
def pca(folder: Path, part: Any, space: Any) -> Callable[[], Any]:
    import embviz

    return lambda: embviz.PCA().project(part.table, space)


@with_table
def graph(folder: Path, part: Any, space: Any) -> Callable[[], Any]:
    import embviz

    return lambda: embviz.build_graph(part.table, 90, space=space)


@with_table
def tsne(folder: Path, part: Any, space: Any) -> Callable[[], Any]:
    import embviz

    known = kept(folder, "graph")
    return lambda: embviz.TSNE(neighbors=known).project(part.table, space)


@with_table
def umap(folder: Path, part: Any, space: Any) -> Callable[[], Any]:
    from embviz.projections.umap import UMAP

    known = kept(folder, "graph")
    few = UMAP(neighbors=known.first(min(15, known.indices.shape[1])))
    return lambda: few.project(part.table, space)


@with_table
def quality(folder: Path, part: Any, space: Any) -> Callable[[], Any]:
    from embviz.pictures.quality import measure_qualities

    known, pictures = kept(folder, "graph"), [kept(folder, "PCA"), kept(folder, "t-SNE")]
    return lambda: measure_qualities(space, pictures, known)


@with_table
def clusters(folder: Path, part: Any, space: Any) -> Callable[[], Any]:
    from embviz.report.options import report_options
    from embviz.report.parting import part_points

    pictures, near = _pictures(folder)
    options = report_options(part, None, {"clusters": "map", "first": "tsne"})[1]
    return lambda: part_points(part, pictures, options, None, near).partitions


@with_table
def payload(folder: Path, part: Any, space: Any) -> Callable[[], Any]:
    from embviz.report.options import report_options
    from embviz.report.payload import build_payload

    pictures, near = _pictures(folder)
    options = report_options(part, None, {"first": "tsne"})[1]
    parted = replace(part, partitions=kept(folder, "clusters"))
    return lambda: build_payload(parted, pictures, options, None, near)


def page(folder: Path) -> Callable[[], Any]:
    from embviz.outputs.text import to_utf8
    from embviz.report.page import prepare_page, render_page

    content = kept(folder, "payload")
    prepare_page()
    return lambda: to_utf8(render_page(content))


def _pictures(folder: Path) -> tuple[list[Any], Any]:
    return [kept(folder, "PCA"), kept(folder, "t-SNE")], kept(folder, "graph").first(10)


STAGES: dict[str, Callable[[Path], Callable[[], Any]]] = {
    "load": load,
    "PCA": pca,
    "graph": graph,
    "t-SNE": tsne,
    "UMAP": umap,
    "quality": quality,
    "clusters": clusters,
    "payload": payload,
    "page": page,
}
KEPT = {"PCA", "graph", "t-SNE", "clusters", "payload"}


def measure(folder: Path, stage: str) -> None:
    """Run one stage in this process, and print its seconds and megabytes."""
    run = STAGES[stage](folder)
    before, begun = _seconds(), time.perf_counter()
    found = run()
    took, wall = _seconds() - before, time.perf_counter() - begun
    print(took, wall, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)
    if stage in KEPT:
        keep(folder, stage, found)


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def exponent(values: list[float], sizes: list[int], least: float) -> str:
    """Return the exponent between the two largest sizes at which a stage ran."""
    if len(values) < 2 or values[-1] < least or values[-2] < least / 10:
        return ""
    return f"{math.log(values[-1] / values[-2]) / math.log(sizes[len(values) - 1] / sizes[len(values) - 2]):.2f}"


def show(title: str, found: dict[str, list[float]], sizes: list[int], least: float) -> None:
    print(f"\n| {title} | {' | '.join(f'{n:,}' for n in sizes)} | exponent |")
    print("|---|" + "---|" * (len(sizes) + 1))
    for stage, values in found.items():
        shown = [f"{v:.2f}" if v < 10 else f"{v:,.0f}" for v in values]
        shown += ["-"] * (len(sizes) - len(values))
        print(f"| {stage} | {' | '.join(shown)} | {exponent(values, sizes, least)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--dims", type=int, default=128)
    parser.add_argument("--only", nargs="+", choices=STAGES, help="with what they need before them")
    parser.add_argument("--folder", type=Path, help="where points and stages are kept, to go on")
    parser.add_argument("--limit", type=int, help="most CPU seconds of a stage, its start included")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        if options.limit:
            resource.setrlimit(resource.RLIMIT_CPU, (options.limit, options.limit))
        measure(options.folder, options.stage)
        return
    seconds: dict[str, list[float]] = {}
    walls: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as own:
        for n in sorted(options.sizes):
            folder = (options.folder or Path(own)) / f"{n}x{options.dims}"
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "points.npy").exists():
                make_points(folder / "points.npy", n, options.dims)
            for stage in options.only or STAGES:
                command = [sys.executable, __file__, "--stage", stage, "--folder", str(folder)]
                command += ["--limit", str(options.limit)] if options.limit else []
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    why = done.stderr.strip()[-200:] or f"status {done.returncode}"
                    print(f"{stage} of {n:,} stopped: {why}", flush=True)
                    continue
                took, wall, held = map(float, done.stdout.split()[-3:])
                seconds.setdefault(stage, []).append(took)
                walls.setdefault(stage, []).append(wall)
                memory.setdefault(stage, []).append(held)
                print(f"{n:,} {stage}: {took:.2f} CPU s, {wall:.2f} s, {held:,.0f} MB", flush=True)
    sizes = sorted(options.sizes)
    show("CPU s", seconds, sizes, LEAST_SECONDS)
    show("wall s", walls, sizes, LEAST_SECONDS)
    show("peak MB", memory, sizes, 100)


if __name__ == "__main__":
    main()
