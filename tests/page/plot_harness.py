"""A page that holds nothing but the plot, for its tests and its benchmark."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import embviz

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
import { createPlot } from '#js/panels/plot.js';
import * as camera from '#js/camera.js';
import * as plotly from '#js/panels/plotly_axes.js';
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
    from plotly.offline import get_plotlyjs

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
            plotly=get_plotlyjs().replace("</script", "<\\/script"),
            imports=json.dumps({"imports": imports}),
            script=SCRIPT + extra,
        ),
        encoding="utf-8",
    )
    return path
