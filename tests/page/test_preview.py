"""A preview is what the page opens with: the same points in the same places and colors."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embviz import PCA, EmbeddingTable, Projection, load_digits_table, write_report
from embviz.comparison.compare import compare
from embviz.comparison.states import as_steps
from embviz.pictures.plan import Plan
from embviz.pictures.steps import project_steps
from embviz.preview.discs import js_round
from embviz.preview.frame import SCALE, open_style
from embviz.preview.maps import arranged, draw_map
from embviz.preview.theme import DARK, LIGHT
from embviz.preview.view import FirstView, first_view

TOOLS = 56
SIZE = (552, 435)


class Opened:
    """A page whose maps have a given size."""

    def __init__(self, browser: Any, path: Path, dark: bool) -> None:
        self.context = browser.new_context(
            viewport={"width": 1400, "height": 800},
            device_scale_factor=SCALE,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        self.page = self.context.new_page()
        self.page.goto(path.resolve().as_uri())
        self.page.evaluate("() => window.embviz.ready")
        there = "() => performance.getEntriesByName('embviz-plotly').length > 0"
        self.page.wait_for_function(there)
        # A picture says below its maps what the page says in them.
        self.page.evaluate("() => window.embviz.set({caption: false})")

    def fit(self, size: tuple[float, float], n_maps: int) -> None:
        measure = "() => { const e = document.querySelector('.plot'); return [e.clientWidth, e.clientHeight]; }"
        for _ in range(4):
            width, height = self.page.evaluate(measure)
            view = self.page.viewport_size
            wide = round(view["width"] + n_maps * (size[0] - width))
            self.page.set_viewport_size(
                {"width": wide, "height": round(view["height"] + size[1] - height)}
            )
            self.page.wait_for_timeout(200)
            if self.page.evaluate(measure) == list(size):
                break
        assert self.page.evaluate(measure) == list(size)
        # The plot follows its size with the next frames, and Plotly follows it.
        before: Any = None
        while (now := [self.positions(i).tolist() for i in range(n_maps)]) != before:
            before = now
            self.page.wait_for_timeout(600)

    def positions(self, side: int) -> Any:
        found = self.page.evaluate("(side) => [...window.embviz.screenPositions(side)]", side)
        return np.reshape(found, (-1, 2))

    def away(self, xy: Any, side: int, rows: Any) -> float:
        """How far points are from places that they may still be on the way to."""
        end = time.monotonic() + 20
        while True:
            away = float(np.abs(xy - self.positions(side)[rows]).max())
            if away < 1 or time.monotonic() > end:
                return away
            self.page.wait_for_timeout(600)

    def picture(self, side: int) -> Any:
        raw = self.page.locator(".map .plot").nth(side).screenshot()
        return np.asarray(Image.open(io.BytesIO(raw)).convert("RGB")).astype(int)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    opened: list[Opened] = []

    def call(path: Path, dark: bool = False) -> Opened:
        opened.append(Opened(browser, path, dark))
        return opened[-1]

    yield call
    for one in opened:
        one.context.close()


@pytest.fixture(scope="module")
def digits() -> EmbeddingTable:
    return load_digits_table()


def apart(drawn: Any, seen: Any, box: Any) -> Any:
    """How far each pixel's color is from the nearest within a pixel: maps begin between pixels."""
    shifted = [
        np.abs(np.roll(drawn, (v, u), (0, 1))[box] - seen[box]).max(axis=2)
        for v in (-1, 0, 1)
        for u in (-1, 0, 1)
    ]
    return np.min(shifted, axis=0)


