"""What the plot looks like: marks, labels, thumbnails, the picture for export."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.page.plot_harness import (
    COLORS,
    HEIGHT,
    LEFT,
    TITLES,
    TOP,
    WIDTH,
    Harness,
    cloud,
    drawn_at,
)


def test_hidden_points_are_neither_drawn_nor_found(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    harness.points(np.array([[0, 0], [1, 1], [2, 0]]))
    colors = COLORS[:3]
    harness.style(colors=colors, visible=np.array([1, 0, 1], np.uint8))
    harness.rest()
    x, y = harness.positions()[1]
    picture = harness.screenshot()
    assert (picture[int(y), int(x)] == 255).all()
    assert harness.page.evaluate("([x, y]) => harness.plot.rowAt(x, y)", [LEFT + x, TOP + y]) == -1


@pytest.mark.parametrize("selected", [[3], [3, 4, 5]])
def test_where_points_are_selected_the_others_fade(
    open_harness: Callable[..., Harness], selected: list[int]
) -> None:
    harness = open_harness()
    harness.points(cloud(60, 2))
    colors = np.tile(COLORS[0], (60, 1))
    harness.style(colors=colors, neighbors=[7, 8], distances=[1, 2])
    harness.rest()
    xy = harness.positions()
    others = np.setdiff1d(np.arange(60), [*selected, 7, 8])
    assert drawn_at(harness.screenshot(), xy[others], [213, 94, 0]) > 0.9
    harness.style(selected=selected)
    harness.rest()
    faded = harness.screenshot()
    assert drawn_at(faded, xy[others], [213, 94, 0]) < 0.2
    assert drawn_at(faded, xy[others], [242, 207, 178]) > 0.8
    marked = np.repeat(xy[[*selected, 7, 8]], 5, axis=0)
    assert drawn_at(faded, marked, [213, 94, 0]) == 1
    # Where the colors are of distances from the one that is selected, they stay.
    harness.style(fades=False)
    harness.rest()
    assert drawn_at(harness.screenshot(), xy[others], [213, 94, 0]) > 0.9


def test_points_that_fade_are_seen_however_many_there_are(
    open_harness: Callable[..., Harness],
) -> None:
    harness = open_harness()
    harness.page.evaluate(
        "Object.assign(document.getElementById('host').style, { width: '260px', height: '200px' })"
    )
    harness.page.evaluate("harness.gaussian(60000, 2)")
    harness.style(selected=list(range(10)))
    harness.rest()
    inked = (harness.screenshot()[60:200, :260].min(axis=2) < 250).mean()
    assert inked > 0.1, "all but the selected vanish"


@pytest.mark.parametrize("colored", [False, True])
def test_a_crowd_steps_back_as_one_point_does_and_the_selected_stand_out(
    open_harness: Callable[..., Harness], colored: bool
) -> None:
    harness = open_harness()
    harness.page.evaluate("harness.gaussian(60000, 2)")
    colors = {"colors": np.tile(COLORS[0], (60000, 1))} if colored else {"oneColor": True}
    harness.style(**colors)
    harness.rest()
    xy = harness.positions()
    x, y = (int(each) for each in np.median(xy, axis=0))
    thick = (slice(y - 10, y + 10), slice(x - 10, x + 10))
    assert np.median(harness.screenshot()[thick].min(axis=2)) < 60
    far = np.argsort(np.hypot(*(xy - [x, y - 150]).T))[:40]
    harness.style(selected=far.tolist())
    harness.rest()
    faded = harness.screenshot()
    assert np.median(faded[thick].min(axis=2)) > 150, "as strong as if nothing were selected"
    around = faded[y - 155 : y - 145, x - 5 : x + 5]
    assert (around.min(axis=2) < 60).mean() > 0.3


def test_nothing_one_point_and_equal_points_are_shown(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    for dims in (2, 3):
        harness.points(np.zeros((0, dims)), axes=TITLES[:dims])
        harness.style()
        if dims == 2:
            harness.load_plotly()
        harness.rest()
        harness.points(np.full((1, dims), 7.5), axes=TITLES[:dims])
        harness.rest()
        assert_one = harness.positions()
        assert np.abs(assert_one - [WIDTH / 2, HEIGHT / 2]).max() < 40
        harness.points(np.full((5, dims), -1e30))
        harness.rest()
        assert np.isfinite(harness.positions()).all()
    assert harness.complaints == []


def test_labels_are_drawn_and_never_become_markup(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness()
    hostile = "<img src=x onerror=\"document.title='gone'\"><b>bold</b>"
    titles = [{"title": hostile, "low": hostile, "high": hostile}] * 2
    harness.points(cloud(4, 2), axes=titles)
    harness.style(names=[hostile] * 4, labelled="many")
    harness.load_plotly()
    harness.rest()
    with_labels = harness.screenshot()
    assert harness.page.title() == ""
    assert "onerror" not in harness.page.evaluate("document.getElementById('host').innerHTML")
    harness.style(labelled="none")
    harness.rest()
    assert (np.abs(with_labels - harness.screenshot()).max(axis=2) > 60).sum() > 300


def sprite_of(n: int, side: int = 12) -> str:
    """Tiles of ink: a bar whose place tells the tile's number, black on white."""
    sheet = np.full((side, n * side), 255, np.uint8)
    for tile in range(n):
        sheet[2:10, tile * side + 2 + tile : tile * side + 5 + tile] = 0
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("dims", [2, 3])
def test_thumbnails_are_the_points_in_their_colors(
    open_harness: Callable[..., Harness], dims: int
) -> None:
    harness = open_harness()
    points = np.array([[0, 0, 0], [4, 0, 2], [2, 3, 1]], float)[:, :dims]
    harness.points(points)
    harness.page.evaluate(
        "(s) => harness.loadSprite(s, {tileWidth: 12, tileHeight: 12, columns: 3, ink: true})",
        sprite_of(3),
    )
    harness.style(colors=COLORS, sprite={}, thumbnails=True)
    harness.load_plotly()
    harness.rest()
    picture = harness.screenshot()
    for (x, y), color in zip(harness.positions(), COLORS, strict=True):
        patch = picture[int(y) - 14 : int(y) + 15, int(x) - 14 : int(x) + 15]
        inked = np.abs(patch - color[:3].astype(np.int16)).max(axis=2) < 140
        assert 60 < inked.sum() < 400
        assert (patch.min(axis=2) > 240).mean() > 0.4, "the ground of ink is see-through"
        said = harness.page.evaluate(
            "([x, y]) => harness.plot.rowAt(x, y)", [LEFT + float(x), TOP + float(y)]
        )
        assert (COLORS[said] == color).all()


