"""What may be read from a picture stands in the picture, and covers nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embviz
from embviz.pictures.captions import LAID, STEPS, all_captions, fill_caption
from tests.page.test_exports import plot_part, save
from tests.report.comparisons import two_halves

STRIP = 60


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def told(page: Any, side: int = 0) -> str:
    return str(page.page.locator(f"#caption-{side}").text_content())


def lowest(page: Any) -> float:
    """How far the lowest point is from the plot's lower end, in CSS pixels."""
    places = np.array(page.call("e.screenPositions()"), np.float64).reshape(-1, 2)
    return float(page.page.locator(".plot").bounding_box()["height"] - np.nanmax(places[:, 1]))


def test_each_picture_says_what_may_be_read_from_it(page: Any) -> None:
    captions = all_captions()
    for name, dims in (("tsne", 2), ("tsne", 3), ("custom", 2)):
        page.call(f"e.set({{projection: '{name}', dims: {dims}}})")
        assert told(page) == captions[name]
    shares = page.page.evaluate(
        "() => JSON.parse(document.getElementById('manifest').textContent)"
        ".projections[0].stats.variance_shares"
    )
    for components, dims in (([0, 1], 2), ([4, 1, 0], 3)):
        page.call(f"e.set({{projection: 'pca', dims: {dims}, components: {components}}})")
        assert told(page) == fill_caption(captions["pca"], sum(shares[c] for c in components))
    page.call("e.set({spherize: true})")
    assert "of the centered vectors at length 1" in told(page)


def test_a_picture_that_is_run_here_has_its_caption_once_it_is_run(page: Any) -> None:
    page.call("e.set({projection: 'umap', dims: 2})")
    assert told(page).startswith("PCA: "), "until then the points lie as in PCA"
    page.call("e.project('umap', {epochs: 10})")
    assert told(page) == all_captions()["umap"]


def test_the_page_fills_a_caption_in_as_python_does(page: Any) -> None:
    shares = [0, 0.0004, 0.0005, 0.0347, 0.0999, 0.1, 0.125, 0.5, 0.99, 0.9904, 0.9912, 0.9999, 1]
    text = all_captions()["pca"]
    found = page.page.evaluate(
        "async ([text, shares]) => { const { filled } = await import('#js/data/words.js');"
        " return [...shares, null].map((x) => filled(text, x, x === 0.5)); }",
        [text, shares],
    )
    assert found == [fill_caption(text, x, x == 0.5) for x in [*shares, None]]


@pytest.mark.parametrize("width", [320, 480, 1280])
def test_it_covers_no_point_and_no_control(
    open_page: Callable[..., Any], report: Path, width: int
) -> None:
    page = open_page(report, viewport={"width": width, "height": 720})
    for name, dims in (("tsne", 2), ("tsne", 3), ("pca", 2), ("pca", 3)):
        page.call(f"e.set({{projection: '{name}', dims: {dims}, caption: false}})")
        without = lowest(page)
        page.call("e.set({caption: true})")
        lines = 1 if width == 1280 else 2 if width == 480 else 3
        assert lowest(page) >= 14 * (lines - 1) + 8 + min(without, 8)
    plot = page.page.locator(".plot").bounding_box()
    for control in page.page.locator(".tools button, .caption button").all():
        box = control.bounding_box()
        if box is not None:
            clear = box["y"] + box["height"] < plot["y"] + plot["height"] - STRIP
            assert clear or box["y"] >= plot["y"] + plot["height"]


def strip(page: Any) -> np.ndarray[Any, Any]:
    """The lowest pixels of a saved picture."""
    _, data = save(page, "Picture, PNG")
    return plot_part(page, data)[-36:]


def ink(page: Any) -> int:
    """How many pixels of the strip below the points are not the ground's color."""
    found = strip(page)
    return int((np.abs(found - found[-1, -1]).max(axis=2) > 90).sum())


@pytest.mark.parametrize("dims", [2, 3])
def test_points_end_where_the_caption_begins_however_near_the_reader_goes(
    page: Any, dims: int
) -> None:
    page.call(f"e.set({{projection: 'tsne', dims: {dims}}})")
    before = strip(page)
    for _ in range(6):
        page.page.locator(".plot").press("+")
    page.page.wait_for_timeout(300)
    assert lowest(page) < 0
    assert (strip(page) == before).all()


def test_saved_pictures_have_it_unless_it_is_hidden(page: Any) -> None:
    page.call("e.set({projection: 'tsne', dims: 2})")
    assert ink(page) > 200
    words = save(page, "Picture, SVG")[1].decode()
    assert "t-SNE: near means near." in words
    page.page.get_by_role("button", name="What may be read").click()
    assert told(page) == ""
    assert ink(page) == 0
    assert "near means near" not in save(page, "Picture, SVG")[1].decode()
    page.page.locator(".plot").press("c")
    assert told(page) == all_captions()["tsne"]


def test_a_link_and_a_bookmark_keep_whether_it_is_hidden(page: Any) -> None:
    page.call("e.set({caption: false})")
    index = page.call("e.addBookmark('plain')")
    page.call("e.set({caption: true})")
    assert page.call(f"e.apply({index})") == []
    assert page.call("e.view().caption") is False
    page.page.wait_for_function("() => location.hash.includes('r=0')")
    page.page.reload()
    page.page.evaluate("() => window.embviz.ready")
    assert page.call("e.view().caption") is False


def test_states_of_the_points_say_what_holds_between_them(
    open_page: Callable[..., Any], step_reports: dict[str, Path]
) -> None:
    page = open_page(step_reports["auto"])
    assert told(page).endswith(STEPS["run"])


def test_of_a_comparison_each_map_says_what_holds_of_it(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    found = embviz.compare(*two_halves())
    projections = embviz.project_steps(embviz.as_steps(found), methods=["tsne"])
    embviz.write_comparison(tmp_path / "x.html", found, projections)
    page = open_page(tmp_path / "x.html")
    page.call("e.set({projection: 'tsne', layout: 'side'})")
    assert told(page, 0) == told(page, 1) == f"{all_captions()['tsne']} {STEPS['comparison']}"
    page.call("e.set({projection: 'pca'})")
    # A's components are turned onto B's: how much of A's variance is seen is not known.
    assert told(page, 0) == f"{LAID['comparison']} {STEPS['comparison']}"
    assert told(page, 1).startswith("PCA: distances are shortened, never lengthened. ")
    page.call("e.set({layout: 'one', step: 1})")
    assert told(page).startswith("PCA: distances are shortened, never lengthened. ")
    page.call("e.set({step: 0})")
    assert told(page).startswith(LAID["comparison"])
