"""Sequences, the selection sphere, the loop of the iterations, and color by numbers."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embviz import PCA, TSNE, EmbeddingTable, write_report


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty points in two sequences, with a column of numbers over five orders of magnitude."""
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    follows = ["" if i in (29, 59) else str(i + 1) for i in range(60)]
    metadata = {
        "word": tuple(f"w{i}" for i in range(60)),
        "count": tuple("" if i == 7 else str(10 ** (i / 12)) for i in range(60)),
        "signed": tuple(str(i - 30) for i in range(60)),
        "few": tuple(str(i % 4) for i in range(60)),
        "__seq_next__": tuple(follows),
    }
    table = EmbeddingTable(vectors, metadata)
    path = tmp_path_factory.mktemp("chain") / "chain.html"
    tsne = TSNE(n_components=2, metric="euclidean", perplexity=5, iterations=50).project(table)
    write_report(path, table, [PCA().project(table), tsne], first="pca", color_by="few")
    return path


@pytest.fixture
def page(open_page: Callable[..., Any], chain: Path) -> Any:
    return open_page(chain)


def picture(page: Any) -> np.ndarray[Any, Any]:
    page.page.wait_for_timeout(400)
    image = page.page.locator(".plot").screenshot()
    return np.asarray(Image.open(io.BytesIO(image)).convert("RGB"), np.int16)


def test_sequences_are_drawn_and_can_be_switched_off(page: Any) -> None:
    page.call("e.set({labels: 'none', thumbnails: false})")
    drawn = picture(page)
    page.page.get_by_label("Sequences").uncheck()
    assert page.call("e.view()")["sequences"] is False
    changed = (np.abs(picture(page) - drawn).max(axis=2) > 20).sum()
    assert changed > 2000


def test_sequences_of_hidden_points_are_not_drawn(page: Any) -> None:
    page.call("e.set({labels: 'none', sequences: true}), e.isolate([0, 20, 40])")
    drawn = picture(page)
    page.call("e.set({sequences: false})")
    assert (np.abs(picture(page) - drawn).max(axis=2) > 20).sum() == 0


def test_a_page_without_such_a_column_offers_no_sequences(
    open_page: Callable[..., Any], report: Path
) -> None:
    page = open_page(report)
    assert not page.page.get_by_label("Sequences").is_visible()


def test_a_sphere_selects_what_lies_within_its_radius_of_the_plot(page: Any) -> None:
    page.call("e.set({projection: 'pca', dims: 3, sphere: {row: 4, radius: 0.3}})")
    at = np.array(page.call("e.coordinates('pca', 3)")).reshape(60, 3)
    longest = np.ptp(at, axis=0).max()
    want = np.flatnonzero(np.linalg.norm(at - at[4], axis=1) <= 0.3 * longest)
    assert sorted(page.call("e.selected()")) == want.tolist()
    assert 1 < len(want) < 60


def test_the_sphere_is_outlined_and_its_radius_can_be_set(page: Any) -> None:
    page.call("e.set({dims: 3, labels: 'none', sequences: false, tool: 'sphere'})")
    page.call("e.set({sphere: {row: 4, radius: 0.2}})")
    few = len(page.call("e.selected()"))
    small = picture(page)
    page.page.get_by_label("Radius of the selection sphere").fill("0.6")
    assert len(page.call("e.selected()")) > few
    assert (np.abs(picture(page) - small).max(axis=2) > 5).sum() > 5000
    assert "points" in page.page.locator(".sphere-bar output").text_content()
    page.call("e.set({dims: 2})")
    assert page.call("e.view()")["sphere"] is None
    assert not page.page.locator(".sphere-bar").is_visible()


def test_a_click_on_a_point_with_the_sphere_tool_selects_around_it(page: Any) -> None:
    page.call("e.set({dims: 3, sequences: false})")
    page.page.get_by_role("button", name="Select a sphere").click()
    page.page.wait_for_timeout(500)
    host = page.page.locator(".plot").bounding_box()
    at = np.array(page.call("e.screenPositions()")).reshape(60, 2)
    page.page.mouse.click(host["x"] + at[11, 0], host["y"] + at[11, 1])
    sphere = page.call("e.view()")["sphere"]
    assert sphere["radius"] == 0.1
    assert np.linalg.norm(at[sphere["row"]] - at[11]) < 8
    assert sphere["row"] in page.call("e.selected()")


def test_numbers_of_few_values_are_shown_either_way(page: Any) -> None:
    assert page.page.locator(".legend-row").count() == 4
    page.page.get_by_role("button", name="gradient").click()
    assert page.page.locator(".gradient").count() == 1
    page.page.get_by_role("button", name="classes").click()
    assert page.page.locator(".legend-row").count() == 4


def test_a_log_gradient_is_offered_where_numbers_are_positive_and_span_magnitudes(
    page: Any,
) -> None:
    page.call("e.set({color_by: 'count'})")
    ends = page.page.locator(".ends span")
    linear = ends.nth(1).text_content()
    page.page.get_by_role("button", name="log", exact=True).click()
    assert page.call("e.view()")["color_as"] == "log"
    assert float(ends.nth(1).text_content().replace(",", "")) < float(linear.replace(",", "")) / 50
    assert "1 missing" in page.page.locator(".legend").text_content()
    page.call("e.set({color_by: 'signed'})")
    assert page.page.get_by_role("button", name="log", exact=True).is_disabled()


def test_the_iterations_play_again_from_the_start_when_they_loop(page: Any) -> None:
    page.call("e.set({projection: 'tsne', dims: 2, loop: true, frame: 24, playing: true})")
    page.page.wait_for_function(
        "() => { const f = window.embviz.view().frame; return f !== null && f < 5; }"
    )
    assert page.call("e.view()")["playing"] is True
    page.page.get_by_role("button", name="Play again from the start").click()
    page.call("e.set({frame: 24})")
    page.page.wait_for_function("() => window.embviz.view().playing === false")
    assert page.call("e.view()")["frame"] is None