@pytest.mark.parametrize("dims", [2, 3])
def test_the_picture_for_export_is_the_view_at_its_scale(
    open_harness: Callable[..., Harness], dims: int
) -> None:
    harness = open_harness()
    harness.points(cloud(60, dims), axes=TITLES[:dims])
    harness.style(colors=np.tile(COLORS[0], (60, 1)))
    harness.load_plotly()
    harness.rest()
    url = harness.page.evaluate("harness.plot.toCanvas(2).toDataURL()")
    png = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")
    assert png.size == (2 * WIDTH, 2 * HEIGHT)
    half = np.asarray(png.resize((WIDTH, HEIGHT))).astype(np.int16)
    assert drawn_at(half, harness.positions(), [213, 94, 0]) == 1
    grid = (half.max(axis=2) < 250) & (half.min(axis=2) > 200) & (np.ptp(half, axis=2) < 14)
    assert grid.sum() > 500, "the axes are in the picture"


def test_a_fine_screen_gets_a_fine_picture(open_harness: Callable[..., Harness]) -> None:
    harness = open_harness(device_scale_factor=2)
    harness.points(cloud(50, 2))
    harness.style()
    harness.rest()
    size = "(() => { const c = document.querySelector('canvas.plot-points'); return [c.width, c.height]; })()"
    assert harness.page.evaluate(size) == [2 * WIDTH, 2 * HEIGHT]
