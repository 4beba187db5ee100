"""How do Chromium, Firefox and WebKitGTK take the same pages?

    python bench/engines.py page.html ... [--engines chromium firefox webkit] [--seconds 3]

For each page and engine, at 1280 x 840 and with software rendering: the time from opening the file
until the picture with points is drawn, as the page's own clock has it; the CPU time of the
engine's processes until then; their memory (proportional set size) then; and the median time of a
frame while dragging.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from bench.page import COUNT_DRAWS, RECORD, STOP
from tests.engines.launch import LAUNCH

SEEN = """() => window.embviz.ready.then(() => new Promise((done) =>
  requestAnimationFrame(() => setTimeout(() => done(performance.now())))))"""
MIDDLE = """() => { const r = document.querySelector('.plot').getBoundingClientRect();
  return [r.x + r.width / 2, r.y + r.height / 2]; }"""


def descendants() -> list[int]:
    """Return the processes of an engine that this one has started."""
    children: dict[int, list[int]] = {}
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path("/proc", process, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(process))
    found, left = [], [os.getpid()]
    while left:
        left += (more := children.get(left.pop(), []))
        found += more
    return [process for process in found if is_engine(process)]


def is_engine(process: int) -> bool:
    """Whether a process is one of a browser's, not what drives or shows it."""
    try:
        name = os.readlink(f"/proc/{process}/exe").lower()
    except OSError:
        return False
    return any(part in name for part in ("chrom", "firefox", "webkit", "minibrowser"))


def cpu_seconds() -> float:
    """Return the CPU time of them all."""
    ticks = 0
    for process in descendants():
        try:
            fields = Path("/proc", str(process), "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory() -> float:
    """Return their proportional set size in MB."""
    kilobytes = 0
    for process in descendants():
        try:
            rollup = Path("/proc", str(process), "smaps_rollup").read_text()
        except OSError:
            continue
        kilobytes += next(int(x.split()[1]) for x in rollup.splitlines() if x.startswith("Pss:"))
    return kilobytes / 1000


def measure(browser: Any, path: Path, seconds: float) -> tuple[float, ...]:
    """Return ms until seen, CPU seconds until then, MB, and ms of a frame."""
    context = browser.new_context(viewport={"width": 1280, "height": 840})
    page = context.new_page()
    page.set_default_timeout(300_000)
    context.add_init_script(COUNT_DRAWS)
    before = cpu_seconds()
    page.goto(path.resolve().as_uri(), wait_until="commit")
    page.wait_for_function("() => window.embviz")
    seen = page.evaluate(SEEN)
    used, held = cpu_seconds() - before, memory()
    x, y = page.evaluate(MIDDLE)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(RECORD)
    end, angle = time.perf_counter() + seconds, 0.0
    while time.perf_counter() < end:
        angle += 0.15
        page.mouse.move(x + 120 * math.sin(angle), y + 120 * math.cos(angle) - 120)
    frames = page.evaluate(STOP)
    page.mouse.up()
    context.close()
    return seen, used, held, float(np.median(frames[1:])) if len(frames) > 1 else math.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--engines", nargs="+", default=list(LAUNCH), choices=list(LAUNCH))
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    print("| page | engine | seen ms | CPU s | memory MB | frame ms |")
    print("|---|---|---|---|---|---|")
    for engine in options.engines:
        with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
            browser = LAUNCH[engine](playwright, Path(folder))
            for path in options.pages:
                seen, used, held, frame = measure(browser, path, options.seconds)
                figures = f"{seen:.0f} | {used:.1f} | {held:.0f} | {frame:.0f}"
                print(f"| {path.name} | {engine} | {figures} |", flush=True)
            browser.close()


if __name__ == "__main__":
    main()
