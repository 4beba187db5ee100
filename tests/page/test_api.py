"""`window.embviz` against NumPy in float64."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Error

from embviz import (
    PCA,
    Axes,
    EmbeddingTable,
    find_neighbors,
    match,
    measure_quality,
    write_report,
)
from embviz.neighbors import build_graph
from embviz.pictures.quality import with_quality


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


@pytest.mark.everywhere
def test_the_page_opens_from_disk_without_a_request_or_a_complaint(
    open_page: Callable[..., Any], report: Path
) -> None:
    page = open_page(report, plotly=True)
    page.page.wait_for_timeout(300)
    assert page.requests == []
    assert page.complaints == []


def test_table_says_what_is_in_the_page(page: Any) -> None:
    want = {"n_points": 300, "n_dims": 12, "columns": ["word", "group", "size"]}
    assert page.call("e.table") == want


@pytest.mark.parametrize("query", ["w1", "=w1", "/^w1\\d$/", "group:a", "size:=0.1", "row:=12"])
def test_a_query_matches_what_the_command_line_matches(
    page: Any, table: EmbeddingTable, query: str
) -> None:
    found = page.page.evaluate("(q) => [...window.embviz.query(q)]", query)
    assert found == match(table, query).tolist()
    assert found


def test_a_query_that_is_not_understood_throws(page: Any) -> None:
    with pytest.raises(Error, match="no regular expression"):
        page.call("e.query('/(/')")


@pytest.mark.everywhere
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbors_are_those_of_the_original_space(
    page: Any, table: EmbeddingTable, metric: Any
) -> None:
    for row in (0, 17, 299):
        found = page.call(f"e.neighbors({row}, 25, '{metric}')")
        vectors = table.vectors.astype(np.float64)
        if metric == "cosine":
            unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            distances = 1 - unit @ unit[row]
        else:
            distances = np.linalg.norm(vectors - vectors[row], axis=1)
        distances[row] = np.inf
        order = np.argsort(distances, kind="stable")[:25]
        assert found["indices"] == order.tolist()
        np.testing.assert_allclose(found["distances"], distances[order], rtol=1e-5, atol=1e-7)
        assert found["indices"] == find_neighbors(table, [row], 25, metric).indices[0].tolist()


def test_coordinates_are_those_that_were_computed(page: Any, table: EmbeddingTable) -> None:
    pca = PCA().project(table).coordinates
    for dims in (2, 3):
        found = np.array(page.call(f"e.coordinates('pca', {dims})")).reshape(300, dims)
        np.testing.assert_allclose(found, pca[:, :dims], rtol=1e-6)
    with pytest.raises(Error, match="umap is not in this page"):
        page.call("e.coordinates('umap', 2)")


def test_an_axis_is_the_arithmetic_of_the_command_line(page: Any, table: EmbeddingTable) -> None:
    found = np.array(page.call("e.axis('group:a', '/^w1\\\\d$/')"))
    want = Axes((("group:a", "/^w1\\d$/"),)).project(table).coordinates[:, 0]
    np.testing.assert_allclose(found, want, atol=1e-4 * np.ptp(want))
    with pytest.raises(Error, match="matches no point"):
        page.call("e.axis('zebra', 'w1')")


def test_set_changes_the_view_and_view_tells_it(page: Any) -> None:
    page.call("e.set({projection: 'tsne', dims: 3, selected: [4, 9], k: 7, color_by: 'size'})")
    view = page.call("e.view()")
    assert {k: view[k] for k in ("projection", "dims", "selected", "k", "color_by")} == {
        "projection": "tsne", "dims": 3, "selected": [4, 9], "k": 7, "color_by": "size",
    }  # fmt: skip


def test_set_refuses_what_it_does_not_know_and_changes_nothing(page: Any) -> None:
    before = page.call("e.view()")
    with pytest.raises(Error, match=r"k: 0 is not in 1 \.\. 299"):
        page.call("e.set({dims: 3, k: 0})")
    assert page.call("e.view()") == before


def test_a_part_of_a_table_keeps_row_numbers_and_axes_of_the_whole(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    rows = np.arange(100, 140)
    part = table.take(rows)
    axes = Axes((("=w0", "=w1"),), whole=table).project(part)
    path = tmp_path / "part.html"
    write_report(path, part, [PCA().project(part), axes], total_points=300, first="custom")
    page = open_page(path)
    found = page.call("e.axis('=w0', '=w1')")
    np.testing.assert_allclose(found, axes.coordinates[:, 0], rtol=1e-5, atol=1e-5)
    assert page.call("e.query('row:=103')") == [3]
    page.call("e.set({selected: [3]})")
    assert page.page.locator(".card dd").first.text_content() == "103"
    assert "40 of 300 points" in page.page.locator(".status").text_content()


@pytest.mark.parametrize(("precision", "worst"), [("float16", 2e-3), ("int8", 3e-2)])
def test_vectors_of_lower_precision_give_nearly_the_same_distances(
    open_page: Callable[..., Any],
    table: EmbeddingTable,
    tmp_path: Path,
    precision: str,
    worst: float,
) -> None:
    path = tmp_path / "p.html"
    write_report(path, table, [PCA().project(table)], vectors=precision)
    page = open_page(path)
    for metric in ("cosine", "euclidean"):
        found = page.call(f"e.neighbors(5, 299 - 1, '{metric}')")
        exact = find_neighbors(table, [5], 298, metric)
        want = dict(zip(exact.indices[0].tolist(), exact.distances[0].tolist(), strict=True))
        off = [
            abs(d - want[i])
            for i, d in zip(found["indices"], found["distances"], strict=True)
            if i in want
        ]
        assert max(off) < worst * max(want.values())
    page.call("e.set({selected: [5]})")
    assert precision in page.page.get_by_label("Nearest neighbors").text_content()


AXES = "[{from: 'group:a', to: 'group:b'}, {from: '=w1', to: '=w2'}]"


def test_typed_axes_are_what_coordinates_and_project_tell(page: Any, table: EmbeddingTable) -> None:
    own = page.call("e.coordinates('custom', 2)")
    page.call(f"e.set({{projection: 'custom', dims: 2, axes: {AXES}}})")
    pairs = (("group:a", "group:b"), ("=w1", "=w2"))
    want = Axes(pairs).project(table).coordinates[:, :2]
    found = np.array(page.call("e.coordinates('custom', 2)")).reshape(300, 2)
    np.testing.assert_allclose(found, want, atol=1e-4 * np.ptp(want))
    assert not np.allclose(found.ravel(), own)
    done = page.call(f"e.project('custom', {{axes: {AXES}}})")
    np.testing.assert_allclose(done["coordinates"], want.ravel(), atol=1e-4 * np.ptp(want))
    assert done["params"]["axes"] == [
        {"from": "group:a", "to": "group:b", "n_from": 60, "n_to": 60},
        {"from": "=w1", "to": "=w2", "n_from": 1, "n_to": 1},
    ]
    assert done["stats"] == {}
    page.call("e.set({axes: [{from: '=zebra', to: '=w1'}]})")
    with pytest.raises(Error, match="'=zebra' matches no point"):
        page.call("e.coordinates('custom', 2)")
    page.call("e.set({axes: [{from: '=w0', to: '=w1'}]})")
    assert page.call("e.coordinates('custom', 2)") == own
    filled = page.call("e.project('custom', {axes: [{from: '=w2', to: '=w1'}]})")["params"]["axes"]
    assert filled == [{"from": "=w2", "to": "=w1", "n_from": 1, "n_to": 1}, {"filled": True}]


def test_quality_is_told_of_the_points_and_components_that_were_measured(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    graph = build_graph(table, 90, "euclidean")
    pca = PCA().project(table)
    pca = with_quality(pca, measure_quality(table, pca, graph))
    write_report(tmp_path / "out.html", table, [pca], first="pca", metric="euclidean")
    page = open_page(tmp_path / "out.html")
    measured = page.call("e.project('pca', {dims: 2})")["stats"]["quality"]
    assert list(measured) == ["2"]
    page.call("e.set({components: [3, 1, 0]})")
    assert "quality" not in page.call("e.project('pca')")["stats"]
    page.call("e.set({components: [0, 1, 2]})")
    some = page.call("e.project('pca', {rows: [...Array(100).keys()]})")
    assert "quality" not in some["stats"]
    assert len(some["rows"]) == 100
    assert page.call("e.project('pca', {rows: null})")["stats"]["quality"] == measured


@pytest.mark.parametrize(
    ("name", "rows", "told"),
    [
        ("pca", "[1]", "1 point is too few for PCA, which needs 2"),
        ("pca", "[1, 1]", "1 point is too few for PCA, which needs 2"),
        ("pca", "[]", "0 points are too few for PCA, which needs 2"),
        ("tsne", "[1, 2, 3]", "3 points are too few for t-SNE, which needs 4"),
        ("custom", "[]", "0 points are too few for a view along axes, which needs 1"),
        ("pca", "[300]", "isolated: \\[300\\] is not a list of rows"),
        ("pca", "7", "isolated: 7 is not a list of rows"),
    ],
)
def test_a_projection_of_too_few_points_is_refused_and_changes_nothing(
    page: Any, name: str, rows: str, told: str
) -> None:
    before = page.call("e.view()")
    with pytest.raises(Error, match=told):
        page.call(f"e.project('{name}', {{rows: {rows}}})")
    assert page.call("e.view()") == before


def test_a_projection_of_one_isolated_point_is_refused(page: Any) -> None:
    page.call("e.isolate([4])")
    with pytest.raises(Error, match="RangeError: 1 point is too few for PCA, which needs 2"):
        page.call("e.project('pca')")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("0, 3, 'x'", "metric: \"x\" is not one of 'cosine', 'euclidean'"),
        ("0, 0", "RangeError: k: 0 is not in 1 .. 299"),
        ("0, 300", "RangeError: k: 300 is not in 1 .. 299"),
        ("0, 2.5", "RangeError: k: 2.5 is not in 1 .. 299"),
        ("0, '3'", 'RangeError: k: "3" is not in 1 .. 299'),
        ("300", "RangeError: row 300 is not in 0 .. 299"),
    ],
)
def test_neighbors_of_what_makes_no_sense_are_refused(page: Any, asked: str, told: str) -> None:
    with pytest.raises(Error, match=told):
        page.call(f"e.neighbors({asked})")


def test_neighbors_are_as_many_and_by_the_metric_of_the_state(page: Any) -> None:
    page.call("e.set({k: 4, metric: 'cosine'})")
    assert page.call("e.neighbors(7)") == page.call("e.neighbors(7, 4, 'cosine')")


def test_places_of_a_bookmark_are_coordinates_and_are_named_in_the_view(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    write_report(tmp_path / "out.html", table, [PCA().project(table)])
    page = open_page(tmp_path / "out.html")
    places = [{"tsne-0": i, "tsne-1": i % 7} for i in range(300)]
    state = {"label": "t", "selectedProjection": "tsne", "tSNEis3d": False, "projections": places}
    page.page.evaluate("(text) => window.embviz.loadBookmarks(text)", json.dumps([state]))
    with pytest.raises(Error, match="tsne is not in this page in 2 dimensions"):
        page.call("e.coordinates('tsne', 2)")
    page.call("e.apply(0)")
    found = page.call("e.coordinates(e.view().projection, e.view().dims)")
    assert found == [float(x) for i in range(300) for x in (i, i % 7)]
    view = page.call("e.view()")
    assert view["placed"] == {"name": "tsne", "dims": 2}
    page.call("e.set({placed: e.view().placed, k: 3})")
    assert page.call("e.coordinates('tsne', 2)") == found, "what view() says may be set again"
    with pytest.raises(Error, match="placed"):
        page.call("e.set({placed: {name: 'umap', dims: 2}})")
    page.call("e.set({placed: null})")
    assert page.call("e.view().placed") is None
    with pytest.raises(Error, match="tsne is not in this page in 2 dimensions"):
        page.call("e.coordinates('tsne', 2)")


def test_a_column_named_row_is_told_from_the_row_numbers(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    own = tuple(str(1000 + i) for i in range(300))
    named = EmbeddingTable(table.vectors, {"row": own, "row number": own}, "emb", "x.npy")
    write_report(tmp_path / "out.html", named, [PCA().project(named)])
    page = open_page(tmp_path / "out.html")
    head, first = (line.split("\t") for line in page.call("e.exportPoints()").split("\n")[:2])
    assert [head[0], *head[-2:]] == ["row 2", "row", "row number"]
    assert [first[0], *first[-2:]] == ["0", "1000", "1000"]
    assert page.call("e.query('row:=1060')") == match(named, "row:=1060").tolist() == [60]
    assert page.call("e.query('row:=60')") == match(named, "row:=60").tolist() == []