def assert_same(opened: Opened, view: FirstView, dark: bool = False) -> None:
    """Compare places to within a pixel, and colors but for one in twenty of the pixels inked."""
    style = open_style(view, DARK if dark else LIGHT)
    opened.fit(SIZE, len(view.maps))
    rows = slice(None) if view.visible is None else view.visible
    for side, one in enumerate(view.maps):
        ours = arranged(view, one, style, SIZE)
        away = opened.away(ours.xy[rows], side, rows)
        assert away < 1
        drawn = np.asarray(draw_map(view, replace(one, name=""), style, SIZE)).astype(int)
        seen = opened.picture(side)
        area = ours.area
        top = max(TOOLS, area.top)
        left, right = (js_round(x * SCALE) for x in (area.left, area.right))
        up, down = (js_round(y * SCALE) for y in (top, area.bottom))
        box = np.s_[up + 2 : min(down, seen.shape[0]) - 2, left + 2 : min(right, seen.shape[1]) - 2]
        differ = apart(drawn, seen, box) > 48
        inked = (np.abs(seen[box] - style.theme.background).max(axis=2) > 48).mean()
        assert inked > 0.01
        assert differ.mean() < inked / 20


@pytest.mark.parametrize(
    ("kind", "dims", "dark"),
    [
        ("thumbnails", 2, False),
        ("thumbnails", 3, True),
        ("discs", 2, True),
        ("discs", 3, False),
        ("one color", 2, False),
        ("one color", 3, True),
    ],
)
def test_components_are_drawn_as_the_page_draws_them(
    open_page: Any, digits: EmbeddingTable, tmp_path: Path, kind: str, dims: int, dark: bool
) -> None:
    table = digits if kind == "thumbnails" else replace(digits, sprite=None)
    if kind == "one color":
        table = replace(table, metadata={})
    made = [PCA().project(table)]
    write_report(tmp_path / "out.html", table, made, dims=dims)
    view = first_view(table, made, None, None, {"dims": dims})
    assert_same(open_page(tmp_path / "out.html", dark), view, dark)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_map_without_axes_is_drawn_as_the_page_draws_it(
    open_page: Any, digits: EmbeddingTable, tmp_path: Path, dims: int
) -> None:
    table = replace(digits, sprite=None)
    rng = np.random.default_rng(0)
    places = rng.normal(size=(table.n_points, dims)).astype(np.float32) ** 3
    made = [Projection("placed", places)]
    fields: Any = {"dims": dims, "selected": [5, 8, 100]}
    write_report(tmp_path / "out.html", table, made, **fields)
    view = first_view(table, made, None, None, fields)
    assert_same(open_page(tmp_path / "out.html"), view)


def test_isolated_points_have_components_of_their_own_as_in_the_page(
    open_page: Any, digits: EmbeddingTable, tmp_path: Path
) -> None:
    table = replace(digits, sprite=None)
    made = [PCA().project(table)]
    isolated = [i for i, digit in enumerate(table.metadata["digit"]) if digit in "35"]
    write_report(tmp_path / "out.html", table, made, isolated=isolated)
    view = first_view(table, made, None, None, {"isolated": isolated})
    assert not view.is_own
    assert_same(open_page(tmp_path / "out.html"), view)


def assert_same_bits(opened: Opened, places: list[Any]) -> None:
    """Compare places at each step: which of two points is on top hangs on their last bits."""
    at = "(step) => { embviz.set({step}); return [...embviz.coordinates(embviz.view().projection, 2)]; }"
    for step, one in enumerate(places):
        there = np.reshape(opened.page.evaluate(at, step), (-1, 2)).astype(np.float32)
        np.testing.assert_array_equal(there, one)


