"""What a page of very many points answers, how fast, and whether it is right.

    embviz project big.npy --method tsne --dims 2 -o out.html
    python bench/million.py out.html --vectors big.npy [--pictures FOLDER]

Opens the page in headless Chromium with software rendering at 1280 x 800 and does with real events what a reader
does. `first` is the time from the event to the first frame after something changed in the document or the
picture, `still` that to the last change before 0.6 s without one: the picture at rest and names come
after the hand rests. `busy` is the processor time of the page's own thread until then, which other work beside it
hardly changes. Of a drag and of the wheel it tells the time from one drawn frame to the next, and `busy` of a frame.

What is answered is checked: points in a box and in a lasso against those that NumPy finds in float64 from the page's
coordinates, matches against a count here, and, with --vectors, the neighbors of the clicked points against all
rows in float64. A point within a thousandth of a pixel of an outline may be counted either way.
"""

from __future__ import annotations

import argparse
import base64
import math
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.chromium import ARGUMENTS, find_chromium

WIDTH, HEIGHT = 1280, 800
EDGE = 1e-3
WATCH = """
const watch = { draws: 0, first: null, ready: null, start: 0, changes: [], frames: null };
window.watch = watch;
for (const [C, f] of [[CanvasRenderingContext2D, 'putImageData'], [CanvasRenderingContext2D, 'drawImage']]) {
  const own = C.prototype[f];
  C.prototype[f] = function () { watch.draws++; watch.first ??= performance.now(); return own.apply(this, arguments); };
}
const asked = () => {
  if (!window.embviz) return setTimeout(asked, 5);
  window.embviz.ready.then(() => { watch.ready = performance.now(); });
};
asked();
for (const type of ['click', 'pointerup', 'input', 'change', 'pointermove', 'wheel'])
  window.addEventListener(type, (e) => { if (watch.kind === type && !watch.start) watch.start = performance.now(); }, true);
addEventListener('DOMContentLoaded', () => {
  let touched = 0, draws = 0, touches = 0, last = performance.now();
  new MutationObserver(() => { touched++; }).observe(document.body,
    { subtree: true, childList: true, attributes: true, characterData: true });
  const tick = () => {
    const now = performance.now();
    if (watch.draws !== draws || touched !== touches) {
      if (watch.start) watch.changes.push(now);
      if (watch.frames && watch.draws !== draws) { watch.frames.push(now - last); last = now; }
      [draws, touches] = [watch.draws, touched];
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  watch.count = () => { last = performance.now(); watch.frames = []; };
});
"""
NEAR = """([row, k]) => {
  const { indices, distances } = embviz.neighbors(row, k);
  return [[...indices], [...distances]];
}"""
PACKED = """(what) => {
  const found = what === 'places' ? embviz.coordinates(embviz.view().projection, 2)
    : what === 'screen' ? Float32Array.from(embviz.screenPositions()) : embviz.selected();
  const bytes = new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}"""


class Page:
    """A page, and how long it takes to answer."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        self.page.set_default_timeout(300_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type == "error" else None
        )
        self.page.add_init_script(WATCH)
        self.session = self.page.context.new_cdp_session(self.page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.page.goto(path.resolve().as_uri())
        self.page.wait_for_function("() => watch.ready && watch.first")
        self.page.wait_for_timeout(3000)
        self.box = self.page.locator(".plot").bounding_box()

    def busy(self) -> float:
        """Return the processor time in ms that the page's own thread has taken."""
        found = self.session.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(each["value"] for each in found if each["name"] == "TaskDuration"))

    def time(self, kind: str, act: Callable[[], object]) -> tuple[float, ...]:
        """Return `first`, `still` and `busy` in ms after an event of a kind."""
        begun = self.busy()
        self.page.evaluate("(kind) => Object.assign(watch, {kind, start: 0, changes: []})", kind)
        act()
        before, since = -1, time.monotonic()
        while time.monotonic() - since < 60:
            changes = self.page.evaluate("() => watch.changes.length")
            if changes and changes == before:
                break
            before = changes
            self.page.wait_for_timeout(600)
        start, changes = self.page.evaluate("() => [watch.start, watch.changes]")
        if not start or not changes:
            return math.nan, math.nan, math.nan
        return changes[0] - start, changes[-1] - start, self.busy() - begun

    def values(self, what: str, dtype: type) -> np.ndarray:
        return np.frombuffer(base64.b64decode(self.page.evaluate(PACKED, what)), dtype)

    def state(self, key: str) -> Any:
        return self.page.evaluate("(key) => embviz.view()[key]", key)

    def selected(self) -> np.ndarray:
        return np.sort(self.values("selected", np.int32))

    def at(self, u: float, v: float) -> tuple[float, float]:
        """Return a place by its share of the plot, in whole pixels."""
        x, y = self.box["x"] + u * self.box["width"], self.box["y"] + v * self.box["height"]
        return round(x), round(y)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).first.click()


