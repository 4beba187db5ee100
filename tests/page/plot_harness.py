"""A page that holds nothing but the plot, for its tests and its benchmark."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

import embviz
from embviz.report.shell import PLOTLY

WIDTH, HEIGHT = 800, 620
LEFT, TOP = 40, 30
COLORS = np.array([[213, 94, 0, 255], [0, 114, 178, 255], [0, 149, 108, 255]], np.uint8)
TITLES = [{"title": f"component {i}", "low": "", "high": ""} for i in (1, 2, 3)]

# Where Plotly itself says that points lie, in pixels from the host's corner, read apart from our code.
PLOTLY_SAYS = """([rows]) => {
  const gd = harness.gd();
  const L = gd._fullLayout;
  const c = harness.coordinates;
  if (harness.plot.camera().dims === 2) {
    const { xaxis: x, yaxis: y } = L;
    return rows.map((i) => [x._offset + x.l2p(c[2 * i]), y._offset + y.l2p(c[2 * i + 1])]);
  }
  const s = L.scene._scene;
  const { projection, view, model } = s.glplot.cameraParams;
  const times = (m, v) => [0, 1, 2, 3].map((r) => m[r] * v[0] + m[4 + r] * v[1] + m[8 + r] * v[2] + m[12 + r] * v[3]);
  const canvas = s.glplot.canvas;
  return rows.map((i) => {
    const v = [c[3 * i] * s.dataScale[0], c[3 * i + 1] * s.dataScale[1], c[3 * i + 2] * s.dataScale[2], 1];
    const q = times(projection, times(view, times(model, v)));
    if (q[3] <= 0) return [NaN, NaN];
    return [(0.5 + q[0] / q[3] / 2) * canvas.clientWidth, (0.5 - q[1] / q[3] / 2) * canvas.clientHeight];
  });
}"""

JS = Path(embviz.__file__).parent / "templates" / "js"
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' blob: data:; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'none'; worker-src blob: data:"
)
ARGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--enable-precise-memory-info",
]

SCRIPT = """
import { createPlot } from '#js/plot/plot.js';
import * as camera from '#js/drawing/camera.js';
import * as plotly from '#js/plot/plotly.js';
const host = document.getElementById('host');
const events = [];
const log = (kind) => (...rest) => events.push([kind, ...rest]);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const CHROME = {
  light: { background: '#ffffff', grid: '#e4e6e9', text: '#14171a', muted: '#5f6670', accent: '#0b63ce' },
  dark: { background: '#121417', grid: '#2a2e34', text: '#eceef0', muted: '#9ea6af', accent: '#66aaff' },
};
const plot = createPlot(host, {
  hover: log('hover'), click: log('click'), select: log('select'), camera: log('camera'),
  unsupported: log('unsupported'),
});
let settings = null;
window.harness = {
  plot, events, camera, plotly, CHROME,
  frames: (n) => new Promise((resolve) => {
    const step = () => (n-- > 0 ? requestAnimationFrame(step) : resolve());
    step();
  }),
  async rest() {
    let before = null;
    for (let same = 0; same < 4;) {
      await new Promise((resolve) => setTimeout(resolve, 80));
      const now = JSON.stringify([plot.camera(), plot.stats().frames]);
      same = now === before ? same + 1 : 0;
      before = now;
    }
  },
  points(text, n, dims, rest = {}) {
    this.coordinates = new Float32Array(bytes(text).buffer);
    plot.setPoints({ coordinates: this.coordinates, n, dims, axes: null, ...rest });
  },
  gaussian(n, dims, seed = 1, rest = {}) {
    let s = seed;
    const random = () => { s = (Math.imul(s, 1664525) + 1013904223) >>> 0; return (s + 0.5) / 2 ** 32; };
    this.coordinates = Float32Array.from({ length: n * dims }, () => Math.sqrt(-2 * Math.log(random())) * Math.cos(6.283185307 * random()));
    plot.setPoints({ coordinates: this.coordinates, n, dims, axes: null, ...rest });
  },
  style(patch) {
    const dark = patch.dark ?? settings?.dark ?? false;
    const rows = (list) => (list ? Int32Array.from(list) : undefined);
    const next = { ...patch, dark, chrome: CHROME[dark ? 'dark' : 'light'] };
    for (const key of ['selected', 'neighbors']) if (patch[key]) next[key] = rows(patch[key]);
    for (const key of ['colors', 'visible']) if (typeof patch[key] === 'string') next[key] = bytes(patch[key]);
    if (patch.names) next.label = (row) => patch.names[row];
    if (patch.sprite) next.sprite = { ...this.sprite, ...patch.sprite };
    settings = next;
    document.body.style.background = next.chrome.background;
    plot.setStyle(next);
  },
  async loadSprite(text, rest) {
    const image = await createImageBitmap(new Blob([bytes(text)], { type: 'image/png' }));
    this.sprite = { image, tile: (row) => row, ...rest };
  },
  async loadPlotly() {
    const text = document.getElementById('plotly').textContent;
    const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
    const script = document.createElement('script');
    script.src = url;
    await new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    plot.setPlotly(window.Plotly);
    await this.rest();
  },
  gd: () => document.querySelector('.js-plotly-plot'),
};
"""

PAGE = """<!doctype html><html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<style>
body {{ margin: 0; font: 13px system-ui, sans-serif; }}
#host {{ position: absolute; left: {left}px; top: {top}px; width: {width}px; height: {height}px; }}
</style></head><body>
<div id="host" tabindex="0" role="application" aria-label="points"></div>
<script type="text/plain" id="plotly">{plotly}</script>
<script type="importmap">{imports}</script>
<script type="module">{script}</script>
</body></html>
"""


def build(path: Path, box: tuple[int, int, int, int] = (0, 0, 1280, 900), extra: str = "") -> Path:
    """Write the page; `box` is left, top, width and height of the plot, `extra` more script."""
    imports = {}
    for file in sorted(JS.rglob("*.js")):
        text = base64.b64encode(file.read_bytes()).decode()
        imports[f"#js/{file.relative_to(JS).as_posix()}"] = f"data:text/javascript;base64,{text}"
    left, top, width, height = box
    path.write_text(
        PAGE.format(
            policy=POLICY,
            left=left,
            top=top,
            width=width,
            height=height,
            plotly=PLOTLY.read_text(encoding="utf-8").replace("</script", "<\\/script"),
            imports=json.dumps({"imports": imports}),
            script=SCRIPT + extra,
        ),
        encoding="utf-8",
    )
    return path


def encoded(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


class Harness:
    """The harness page, its points, and what it said."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        page.goto(path.as_uri())
        page.wait_for_function("window.harness")

    def points(self, coordinates: npt.NDArray[Any], **rest: Any) -> None:
        values = coordinates.astype(np.float32)
        self.n, self.dims = values.shape
        self.page.evaluate(
            "([t, n, d, rest]) => harness.points(t, n, d, rest)",
            [encoded(values), self.n, self.dims, rest],
        )

    def style(self, **patch: Any) -> None:
        for key in ("colors", "visible"):
            if isinstance(patch.get(key), np.ndarray):
                patch[key] = encoded(patch[key])
        self.page.evaluate("(patch) => harness.style(patch)", patch)

    def load_plotly(self) -> None:
        self.page.evaluate("harness.loadPlotly()")

    def rest(self) -> None:
        self.page.evaluate("harness.rest()")

    def positions(self) -> npt.NDArray[np.float64]:
        flat = self.page.evaluate("[...harness.plot.screenPositions()]")
        return np.array(flat, dtype=float).reshape(-1, 2)

    def plotly_says(self) -> npt.NDArray[np.float64]:
        said = self.page.evaluate(PLOTLY_SAYS, [list(range(self.n))])
        return np.array(said, dtype=float).reshape(-1, 2)

    def events(self, kind: str) -> list[Any]:
        found = self.page.evaluate(
            "(kind) => harness.events.filter((e) => e[0] === kind).map((e) => e.map("
            "(v) => ArrayBuffer.isView(v) ? [...v] : v))",
            kind,
        )
        assert isinstance(found, list)
        return found

    def clear(self) -> None:
        self.page.evaluate("harness.events.length = 0")

    def screenshot(self) -> npt.NDArray[np.int16]:
        png = self.page.screenshot(clip={"x": LEFT, "y": TOP, "width": WIDTH, "height": HEIGHT})
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int16)

    def drag(self, path: list[tuple[float, float]], **keys: Any) -> None:
        mouse = self.page.mouse
        mouse.move(LEFT + path[0][0], TOP + path[0][1])
        mouse.down()
        for x, y in path[1:]:
            mouse.move(LEFT + x, TOP + y)
        mouse.up()


