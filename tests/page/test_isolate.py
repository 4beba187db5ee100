"""Isolating, spherizing and selecting: what is computed anew in the page, and what never changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Error

from embviz import PCA, EmbeddingTable, write_report

SUBSET = list(range(7, 300, 6))


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def shown(page: Any, dims: int = 2, n: int = 300) -> np.ndarray[Any, Any]:
    return np.array(page.call(f"e.coordinates('pca', {dims})")).reshape(n, dims)


def test_isolating_computes_pca_on_the_subset_and_says_so(page: Any, table: EmbeddingTable) -> None:
    page.call(f"e.isolate({SUBSET})")
    want = PCA().project(table.take(np.array(SUBSET)))
    found = shown(page, 3)[SUBSET]
    np.testing.assert_allclose(found, want.coordinates[:, :3], atol=1e-4)
    assert "PCA of the 49 isolated points alone" in page.page.locator(".caption").text_content()
    first = page.page.get_by_label("Component on axis X").locator("option").first.text_content()
    assert first == f"1 · {100 * want.stats['variance_shares'][0]:.3g} %"
    page.call("e.showAll()")
    np.testing.assert_allclose(shown(page, 3), PCA().project(table).coordinates[:, :3], rtol=1e-6)


def test_pca_of_a_subset_has_the_same_subspace_to_a_millionth(
    page: Any, table: EmbeddingTable
) -> None:
    page.call(f"e.isolate({SUBSET})")
    part = table.vectors[SUBSET].astype(np.float64)
    part = part - part.mean(axis=0)
    directions = np.linalg.svd(part, full_matrices=False)[2][:3]
    # Coordinates of all points are linear in the vectors: solve for the page's own directions.
    centered = table.vectors.astype(np.float64) - table.vectors[SUBSET].mean(axis=0, dtype=float)
    own = np.linalg.lstsq(centered, shown(page, 3), rcond=None)[0].T
    for mine, want in zip(own, directions, strict=True):
        cosine = abs(mine @ want) / np.linalg.norm(mine)
        sine = np.linalg.norm(mine / np.linalg.norm(mine) - np.sign(mine @ want) * want)
        assert cosine > 1 - 1e-9
        assert sine < 1e-6


def test_neighbors_axes_and_other_coordinates_do_not_change_by_isolating(page: Any) -> None:
    asked = "[e.neighbors(7, 20, 'cosine'), e.axis('=w0', 'group:b'), e.coordinates('tsne', 2)]"
    before = page.call(f"{asked}.map((x) => JSON.stringify(x))")
    page.call(f"e.isolate({SUBSET})")
    assert page.call(f"{asked}.map((x) => JSON.stringify(x))") == before


def test_labels_stay_with_their_points(page: Any) -> None:
    page.call(f"e.isolate({SUBSET}).then(() => e.select([13]))")
    assert page.page.locator(".card-name").text_content() == "w13"
    assert page.page.locator(".card dd").first.text_content() == "13"


@pytest.mark.everywhere
def test_the_buttons_isolate_show_all_and_clear(page: Any) -> None:
    page.call("e.set({query: 'group:a'})")
    page.page.get_by_role("button", name="Isolate 60 points").click()
    assert len(page.call("e.view()")["isolated"]) == 60
    assert "60 of 300 points" in page.page.locator(".status").text_content()
    page.page.get_by_role("button", name="Show all 300").click()
    assert page.call("e.view()")["isolated"] is None
    page.page.get_by_role("button", name="Clear", exact=True).click()
    assert page.call("e.selected()") == []


def test_equal_points_lie_in_one_place(open_page: Callable[..., Any], tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    vectors[5:9] = vectors[5]
    same = EmbeddingTable(vectors, {"word": tuple("abcdefghijklmnopqrst")})
    write_report(tmp_path / "same.html", same, [PCA().project(same)])
    page = open_page(tmp_path / "same.html")
    page.call("e.isolate([5, 6, 7, 8])")
    np.testing.assert_allclose(shown(page, 2, 20)[5:9], 0, atol=1e-6)
    assert page.complaints == []


def test_spherize_is_what_normalize_sphere_computes(page: Any, table: EmbeddingTable) -> None:
    nearest = page.call("e.neighbors(0, 5, 'cosine')")
    page.page.get_by_label("Spherize").check()
    want = PCA(normalize="sphere").project(table)
    np.testing.assert_allclose(shown(page, 3), want.coordinates[:, :3], atol=1e-5)
    assert page.call("e.neighbors(0, 5, 'cosine')") == nearest
    page.page.get_by_label("Spherize").uncheck()
    np.testing.assert_allclose(shown(page, 3), PCA().project(table).coordinates[:, :3], rtol=1e-6)


def test_a_report_of_spherized_vectors_can_show_the_raw_ones(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    write_report(tmp_path / "s.html", table, [PCA(normalize="sphere").project(table)])
    page = open_page(tmp_path / "s.html")
    assert page.call("e.view()")["spherize"] is True
    page.call("e.set({spherize: false})")
    np.testing.assert_allclose(shown(page, 3), PCA().project(table).coordinates[:, :3], atol=1e-4)


def test_without_vectors_nothing_is_computed_anew_and_the_page_says_why(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    write_report(tmp_path / "none.html", table, [PCA().project(table)], vectors="none")
    page = open_page(tmp_path / "none.html")
    page.call(f"e.isolate({SUBSET})")
    np.testing.assert_allclose(shown(page, 3), PCA().project(table).coordinates[:, :3], rtol=1e-6)
    assert "The vectors are not in this page" in page.page.locator(".caption").text_content()
    assert page.page.get_by_label("Spherize").is_disabled()
    with pytest.raises(Error, match="vectors are not in this page"):
        page.call("e.set({spherize: true})")


@pytest.mark.everywhere
def test_what_takes_long_is_computed_beside_the_page_and_says_what_it_costs(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    vectors = (rng.normal(size=(17000, 640)) * 0.97 ** np.arange(640)).astype(np.float16)
    big = EmbeddingTable(vectors, {})
    write_report(tmp_path / "big.html", big, [PCA(n_components=2).project(big)], vectors="int8")
    page = open_page(tmp_path / "big.html")
    page.page.evaluate(
        "() => { window.waited = window.embviz.isolate(Array.from({length: 16000}, (_, i) => i))"
        ".then(() => 'done'); }"
    )
    assert "which takes about" in page.page.locator(".caption").text_content()
    before = shown(page, 2, 17000)
    assert page.page.evaluate("() => window.waited") == "done"
    found = shown(page, 2, 17000)[:16000]
    assert "isolated points alone" in page.page.locator(".caption").text_content()
    want = PCA(n_components=2).project(big.take(np.arange(16000))).coordinates
    assert np.abs(before[:16000] - found).max() > 1e-3
    for c in range(2):
        assert abs(np.corrcoef(found[:, c], want[:, c])[0, 1]) > 0.999


def test_a_legend_entry_selects_with_the_keys_held(page: Any) -> None:
    row = page.page.locator(".legend-row")
    row.nth(0).click(modifiers=["Shift"])
    assert page.call("e.selected()") == list(range(0, 300, 5))
    row.nth(1).click(modifiers=["Shift"])
    assert len(page.call("e.selected()")) == 120
    row.nth(0).click(modifiers=["Alt"])
    assert page.call("e.selected()") == list(range(1, 300, 5))
    row.nth(0).click(modifiers=["Shift", "Alt"])
    assert page.call("e.selected()") == []
    assert page.call("e.view()")["hidden"] == []


@pytest.mark.also("firefox")
def test_a_legend_entry_filters_on_click_and_stands_alone_on_a_double_click(page: Any) -> None:
    row = page.page.locator(".legend-row")
    row.nth(2).click()
    assert page.call("e.view()")["hidden"] == [2]
    assert row.nth(2).get_attribute("aria-pressed") == "false"
    row.nth(2).click()
    page.page.wait_for_timeout(600)
    row.nth(1).dblclick()
    assert sorted(page.call("e.view()")["hidden"]) == [0, 2, 3, 4]
    page.page.wait_for_timeout(600)
    row.nth(1).dblclick()
    assert page.call("e.view()")["hidden"] == []


def test_matches_of_a_search_join_the_selection_with_enter_and_the_keys_held(page: Any) -> None:
    field = page.page.get_by_label("Search", exact=True).locator("visible=true").last
    page.call("e.select([0, 5, 6])")
    field.fill("group:a")
    assert len(page.call("e.selected()")) == 60
    field.press("Shift+Alt+Enter")
    assert page.call("e.selected()") == [0, 5]
    field.fill("=w7")
    field.press("Shift+Enter")
    assert page.call("e.selected()") == [0, 5, 7]
    field.fill("=w5")
    field.press("Alt+Enter")
    assert page.call("e.selected()") == [0, 7]


def test_names_in_a_list_are_clicked_with_the_keys_held(page: Any) -> None:
    page.call("e.select([0, 5, 6])")
    page.page.locator(".selection .row").nth(1).click(modifiers=["Alt"])
    assert page.call("e.selected()") == [0, 6]
    page.page.locator(".selection .row").nth(1).click()
    assert page.call("e.selected()") == [6]


def test_project_computes_and_shows_pca_and_axes(page: Any, table: EmbeddingTable) -> None:
    found = page.call(f"e.project('pca', {{rows: {SUBSET}, dims: 3}})")
    want = PCA().project(table.take(np.array(SUBSET)))
    np.testing.assert_allclose(
        np.array(found["coordinates"]).reshape(-1, 3), want.coordinates[:, :3], atol=1e-4
    )
    assert found["rows"] == SUBSET
    axes = page.call("e.project('custom', {rows: null, dims: 2, axes: [{from: '=w0', to: '=w1'}]})")
    along = np.array(axes["coordinates"]).reshape(-1, 2)[:, 0]
    np.testing.assert_allclose(along, page.call("e.axis('=w0', '=w1')"), atol=1e-5)
    assert page.call("e.view()")["projection"] == "custom"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("e.project('none')", "'none' cannot be computed in the page; pca, tsne, umap, custom can"),
        ("e.project('pca', {perplexity: 3})", "perplexity is no option of pca"),
        ("e.project('custom', {axes: [{from: 'zebra', to: 'w1'}]})", "matches no point"),
        ("e.project('tsne', {perplexity: 120})", "1 to 99.66 do"),
        ("e.project('pca', {rows: [-1]})", "isolated"),
    ],
)
def test_project_refuses_what_it_cannot_do(page: Any, call: str, message: str) -> None:
    with pytest.raises(Error, match=message):
        page.call(call)
