"""What does a page of many steps cost beside one of its last step alone?

    python bench/steps.py [--steps 20] [--points 10000] [--runs 7]

Both pages have PCA and a map in 2D and 3D, labels and a column of classes, without vectors; that of
the steps has the 10 nearest neighbors of each step too. In turns each is opened in headless
Chromium with software rendering at 1280 x 900: the median time from the start until the points are
drawn, and until everything can be asked (`embviz.ready`); then the median time of a picture while
the steps are played.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.chromium import ARGUMENTS, find_chromium

TIMES = """async () => { await window.embviz.ready;
  const at = (name) => performance.getEntriesByName(name)[0].startTime;
  return [at('embviz-drawn'), at('embviz-loaded')]; }"""
PLAY = """async () => { const times = []; const e = window.embviz; let last = null; const begun = performance.now();
  e.set({projection: 'pca', dims: 2, step: 0, speed: 4, stepping: true});
  while (performance.now() - begun < 4000 && e.view().stepping) {
    await new Promise(requestAnimationFrame);
    const now = performance.now(); if (last) times.push(now - last); last = now; }
  e.set({stepping: false});
  return times; }"""


def make_steps(n: int, n_steps: int) -> tuple[Any, list[Any], list[Any]]:
    """Return steps of clusters that part, with their pictures and those of the last one alone."""
    from embviz import EmbeddingTable, Frames, Projection
    from embviz.comparison.values import Step, Steps
    from embviz.model import Neighbors

    rng = np.random.default_rng(0)
    group = rng.integers(0, 10, n)
    centers, noise = 4 * rng.normal(size=(10, 3)), rng.normal(size=(n, 3))
    parts = np.linspace(0.1, 1, n_steps)
    frames = np.stack([part * centers[group] + noise for part in parts]).astype(np.float32)
    columns = {"label": tuple(f"p{i}" for i in range(n)), "group": tuple(map(str, group.tolist()))}
    table = EmbeddingTable(np.zeros((n, 1), np.float32), columns, "points", "run")
    names = tuple(str(1000 * (i + 1)) for i in range(n_steps))
    steps = []
    for name in names:
        far = np.sort(rng.random((n, 10)).astype(np.float32), axis=1)
        near = Neighbors(rng.integers(0, n, (n, 10)).astype(np.int32), far, "cosine")
        steps.append(Step(name, table, neighbors=near))
    kept = tuple(parts.tolist())
    figures = {"kept_from_previous": (None, *kept[1:]), "kept_of_last": kept}
    whole, alone = [], []
    for method, dims in (("pca", 3), ("tsne", 2), ("tsne", 3)):
        axes = ("one", "two", "three") if method == "pca" else ()
        shown = frames[:, :, :dims]
        alone.append(Projection(method, shown[-1], axes))
        whole.append(Projection(method, shown[-1], axes, frames=Frames(names, shown)))
    return Steps(tuple(steps), table, figures=figures), whole, alone


def open_page(browser: Any, path: Path) -> Any:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(300_000)
    page.goto(path.as_uri())
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    from embviz import write_report

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        steps, whole, alone = make_steps(options.points, options.steps)
        paths = [Path(folder) / "steps.html", Path(folder) / "one.html"]
        sizes = [
            write_report(paths[0], steps.table, whole, steps=steps, vectors="none"),
            write_report(paths[1], steps.table, alone, vectors="none"),
        ]
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        times = np.empty((options.runs, 2, 2))
        frames: list[float] = []
        for run in range(options.runs):
            for i, path in enumerate(paths):
                page = open_page(browser, path)
                times[run, i] = page.evaluate(TIMES)
                if i == 0 and run == options.runs - 1:
                    frames = page.evaluate(PLAY)
                page.close()
        drawn, ready = np.median(times, axis=0).T
        print("| page | file MB | drawn ms | ready ms |\n|---|---|---|---|")
        for i, name in enumerate((f"{options.steps} steps", "the last one alone")):
            print(f"| {name} | {sizes[i] / 1e6:.1f} | {drawn[i]:.0f} | {ready[i]:.0f} |")
        ratios = [sizes[0] / sizes[1], drawn[0] / drawn[1], ready[0] / ready[1]]
        print("| ratio | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
        print(f"{np.median(frames):.0f} ms a picture while playing")


if __name__ == "__main__":
    main()