def tell(what: str, times: list[tuple[float, ...]], found: str = "") -> None:
    both = [f"{statistics.median(each):.0f} ({max(each):.0f})" for each in zip(*times, strict=True)]
    shown = " | ".join(each if len(times) > 1 else each.split()[0] for each in both)
    print(f"| {what} | {shown} | {found} |", flush=True)


def tell_frames(asked: Page, what: str, seconds: float, move: Callable[[int], object]) -> None:
    """Print the times between drawn frames while something is moved."""
    asked.page.evaluate("() => watch.count()")
    begun = asked.busy()
    end, i = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        move(i)
        i += 1
    frames = asked.page.evaluate("() => { const f = watch.frames; watch.frames = null; return f; }")
    ordered = sorted(frames[1:]) or [math.nan]
    p95 = ordered[int(0.95 * len(ordered))]
    found = f"{len(ordered)} frames, 95 of 100 within {p95:.0f}, {1000 / statistics.mean(ordered):.1f} a second"
    busy = (asked.busy() - begun) / len(ordered)
    print(
        f"| {what} | {statistics.median(ordered):.0f} ({ordered[-1]:.0f}) | | {busy:.0f} | {found} |",
        flush=True,
    )


def on_screen(asked: Page, places: np.ndarray) -> np.ndarray:
    """Return where points are in the window, float64, by the line through all that the page tells."""
    screen = asked.values("screen", np.float32).reshape(-1, 2).astype(np.float64)
    out = np.empty_like(screen)
    for axis, start in enumerate((asked.box["x"], asked.box["y"])):
        x, y = places[:, axis].astype(np.float64), screen[:, axis]
        known = np.isfinite(y)
        slope, middle = np.polyfit(x[known], y[known], 1)
        out[:, axis] = slope * x + middle + start
        off = np.abs(out[known, axis] - start - y[known]).max()
        assert off < EDGE, f"screen positions are {off} pixels off a line"
    return out


