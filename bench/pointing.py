"""How many pictures a second does coloring by the distance from the pointer make?

    python bench/pointing.py [--points 10000 100000] [--dims 100] [--seconds 4]

The pointer moves over the points of a report as fast as the page follows, in 2D and 3D, by distance
and by rank, with the vectors as they travel (`float32` and `int8`), in headless Chromium with
software rendering at 1280 x 900. A picture takes from the event until the browser has been given
it; those that are of the same point as the one before do not count. Of their times the median is
told, and the one that a tenth stay below, which on a busy machine is nearer to that of a free one.
`busy` is the processor time of the page's own thread for a picture.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.chromium import ARGUMENTS, find_chromium

MOVE = """async (seconds) => {
  const host = document.querySelector('.plot');
  const legend = document.querySelector('.legend');
  const { left, top } = host.getBoundingClientRect();
  const times = [];
  const end = performance.now() + 1000 * seconds;
  for (let i = 0; performance.now() < end; i++) {
    const [x, y] = [390 + 160 * Math.sin(0.13 * i), 400 + 130 * Math.cos(0.17 * i)];
    const before = legend.textContent;
    const start = performance.now();
    host.dispatchEvent(
      new PointerEvent('pointermove', { clientX: left + x, clientY: top + y, pointerType: 'mouse' }),
    );
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    if (legend.textContent !== before) times.push(performance.now() - start);
  }
  return times;
}"""


def write(path: Path, n: int, d: int, vectors: str) -> None:
    import embviz
    from embviz.projections import PCA

    rng = np.random.default_rng(0)
    centers = 2 * rng.normal(size=(10, d))
    table = embviz.EmbeddingTable(
        (centers[np.arange(n) % 10] + rng.normal(size=(n, d))).astype(np.float32),
        {"label": tuple(f"p{i}" for i in range(n))},
    )
    projection = PCA(n_components=3).project(table)
    embviz.write_report(path, table, [projection], vectors=vectors, metric="cosine")


def thread_seconds(session: Any) -> float:
    """Return the processor time that the page's own thread has taken."""
    found = session.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in found if each["name"] == "TaskDuration"))


def measure(page: Any, session: Any, state: str, seconds: float) -> tuple[int, float, float, float]:
    """Return how many pictures there were; the median, the fastest tenth and `busy`, in ms."""
    page.evaluate(f"() => embviz.set({{color_by: 'distance from where I point', {state}}})")
    page.wait_for_timeout(1500)
    before = thread_seconds(session)
    times = sorted(page.evaluate(MOVE, seconds))
    busy = thread_seconds(session) - before
    if not times:
        return 0, math.nan, math.nan, math.nan
    n = len(times)
    return n, times[n // 2], times[n // 10], 1000 * busy / n


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dims", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=4)
    given = parser.parse_args()
    print(
        "| points | vectors | picture | scale | pictures | median ms | fastest tenth ms | busy ms |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        for n in given.points:
            for vectors in ("float32", "int8"):
                path = Path(folder, f"{n}_{vectors}.html")
                write(path, n, given.dims, vectors)
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                session = page.context.new_cdp_session(page)
                session.send("Performance.enable", {"timeDomain": "threadTicks"})
                page.goto(path.as_uri())
                page.evaluate("() => embviz.ready")
                page.wait_for_timeout(4000)
                for dims in (2, 3):
                    for scale, name in (("auto", "distance"), ("log", "rank")):
                        state = f"dims: {dims}, color_as: '{scale}'"
                        count, *times = measure(page, session, state, given.seconds)
                        cells = " | ".join(f"{each:.0f}" for each in times)
                        print(f"| {n:,} | {vectors} | {dims}D | {name} | {count} | {cells} |")
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
