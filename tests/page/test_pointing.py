"""Points colored by their distance in the original space to the one that is pointed at."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray

import embviz
from embviz import PCA, EmbeddingTable, write_report
from embviz.comparison.values import Comparison
from tests.page.test_exports import SVG, save
from tests.report.comparisons import two_halves

NAME = "distance from where I point"


@pytest.fixture
def page(open_page: Callable[..., Any], report: Path) -> Any:
    return open_page(report)


def choose(page: Any, more: str = "") -> None:
    page.call(f"e.set({{color_by: '{NAME}', thumbnails: false, labels: 'none'{more}}})")


def measured(vectors: Any, row: int, metric: str) -> NDArray[np.float64]:
    """Distances by NumPy."""
    x = np.asarray(vectors, np.float64)
    if metric == "euclidean":
        return np.asarray(np.linalg.norm(x - x[row], axis=1))
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(1 - x @ x[row])


def lightness(page: Any) -> NDArray[np.float64]:
    """How light each point is in a saved picture; cividis grows lighter from end to end."""
    _, data = save(page, "Picture, SVG")
    places = np.array(page.call("e.screenPositions()")).reshape(-1, 2).round(2)
    found = np.full(len(places), np.nan)
    for circle in ET.fromstring(data).iter(f"{SVG}circle"):
        at = (float(circle.get("cx", "nan")), float(circle.get("cy", "nan")))
        row = int(np.abs(places - at).sum(axis=1).argmin())
        color = circle.get("fill", "")
        channels = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        found[row] = np.dot(channels, (0.2126, 0.7152, 0.0722))
    return found


def legend(page: Any) -> str:
    return str(page.page.locator(".legend").text_content())


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_distances_are_those_of_numpy(page: Any, table: EmbeddingTable, metric: str) -> None:
    for row in (0, 17, 299):
        found = np.array(page.call(f"e.distances({row}, '{metric}')"))
        np.testing.assert_allclose(
            found, measured(table.vectors, row, metric), rtol=1e-6, atol=1e-12
        )
    assert page.page.evaluate(
        "() => { try { embviz.distances(300); } catch (e) { return e.name; } }"
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_points_under_the_pointer_color_all_others(
    page: Any, table: EmbeddingTable, dims: int
) -> None:
    choose(page, f", dims: {dims}, metric: 'euclidean'")
    assert "the point under the pointer" in legend(page)
    page.page.wait_for_timeout(400)
    places = np.array(page.call("e.screenPositions()")).reshape(-1, 2)
    box = page.page.locator(".plot").bounding_box()
    for row in (int(places[:, 0].argmax()), int(places[:, 0].argmin())):
        page.page.mouse.move(box["x"] + places[row, 0], box["y"] + places[row, 1])
        page.wait(f"e.view().pointed === {row}")
        assert f"from w{row}" in legend(page)
        want = measured(table.vectors, row, "euclidean")
        by_distance = lightness(page)[np.argsort(want)]
        assert (np.diff(by_distance[1:]) >= -1.5).all(), "the farther the lighter"
    page.page.mouse.move(box["x"] + 4, box["y"] + 200)
    page.wait("e.view().pointed >= 0")
    assert page.call("e.view().pointed") == row, "the last one stays"
    assert page.complaints == []


def test_without_a_pointer_it_is_the_point_that_is_pressed_or_selected(
    open_page: Callable[..., Any], report: Path
) -> None:
    page = open_page(report, has_touch=True, viewport={"width": 480, "height": 720})
    choose(page, ", dims: 2, selected: [8]")
    assert page.call("e.view().pointed") == 8
    places = np.array(page.call("e.screenPositions()")).reshape(-1, 2)
    box = page.page.locator(".plot").bounding_box()
    row = int(places[:, 0].argmin())
    page.page.touchscreen.tap(box["x"] + places[row, 0], box["y"] + places[row, 1])
    page.wait(f"e.view().pointed === {row}")
    page.page.locator(".plot").press("Enter")
    page.wait("e.view().selected.length === 1")
    assert page.call("e.view().pointed === e.view().selected[0]")


def test_a_key_colors_by_distance_and_back(page: Any) -> None:
    page.call("e.set({color_by: 'size', color_as: 'gradient'})")
    page.page.locator(".plot").press("w")
    assert page.call("e.view().color_by") == NAME
    page.page.locator(".plot").press("w")
    view = page.call("e.view()")
    assert (view["color_by"], view["color_as"], view["pointed"]) == ("size", "gradient", -1)


def test_ranks_are_another_scale(page: Any, table: EmbeddingTable) -> None:
    choose(page, ", pointed: 12, metric: 'cosine', projection: 'pca', dims: 2")
    page.page.get_by_role("button", name="rank").click()
    assert page.call("e.view().color_as") == "log"
    assert re.search(r"Rank by cosine distance.*w12nearest17th299th", legend(page))
    want = measured(table.vectors, 12, "cosine")
    assert (np.diff(lightness(page)[np.argsort(want)][1:]) >= -1.5).all()


def test_a_link_and_a_bookmark_keep_the_point_and_the_scale(page: Any) -> None:
    choose(page, ", pointed: 12, color_as: 'log'")
    index = page.call("e.addBookmark('from 12')")
    page.call("e.set({color_by: 'group'})")
    assert page.call(f"e.apply({index})") == []
    wanted = (NAME, "log", 12)
    view = page.call("e.view()")
    assert (view["color_by"], view["color_as"], view["pointed"]) == wanted
    page.page.wait_for_function("() => location.hash.includes('o=12')")
    page.page.reload()
    page.page.evaluate("() => window.embviz.ready")
    view = page.call("e.view()")
    assert (view["color_by"], view["color_as"], view["pointed"]) == wanted


def test_a_point_without_colors_to_be_of_changes_nothing(page: Any) -> None:
    page.call("e.set({color_by: 'group', pointed: 12})")
    assert legend(page).startswith("a60")
    page.page.evaluate("() => { location.hash = 'k=nothing&o=12'; }")
    page.wait("document.querySelector('.message').textContent.includes('left out')")
    assert page.call("e.view().pointed") == -1


def test_vectors_that_travel_rounded_say_so(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    write_report(tmp_path / "x.html", table, [PCA().project(table)], vectors="int8")
    page = open_page(tmp_path / "x.html")
    choose(page, ", pointed: 5, metric: 'euclidean'")
    assert "int8" in legend(page)
    want = measured(table.vectors, 5, "euclidean")
    assert np.abs(np.array(page.call("e.distances(5)")) - want).max() < 0.02 * want.max()


def test_both_sides_of_a_comparison_have_distances_of_their_own(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    a, b = two_halves()
    found: Comparison = embviz.compare(a, b)
    projections = embviz.project_steps(embviz.as_steps(found))
    embviz.write_comparison(tmp_path / "x.html", found, projections)
    page = open_page(tmp_path / "x.html")
    choose(page, ", pointed: 29, metric: 'euclidean'")
    assert page.page.locator(".legend h3").all_text_contents() == ["A", "B"]
    assert page.page.locator(".legend .gradient").count() == 2
    for side, table in enumerate((found.a, found.b)):
        page.call(f"e.set({{layout: 'one', step: {side}}})")
        np.testing.assert_allclose(
            page.call("e.distances(29)"), measured(table.vectors, 29, "euclidean"), rtol=1e-6
        )
    embviz.write_comparison(tmp_path / "y.html", found, projections, vectors="none")
    page = open_page(tmp_path / "y.html")
    choose(page, ", pointed: 29")
    assert "nearest of each point are in this page: the others are gray" in legend(page)


def test_a_page_without_vectors_does_not_offer_it(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    write_report(tmp_path / "x.html", table, [PCA().project(table)], vectors="none")
    page = open_page(tmp_path / "x.html")
    lists = page.page.evaluate(
        "() => Boolean(JSON.parse(document.getElementById('manifest').textContent).neighbors)"
    )
    options = page.page.get_by_label("Color by").locator("option").all_text_contents()
    assert (NAME in options) == lists
    if lists:
        choose(page, ", pointed: 5")
        assert "the others are gray" in legend(page)
