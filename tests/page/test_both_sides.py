"""What the page does with one state of the points, done with two: isolate, runs, spheres, saved files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import embviz
from embviz import EmbeddingTable
from embviz.comparison.values import Comparison
from tests.page.test_comparison import plot_box, positions
from tests.page.test_exports import HEAD
from tests.report.comparisons import ranked, two_halves

N = 120
SUBSET = list(range(4, 120, 6)) + list(range(0, 60, 6))


@pytest.fixture(scope="session")
def scaled() -> Comparison:
    """B is ten times as large as A, and of another width."""
    a, b = two_halves()
    wide = np.concatenate([10 * np.asarray(b.vectors), np.zeros((N, 2), np.float32)], axis=1)
    return embviz.compare(a, EmbeddingTable(wide, b.metadata, "emb", "model-2.npy"))


@pytest.fixture(scope="session")
def report_of_sizes(scaled: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sizes") / "out.html"
    steps = embviz.as_steps(scaled)
    projections = embviz.project_steps(steps, methods=["tsne"], axes=[("=w0", "=w1")], dims=[2, 3])
    embviz.write_comparison(path, scaled, projections, first="pca", title="Sizes")
    return path


@pytest.fixture
def page(open_page: Callable[..., Any], report_of_sizes: Path) -> Any:
    return open_page(report_of_sizes)


def fitted(known: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scale of each axis that takes places to the screen; it checks that there is one."""
    out = []
    for c in (0, 1):
        line = np.polyfit(known[:, c], found[:, c], 1)
        assert np.abs(np.polyval(line, known[:, c]) - found[:, c]).max() < 0.1
        out.append(line[0])
    return np.array(out)


def test_isolating_computes_pca_of_both_sides_by_themselves(page: Any, scaled: Comparison) -> None:
    page.call(f"e.isolate({SUBSET})")
    page.page.wait_for_timeout(200)
    spread = []
    for side, table in enumerate((scaled.a, scaled.b)):
        want = embviz.PCA().project(table.take(np.array(SUBSET))).coordinates[:, :2].astype(float)
        found = positions(page, side)[SUBSET]
        fitted(want, found)
        spread.append(found.std(axis=0))
    # Ten times as large, B would leave nothing to be seen of A.
    assert (np.abs(np.log(spread[0] / spread[1])) < np.log(3)).all()
    caption = page.page.locator(".caption").text_content()
    assert "A: PCA of the 30 isolated points alone at step model-1.npy" in caption
    assert re.search(
        r"B: PCA of the 30 isolated points alone at step model-2.npy.*B is drawn at", caption
    )


def test_a_component_points_the_same_way_on_both_sides(page: Any) -> None:
    page.call(f"e.isolate({SUBSET})")
    page.page.wait_for_timeout(200)
    a, b = (positions(page, side)[SUBSET] for side in (0, 1))
    for c in (0, 1):
        assert np.corrcoef(a[:, c], b[:, c])[0, 1] > 0


def test_typed_axes_have_each_sides_own_ends(page: Any, scaled: Comparison) -> None:
    page.call(
        "e.set({ projection: 'custom', axes: [{from: 'group:a', to: 'group:b'}, {from: '=w2', to: '=w3'}] })"
    )
    page.page.wait_for_timeout(300)
    group = np.array(scaled.a.metadata["group"])
    for side, table in enumerate((scaled.a, scaled.b)):
        vectors = np.asarray(table.vectors, float)
        ends = [
            (vectors[group == "a"].mean(axis=0), vectors[group == "b"].mean(axis=0)),
            (vectors[2], vectors[3]),
        ]
        want = np.stack([vectors @ (to - of) / np.linalg.norm(to - of) for of, to in ends], axis=1)
        fitted(want, positions(page, side))


