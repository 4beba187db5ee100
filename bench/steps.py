"""What does a page of many steps cost beside one of its last step alone?

    python bench/steps.py [--steps 20] [--points 10000] [--runs 7]

Both pages have PCA and a map in 2D and 3D, labels and a column of classes, without vectors; that of
the steps has the 10 nearest neighbors of each step too. In turns each is opened in headless
Chromium with software rendering at 1280 x 900: the median time from the start until the points are
drawn, and until everything can be asked (`embviz.ready`), and the processor time of the page's main
thread until then, which other programs disturb less; then that time for a picture while the steps
are played.
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
PLAY = """async () => { const e = window.embviz; const end = performance.now() + 4000; let n = 0;
  e.set({projection: 'pca', dims: 2, step: 0, speed: 4, stepping: true});
  while (performance.now() < end && e.view().stepping) { await new Promise(requestAnimationFrame); n++; }
  e.set({stepping: false});
  return n; }"""


def make_steps(n: int, n_steps: int) -> tuple[Any, list[Any], list[Any]]:
    """Return steps of clusters that part, with their pictures and those of the last one alone."""
    from embviz import EmbeddingTable, Frames, Projection, find_neighbors
    from embviz.comparison.values import Step, Steps

    rng = np.random.default_rng(0)
    group = rng.integers(0, 10, n)
    centers, noise = rng.normal(size=(10, 64)), rng.normal(size=(n, 64))
    parts = np.linspace(0.1, 1, n_steps)
    columns = {"label": tuple(f"p{i}" for i in range(n)), "group": tuple(map(str, group.tolist()))}
    names = tuple(str(1000 * (i + 1)) for i in range(n_steps))
    steps = []
    for name, part in zip(names, parts, strict=True):
        noise += 0.1 * rng.normal(size=noise.shape)
        vectors = (part * centers[group] + noise).astype(np.float32)
        table = EmbeddingTable(vectors, columns, "points", "run")
        steps.append(Step(name, table, neighbors=find_neighbors(table, range(n), 10)))
    frames = np.stack([np.asarray(step.table.vectors)[:, :3] for step in steps])
    kept = tuple(parts.tolist())
    figures = {"kept_from_previous": (None, *kept[1:]), "kept_of_last": kept}
    whole, alone = [], []
    for method, dims in (("pca", 3), ("tsne", 2), ("tsne", 3)):
        axes = ("one", "two", "three") if method == "pca" else ()
        shown = frames[:, :, :dims]
        alone.append(Projection(method, shown[-1], axes))
        whole.append(Projection(method, shown[-1], axes, frames=Frames(names, shown)))
    return Steps(tuple(steps), table, figures=figures), whole, alone


def measure(browser: Any, path: Path, plays: bool) -> tuple[list[float], float]:
    """Return milliseconds until drawn, until ready and of the processor, and of a picture."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(300_000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def worked() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    page.goto(path.as_uri())
    times = [*page.evaluate(TIMES), worked()]
    each = float("nan")
    if plays:
        page.wait_for_function("() => performance.getEntriesByName('embviz-plotly').length")
        before = worked()
        n = page.evaluate(PLAY)
        each = (worked() - before) / max(1, n)
    page.close()
    return times, each


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
        times = np.empty((options.runs, 2, 3))
        for run in range(options.runs):
            for i, path in enumerate(paths):
                times[run, i], _ = measure(browser, path, plays=False)
        _, each = measure(browser, paths[0], plays=True)
        found = np.median(times, axis=0)
        print("| page | file MB | drawn ms | ready ms | CPU ms |\n|---|---|---|---|---|")
        for i, name in enumerate((f"{options.steps} steps", "the last one alone")):
            drawn, ready, worked = found[i]
            print(f"| {name} | {sizes[i] / 1e6:.1f} | {drawn:.0f} | {ready:.0f} | {worked:.0f} |")
        ratios = [sizes[0] / sizes[1], *(found[0] / found[1])]
        print("| ratio | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
        print(f"{each:.0f} ms of the processor a picture while playing")


if __name__ == "__main__":
    main()
