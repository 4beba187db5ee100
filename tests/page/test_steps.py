"""States of the same points in the page: the slider, and what answers for the step shown."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Error, expect

from embviz import EmbeddingTable, Frames, Projection, find_neighbors, write_report
from embviz.comparison.values import Step, Steps

N, N_STEPS, LATE = 120, 4, 20
NAMES = ("100", "200", "300", "400")
GROUP = np.arange(N) % 4
Coordinates = NDArray[np.float32]


def make_vectors() -> list[Coordinates]:
    """Four groups, of which the last walks over to the first."""
    rng = np.random.default_rng(0)
    centers = 4 * np.eye(4, 6)
    noise = rng.normal(size=(N, 6)) / 3
    out = []
    for step in range(N_STEPS):
        part = step / (N_STEPS - 1)
        moved = centers.copy()
        moved[3] = (1 - part) * centers[3] + part * centers[0]
        out.append((moved[GROUP] + noise).astype(np.float32))
    return out


def make_steps(vectors: list[Coordinates], **more: Any) -> Steps:
    """The states, of which the first lacks the last points."""
    words = {"word": tuple(f"w{i}" for i in range(N)), "group": tuple("abcd"[g] for g in GROUP)}
    steps = []
    for name, x in zip(NAMES, vectors, strict=True):
        table = EmbeddingTable(x, words, "emb", "run")
        present = np.arange(N) < N - LATE if name == NAMES[0] else None
        kept = table if present is None else table.take(np.flatnonzero(present))
        steps.append(Step(name, kept, present, find_neighbors(kept, range(kept.n_points), 10)))
    figures = {"kept_from_previous": (None, 0.5, 0.25, 0.75), "kept_of_last": (0.125, 0.25, 0.5, 1)}
    return Steps(tuple(steps), steps[-1].table, figures=figures, **more)


def make_pictures(vectors: list[Coordinates]) -> tuple[NDArray[np.float32], list[Projection]]:
    """The first three coordinates as PCA, and twice the first two as a map that only turns."""
    frames = np.stack([x[:, :3] for x in vectors])
    pca = Projection(
        "pca", frames[-1], ("one", "two", "three"), title="PCA", frames=Frames(NAMES, frames),
        stats={"variance_shares": [0.5, 0.3, 0.1], "motion": {"2": 0.625, "3": 0.25}},
    )  # fmt: skip
    turned = 2 * frames[:, :, :2]
    tsne = Projection(
        "tsne", turned[-1], title="t-SNE", stats={"motion": {"2": 0.0625}},
        frames=Frames(NAMES, turned, {"kl_divergence": (3, 2, 1, 0.5)}),
    )  # fmt: skip
    return frames, [tsne, pca]


@pytest.fixture(scope="module")
def vectors() -> list[Coordinates]:
    return make_vectors()


@pytest.fixture(scope="module", params=["auto", "none"])
def travels(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def reports(
    vectors: list[Coordinates], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("steps")
    steps, (_, pictures) = make_steps(vectors), make_pictures(vectors)
    paths = {}
    for how in ("auto", "none"):
        paths[how] = folder / f"{how}.html"
        write_report(paths[how], steps.table, pictures, steps=steps, vectors=how, title="Run")
    return paths


@pytest.fixture
def page(open_page: Callable[..., Any], reports: dict[str, Path]) -> Any:
    return open_page(reports["auto"])


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


@pytest.mark.parametrize("step", [0, 1, 1.25, 3])
def test_neighbors_are_those_of_the_nearest_step(
    open_page: Callable[..., Any],
    reports: dict[str, Path],
    vectors: list[Coordinates],
    travels: str,
    step: float,
) -> None:
    page = open_page(reports[travels])
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
    open_page: Callable[..., Any], reports: dict[str, Path]
) -> None:
    page = open_page(reports["none"])
    told = "only the 10 nearest by cosine are in this page"
    with pytest.raises(Error, match=told):
        page.call("e.neighbors(0, 11, 'cosine')")
    with pytest.raises(Error, match=told):
        page.call("e.neighbors(0, 5, 'euclidean')")
    page.call("e.set({selected: [0], k: 20})")
    panel = page.page.get_by_role("region", name="Nearest neighbors")
    expect(panel.locator("ol li")).to_have_count(10)
    expect(panel).to_contain_text("Only the 10 nearest of each point are in this page")


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


def test_pca_of_isolated_points_is_of_the_step_shown(page: Any, vectors: list[Coordinates]) -> None:
    rows = list(range(0, 40))
    page.call(f"e.set({{projection: 'pca', step: 1}}), e.isolate({rows})")
    x = vectors[1][rows].astype(np.float64)
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    found = places(page, "pca", 2)[rows]
    assert np.abs(np.abs(found - found.mean(axis=0)) - np.abs(u * s)[:, :2]).max() < 1e-4
    expect(page.page.locator(".caption")).to_contain_text("PCA of the 40 isolated points alone")


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


def test_the_slider_names_the_step_and_scrubs_between_two(page: Any) -> None:
    slider = page.page.get_by_role("slider", name="Step", exact=True)
    name = page.page.locator(".steps-name")
    expect(name).to_have_text("step 400, 4 of 4")
    slider.fill("1")
    expect(name).to_have_text("step 200, 2 of 4")
    assert slider.get_attribute("aria-valuetext") == "step 200, 2 of 4"
    slider.fill("1.25")
    expect(name).to_have_text("step 200 → 300, 25 %, 2 of 4")
    assert page.call("e.view().step") == 1.25


def watch(page: Any) -> None:
    """Note every step that a picture shows, in `seen`."""
    page.page.evaluate(
        "() => { window.seen = new Set(); const look = () => { seen.add(embviz.view().step);"
        " requestAnimationFrame(look); }; look(); }"
    )


def test_keys_go_a_step_back_and_forth_and_space_plays(page: Any) -> None:
    press = page.page.keyboard.press
    for key, wanted in (("<", 2), ("<", 1), (">", 2)):
        press(key)
        page.wait(f"e.view().step === {wanted}")
    slider = page.page.get_by_role("slider", name="Step", exact=True)
    for key, wanted in (("ArrowLeft", 1), ("ArrowRight", 2), ("Home", 0), ("End", 3)):
        slider.press(key)
        page.wait(f"e.view().step === {wanted}")
    watch(page)
    page.call("e.set({speed: 4})")
    press(" ")
    page.wait("e.view().step === 3 && !e.view().stepping && window.seen.size > 2")
    seen = page.page.evaluate("() => [...seen]")
    assert any(step % 1 for step in seen)


def test_a_loop_begins_again(page: Any) -> None:
    page.call("e.set({speed: 4, loop: true, step: 2.5, stepping: true})")
    page.wait("e.view().step === 3")
    page.wait("e.view().step < 2")
    assert page.call("e.view().stepping")
    page.page.get_by_role("button", name="Pause").click()
    assert not page.call("e.view().stepping")


def test_where_less_motion_is_asked_for_the_picture_jumps_from_step_to_step(
    open_page: Callable[..., Any], reports: dict[str, Path]
) -> None:
    page = open_page(reports["auto"], reduced_motion="reduce")
    watch(page)
    page.page.keyboard.press("<")
    assert page.call("e.view().step") == 2
    page.call("e.set({speed: 4, step: 0, stepping: true})")
    page.wait("!e.view().stepping")
    assert sorted(page.page.evaluate("() => [...seen]")) == [0, 1, 2, 3]


def test_the_chart_says_how_many_neighbors_each_step_keeps(page: Any) -> None:
    told = page.page.locator(".steps-told")
    page.call("e.set({step: 1})")
    expect(told).to_have_text("Neighbors at 200kept from the step before 50 %kept of 400 25 %")
    chart = page.page.get_by_role("img", name="share of the 10 nearest neighbors")
    assert "100: – and 13 %; 200: 50 % and 25 %" in chart.get_attribute("aria-label")
    box = chart.bounding_box()
    page.page.mouse.move(box["x"] + 2 * box["width"] / 3, box["y"] + 10)
    expect(told).to_have_text("Neighbors at 300kept from the step before 25 %kept of 400 50 %")
    page.page.mouse.click(box["x"] + 1, box["y"] + 10)
    assert page.call("e.view().step") == 0
    bars = chart.locator("rect").evaluate_all(
        "(all) => all.map((e) => Number(e.getAttribute('height')))"
    )
    assert bars == [50, 25, 75]


@pytest.mark.parametrize(
    ("view", "rule", "figure"),
    [
        ("{projection: 'pca', dims: 2}", "change", "Motion and change agree (0.63)"),
        ("{projection: 'pca', dims: 3}", "part", "agree in part (0.25)"),
        ("{projection: 'tsne', dims: 2}", "motion", "Little of this motion is change (0.06)"),
    ],
)
def test_it_is_said_whether_the_motion_is_real(
    page: Any, view: str, rule: str, figure: str
) -> None:
    page.call(f"e.set({view})")
    motion = page.page.locator(".steps-motion")
    expect(motion).to_contain_text(figure)
    assert motion.get_attribute("data-rule") == rule


def test_nothing_is_said_of_motion_where_it_was_not_measured(page: Any) -> None:
    page.call("e.set({projection: 'pca', components: [0, 2]})")
    assert page.page.locator(".steps-motion").is_hidden()


def drawn(page: Any) -> NDArray[np.int64]:
    page.page.wait_for_timeout(250)
    return np.asarray(Image.open(io.BytesIO(page.page.locator(".plot").screenshot())), np.int64)


def test_a_selected_point_leaves_a_trail_through_its_places(page: Any) -> None:
    page.call(
        "e.set({projection: 'pca', color_by: null, labels: 'none', selected: [3], theme: 'light'})"
    )
    ends = []
    for step in range(N_STEPS):
        page.call(f"e.set({{step: {step}}})")
        ends.append(page.call("e.screenPositions()")[6:8])
    without = drawn(page)
    page.page.get_by_role("button", name="Trail").click()
    changed = np.abs(drawn(page) - without).sum(axis=2) > 60
    middle = np.array([(np.array(a) + np.array(b)) / 2 for a, b in pairwise(ends)])
    for x, y in middle[np.linalg.norm(np.diff(ends, axis=0), axis=1) > 30]:
        assert changed[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4].any()
    page.call("e.set({step: 0})")
    assert page.call("e.view().trail")


def test_links_and_bookmarks_carry_the_step(
    page: Any, open_page: Callable[..., Any], reports: dict[str, Path]
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
    other = open_page(reports["auto"])
    other.page.goto(url)
    other.page.reload()
    other.page.evaluate("() => window.embviz.ready")
    assert other.call("[e.view().step, e.view().trail]") == [1.5, True]
    again = open_page(reports["auto"])
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
    assert "<title>Run, 100</title>" in Path(download.value.path()).read_text(encoding="utf-8")


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