def test_isolated_components_slide_from_the_one_to_the_other_in_one_map(page: Any) -> None:
    page.call(f"e.isolate({SUBSET})")
    page.call("e.set({ layout: 'one' })")
    page.page.wait_for_timeout(200)
    found = []
    for step in (0, 0.25, 1):
        page.call(f"e.set({{ step: {step} }})")
        found.append(positions(page, 0)[SUBSET])
    np.testing.assert_allclose(found[1], 0.75 * found[0] + 0.25 * found[2], atol=0.1)
    assert np.abs(found[0] - found[2]).max() > 5


def test_the_components_of_a_scaled_copy_lie_where_those_of_the_original_do(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    a, _ = two_halves()
    copy = EmbeddingTable(10 * np.asarray(a.vectors), a.metadata, "emb", "model-2.npy")
    found = embviz.compare(a, copy)
    embviz.write_comparison(
        tmp_path / "x.html", found, embviz.project_steps(embviz.as_steps(found))
    )
    page = open_page(tmp_path / "x.html")
    np.testing.assert_allclose(positions(page, 0), positions(page, 1), atol=0.5)


def test_a_run_is_of_the_side_that_is_chosen_and_shown_alone(page: Any) -> None:
    page.page.get_by_role("button", name="A · model-1.npy").click()
    page.call("e.set({ projection: 'tsne' })")
    assert "Run on all 120 points of A" in page.page.locator(".run summary").text_content()
    page.call("e.project('tsne', { iterations: 250 })")
    view = page.call("e.view()")
    assert (view["layout"], view["step"]) == ("one", 0)


@pytest.mark.parametrize("side", [0, 1])
def test_a_sphere_takes_what_lies_in_it_on_the_side_of_the_click(
    page: Any, scaled: Comparison, side: int
) -> None:
    page.call("e.set({ dims: 3, labels: 'none' })")
    ends = [
        np.array(page.call(f"(e.set({{ step: {i} }}), e.coordinates('pca', 3))")).reshape(N, 3)
        for i in (0, 1)
    ]
    radius = 0.1 * np.ptp(np.concatenate(ends), axis=0).max()
    places = ends[side]
    inside = np.linalg.norm(places[:, None] - places, axis=2) <= radius
    page.call("e.set({ tool: 'sphere' })")
    page.page.wait_for_timeout(200)
    box, there = plot_box(page, side), positions(page, side)
    apart = np.linalg.norm(there[:, None] - there, axis=2) + 1e9 * np.eye(N)
    free = np.flatnonzero(apart.min(axis=1) > 9)
    row = int(free[inside[free].sum(axis=1).argmax()])
    page.page.mouse.click(box["x"] + there[row, 0], box["y"] + there[row, 1])
    view = page.call("e.view()")
    assert (view["step"], view["sphere"]) == (side, {"row": row, "radius": 0.1})
    assert 1 < inside[row].sum() < N
    assert set(view["selected"]) == set(np.flatnonzero(inside[row]).tolist())


def test_points_are_saved_with_the_places_of_both_sides(page: Any) -> None:
    page.call("e.select([5, 77])")
    rows = list(csv.DictReader(io.StringIO(page.call("e.exportPoints()")), delimiter="\t"))
    assert [row["row"] for row in rows] == ["5", "77"]
    for side in (0, 1):
        places = np.array(
            page.call(f"(e.set({{ step: {side} }}), e.coordinates('pca', 2))")
        ).reshape(N, 2)
        for row in rows:
            found = [float(row[f"{'AB'[side]} pca_2:{c}"]) for c in (1, 2)]
            np.testing.assert_allclose(found, places[int(row["row"])], rtol=1e-6)


def saved(page: Any, item: str) -> bytes:
    page.page.get_by_role("button", name="Save pictures and points").click()
    with page.page.expect_download() as waiting:
        page.page.get_by_role("menuitem", name=item).click()
    return Path(waiting.value.path()).read_bytes()


def test_neighbors_are_saved_of_both_sides(page: Any, scaled: Comparison) -> None:
    page.call("e.select([29, 30])")
    text = saved(page, "Neighbors of the selected, TSV").decode()
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    for side, table in enumerate((scaled.a, scaled.b)):
        order = ranked(table.vectors)
        for query in (29, 30):
            found = [
                int(r["neighbor_row"])
                for r in rows
                if r["side"] == "AB"[side] and r["row"] == str(query)
            ]
            assert found == order[query, :10].tolist()


def test_pictures_hold_both_maps_beside_each_other(page: Any) -> None:
    page.call("e.set({ labels: 'none', color_by: null })")
    a, b = plot_box(page, 0), plot_box(page, 1)
    png = Image.open(io.BytesIO(saved(page, "Picture, PNG")))
    assert png.size == (2 * round(a["width"] + b["width"]), 2 * (round(a["height"]) + HEAD))
    text = saved(page, "Picture, SVG").decode()
    assert f'width="{round(a["width"] + b["width"])}"' in text
    centers = np.array(re.findall(rf'<g transform="translate\((\d+) {HEAD}\)"', text), int)
    assert centers.tolist() == [0, round(a["width"])]
    discs = np.array(re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', text), float)
    for side in (0, 1):
        for x, y in positions(page, side)[::17]:
            assert np.hypot(*(discs - [x, y]).T).min() < 0.02
    assert "A · model-1.npy" in text
    assert "B · model-2.npy" in text


def test_a_bookmark_brings_back_the_layout_the_step_and_the_camera(page: Any) -> None:
    box = plot_box(page, 0)
    page.page.mouse.move(box["x"] + 150, box["y"] + 300)
    page.page.mouse.wheel(0, -240)
    page.page.wait_for_timeout(300)
    before = [positions(page, side) for side in (0, 1)]
    at = page.call("e.addBookmark('here')")
    page.call("e.set({ layout: 'one', step: 0, dims: 3 })")
    page.page.wait_for_timeout(200)
    page.call(f"e.apply({at})")
    page.page.wait_for_timeout(300)
    view = page.call("e.view()")
    assert (view["layout"], view["step"], view["dims"]) == ("side", 1, 2)
    for side in (0, 1):
        np.testing.assert_allclose(positions(page, side), before[side], atol=1)


def test_it_is_said_whether_what_moves_has_changed(page: Any) -> None:
    page.call("e.set({ projection: 'tsne' })")
    notes = page.page.get_by_role("note")
    (beside,) = (n.inner_text() for n in notes.all() if n.is_visible())
    page.call("e.set({ layout: 'one' })")
    (below,) = (n.inner_text() for n in notes.all() if n.is_visible())
    assert beside == below
    motion = float(re.search(r", (-?[\d.]+):", below)[1])  # type: ignore[index]
    ((want,),) = [
        [entry["stats"]["motion"]["2"]]
        for entry in page.page.evaluate(
            "JSON.parse(document.getElementById('manifest').textContent)"
        )["projections"]
        if entry["key"] == "tsne" and entry["n_components"] == 2
    ]
    assert motion == pytest.approx(want, abs=0.005)


def test_without_vectors_the_lists_of_the_file_are_shown(
    open_page: Callable[..., Any], scaled: Comparison, tmp_path: Path
) -> None:
    projections = embviz.project_steps(embviz.as_steps(scaled))
    embviz.write_comparison(tmp_path / "x.html", scaled, projections, vectors="none")
    page = open_page(tmp_path / "x.html")
    page.call("e.set({ selected: [29], k: 12 })")
    order = ranked(scaled.b.vectors)[29]
    other = ranked(scaled.a.vectors)[29].tolist()
    marks = page.page.get_by_role("list", name="Nearest in B").locator(".mark")
    found = marks.evaluate_all("(all) => all.map((m) => m.getAttribute('aria-label'))")
    assert len(found) == 12
    for label, i in zip(found[:10], order.tolist(), strict=False):
        assert label.endswith(f"rank {other.index(i) + 1} in A")
    # Of farther ones the page knows whether they are in the other list.
    near = set(other[:12])
    assert [label.split(",")[0] for label in found] == [
        "stayed" if i in near else "came" for i in order[:12].tolist()
    ]
