"""Neighbors of a page whose vectors do not travel: from the lists that came in their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Error, expect

from embviz import PCA, EmbeddingTable, Neighbors, find_neighbors, write_report
from embviz.report.shell import shell_size

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def listed(table: EmbeddingTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "none.html"
    write_report(path, table, [PCA().project(table)], vectors="neighbors")
    return path


@pytest.fixture
def page(open_page: Callable[..., Any], listed: Path) -> Any:
    return open_page(listed, plotly=False)


def test_a_click_is_answered_with_the_ten_nearest(page: Any, table: EmbeddingTable) -> None:
    for row in (0, 7, 299):
        found = page.call(f"e.neighbors({row}, 10, 'cosine')")
        want = find_neighbors(table, [row], 10)
        assert list(found["indices"]) == want.indices[0].tolist()
        np.testing.assert_allclose(list(found["distances"]), want.distances[0], rtol=1e-4)
    assert len(page.call("e.neighbors(4, 3)")["indices"]) == 3
    page.call("e.select([7])")
    panel = page.page.get_by_role("region", name="Nearest neighbors")
    near = [f"w{i}" for i in page.call("e.neighbors(7)")["indices"]]
    rows = panel.locator("ol li")
    expect(rows).to_have_count(10)
    assert [text.split()[0] for text in rows.all_inner_texts()] == near
    assert not page.complaints


def test_more_neighbors_and_another_metric_are_refused_with_the_way_to_have_them(page: Any) -> None:
    told = "Only the 10 nearest of each point by cosine are in this page"
    way = r"Vectors were left out \(--vectors neighbors\); leave that out to have them"
    for asked in ("11, 'cosine'", "5, 'euclidean'"):
        with pytest.raises(Error, match=f"{told}. {way}"):
            page.call(f"e.neighbors(0, {asked})")
    page.call("e.select([0])")
    panel = page.page.get_by_role("region", name="Nearest neighbors")
    expect(panel).not_to_contain_text("Only the")
    page.call("e.set({k: 20})")
    expect(panel).to_contain_text(told)
    expect(panel.locator("ol li")).to_have_count(10)
    page.call("e.set({metric: 'euclidean'})")
    expect(panel).to_contain_text("leave that out to have them")
    expect(panel.locator("ol li")).to_have_count(0)


def test_isolating_the_neighbors_changes_none_of_them(page: Any) -> None:
    before = page.call("e.neighbors(3, 10)")
    page.call("e.select([3])")
    page.page.get_by_role("button", name="Isolate 11 points").click()
    assert sorted(page.call("e.view()")["isolated"]) == sorted([3, *before["indices"]])
    assert page.call("e.neighbors(3, 10)") == before


def test_a_fast_search_says_how_many_of_the_true_neighbors_it_found(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    found = find_neighbors(table, range(table.n_points), 10)
    near = Neighbors(found.indices, found.distances, "cosine", recall=0.91236)
    path = tmp_path / "some.html"
    shown = [PCA().project(table)]
    write_report(path, table, shown, vectors="neighbors", neighbors=near)
    page = open_page(path, plotly=False)
    page.call("e.select([3])")
    panel = page.page.get_by_role("region", name="Nearest neighbors")
    expect(panel).to_contain_text("91.2 % of these lists are the true nearest")


def test_a_zero_vector_has_no_neighbors_as_where_vectors_travel(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    rows = np.random.default_rng(0).normal(size=(30, 4))
    rows[5] = 0
    table = EmbeddingTable(rows, {"word": tuple(map(str, range(30)))})
    for vectors in ("neighbors", "auto"):
        path = tmp_path / f"{vectors}.html"
        write_report(path, table, [PCA().project(table)], vectors=vectors)
        page = open_page(path, plotly=False)
        with pytest.raises(Error, match="A zero vector has no direction"):
            page.call("e.neighbors(5, 3, 'cosine')")
        assert len(page.call("e.neighbors(6, 3, 'cosine')")["indices"]) == 3


def test_the_page_says_what_was_left_out_and_how_to_have_it(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    table = EmbeddingTable(rng.normal(size=(6000, 40)), {"word": tuple(map(str, range(6000)))})
    shown = PCA().project(table)
    named = type(shown)("pca", shown.coordinates, shown.axes, title=HOSTILE)
    path = tmp_path / "small.html"
    room = round(shell_size() / 1e6 + 0.3, 2)
    assert write_report(path, table, [named], max_size=room) <= room * 1e6
    page = open_page(path, plotly=False)
    fold = page.page.get_by_role("region", name="Data").locator("details")
    expect(fold).to_contain_text(f"Left out to fit {room:g} MB")
    fold.locator("summary").focus()
    page.page.keyboard.press("Enter")
    expect(fold.locator("li").first).to_contain_text("6,000 × 40 would make the page larger")
    expect(fold.locator("li").first).to_contain_text("--max-size 2 puts them in")
    expect(fold.locator("li").last).to_contain_text(f"of {HOSTILE}; --max-size 2 has room for it")
    assert len(page.call("e.neighbors(0, 3)")["indices"]) == 3
    page.call("e.set({help: true})")
    expect(page.page.get_by_role("dialog")).to_contain_text("rounded to 65,536 steps")
    assert not page.complaints


def test_a_page_that_was_asked_for_none_lists_no_neighbors_and_says_how_to_have_them(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    write_report(tmp_path / "none.html", table, [PCA().project(table)], vectors="none")
    page = open_page(tmp_path / "none.html", plotly=False)
    page.call("e.set({selected: [3]})")
    panel = page.page.get_by_role("region", name="Nearest neighbors")
    expect(panel).to_contain_text("--vectors neighbors for the nearest of each point")
    with pytest.raises(Error, match=r"--vectors none"):
        page.call("e.neighbors(3, 3, 'cosine')")
    assert page.complaints == []
