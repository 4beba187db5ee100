"""The real TensorBoard with its projector in Chromium, for tests of what embviz writes for it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS = 150
# The projector is a custom element behind several shadow roots, in a frame of its own.
SCRIPT = """
() => {
  const find = (root, name) => {
    const here = root.querySelector(name);
    if (here) return here;
    for (const element of root.querySelectorAll('*')) {
      const inside = element.shadowRoot && find(element.shadowRoot, name);
      if (inside) return inside;
    }
    return null;
  };
  const projector = () => find(document, 'vz-projector');
  const dialog = () => {
    const box = projector()?.$$('#notification-dialog');
    return box?.opened ? projector().$$('#notify-msgs')?.textContent ?? '' : null;
  };
  window.probe = {
    projector,
    state: (tensor) => {
      const p = projector();
      const names = p?.dataPanel?.tensorNames;
      if (!names?.length) return 'no tensors';
      if (p.dataPanel.selectedTensor !== tensor) {
        p.dataPanel.selectedTensor = tensor;
        return 'chosen';
      }
      const points = p.dataSet?.points;
      if (!points?.length || !p.projection || dialog() !== null) return `loading ${dialog() ?? ''}`;
      return 'ready';
    },
    seen: () => {
      const p = projector();
      const { points, spriteAndMetadataInfo: info } = p.dataSet;
      const image = info?.spriteImage;
      return {
        tensors: p.dataPanel.tensorNames.map((t) => t.name),
        n_points: points.length,
        n_dims: points[0].vector.length,
        vectors: points.slice(0, 3).map((q) => [...q.vector]),
        spherized: p.normalizeData,
        metadata: points.map((q) => q.metadata),
        columns: (info?.stats ?? []).map((column) => column.name),
        sprite: image ? [image.naturalWidth, image.naturalHeight] : null,
        tile: info?.spriteMetadata?.singleImageDim ?? null,
        bookmarks: p.bookmarkPanel.savedStates.map((s) => s.label),
      };
    },
    apply: async (index) => {
      const p = projector();
      const state = p.bookmarkPanel.savedStates[index];
      p.bookmarkPanel.savedStates.forEach((_, i) => p.bookmarkPanel.setSelectionState(i, false));
      p.bookmarkPanel.loadSavedState(index);
      p.dataSet.tSNEShouldPause = true; // it would iterate on, away from what was loaded
      await new Promise((resolve) => setTimeout(resolve, 400));
      const { projectionComponents: names, dimensionality } = p.projection;
      const axes = names.filter((a) => a != null).slice(0, dimensionality);
      return {
        kind: p.projection.projectionType,
        dims: p.projection.dimensionality,
        stored: state.projections.map((point) => axes.map((a) => point[a])),
        shown: p.dataSet.points.map((point) => axes.map((a) => point.projections[a])),
        selected: p.selectedPointIndices ?? [],
      };
    },
  };
  return projector() !== null;
}
"""


class Projector:
    """A projector that is open in a page."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self.errors: list[str] = []
        self.failed: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", lambda r: self.failed.append(r.url) if r.status >= 400 else None)

    def open(self, tensor: str) -> dict[str, Any]:
        """Choose a tensor, wait until it is shown, and return what the projector holds."""
        state = ""
        settled = 0.0
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            frame = self._frame()
            state = (
                frame.evaluate("(tensor) => window.probe.state(tensor)", tensor) if frame else ""
            )
            settled = settled or time.monotonic() if state == "ready" else 0.0
            if settled and time.monotonic() - settled > 0.8:
                assert frame is not None
                return dict(frame.evaluate("() => window.probe.seen()"))
            self._page.wait_for_timeout(200)
        raise AssertionError(f"the projector did not show {tensor}: {state}")

    def apply(self, index: int) -> dict[str, Any]:
        """Apply a bookmark and return its coordinates as stored and as shown."""
        frame = self._frame()
        assert frame is not None
        return dict(frame.evaluate("(i) => window.probe.apply(i)", index))

    def _frame(self) -> Any:
        from playwright.sync_api import Error

        for frame in self._page.frames:
            try:
                if frame.evaluate(SCRIPT):
                    return frame
            except Error:  # it is being replaced
                continue
        return None


@contextmanager
def serve(logdir: Path) -> Iterator[str]:
    """Run TensorBoard on a logdir and give its address once it has found an embedding."""
    import json
    import urllib.request

    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)),
            *("--host", "127.0.0.1", "--port", "0", "--load_fast", "false"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    lines: list[str] = []
    found: list[str] = []

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            found.extend(re.findall(r"http://[^\s/]+:\d+", line))

    threading.Thread(target=listen, daemon=True).start()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def has_run() -> bool:
        if not found:
            return False
        try:
            with opener.open(f"{found[0]}/data/plugin/projector/runs", timeout=30) as answer:
                return bool(json.load(answer))
        except OSError:
            return False

    try:
        _wait(has_run, lambda: process.poll() is None, lines)
        yield found[0]
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait(done: Callable[[], bool], alive: Callable[[], bool], lines: list[str]) -> None:
    end = time.monotonic() + SECONDS
    while not done():
        assert alive(), "TensorBoard ended:\n" + "".join(lines[-15:])
        assert time.monotonic() < end, "TensorBoard found no embedding:\n" + "".join(lines[-15:])
        time.sleep(0.3)
