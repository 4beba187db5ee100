"""A preview has the density of all points that the page has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz.preview.frame import open_style
from embviz.preview.maps import draw_map
from embviz.preview.theme import DARK, LIGHT
from embviz.preview.view import first_view
from tests.page.sampled import density, part, pictures, points, write_sample
from tests.page.test_preview import SIZE, Opened, apart, assert_same


@pytest.fixture
def open_sized(browser: Any) -> Iterator[Any]:
    opened: list[Opened] = []

    def call(path: Path, dark: bool) -> Opened:
        opened.append(Opened(browser, path, dark))
        return opened[-1]

    yield call
    for one in opened:
        one.context.close()


@pytest.mark.parametrize(
    ("of", "shape", "dark"),
    [("tsne", (12, 16), False), ("tsne", (600, 800), True), ("pca", (33, 20), True)],
)
def test_a_density_is_drawn_as_the_page_draws_it(
    open_sized: Any, tmp_path: Path, of: str, shape: tuple[int, int], dark: bool
) -> None:
    fields: Any = {"first": of, "color_by": "kind", "clusters": "none"}
    path = write_sample(tmp_path / "out.html", density(of, shape), first=of)
    table = points()
    view = first_view(part(table, density(of, shape)), pictures(table), None, None, fields)
    assert view.density is not None
    opened = open_sized(path, dark)
    assert_same(opened, view, dark)
    style = open_style(view, DARK if dark else LIGHT)
    drawn = np.asarray(draw_map(view, view.maps[0], style, SIZE)).astype(int)
    seen = opened.picture(0)
    box = np.s_[200 : seen.shape[0] - 200, 200 : seen.shape[1] - 200]
    assert np.median(apart(drawn, seen, box)) <= 3
    assert np.ptp(seen[box]) > 60
