"""Two projections of one method in one page: tabs, links, bookmarks, the API, and what is said of steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, TSNE, Axes, EmbeddingTable, Projection, write_report
from embviz.neighbors import build_graph
from embviz.pictures.quality import measure_quality, with_quality
from embviz.pictures.tabs import name_tabs

TITLES = ["PCA", "t-SNE, perplexity 5", "t-SNE, perplexity 15", "t-SNE, here", "UMAP", "Axes"]


@pytest.fixture(scope="module")
def made(table: EmbeddingTable) -> list[Projection]:
    graph = build_graph(table, 45, "euclidean")
    found = [PCA().project(table)]
    found += [
        TSNE(perplexity=p, metric="euclidean", iterations=60, neighbors=graph).project(table)
        for p in (5, 15)
    ]
    return name_tabs(with_quality(p, measure_quality(table, p, graph)) for p in found)


@pytest.fixture(scope="module")
def two(table: EmbeddingTable, made: list[Projection], tmp_path_factory: Any) -> Path:
    path: Path = tmp_path_factory.mktemp("two") / "two.html"
    write_report(path, table, made, first="tsne", metric="euclidean", color_by="group")
    return path


@pytest.fixture
def page(two: Path, open_page: Callable[..., Any]) -> Any:
    return open_page(two, plotly=False)


def facts(page: Any) -> list[str]:
    lines = page.page.evaluate(
        "() => [...document.querySelectorAll('.facts p')].map(p => p.innerText)"
    )
    return [line.replace("\n", " ") for line in lines]


def test_each_has_a_tab_with_a_telling_title(page: Any, made: list[Projection]) -> None:
    tabs = page.page.locator("[role=tab]")
    assert tabs.all_inner_texts() == TITLES
    assert page.call("e.view().projection") == "tsne"
    for projection in made[1:]:
        page.page.get_by_role("tab", name=projection.title, exact=True).click()
        assert page.call("e.view().projection") == projection.key
        found = np.reshape(page.call(f"e.coordinates('{projection.key}', 2)"), (-1, 2))
        np.testing.assert_array_equal(found, projection.coordinates)
        assert f"Perplexity {projection.params['perplexity']:g}" in facts(page)
    assert not page.complaints


def test_a_link_and_a_bookmark_bring_back_their_own_tab(
    page: Any, two: Path, made: list[Projection], open_page: Callable[..., Any]
) -> None:
    page.call("e.set({ projection: 'tsne-2' })")
    page.wait("location.hash.includes('p=tsne-2')")
    assert page.call("e.addBookmark('fifteen')") == 0
    (state,) = json.loads(page.call("e.exportBookmarks()"))
    assert (state["selectedProjection"], state["tSNEPerplexity"]) == ("tsne", 15)
    stored = [[point["tsne-0"], point["tsne-1"]] for point in state["projections"]]
    np.testing.assert_allclose(stored, made[2].coordinates, rtol=1e-6)
    page.call("e.set({ projection: 'tsne' })")
    assert page.call("e.apply(0)") == []
    assert page.call("e.view().projection") == "tsne-2"
    assert page.call("e.bookmarks()[0].title") == "t-SNE, perplexity 15"
    text = json.dumps(page.call("e.exportBookmarks()"))
    other = open_page(Path(f"{two}"), plotly=False)
    other.call(f"e.loadBookmarks({text})")
    assert other.call("e.apply(0)") == []
    assert other.call("[e.view().projection, e.view().placed]") == ["tsne-2", None]
    other.page.goto(f"{two.as_uri()}#p=tsne-2")
    other.page.reload()
    assert other.call("e.view().projection") == "tsne-2"


def test_tabs_of_one_method_stand_side_by_side_with_their_figures(
    page: Any, made: list[Projection]
) -> None:
    series = page.page.get_by_role("table", name="t-SNE side by side")
    assert series.locator("thead th").all_inner_texts()[:3] == ["Perplexity", "Kept", "Trust"]
    rows = series.locator("tbody tr")
    for i, projection in enumerate(made[1:]):
        cells = rows.nth(i).locator("th, td").all_inner_texts()
        quality = projection.stats["quality"]["2"]
        assert cells[0] == f"{projection.params['perplexity']:g}"
        assert cells[1] == f"{100 * quality['neighbors_kept']:.0f} %"
        assert cells[2] == f"{quality['trustworthiness']:.3f}"
        assert cells[-1] == f"{projection.stats['kl_divergence']:.2f}"
    rows.nth(1).locator("td").first.click()
    assert page.call("e.view().projection") == "tsne-2"
    series.get_by_role("button", name="5", exact=True).focus()
    page.page.keyboard.press("Enter")
    assert page.call("e.view().projection") == "tsne"
    assert series.get_by_role("button", pressed=True).all_inner_texts() == ["5"]
    assert page.page.evaluate("() => document.activeElement.innerText") == "5"
    page.call("e.set({ projection: 'pca' })")
    assert not series.is_visible()
    assert not page.complaints


def test_the_table_of_tabs_fits_its_panel_in_wide_and_narrow_windows(
    two: Path, open_page: Callable[..., Any]
) -> None:
    for width in (1280, 480):
        page = open_page(two, viewport={"width": width, "height": 800}, color_scheme="dark")
        if width < 800:
            page.page.get_by_role("button", name="Data and projection").first.click()
        series = page.page.get_by_role("table", name="t-SNE side by side")
        series.scroll_into_view_if_needed()
        box, side = (found.bounding_box() for found in (series, page.page.locator(".side.left")))
        assert box["x"] >= side["x"]
        assert box["x"] + box["width"] <= side["x"] + side["width"] <= width
        assert series.locator("thead th").count() == 5
        cut = "cells => cells.filter(c => c.scrollWidth > c.clientWidth).map(c => c.innerText)"
        assert series.locator("th, td").evaluate_all(cut) == []


def test_what_is_run_in_the_page_has_a_tab_of_its_own(page: Any, made: list[Projection]) -> None:
    found = page.call("e.project('tsne', { perplexity: 30, iterations: 20 })")
    assert (found["name"], found["params"]["perplexity"]) == ("tsne-here", 30)
    for projection in made[1:]:
        kept = np.reshape(page.call(f"e.coordinates('{projection.key}', 2)"), (-1, 2))
        np.testing.assert_array_equal(kept, projection.coordinates)


def test_figures_of_an_earlier_step_are_its_own_or_said_to_be_the_ends(
    page: Any, made: list[Projection]
) -> None:
    frames = made[2].frames
    assert frames is not None
    page.call(
        "e.set({ projection: 'tsne-2', color_by: 'neighbors kept, 2D t-SNE, perplexity 15' })"
    )
    remark = "Of the end, iteration 60, not of the iteration shown"
    end = facts(page)
    assert f"KL divergence {made[2].stats['kl_divergence']:.4g}" in end
    assert remark not in page.page.locator(".side.left").inner_text()
    page.call("e.set({ frame: 8 })")
    shown = facts(page)
    assert f"KL divergence {frames.figures['kl_divergence'][8]:.4g}" in shown
    at = shown.index(f"{remark}:")
    assert shown[at + 1 :] == end[-5:]
    assert end[-4].startswith("Neighbors kept")
    legend = page.page.locator("section[aria-label=Data]")
    assert remark in legend.inner_text()
    page.call("e.set({ color_by: 'group' })")
    assert remark not in legend.inner_text()
    page.call("e.set({ help: true })")
    told = page.page.locator("dialog.help").inner_text().split("Keys")[0]
    assert f"{frames.figures['kl_divergence'][8]:.3f}"[:4] in told
    page.call("e.set({ help: false, frame: null })")
    assert facts(page) == end


def test_two_sets_of_axes_are_shown_as_they_were_computed(
    table: EmbeddingTable, tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    both = [Axes(((a, b),)).project(table) for a, b in (("=w0", "=w1"), ("=w2", "=w3"))]
    write_report(tmp_path / "axes.html", table, [PCA().project(table), *both])
    page = open_page(tmp_path / "axes.html", plotly=False)
    titles = page.page.locator("[role=tab]").all_inner_texts()
    assert titles[1:3] == ["Axes, w0 → w1, PC1 of the rest", "Axes, w2 → w3, PC1 of the rest"]
    assert titles[-1] == "Axes, here"
    for key, projection in zip(("custom", "custom-2"), both, strict=True):
        page.call(f"e.set({{ projection: '{key}' }})")
        found = np.reshape(page.call(f"e.coordinates('{key}', 2)"), (-1, 2))
        np.testing.assert_array_equal(found, projection.coordinates)
    assert not page.complaints


def test_pca_of_spherized_vectors_stays_so_beside_pca(
    table: EmbeddingTable, tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    both = [PCA(normalize=n).project(table) for n in ("none", "sphere")]
    write_report(tmp_path / "pca.html", table, both)
    page = open_page(tmp_path / "pca.html", plotly=False)
    assert page.page.locator("[role=tab]").all_inner_texts()[:2] == [
        "PCA, normalize none", "PCA, normalize sphere",
    ]  # fmt: skip
    rows = list(range(50))
    for key, normalize in (("pca", "none"), ("pca-2", "sphere")):
        page.call(f"e.set({{ projection: '{key}' }})")
        page.call(f"e.isolate({rows})")
        found = np.reshape(page.call(f"e.coordinates('{key}', 2)"), (-1, 2))[:50]
        if normalize == "none":
            want = PCA(2).project(table.take(rows)).coordinates
            np.testing.assert_allclose(np.abs(found), np.abs(want), atol=1e-3)
        else:
            assert np.abs(found).max() < 2
        page.call("e.showAll()")


def test_a_report_without_a_projection_opens_with_pca(
    table: EmbeddingTable, tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    write_report(tmp_path / "none.html", table, [])
    page = open_page(tmp_path / "none.html", plotly=False)
    assert page.call("[e.view().projection, e.coordinates('pca', 2).length]") == ["pca", 600]
    assert not page.complaints


def test_a_file_of_another_version_says_so(two: Path, tmp_path: Path, open_page: Any) -> None:
    text = two.read_text(encoding="utf-8")
    (tmp_path / "old.html").write_text(
        text.replace('"version":2}', '"version":1}'), encoding="utf-8"
    )
    page = open_page(tmp_path / "old.html", wait=False)
    page.page.wait_for_function("() => document.body.innerText.includes('could not be opened')")
    said = page.page.locator("#status").inner_text()
    assert "its data are of version 1 and its script reads version 2" in said
