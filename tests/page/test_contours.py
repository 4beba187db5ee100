"""Outlines of classes in the picture: asked for by a checkbox, saved and linked with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from embviz.preview.theme import palette
from tests.page.named import write_regions
from tests.page.test_exports import save


@pytest.fixture
def page(open_page: Callable[..., Any], tmp_path: Path) -> Any:
    path = tmp_path / "named.html"
    write_regions(path)
    return open_page(path, reduced_motion="reduce")


def outlines(page: Any) -> list[tuple[str, int]]:
    """The color and the number of closed lines of each class's outline in the saved picture."""
    svg = save(page, "Picture, SVG")[1].decode()
    paths = [tag for tag in re.findall(r"<path [^>]*>", svg) if 'stroke-width="2.5"' in tag]
    found = [(re.search(r'stroke="(#\w+)"', tag), tag.count("Z")) for tag in paths]
    return [(color[1], closed) for color, closed in found if color]


def test_each_class_has_an_outline_in_its_color_where_it_is_asked_for(page: Any) -> None:
    contours = page.page.get_by_label("Contours")
    expect(contours).not_to_be_checked()
    assert outlines(page) == []
    contours.check()
    assert page.call("e.view().contours") is True
    found = outlines(page)
    colors = ["#{:02x}{:02x}{:02x}".format(*color) for color in palette(4, dark=False)]
    assert [color for color, _ in found] == colors
    # Regions are of five places each, of which some touch.
    assert all(1 <= closed <= 10 for _, closed in found)
    page.call("e.set({hidden: [0]})")
    assert [color for color, _ in outlines(page)] == colors[1:]
    page.page.wait_for_function("() => /\\bco=1\\b/.test(location.hash)")


def test_there_are_no_contours_in_3d_nor_of_one_color(page: Any) -> None:
    contours = page.page.get_by_label("Contours")
    page.call("e.set({contours: true})")
    page.call("e.set({color_by: null})")
    expect(contours).to_be_hidden()
    assert outlines(page) == []
    page.call("e.set({color_by: 'region'})")
    expect(contours).to_be_visible()
    page.call("e.set({projection: 'deep', dims: 3})")
    expect(contours).to_be_hidden()
    assert outlines(page) == []