def opened(browser: Any, path: Path) -> Iterator[Callable[..., Harness]]:
    """Open the page in contexts of their own, and close them."""
    contexts = []

    def start(**options: Any) -> Harness:
        context = browser.new_context(
            **{"viewport": {"width": WIDTH + 100, "height": HEIGHT + 60}, **options}
        )
        contexts.append(context)
        return Harness(context.new_page(), path)

    yield start
    for context in contexts:
        context.close()


def cloud(n: int, dims: int, seed: int = 3) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(n, dims)).astype(np.float32)


def assert_same_places(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> None:
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    seen = ~np.isnan(ours[:, 0]) & (np.abs(theirs).max(axis=1) < 1e4)
    assert seen.sum() > 5
    assert np.abs(ours[seen] - theirs[seen]).max() < 0.1


def drawn_at(picture: npt.NDArray[Any], spots: npt.NDArray[Any], color: list[int]) -> float:
    """The share of positions within the picture where that color is."""
    inside = [(round(x - 0.5), round(y - 0.5)) for x, y in spots if 8 < x < 790 and 60 < y < 570]
    assert len(inside) >= 5
    # Far points are fainter; the page itself differs by 255 in blue.
    hits = [np.abs(picture[y, x] - color).max() < 120 for x, y in inside]
    return float(np.mean(hits))
