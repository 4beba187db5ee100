"""Bookmarks of the page in the real TensorBoard, where it is installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import EmbeddingTable

pytest.importorskip("tensorboard")
pytest.importorskip("tensorboard.plugins.projector")

# The projector's element sits in the shadow roots of a frame.
FIND = """
const deep = (root) => {
  const hit = root.querySelector('vz-projector');
  if (hit) return hit;
  for (const element of root.querySelectorAll('*')) {
    const found = element.shadowRoot && deep(element.shadowRoot);
    if (found) return found;
  }
  return null;
};
const P = deep(document);
"""
READY = (
    f"() => {{ {FIND} return Boolean(P && P.dataSet && P.projection"
    " && P.bookmarkPanel.savedStates && P.bookmarkPanel.savedStates.length); }"
)
APPLY = f"""async (index) => {{ {FIND}
  const panel = P.bookmarkPanel;
  const state = panel.savedStates[index];
  panel.loadSavedState(index);
  // A t-SNE view iterates on at once; paused, what was loaded can be compared.
  if (state.selectedProjection === 'tsne') P.dataSet.tSNEShouldPause = true;
  await new Promise((done) => setTimeout(done, 800));
  const axes = P.projection.projectionComponents.filter((name) => name !== null);
  return {{
    label: state.label, type: P.projection.projectionType, dims: P.projection.dimensionality, axes,
    points: P.dataSet.points.map((point) => axes.map((name) => point.projections[name])),
    saved: state.projections.map((point) => axes.map((name) => point[name])),
    selected: P.selectedPointIndices, color: P.dataPanel.selectedColorOptionName,
    label_by: P.selectedLabelOption, camera: P.projectorScatterPlotAdapter.scatterPlot.getCameraDef(),
  }};
}}"""
CONFIG = """embeddings {
  tensor_name: "emb"
  tensor_path: "tensor.tsv"
  metadata_path: "metadata.tsv"
  bookmarks_path: "marks.json"
}
"""


@pytest.fixture
def tensorboard(tmp_path: Path) -> Iterator[Callable[[Path], str]]:
    started: list[subprocess.Popen[str]] = []

    def start(logdir: Path) -> str:
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir)]
        command += ["--host", "127.0.0.1", "--port", "0", "--load_fast", "false"]
        log = tmp_path / "tensorboard.log"
        with log.open("w") as out:
            started.append(subprocess.Popen(command, stdout=out, stderr=out, text=True))
        for _ in range(600):
            found = re.search(r"at (http://127\.0\.0\.1:\d+)", log.read_text())
            if found:
                return found[1]
            assert started[-1].poll() is None, log.read_text()
            time.sleep(0.2)
        raise AssertionError("TensorBoard did not start")

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


def save_bookmarks(page: Any) -> str:
    """An isolated, a custom, a 2D PCA and a 3D t-SNE view; after t-SNE TensorBoard iterates on."""
    views = [
        ("isolated", "{projection: 'pca', dims: 3, isolated: Array.from({length: 60}, (_, i) => 5 * i)}"),
        ("custom", "{isolated: null, projection: 'custom', dims: 2, color_by: 'group',"
                   " axes: [{from: '=w3', to: 'group:a'}, {from: '', to: ''}, {from: '', to: ''}]}"),
        ("pca", "{projection: 'pca', dims: 2, selected: [3, 8], color_by: 'size', label_by: 'group'}"),
        ("tsne", "{projection: 'tsne', dims: 3, selected: [9]}"),
    ]  # fmt: skip
    page.call("e.set({tags: [{column: 'mine', value: 'tagged', rows: [1, 2]}]})")
    for label, patch in views:
        page.call(f"(e.set({patch}), e.addBookmark('{label}'))")
    text = str(page.call("e.exportBookmarks()"))
    assert '"value":"tagged"' in text, "what TensorBoard does not know is in the file too"
    return text


def write_logdir(folder: Path, table: EmbeddingTable, marks: str) -> Path:
    folder.mkdir()
    np.savetxt(folder / "tensor.tsv", table.vectors, delimiter="\t", fmt="%.9g")
    lines = ["\t".join(table.metadata), *map("\t".join, zip(*table.metadata.values(), strict=True))]
    (folder / "metadata.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "marks.json").write_text(marks, encoding="utf-8")
    (folder / "projector_config.pbtxt").write_text(CONFIG, encoding="utf-8")
    return folder


def find_projector(page: Any) -> Any:
    """The frame that holds the projector with its data and bookmarks."""
    for _ in range(400):
        for frame in page.frames:
            try:
                if frame.evaluate(READY):
                    return frame
            except Exception as error:
                # The frame is being replaced while TensorBoard loads.
                if not re.search("navigat|detached|destroyed|null|undefined", str(error)):
                    raise
        page.wait_for_timeout(300)
    raise AssertionError("the projector did not load")


def apply_bookmarks(browser: Any, url: str) -> tuple[list[Any], list[str]]:
    """Apply the four bookmarks in a new page; return what was found, and what failed in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 840})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{url}/#projector", wait_until="domcontentloaded")
    frame = find_projector(page)
    found = [frame.evaluate(APPLY, i) for i in range(4)]
    context.close()
    return found, errors


def test_tensorboard_applies_what_the_page_saved(
    open_page: Callable[..., Any],
    report: Path,
    table: EmbeddingTable,
    tensorboard: Callable[[Path], str],
    browser: Any,
    tmp_path: Path,
) -> None:
    marks = save_bookmarks(open_page(report))
    url = tensorboard(write_logdir(tmp_path / "log", table, marks))
    found, errors = apply_bookmarks(browser, url)
    if errors:
        # TensorBoard at times fails by itself as it loads; what is wrong with a bookmark comes again.
        found, errors = apply_bookmarks(browser, url)
    assert errors == []
    assert [mark["label"] for mark in found] == ["isolated", "custom", "pca", "tsne"]
    assert [mark["type"] for mark in found] == ["pca", "custom", "pca", "tsne"]
    assert [mark["dims"] for mark in found] == [3, 2, 2, 3]
    for mark, n_points in zip(found, (60, 300, 300, 300), strict=True):
        assert len(mark["points"]) == n_points
        np.testing.assert_array_equal(np.array(mark["points"], float), np.array(mark["saved"]))
    assert [mark["selected"] for mark in found][2:] == [[3, 8], [9]]
    assert (found[2]["color"], found[2]["label_by"]) == ("size", "group")
    for mark, state in zip(found, json.loads(marks), strict=True):
        camera = state["cameraDef"]
        assert mark["camera"]["orthographic"] == camera["orthographic"]
        assert mark["camera"]["zoom"] == pytest.approx(camera["zoom"])
        assert mark["camera"]["target"] == pytest.approx(camera["target"], abs=1e-9)
