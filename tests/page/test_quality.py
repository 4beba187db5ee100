"""How faithful a picture is, as the page shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, TSNE, EmbeddingTable, measure_quality, write_report
from embviz.neighbors import build_graph
from embviz.pictures.quality import with_quality

NAME = "neighbors kept, 2D t-SNE"


@pytest.fixture
def page(open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path) -> Any:
    graph = build_graph(table, 90, "euclidean")
    projections = [
        with_quality(p, measure_quality(table, p, graph))
        for p in (PCA().project(table), TSNE(metric="euclidean", iterations=80).project(table))
    ]
    write_report(tmp_path / "out.html", table, projections, first="tsne", metric="euclidean")
    return open_page(tmp_path / "out.html")


def facts(page: Any) -> dict[str, str]:
    cells = page.page.locator(".facts .fact span").all_text_contents()
    return dict(zip(cells[::2], cells[1::2], strict=True))


def test_the_figures_stand_beside_the_parameters(page: Any, table: EmbeddingTable) -> None:
    graph = build_graph(table, 90, "euclidean")
    for name, dims in (("tsne", 2), ("pca", 2), ("pca", 3)):
        page.call(f"e.set({{projection: '{name}', dims: {dims}}})")
        placed = {"tsne": TSNE(metric="euclidean", iterations=80), "pca": PCA()}[name].project(
            table
        )
        want = {q.dims: q for q in measure_quality(table, placed, graph)}[dims]
        found = facts(page)
        assert found["Of nearest neighbors"] == "10 · 50"
        kept = [round(want.figures[f"neighbors_kept{wide}"], 4) for wide in ("", "50")]
        assert found["Neighbors kept"] == " · ".join(f"{round(100 * share)} %" for share in kept)
        for label, name in (("Trustworthiness", "trustworthiness"), ("Continuity", "continuity")):
            values = [want.figures[name], want.figures[f"{name}50"]]
            told = [float(text) for text in found[label].split(" · ")]
            assert told == pytest.approx(values, abs=0.006)
        assert float(found["Distances agree"]) == pytest.approx(want.rank_correlation, abs=0.006)


def test_what_was_measured_of_each_point_says_what_may_be_read_from_it(page: Any) -> None:
    hint = page.page.locator("section[aria-label=Data] > p.hint").first
    for name, said in (
        (NAME, "The share of a point's nearest here"),
        ("torn (log10), 2D t-SNE", "High where a small change of a point's vector throws it far"),
    ):
        page.call(f"e.set({{color_by: '{name}'}})")
        assert hint.inner_text().startswith(said)
    page.call("e.set({color_by: null})")
    assert not hint.is_visible()


def test_other_components_and_a_computed_picture_have_no_figures(page: Any) -> None:
    page.call("e.set({projection: 'pca', dims: 2, components: [3, 1, 0]})")
    assert "Neighbors kept" not in facts(page)
    page.call("e.set({components: [0, 1, 2]})")
    assert "Neighbors kept" in facts(page)
    page.call("e.set({isolated: [...Array(100).keys()]})")
    assert "Neighbors kept" not in facts(page)


def test_points_are_colored_by_the_share_of_their_neighbors_kept(
    page: Any, table: EmbeddingTable
) -> None:
    page.page.get_by_label("Color by").select_option(NAME)
    assert page.call("e.view().color_by") == NAME
    assert page.page.locator(".panel .gradient, .legend").first.is_visible()
    page.call("e.set({dims: 2, selected: [1]})")
    assert page.call("e.view().color_by") == NAME, "a change of something else keeps the colors"
    # It is no metadata: it names no point and is not exported.
    options = page.page.get_by_label("Label by").locator("option").all_text_contents()
    assert options == ["row number", "word", "group", "size"]
    assert NAME not in page.call("e.exportPoints().split('\\n')[0]")
    assert page.complaints == []


def test_a_link_and_a_bookmark_keep_such_colors(page: Any) -> None:
    page.call(f"e.set({{color_by: '{NAME}'}})")
    page.page.wait_for_timeout(900)
    assert "neighbors" in page.page.evaluate("() => location.hash")
    index = page.call("e.addBookmark('kept')")
    page.call("e.set({color_by: null})")
    assert page.call(f"e.apply({index})") == []
    assert page.call("e.view().color_by") == NAME
    page.page.reload()
    page.page.evaluate("() => window.embviz.ready")
    assert page.call("e.view().color_by") == NAME


def test_the_values_are_those_measured(page: Any, table: EmbeddingTable) -> None:
    placed = TSNE(metric="euclidean", iterations=80).project(table)
    (want,) = measure_quality(table, placed, build_graph(table, 90, "euclidean"))
    page.call(f"e.set({{color_by: '{NAME}', color_as: 'categories', projection: 'tsne', dims: 2}})")
    counts = page.page.locator(".legend-count, .legend .count").all_text_contents()
    _, expected = np.unique(want.kept.round(3), return_counts=True)
    assert [int(c) for c in counts] == expected.tolist()
