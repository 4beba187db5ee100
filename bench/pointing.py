"""How many pictures a second does coloring by the distance from the pointer make?

    python bench/pointing.py [--points 10000 100000] [--dims 100] [--seconds 4]

A real mouse moves over the points of a report, in 2D and 3D, by distance and by rank, with the
vectors as they travel (`float32` and `int8`), in headless Chromium with software rendering at
1280 x 900. A picture is one whose colors are of another point than those of the one before.
`busy` is the processor time of the page's own thread for one of them, `others` that of all other
threads and processes of the browser, which draw the page meanwhile.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.chromium import ARGUMENTS, find_chromium

RECORD = """() => {
  const r = window.recorded = { on: true, deltas: [] };
  let [last, seen] = [performance.now(), document.querySelector('.legend').textContent];
  const tick = (now) => {
    if (!r.on) return;
    const told = document.querySelector('.legend').textContent;
    if (told !== seen) { r.deltas.push(now - last); last = now; seen = told; }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
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


def processor_seconds(browser: Any, session: Any) -> np.ndarray:
    """Return the processor time of the page's own thread, and of the whole browser."""
    found = session.send("Performance.getMetrics")["metrics"]
    own = next(each["value"] for each in found if each["name"] == "TaskDuration")
    every = browser.new_browser_cdp_session()
    processes = every.send("SystemInfo.getProcessInfo")["processInfo"]
    every.detach()
    return np.array([own, sum(each["cpuTime"] for each in processes)])


def measure(browser: Any, page: Any, session: Any, state: str, seconds: float) -> tuple[Any, ...]:
    page.evaluate(f"() => embviz.set({{color_by: 'distance from where I point', {state}}})")
    page.wait_for_timeout(1500)
    page.mouse.move(640, 450)
    page.evaluate(RECORD)
    before, start = processor_seconds(browser, session), time.perf_counter()
    for i in range(10**6):
        if time.perf_counter() - start > seconds:
            break
        page.mouse.move(640 + 160 * math.sin(0.13 * i), 450 + 130 * math.cos(0.17 * i))
        time.sleep(max(0.0, start + 0.016 * i - time.perf_counter()))
    busy, all_busy = 1000 * (processor_seconds(browser, session) - before)
    deltas = sorted(page.evaluate("() => { recorded.on = false; return recorded.deltas; }")[1:])
    if not deltas:
        return 0, math.nan, math.nan, math.nan, math.nan
    median, late = deltas[len(deltas) // 2], deltas[int(0.95 * len(deltas))]
    n = len(deltas) + 1
    return len(deltas), median, late, busy / n, (all_busy - busy) / n


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dims", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=4)
    given = parser.parse_args()
    print(
        "| points | vectors | picture | scale | pictures | median ms | 95 % ms | busy ms | others ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
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
                        count, *times = measure(browser, page, session, state, given.seconds)
                        cells = " | ".join(f"{each:.0f}" for each in times)
                        print(f"| {n:,} | {vectors} | {dims}D | {name} | {count} | {cells} |")
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
