"""Custom axes while typing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, Axes, EmbeddingTable, write_report


@pytest.fixture
def page(open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path) -> Any:
    """A report without any axis, vectors at float16."""
    write_report(tmp_path / "a.html", table, [PCA().project(table)], vectors="float16")
    page = open_page(tmp_path / "a.html")
    page.page.get_by_role("tab", name="Axes").click()
    return page


def scene(page: Any, dims: int) -> np.ndarray[Any, Any]:
    found = page.call(f"e.project('custom', {{dims: {dims}}})")["coordinates"]
    return np.array(found).reshape(300, dims)


@pytest.mark.everywhere
def test_typed_axes_are_those_of_the_command_line(page: Any, table: EmbeddingTable) -> None:
    page.page.get_by_label("Dimensions", exact=True).get_by_text("3D").click()
    typed = [("=w0", "=w1"), ("group:c", "group:/[de]/")]
    for name, (start, end) in zip(("Horizontal", "Vertical"), typed, strict=False):
        page.page.get_by_label(f"{name} axis from", exact=True).fill(start)
        page.page.get_by_label(f"{name} axis to", exact=True).fill(end)
    want = Axes(tuple(typed), n_components=3).project(table).coordinates
    found = scene(page, 3)
    assert np.abs(found - want).max() < 1e-4 * np.ptp(want)
    for c in range(2):  # The third is filled, and moves with the rounding.
        assert np.abs(found[:, c] - want[:, c]).max() < 5e-5 * np.ptp(want[:, c])


def test_each_field_says_how_many_points_match(page: Any) -> None:
    page.page.get_by_label("Horizontal axis from", exact=True).fill("group:a")
    page.page.get_by_label("Horizontal axis to", exact=True).fill("=w7")
    hints = page.page.locator(".axis").first.locator(".axis-field .hint")
    assert hints.all_text_contents() == ["60 points", "1 point"]
    page.page.get_by_label("Horizontal axis to", exact=True).fill("zebra")
    assert hints.nth(1).text_content() == "0 points"
    assert "matches no point" in page.page.locator(".caption").text_content()
    page.page.get_by_label("Horizontal axis to", exact=True).fill("/(/")
    assert "no regular expression" in hints.nth(1).text_content()


def test_an_axis_is_swapped_and_cleared(page: Any) -> None:
    page.page.get_by_label("Vertical axis from", exact=True).fill("=w3")
    page.page.get_by_label("Vertical axis to", exact=True).fill("=w4")
    before = scene(page, 2)[:, 1]
    page.page.get_by_role("button", name="Swap the ends of the vertical axis").click()
    assert page.call("e.view()")["axes"][1] == {"from": "=w4", "to": "=w3"}
    np.testing.assert_allclose(scene(page, 2)[:, 1], -before, atol=1e-5)
    page.page.get_by_role("button", name="Clear the vertical axis").click()
    assert page.call("e.view()")["axes"][1] == {"from": "", "to": ""}
    assert page.page.get_by_role("button", name="Clear the vertical axis").is_disabled()


def test_isolating_leaves_the_axes_of_the_whole_table(page: Any) -> None:
    page.call("e.set({axes: [{from: 'group:a', to: 'group:b'}, {from: '', to: ''}]})")
    before = scene(page, 2)
    page.call("e.isolate([1, 2, 3, 50, 60])")
    after = np.array(page.call("e.project('custom', {dims: 2})")["coordinates"]).reshape(5, 2)
    np.testing.assert_allclose(after, before[[1, 2, 3, 50, 60]], atol=1e-6)


def test_values_far_outside_travel_in_24_bits_and_axes_are_right(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    vectors = np.exp(2 * np.random.default_rng(3).normal(size=(500, 16))).astype(np.float32)
    table = EmbeddingTable(vectors, {"word": tuple(f"w{i}" for i in range(500))})
    write_report(tmp_path / "a.html", table, [PCA().project(table)], vectors="float16")
    page = open_page(tmp_path / "a.html")
    manifest = "JSON.parse(document.getElementById('manifest').textContent)"
    assert page.call(f"{manifest}.blocks.vectors.dtype") == "uint32"
    for start, end in (("=w1", "=w2"), ("w3", "=w4")):
        want = Axes(((start, end),)).project(table).coordinates[:, 0]
        found = np.array(page.call(f"e.axis('{start}', '{end}')"))
        assert np.abs(found - want).max() < 1e-4 * np.ptp(want)


def test_without_any_axis_the_picture_is_said_to_be_pca(page: Any) -> None:
    caption = page.page.locator("#caption-0").text_content
    assert caption().startswith("PCA: ")
    titles = page.call("e.project('custom', {dims: 3, axes: []})")["axes"]
    assert titles == ["PC1", "PC2", "PC3"]
    along = page.call("e.project('custom', {dims: 2, axes: []})")["coordinates"]
    pca = page.call("e.project('pca', {dims: 2})")["coordinates"]
    np.testing.assert_allclose(np.abs(along), np.abs(pca), atol=1e-2)
    found = page.call(
        "e.project('custom', {dims: 3, axes: [{from: '', to: ''}, {from: '=w0', to: '=w1'}]})"
    )
    assert found["axes"] == ["PC1 of the rest", "w0 → w1", "PC2 of the rest"]
    assert caption().startswith("Axes: ")


def test_a_file_and_the_page_call_an_axis_that_fills_in_alike(
    open_page: Callable[..., Any], table: EmbeddingTable, tmp_path: Path
) -> None:
    given = Axes((("=w0", "=w1"),), n_components=3).project(table)
    write_report(tmp_path / "b.html", table, [PCA().project(table), given])
    page = open_page(tmp_path / "b.html")
    titles = page.call("e.project('custom', {dims: 3, axes: [{from: '=w0', to: '=w1'}]})")["axes"]
    typed = page.call("e.project('custom', {dims: 3, axes: [{from: '=w0', to: '=w2'}]})")["axes"]
    assert titles == list(given.axes)
    assert typed[1:] == list(given.axes)[1:]