@pytest.mark.parametrize(
    ("method", "widths", "isolates"),
    [
        ("pca", (9, 9), False),
        ("none", (2, 2), False),
        ("pca", (9, 9), True),
        ("pca", (9, 7), True),
    ],
)
def test_both_maps_of_a_comparison_are_drawn_as_the_page_draws_them(
    open_page: Any, tmp_path: Path, method: str, widths: tuple[int, int], isolates: bool
) -> None:
    from embviz.report import write_comparison

    rng = np.random.default_rng(0)
    first = rng.normal(size=(600, widths[0])).astype(np.float32) + (3 if isolates else 0)
    noise = rng.normal(size=(600, widths[1]))
    second = (first[:, : widths[1]] * 5 + noise).astype(np.float32)
    groups = {"group": tuple("abc"[i % 3] for i in range(600))}
    a, b = (EmbeddingTable(v, groups, name) for v, name in ((first, "a"), (second, "b")))
    found = compare(a, b)
    steps = as_steps(found)
    plan = Plan(methods=(method,), dims=(2,))
    made = project_steps(steps, plan)
    fields: Any = {"first": plan.first(made).key}
    if isolates:
        fields["isolated"] = list(range(0, 600, 2))
    write_comparison(tmp_path / "out.html", found, made, **fields)
    view = first_view(steps.table, made, None, steps, fields)
    assert len(view.maps) == 2
    opened = open_page(tmp_path / "out.html")
    assert_same(opened, view)
    if not isolates:
        assert_same_bits(opened, [one.places for one in view.maps])


def test_places_of_many_points_are_to_the_bit_those_of_the_page(
    open_page: Any, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    table = EmbeddingTable(rng.normal(size=(33_000, 2)).astype(np.float32))
    made = [Projection("placed", np.asarray(table.vectors))]
    write_report(tmp_path / "out.html", table, made)
    (one,) = first_view(table, made, None, None, {}).maps
    assert (one.places != made[0].coordinates).any()
    assert_same_bits(open_page(tmp_path / "out.html"), [one.places])


def test_the_last_step_of_a_run_is_drawn_as_the_page_draws_it(
    open_page: Any, tmp_path: Path
) -> None:
    from embviz.comparison.values import Step, Steps

    rng = np.random.default_rng(1)
    groups = {"group": tuple("abc"[i % 3] for i in range(400))}
    states = [rng.normal(size=(400, 6)).astype(np.float32) * (i + 1) for i in range(3)]
    tables = [EmbeddingTable(each, groups, "emb") for each in states]
    steps = Steps(tuple(Step(str(i), t) for i, t in enumerate(tables)), tables[-1])
    plan = Plan(methods=("pca",), dims=(2,))
    made = project_steps(steps, plan)
    write_report(tmp_path / "out.html", tables[-1], made, steps=steps)
    view = first_view(tables[-1], made, None, steps, {})
    assert_same(open_page(tmp_path / "out.html"), view)


@pytest.mark.parametrize("dims", [2, 3])
def test_the_same_groups_are_named_at_the_same_places(
    open_page: Any, tmp_path: Path, dims: int
) -> None:
    from PIL import Image

    from embviz.pictures.selection import Part
    from embviz.preview.marks import choose_labels
    from embviz.preview.text import Pen
    from tests.page.named import COARSE, partition, regions

    table, _ = regions()
    made = [Projection("placed", np.asarray(table.vectors)[:, :dims].astype(np.float32))]
    part = Part(table, table, partitions=(partition(COARSE, table.metadata[COARSE]),))
    write_report(tmp_path / "out.html", part, made, dims=dims)
    view = first_view(part, made, None, None, {"dims": dims})
    opened = open_page(tmp_path / "out.html")
    opened.fit(SIZE, 1)
    style = open_style(view, LIGHT)
    pen = Pen(Image.new("RGB", (920, 725)), SCALE, LIGHT.background)
    _, names = choose_labels(pen, arranged(view, view.maps[0], style, SIZE), SIZE)
    found = {each["text"]: each["box"] for each in opened.page.evaluate("() => embviz.names()")}
    assert {" ".join(name.lines) for name in names} == set(found)
    for name in names:
        box = found[" ".join(name.lines)]
        # The page's letters are those of its machine.
        np.testing.assert_allclose(
            np.reshape(name.box, (2, 2)).mean(axis=0), np.reshape(box, (2, 2)).mean(axis=0), atol=12
        )
