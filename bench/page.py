"""How do our pages compare with Plotly Express's, at the same coordinates?

    python bench/page.py [--points 10000 100000 341479] [--seconds 3]

For each number of points, in 2D and 3D: the size of the file, the time until the points are seen,
and the median time of a frame while dragging (panning in 2D, turning in 3D), in one run, in
headless Chromium with software rendering at 1280 x 900. Points are Gaussian in ten clusters,
colored by cluster.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.chromium import ARGUMENTS, find_chromium

WIDTH, HEIGHT = 1280, 900
COUNT_DRAWS = """
window.draws = 0;
for (const C of [window.WebGLRenderingContext, window.WebGL2RenderingContext])
  for (const f of ['drawArrays', 'drawElements', 'drawArraysInstanced', 'drawElementsInstanced']) {
    const own = C.prototype[f]; if (own) C.prototype[f] = function () { window.draws++; return own.apply(this, arguments); };
  }
for (const f of ['putImageData', 'drawImage']) {
  const own = CanvasRenderingContext2D.prototype[f];
  CanvasRenderingContext2D.prototype[f] = function () { window.draws++; return own.apply(this, arguments); };
}
"""
RECORD = """() => { const r = window.frames_ = []; let seen = window.draws, last = performance.now();
  window.recording = true;
  const tick = () => { if (!window.recording) return; const now = performance.now();
    if (window.draws !== seen) { r.push(now - last); last = now; seen = window.draws; }
    requestAnimationFrame(tick); };
  requestAnimationFrame(tick); }"""
STOP = "() => { window.recording = false; return window.frames_; }"


def make_points(n: int, dims: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 10, n)
    centers = rng.normal(size=(10, dims)) * 4
    return (centers[group] + rng.normal(size=(n, dims))).astype(np.float32), group


def write_ours(path: Path, xyz: np.ndarray, group: np.ndarray) -> None:
    import embviz
    from embviz.projections import Identity

    labels = tuple(f"p{i}" for i in range(len(xyz)))
    columns = {"label": labels, "group": tuple(str(g) for g in group.tolist())}
    table = embviz.EmbeddingTable(xyz, columns, "points", "points.npy")
    placed = Identity().project(table)
    embviz.write_report(path, table, [placed], vectors="none", color_by="group", dims=xyz.shape[1])


def write_theirs(path: Path, xyz: np.ndarray, group: np.ndarray) -> None:
    import plotly.express as px

    labels = [f"p{i}" for i in range(len(xyz))]
    color = [str(g) for g in group.tolist()]
    if xyz.shape[1] == 2:
        figure = px.scatter(
            x=xyz[:, 0], y=xyz[:, 1], color=color, hover_name=labels, render_mode="webgl"
        )
        figure.update_layout(dragmode="pan")
    else:
        figure = px.scatter_3d(
            x=xyz[:, 0], y=xyz[:, 1], z=xyz[:, 2], color=color, hover_name=labels
        )
    figure.write_html(path, include_plotlyjs=True)


def colored(png: bytes) -> int:
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int16)
    middle = pixels[100:800, 300:1000]
    return int(((middle.max(axis=2) - middle.min(axis=2)) > 40).sum())


def screenshot(page: Any) -> bytes:
    """Return a picture; a busy browser refuses now and then, and is asked again."""
    from playwright.sync_api import Error

    for _ in range(50):
        try:
            return page.screenshot()
        except Error:
            time.sleep(0.1)
    return page.screenshot()


def measure(browser: Any, path: Path, seconds: float) -> tuple[float, float]:
    """Return the milliseconds until the picture stands still with points, and of a frame."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    page.set_default_timeout(300_000)
    page.add_init_script(COUNT_DRAWS)
    start = time.perf_counter()
    page.goto(path.as_uri(), wait_until="commit")
    first, seen, before = 0.0, 0, ""
    while seen < 3:
        png = screenshot(page)
        mark = hashlib.md5(png).hexdigest()
        if mark == before and colored(png) > 500:
            seen += 1
        else:
            seen, first = 0, time.perf_counter() - start
        before = mark
        time.sleep(0.05)
    page.mouse.move(650, 450)
    page.mouse.down()
    page.evaluate(RECORD)
    end = time.perf_counter() + seconds
    angle = 0.0
    while time.perf_counter() < end:
        angle += 0.15
        page.mouse.move(650 + 120 * math.sin(angle), 450 + 120 * math.cos(angle) - 120)
    frames = page.evaluate(STOP)
    page.mouse.up()
    page.close()
    return first * 1000, float(np.median(frames[1:])) if len(frames) > 1 else math.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000, 341_479])
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    print("| points | dims | file MB, ours / theirs | seen ms | frame ms | ratios |")
    print("|---|---|---|---|---|---|")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        for n in options.points:
            for dims in (2, 3):
                xyz, group = make_points(n, dims)
                found = []
                for name, write in (("ours", write_ours), ("theirs", write_theirs)):
                    path = Path(folder, f"{name}_{n}_{dims}.html")
                    write(path, xyz, group)
                    size = path.stat().st_size / 1e6
                    found.append((size, *measure(browser, path, options.seconds)))
                ratios = [a / b for a, b in zip(*found, strict=True)]
                cells = [f"{a:.4g} / {b:.4g}" for a, b in zip(*found, strict=True)]
                shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
                print(f"| {n:,} | {dims} | {' | '.join(cells)} | {shown} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