def in_polygon(xy: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return which points are inside by the even-odd rule, float64."""
    inside = np.zeros(len(xy), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, 0), strict=True):
        crosses = (y0 > xy[:, 1]) != (y1 > xy[:, 1])
        if y0 != y1:
            inside ^= crosses & (xy[:, 0] < x0 + (xy[:, 1] - y0) * (x1 - x0) / (y1 - y0))
    return inside


def edge_distance(xy: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return how far points are from an outline."""
    least = np.full(len(xy), np.inf)
    for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
        along = b - a
        share = np.clip((xy - a) @ along / max(float(along @ along), 1e-30), 0, 1)
        least = np.minimum(least, np.hypot(*(xy - a - share[:, None] * along).T))
    return least


def ask_selection(asked: Page, places: np.ndarray, name: str, corners: np.ndarray) -> None:
    """Drag an outline, and compare what it selects with what lies inside."""
    xy = on_screen(asked, places)
    asked.press("Select with a lasso" if name == "lasso" else "Select a box")
    mouse = asked.page.mouse

    def act() -> None:
        mouse.move(*corners[0])
        mouse.down()
        for corner in corners[1:]:
            mouse.move(*corner)
        mouse.up()

    took = asked.time("pointerup", act)
    outline = corners
    if name != "lasso":
        (x0, y0), (x1, y1) = corners[0], corners[-1]
        outline = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    inside, found = in_polygon(xy, outline), np.zeros(len(xy), bool)
    found[asked.selected()] = True
    wrong = np.flatnonzero(inside != found)
    doubtful = int((edge_distance(xy[wrong], outline) < EDGE).sum())
    said = f"{found.sum():,} selected, {inside.sum():,} inside, {len(wrong) - doubtful:,} wrong"
    tell(f"select: {name}", [took], said + (f", {doubtful} on the edge" if doubtful else ""))


def ask_search(asked: Page, labels: list[str], texts: list[str]) -> None:
    field = asked.page.get_by_role("searchbox")
    for text in texts:
        took = asked.time("input", partial(field.fill, text))
        if text.startswith("="):
            true = sum(label.casefold() == text[1:].casefold() for label in labels)
        else:
            true = sum(text.casefold() in label.casefold() for label in labels)
        found = len(asked.selected())
        tell(f"search `{text}`", [took], f"{found:,} found, {true:,} true")
    tell("search, emptied", [asked.time("input", partial(field.fill, ""))])
    asked.page.evaluate("() => embviz.set({selected: []})")
    asked.page.wait_for_timeout(800)


def ask_neighbors(asked: Page, places: np.ndarray, vectors: Path | None, rounds: int) -> None:
    """Click points, and compare the neighbors listed with the true ones among all."""
    asked.press("Move and turn")
    xy, times, listed = on_screen(asked, places), [], []
    rng = np.random.default_rng(5)
    for row in rng.permutation(len(xy))[:rounds].tolist():
        times.append(asked.time("pointerup", partial(asked.page.mouse.click, *xy[row])))
        picked = asked.selected()
        if len(picked) == 1:
            k = asked.page.locator("ol.rows li").count()
            near = asked.page.evaluate(NEAR, [int(picked[0]), k])
            listed.append((int(picked[0]), *near))
    shown = asked.page.locator("ol.rows li").count()
    said = f"{len(listed)} of {rounds} clicks took a point, {shown} neighbors listed"
    if vectors and listed:
        said += ", " + compare_neighbors(listed, vectors, asked.state("metric"))
    tell("click to neighbors", times, said)


def compare_neighbors(listed: list[tuple[Any, ...]], path: Path, metric: str) -> str:
    """Tell how many of the neighbors listed are as near as the true ones, float64."""
    data = np.load(path, mmap_mode="r")
    rows = [row for row, _, _ in listed]
    asked = np.asarray(data[rows], np.float64)
    found = np.empty((len(rows), len(data)))
    for start in range(0, len(data), 50_000):
        block = np.asarray(data[start : start + 50_000], np.float64)
        dots = asked @ block.T
        squares, own = (block**2).sum(1), (asked**2).sum(1)[:, None]
        apart = 1 - dots / np.sqrt(own * squares)
        if metric == "euclidean":
            apart = np.sqrt(np.maximum(own + squares - 2 * dots, 0))
        found[:, start : start + len(block)] = apart
    found[np.arange(len(rows)), rows] = np.inf
    true, off, total = 0, 0.0, 0
    for (_, indices, distances), all_ in zip(listed, found, strict=True):
        reach = np.partition(all_, len(indices) - 1)[len(indices) - 1]
        true += int((all_[indices] <= reach).sum())
        off = max(off, float(np.abs(np.array(distances) / all_[indices] - 1).max()))
        total += len(indices)
    return (
        f"{true} of {total} are the nearest of all by {metric}, distances within {100 * off:.1f} %"
    )


def ask_isolation(asked: Page) -> None:
    n = len(asked.selected())
    took = asked.time("click", partial(asked.press, "Isolate"))
    shown = len(asked.state("isolated") or [])
    tell("isolate", [took], f"{n:,} selected, {shown:,} isolated")
    took = asked.time("click", partial(asked.press, "Show all"))
    tell("show all", [took], f"isolated: {asked.state('isolated')}")


def ask_looks(asked: Page) -> None:
    """Change theme, color, label, names and what the legend hides."""
    page = asked.page
    shown, rows = page.locator(".legend-row"), page.get_by_role("tab").all()
    for name in ("dark", "light"):
        tell(name, [asked.time("click", page.locator("header button").nth(3).click)])
    for label in ("Color by", "Label by"):
        field = page.get_by_label(label, exact=True)
        for name in field.locator("option").all_text_contents()[:6]:
            choose = partial(field.select_option, label=name)
            took = asked.time("change", choose)
            tell(f"{label.lower()} {name}", [took], f"{shown.count()} in the legend")
    if shown.count():
        for what in ("hide a class", "show it again"):
            tell(what, [asked.time("click", shown.first.click)], shown.first.inner_text())
    letters = page.get_by_role("button", name="Labels").first
    for what, button in [("labels", letters)] * 3 + [("tab", row) for row in rows]:
        took = asked.time("click", button.click)
        names = page.evaluate("() => embviz.names().length")
        told = asked.state("labels") if what == "labels" else button.inner_text()
        tell(f"{what} {told}", [took], f"{names} names")


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--vectors", type=Path, help="the .npy of which the page was made")
    parser.add_argument("--labels", help="what a label is, p{} or row {}", default="row {}")
    parser.add_argument("--search", nargs="+", default=["row 77", "=row 123456", "9999", "0"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=5, help="of each drag")
    parser.add_argument("--pictures", type=Path, help="a folder for screenshots")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        asked = Page(browser, options.page)
        click_through(asked, options)
        print("complaints:", asked.complaints or "none")
        browser.close()


def ask_moves(asked: Page, seconds: float) -> None:
    mouse, (x, y) = asked.page.mouse, asked.at(0.5, 0.5)

    def around(i: int) -> None:
        mouse.move(x + 110 * math.sin(0.12 * i), y + 80 * (1 - math.cos(0.12 * i)))

    for kind in ("first drag", "drag"):
        mouse.move(x, y)
        mouse.down()
        tell_frames(asked, kind, seconds, around)
        mouse.up()
        asked.page.wait_for_timeout(1500)
    mouse.move(x, y)
    tell_frames(asked, "wheel", seconds, lambda i: mouse.wheel(0, 40 * (-1) ** (i // 40 + 1)))
    asked.press("Show everything (0)")
    asked.page.wait_for_timeout(1500)


def outlines(asked: Page) -> list[tuple[str, np.ndarray]]:
    """Return a box in the middle, a lasso with five arms, and a box around all but the edges."""
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    reach = 0.2 + 0.06 * np.sin(5 * turns)
    lasso = zip(0.5 + reach * np.cos(turns), 0.5 + 0.25 * np.sin(turns), strict=True)
    shapes = {"box": [(0.4, 0.4), (0.55, 0.6)], "lasso": list(lasso)}
    shapes["box of all"] = [(0.02, 0.1), (0.98, 0.98)]
    return [
        (name, np.array([asked.at(*uv) for uv in some], float)) for name, some in shapes.items()
    ]


def click_through(asked: Page, options: argparse.Namespace) -> None:
    def picture(name: str) -> None:
        if options.pictures:
            asked.page.wait_for_timeout(500)
            asked.page.screenshot(path=options.pictures / f"{name}.png")

    n = asked.page.evaluate("() => embviz.table.n_points")
    print(f"| asked | first ms, median (worst) | still ms | busy ms | found |\n{'|---' * 5}|")
    times = (*asked.page.evaluate("() => [watch.first, watch.ready]"), asked.busy())
    size = options.page.stat().st_size / 1e6
    tell(f"open {size:.1f} MB: first picture, all ready", [times], f"{n:,} points")
    picture("open")
    ask_moves(asked, options.seconds)
    ask_search(asked, [options.labels.format(i) for i in range(n)], options.search)
    places = asked.values("places", np.float32).reshape(-1, 2)
    asked.box = asked.page.locator(".plot").bounding_box()
    for name, corners in outlines(asked):
        ask_selection(asked, places, name, corners)
        picture(name)
        if name != "box of all":
            ask_isolation(asked)
    ask_neighbors(asked, places, options.vectors, options.rounds)
    picture("neighbors")
    asked.page.evaluate("() => embviz.set({selected: []})")
    asked.page.wait_for_timeout(800)
    shares = np.linspace(0.3, 0.7, options.rounds)
    moves = [partial(asked.page.mouse.move, *asked.at(u, 0.5)) for u in shares]
    tell("pointing", [asked.time("pointermove", move) for move in moves])
    ask_looks(asked)


if __name__ == "__main__":
    main()
