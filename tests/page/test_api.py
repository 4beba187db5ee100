"""`window.embviz` against NumPy in float64."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Error

from embviz import PCA, Axes, EmbeddingTable, find_neighbors, match, write_report


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def test_the_page_opens_from_disk_without_a_request_or_a_complaint(page: Any) -> None:
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


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (
            "{projection: 'none'}",
            "projection: \"none\" is not one of 'pca', 'tsne', 'umap', 'custom'",
        ),
        ("{dims: 4}", "dims: 4 is not one of"),
        ("{color_by: '__proto__'}", "color_by"),
        ("{constructor: 1}", "constructor: 1 is not known"),
        ("{selected: [300]}", "selected"),
        ("{k: 0}", "k: 0 is not in 1 .. 299"),
    ],
)
def test_set_refuses_what_it_does_not_know_and_changes_nothing(
    page: Any, patch: str, message: str
) -> None:
    before = page.call("e.view()")
    with pytest.raises(Error, match=message.replace("(", "\\(")):
        page.call(f"e.set({patch})")
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


def test_without_vectors_the_page_says_why_there_are_no_neighbors(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    path = tmp_path / "none.html"
    write_report(path, table, [PCA().project(table)], vectors="none")
    page = open_page(path)
    with pytest.raises(Error, match="--vectors none"):
        page.call("e.neighbors(0, 3, 'cosine')")
    page.call("e.set({selected: [5]})")
    assert "--vectors none" in page.page.get_by_label("Nearest neighbors").text_content()
