"""Frame times of the plot while it is dragged, and its look-ups and selections, without a GPU.

Prints a table; times are milliseconds: frames are those of real mouse drags of three seconds at
1280 x 900 in headless Chromium, `ours` is our own part of one, the rest is
Plotly's and the browser's.

    python bench/plot.py [--points 10000 100000 341479 1000000] [--dims 2 3]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from math import cos, sin
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.chromium import find_chromium
from tests.page.plot_harness import ARGS, build

COUNT_FRAMES = """() => {
  const drawn = () => harness.plot.stats().frames;
  const b = window.bench = { on: true, deltas: [], ours: [], before: 0, frames: drawn() };
  const tick = (now) => {
    if (!b.on) return;
    if (drawn() > b.frames) {
      b.ours.push(harness.plot.stats().lastDrawMs);
      b.deltas.push(now - b.before);
      b.before = now;
      b.frames = drawn();
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame((now) => { b.before = now; tick(now); });
}"""
OPERATIONS = """async () => {
  const { plot, coordinates, dims } = harness;
  const time = (f) => { const start = performance.now(); f(); return performance.now() - start; };
  const n = coordinates.length / dims;
  const colors = new Uint8Array(4 * n);
  for (let i = 0; i < 4 * n; i++) colors[i] = i % 4 === 3 ? 255 : (i * 2654435761) >>> 24;
  const out = {};
  out.points = time(() => {
    plot.setPoints({ coordinates, n, dims, axes: null, keepView: true });
    plot.screenPositions();
  });
  out.style = time(() => { harness.style({ colors }); plot.screenPositions(); });
  plot.rowAt(0, 0);
  out.hover = time(() => { for (let i = 0; i < 100; i++) plot.rowAt(400 + i, 300 + i); }) / 100;
  await harness.rest();
  return out;
}"""
RELEASE = """() => {
  const e = new PointerEvent('pointerup', {
    clientX: 900, clientY: 700, bubbles: true, isPrimary: true,
  });
  const start = performance.now();
  document.getElementById('host').dispatchEvent(e);
  const ms = performance.now() - start;
  return [ms, harness.events.findLast((x) => x[0] === 'select')[1].length];
}"""


def drag(page: Any, seconds: float = 3) -> tuple[list[float], float]:
    """Drag around the middle; return the times between drawn frames and our own part of one."""
    page.mouse.move(640, 450)
    page.mouse.down()
    page.mouse.move(646, 456)
    page.evaluate(COUNT_FRAMES)
    start = time.perf_counter()
    for i in range(100000):
        if time.perf_counter() - start > seconds:
            break
        page.mouse.move(640 + 110 * sin(0.12 * i), 450 + 80 * (1 - cos(0.12 * i)))
        time.sleep(max(0.0, start + 0.016 * i - time.perf_counter()))
    deltas, ours = page.evaluate("() => { bench.on = false; return [bench.deltas, bench.ours]; }")
    page.mouse.up()
    page.evaluate("harness.rest()")
    return sorted(deltas), statistics.median(ours or [float("nan")])


def lasso(page: Any, tool: str) -> tuple[float, int]:
    """Draw around the middle; return the milliseconds of the selection and how many it caught."""
    page.evaluate(f"harness.plot.setTool('{tool}'); harness.events.length = 0")
    page.mouse.move(340, 450)
    page.mouse.down()
    for i in range(1, 61):
        page.mouse.move(640 - 300 * cos(i / 10), 450 - 300 * sin(i / 10))
    page.mouse.move(900, 700)
    found = page.evaluate(RELEASE)
    page.mouse.up()
    page.evaluate("harness.plot.setTool('pan')")
    return found[0], found[1]


def measure(browser: Any, path: Path, n: int, dims: int) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(180_000)
    page.goto(path.as_uri())
    page.wait_for_function("window.harness")
    page.evaluate(f"harness.dims = {dims}; harness.gaussian({n}, {dims})")
    page.evaluate("harness.style({})")
    page.evaluate("harness.loadPlotly()")
    done = page.evaluate(OPERATIONS)
    rest = page.evaluate("harness.plot.stats().lastDrawMs")
    deltas, ours = drag(page)
    lasso_ms, caught = lasso(page, "lasso")
    median = statistics.median(deltas) if deltas else float("nan")
    p95 = deltas[int(0.95 * len(deltas))] if deltas else float("nan")
    times = [median, p95, ours, done["points"], done["style"], rest]
    print(
        f"{n:>9,} {dims}D" + "".join(f"{ms:10.1f}" for ms in times),
        f"{done['hover']:9.3f}{lasso_ms:10.1f}  ({caught:,} caught)",
        flush=True,
    )
    page.close()


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000, 341_479, 10**6])
    parser.add_argument("--dims", type=int, nargs="+", default=[2, 3])
    given = parser.parse_args()
    heads = ["frame", "p95", "ours", "setPoints", "setStyle", "at rest", "hover", "lasso"]
    print("   points   " + "".join(f"{head:>10}" for head in heads))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = build(Path(folder) / "plot.html")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGS)
        for dims in given.dims:
            for n in given.points:
                measure(browser, path, n, dims)
        browser.close()


if __name__ == "__main__":
    main()
