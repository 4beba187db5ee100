"""Grid, numbers and captions of the axes: where they stand, and that Plotly changes nothing."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from embviz import PCA, EmbeddingTable

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"−?[\d.,]+")


def svg_of(page: Any) -> ET.Element:
    page.page.get_by_role("button", name="Save pictures and points").click()
    with page.page.expect_download() as download:
        page.page.get_by_role("menuitem", name="Picture, SVG").click()
    return ET.fromstring(Path(download.value.path()).read_text(encoding="utf-8"))


def numbers_of(root: ET.Element) -> list[tuple[float, float, float, str | None]]:
    """The numbers of the axes: (value, x, y, anchor)."""
    return [
        (
            float(text.text.replace("−", "-").replace(",", "")),
            float(text.get("x", "nan")),
            float(text.get("y", "nan")),
            text.get("text-anchor"),
        )
        for text in root.iter(f"{SVG}text")
        if text.get("font-size") == "11" and text.text and NUMBER.fullmatch(text.text)
    ]


def seen(page: Any) -> NDArray[np.float64]:
    return np.array(page.call("e.screenPositions()"), float).reshape(-1, 2)


@pytest.mark.parametrize("plotly", [True, False])
def test_numbers_in_2d_stand_where_a_point_of_that_coordinate_is(
    open_page: Callable[..., Any], report: Path, table: EmbeddingTable, plotly: bool
) -> None:
    page = open_page(report, plotly=plotly)
    page.call("e.set({projection: 'pca', dims: 2})")
    page.page.locator(".plot").focus()
    for key in ("ArrowLeft", "+", "+", "ArrowUp"):
        page.page.keyboard.press(key)
    page.page.wait_for_timeout(300)
    coordinates = PCA().project(table).coordinates[:, :2].astype(float)
    found = numbers_of(svg_of(page))
    places = seen(page)
    assert page.page.evaluate("() => Boolean(window.Plotly)") is plotly
    for axis, anchor in ((0, "middle"), (1, "end")):
        slope, start = np.polyfit(coordinates[:, axis], places[:, axis], 1)
        ticks = [tick for tick in found if tick[3] == anchor]
        assert len(ticks) >= 4
        for value, x, y, _ in ticks:
            at = x if axis == 0 else y - 11 * 0.35
            assert at == pytest.approx(slope * value + start, abs=0.3)


def test_numbers_in_3d_stand_along_edges_of_the_box(
    open_page: Callable[..., Any], report: Path, table: EmbeddingTable
) -> None:
    page = open_page(report)
    page.call("e.set({projection: 'pca', dims: 3, thumbnails: false})")
    page.page.wait_for_timeout(600)
    root = svg_of(page)
    assert not list(root.iter(f"{SVG}image")), "the axes are lines and text, no picture"
    coordinates = PCA().project(table).coordinates[:, :3].astype(float)
    matrix = camera_matrix(coordinates, seen(page))
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    ticks = numbers_of(root)
    assert len(ticks) >= 9
    for value, x, y, _ in ticks:
        distances = []
        for axis in range(3):
            others = [i for i in range(3) if i != axis]
            for corner in range(4):
                point = np.empty(3)
                point[axis] = value
                point[others[0]] = (low, high)[corner & 1][others[0]]
                point[others[1]] = (low, high)[corner >> 1][others[1]]
                at = matrix @ [*point, 1]
                inside = low[axis] <= value <= high[axis]
                distances.append(np.hypot(*(at[:2] / at[2] - [x, y + 4])) if inside else np.inf)
        assert min(distances) < 30, f"{value} at {x}, {y} stands beside no edge"


def camera_matrix(points: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 3 x 4 matrix that places points, from the points (direct linear transformation)."""
    rows = []
    for point, (u, v) in zip(points, places, strict=True):
        one = [*point, 1.0]
        rows.append([*one, 0, 0, 0, 0, *(-u * x for x in one)])
        rows.append([0, 0, 0, 0, *one, *(-v * x for x in one)])
    return np.linalg.svd(np.array(rows))[2][-1].reshape(3, 4)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_when_plotly_comes_no_pixel_changes(
    open_page: Callable[..., Any], report: Path, projection: str, dims: int
) -> None:
    page = open_page(report, plotly=False)
    page.call(f"e.set({{projection: '{projection}', dims: {dims}}})")
    page.page.wait_for_timeout(400)
    before = page.page.screenshot()
    assert not page.page.evaluate("() => Boolean(window.Plotly)")
    page.bring_plotly()
    page.page.wait_for_timeout(800)
    assert page.page.evaluate("() => Boolean(document.querySelector('.js-plotly-plot'))")
    pictures = [
        np.asarray(Image.open(io.BytesIO(p)).convert("RGB"), int)
        for p in (before, page.page.screenshot())
    ]
    difference = np.abs(pictures[0] - pictures[1])
    # Plotly's matrices are float32 in 3D: the edge of a disc may differ by a shade.
    assert difference.max() <= (0 if dims == 2 else 40)
    assert (difference > 8).mean() < 1e-4


def test_before_plotly_the_view_is_moved_by_hand_and_stays_when_it_comes(
    open_page: Callable[..., Any], report: Path
) -> None:
    page = open_page(report, plotly=False)
    page.call("e.set({projection: 'pca', dims: 2})")
    page.page.wait_for_timeout(200)
    start = seen(page)
    box = page.page.locator(".plot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + 90, y - 40, steps=5)
    page.page.mouse.up()
    page.page.wait_for_timeout(300)
    moved = seen(page)
    np.testing.assert_allclose(moved - start, np.tile([90, -40], (300, 1)), atol=1)
    page.bring_plotly()
    page.page.wait_for_timeout(500)
    np.testing.assert_allclose(seen(page), moved, atol=0.01)
    assert page.complaints == []
