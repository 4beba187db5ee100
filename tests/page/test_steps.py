"""States of the same points in the page: what answers for the step shown."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Error, expect

from embviz import write_report
from tests.page.stepped import (
    GROUP,
    LATE,
    N_STEPS,
    NAMES,
    Coordinates,
    N,
    make_pictures,
    make_steps,
    make_vectors,
    seen_at,
)


@pytest.fixture(scope="module")
def vectors() -> list[Coordinates]:
    return make_vectors()


@pytest.fixture
def page(open_page: Callable[..., Any], step_reports: dict[str, Path]) -> Any:
    return open_page(step_reports["auto"])


def between(frames: NDArray[Any], step: float) -> NDArray[Any]:
    low = min(int(step), len(frames) - 2)
    return np.asarray(frames[low] + (frames[low + 1] - frames[low]) * (step - low))


def places(page: Any, name: str, dims: int) -> NDArray[np.float64]:
    found = page.call(f"e.coordinates('{name}', {dims})")
    return np.array([math.nan if x is None else x for x in found]).reshape(-1, dims)


def test_the_page_names_its_steps_and_opens_with_the_last(page: Any) -> None:
    assert page.call("e.steps()") == list(NAMES)
    assert page.call("e.view().step") == 3
    assert page.complaints == []


@pytest.mark.parametrize("step", [0, 0.25, 1, 2.5, 3])
def test_coordinates_are_those_of_the_step_shown(
    page: Any, vectors: list[Coordinates], step: float
) -> None:
    frames, _ = make_pictures(vectors)
    page.call(f"e.set({{step: {step}}})")
    span = np.ptp(frames)
    for name, dims, scale in (("pca", 2, 1), ("pca", 3, 1), ("tsne", 2, 2)):
        want = scale * between(frames, step)[:, :dims]
        assert np.abs(places(page, name, dims) - want).max() < 2e-5 * scale * span


@pytest.mark.parametrize("travels", ["auto", "neighbors"])
@pytest.mark.parametrize("step", [0, 1, 1.25, 3])
def test_neighbors_are_those_of_the_nearest_step(
    open_page: Callable[..., Any],
    step_reports: dict[str, Path],
    vectors: list[Coordinates],
    travels: str,
    step: float,
) -> None:
    page = open_page(step_reports[travels])
    page.call(f"e.set({{step: {step}}})")
    want = make_steps(vectors).steps[round(step)].neighbors
    assert want is not None
    for row in (3, 40):
        found = page.call(f"e.neighbors({row}, 7, 'cosine')")
        assert found["indices"] == want.indices[row, :7].tolist()
        assert np.allclose(found["distances"], want.distances[row, :7], atol=1e-6)


def test_a_point_that_comes_later_is_not_drawn_nor_counted_before(page: Any) -> None:
    row = N - 1
    page.call("e.set({projection: 'pca', step: 0})")
    assert f"{N - LATE} of {N} points" in page.page.locator(".status").text_content()
    counts = page.page.locator(".legend-row .count").all_text_contents()
    assert counts == ["25 of 30"] * 4
    with pytest.raises(
        Error, match=r"This point is not there at step 100\. It comes with step 200"
    ):
        page.call(f"e.neighbors({row}, 3)")
    page.call("e.set({step: 1})")
    assert f"{N} points" in page.page.locator(".status").text_content()
    assert len(page.call(f"e.neighbors({row}, 3)")["indices"]) == 3
    assert page.page.locator(".legend-row .count").all_text_contents() == ["30"] * 4


def test_the_selection_of_a_box_leaves_out_what_is_not_there(page: Any) -> None:
    page.call("e.set({projection: 'pca', step: 0, tool: 'box'})")
    box = page.page.locator(".plot").bounding_box()
    page.page.wait_for_timeout(300)
    page.page.mouse.move(box["x"] + 5, box["y"] + 60)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5, steps=3)
    page.page.mouse.up()
    page.wait("e.selected().length > 0")
    assert sorted(page.call("e.selected()")) == list(range(N - LATE))


def test_where_vectors_do_not_travel_more_or_other_neighbors_are_refused_with_the_reason(
    open_page: Callable[..., Any], step_reports: dict[str, Path]
) -> None:
    page = open_page(step_reports["neighbors"])
    told = "Only the 10 nearest of each point by cosine are in this page"
    with pytest.raises(Error, match=told):
        page.call("e.neighbors(0, 11, 'cosine')")
    with pytest.raises(Error, match=told):
        page.call("e.neighbors(0, 5, 'euclidean')")
    page.call("e.set({selected: [0], k: 20})")
    panel = page.page.get_by_role("region", name="Nearest neighbors")
    expect(panel.locator("ol li")).to_have_count(10)
    expect(panel).to_contain_text(told)


def axis_of(x: Coordinates, there: NDArray[np.bool_]) -> NDArray[np.float64]:
    wide = x.astype(np.float64)
    way = wide[there & (GROUP == 1)].mean(axis=0) - wide[there & (GROUP == 0)].mean(axis=0)
    return np.asarray(wide @ (way / np.linalg.norm(way)))


@pytest.mark.parametrize("step", [0, 0.5, 2, 3])
def test_typed_axes_run_between_the_centroids_of_the_step_shown(
    page: Any, vectors: list[Coordinates], step: float
) -> None:
    page.call(
        f"e.set({{step: {step}, projection: 'custom', axes: [{{from: 'group:a', to: 'group:b'}}]}})"
    )
    there = [np.arange(N) < (N - LATE if i == 0 else N) for i in range(N_STEPS)]
    along = np.stack([axis_of(x, here) for x, here in zip(vectors, there, strict=True)])
    want = between(along[:, :, None], step)[: N - LATE, 0]
    assert np.abs(places(page, "custom", 2)[: N - LATE, 0] - want).max() < 1e-5


def test_pca_of_isolated_points_is_of_all_steps_together(
    page: Any, vectors: list[Coordinates]
) -> None:
    rows = np.arange(60, N)
    page.call(f"e.set({{projection: 'pca'}}), e.isolate({rows.tolist()})")
    parts = [vectors[0][60 : N - LATE], *(x[60:] for x in vectors[1:])]
    pooled = np.concatenate(parts).astype(np.float64)
    mean = pooled.mean(axis=0)
    ways = np.linalg.svd(pooled - mean, full_matrices=False)[2][:2]
    want = np.stack([(x[60:] - mean) @ ways.T for x in vectors])
    want[0, -LATE:] = want[1, -LATE:]
    for step in (0, 0.5, 2, 3):
        page.call(f"e.set({{step: {step}}})")
        found = places(page, "pca", 2)[rows]
        near = between(want, step)
        signs = np.sign((found * near).sum(axis=0))
        assert np.abs(found * signs - near).max() < 1e-4
    expect(page.page.locator(".caption")).to_contain_text(
        "PCA of the 60 isolated points alone of all steps together, computed anew."
    )


def test_spherized_pca_is_of_all_steps_about_one_mean(
    page: Any, vectors: list[Coordinates]
) -> None:
    page.call("e.set({projection: 'pca', spherize: true, step: 1})")
    there = [vectors[0][: N - LATE], *vectors[1:]]
    around = np.concatenate(there).astype(np.float64).mean(axis=0)
    spheres = [(x - around) / np.linalg.norm(x - around, axis=1, keepdims=True) for x in there]
    pooled = np.concatenate(spheres)
    ways = np.linalg.svd(pooled - pooled.mean(axis=0), full_matrices=False)[2][:2]
    want = (spheres[1] - pooled.mean(axis=0)) @ ways.T
    found = places(page, "pca", 2)
    assert np.abs(found * np.sign((found * want).sum(axis=0)) - want).max() < 1e-4


def test_pca_of_isolated_points_of_another_width_is_of_the_step_shown(
    open_page: Callable[..., Any], vectors: list[Coordinates], tmp_path: Path
) -> None:
    widths = [x[:, : 6 - (i == 1)] for i, x in enumerate(vectors)]
    steps, (_, pictures) = make_steps(widths), make_pictures(vectors)
    write_report(tmp_path / "out.html", steps.table, pictures, steps=steps)
    page = open_page(tmp_path / "out.html")
    assert page.call("e.set({step: 1}), document.querySelector('.status').textContent").endswith(
        "5 dimensions"
    )
    rows = list(range(40))
    page.call(f"e.set({{projection: 'pca', step: 1}}), e.isolate({rows})")
    x = widths[1][rows].astype(np.float64)
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    found = places(page, "pca", 2)[rows]
    assert np.abs(np.abs(found) - np.abs(u * s)[:, :2]).max() < 1e-4
    expect(page.page.locator(".caption")).to_contain_text("at step 200, with axes of its own")


def test_what_is_run_in_the_page_is_of_the_step_it_was_run_on(page: Any) -> None:
    found = page.call("(e.set({step: 0}), e.project('tsne', {dims: 2, iterations: 60}))")
    assert found["rows"] == list(range(N - LATE))
    expect(page.page.locator(".caption")).to_contain_text("Run here on 100 points")
    page.call("e.set({step: 2})")
    assert "Run here" not in page.page.locator(".caption").text_content()


@pytest.mark.parametrize(
    ("value", "told"), [("-1", "0 .. 3"), ("3.5", "0 .. 3"), ("'a'", "0 .. 3")]
)
def test_a_step_that_is_not_there_is_refused(page: Any, value: str, told: str) -> None:
    with pytest.raises(Error, match=re.escape(f"is not in {told}")):
        page.call(f"e.set({{step: {value}}})")
    assert page.call("e.view().step") == 3


def test_a_page_of_one_state_has_no_steps(open_page: Callable[..., Any], report: Path) -> None:
    page = open_page(report)
    assert page.call("e.steps()") == []
    assert page.call("e.view().step") == 0
    assert page.page.locator(".steps").count() == 0
    with pytest.raises(Error, match="this page has no steps"):
        page.call("e.set({step: 1})")


def test_links_and_bookmarks_carry_the_step(
    page: Any, open_page: Callable[..., Any], step_reports: dict[str, Path]
) -> None:
    page.call("e.set({projection: 'pca', step: 1.5, trail: true})")
    page.wait("location.hash.includes('st=1.5')")
    page.call("e.addBookmark('middle')")
    text = page.call("e.exportBookmarks()")
    want = places(page, "pca", 2)
    url = page.page.url
    page.call("e.set({step: 0})")
    page.call("e.apply(0)")
    assert page.call("e.view().step") == 1.5
    other = open_page(step_reports["auto"])
    other.page.goto(url)
    other.page.reload()
    other.page.evaluate("() => window.embviz.ready")
    assert other.call("[e.view().step, e.view().trail]") == [1.5, True]
    again = open_page(step_reports["auto"])
    again.page.evaluate("(text) => window.embviz.loadBookmarks(text)", text)
    assert again.call("e.apply(0)") == []
    assert again.call("e.view().step") == 1.5
    assert again.call("e.view().placed") is None
    assert np.array_equal(places(again, "pca", 2), want)


def test_points_are_exported_with_the_step_they_are_of(page: Any) -> None:
    page.call("e.set({projection: 'pca', step: 0})")
    head, *rows = [line.split("\t") for line in page.call("e.exportPoints()").splitlines()]
    assert head[:4] == ["row", "step", "pca_2:1", "pca_2:2"]
    assert len(rows) == N - LATE
    assert {row[1] for row in rows} == {"100"}
    page.call(f"e.select([0, {N - 1}])")
    _, here, late = [line.split("\t") for line in page.call("e.exportPoints()").splitlines()]
    assert here[2] != ""
    assert late[1:4] == ["100", "", ""]
    page.page.get_by_role("button", name="Save pictures and points").click()
    with page.page.expect_download() as download:
        page.page.get_by_role("menuitem", name="Picture, SVG").click()
    assert download.value.suggested_filename == "Run-pca-100.svg"
    assert "<title>Run, PCA, 2D · 100 · " in Path(download.value.path()).read_text(encoding="utf-8")


def test_the_inspector_lists_the_neighbors_of_the_step_shown(page: Any) -> None:
    page.call("e.set({selected: [3], step: 3, metric: 'cosine'})")
    panel = page.page.get_by_role("region", name="Nearest neighbors")
    seen = []
    for step in (0, 3):
        page.call(f"e.set({{step: {step}}})")
        seen.append(panel.locator("ol .row-name").all_text_contents())
        assert seen[-1] == [f"w{i}" for i in page.call("e.neighbors(3, 10)")["indices"]]
    assert seen[0] != seen[1]


def test_a_selected_point_that_is_not_there_says_so(page: Any) -> None:
    page.call(f"e.set({{selected: [{N - 1}], step: 0}})")
    panel = page.page.get_by_role("region", name="Nearest neighbors")
    expect(panel).to_contain_text("This point is not there at step 100. It comes with step 200")


@pytest.mark.parametrize("step", [0, 1, 3])
def test_columns_are_those_of_the_step_shown(page: Any, step: int) -> None:
    page.call(f"e.set({{step: {step}, selected: [7], color_by: 'seen'}})")
    card = page.page.locator(".inspector, aside.right, .right-column").first
    expect(card.get_by_text("seen", exact=True).locator("xpath=following-sibling::*")).to_have_text(
        seen_at(step)[7]
    )
    wanted = [i for i, seen in enumerate(seen_at(step)) if seen == seen_at(step)[7]]
    there = N - LATE if step == 0 else N
    found = page.call(f"Array.from(e.query('seen:={seen_at(step)[7]}'))")
    assert [i for i in found if i < there] == [i for i in wanted if i < there]
