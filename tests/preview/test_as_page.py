"""A preview has the colors, sizes and places that the page's own scripts have."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from embviz import EmbeddingTable
from embviz.clusters.classes import default_column
from embviz.preview.axes import AxisTitle
from embviz.preview.camera import Box, open_view, plot_area
from embviz.preview.coloring import color_points
from embviz.preview.density import deepen, density_shade
from embviz.preview.discs import (
    Canvas,
    Stamps,
    depth_order,
    disc_opacity,
    disc_radius,
    draw_discs,
    eighths,
    finely,
)
from embviz.preview.figures import format_number
from embviz.preview.labels import SIDES, Wanted, place_labels
from embviz.preview.order import drawing_order
from embviz.preview.text import clean
from embviz.preview.theme import DARK, LIGHT, gradient, palette, rgb
from embviz.preview.ticks import ticks_of
from embviz.preview.tiles import Placed, Tiles, draw_tiles, thumbnail_size
from tests.preview.page_scripts import ROOT, ask_page

CSS = ROOT / "embviz/templates/css/page.css"


@pytest.fixture(scope="module")
def colors() -> Any:
    return ask_page(
        """
        import { categoricalPalette, gradientColor, rgb, colorPoints } from '#js/drawing/color.js';
        const steps = Array.from({ length: 101 }, (_, i) => i / 100);
        const answer = [false, true].map((dark) => ({
          palette: categoricalPalette(99, dark).map(rgb),
          gradient: steps.map((t) => gradientColor(t, dark)),
          plain: colorPoints(null, { n: 1, as: 'auto', dark }).legend.color,
        }));
        """
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_categories_and_gradients_have_the_colors_of_the_page(colors: Any, theme: Any) -> None:
    found = colors[theme.dark]
    assert palette(99, theme.dark) == [tuple(color) for color in found["palette"]]
    ours = gradient(np.arange(101) / 100, theme.dark)
    assert np.abs(ours.astype(int) - found["gradient"]).max() <= 1
    assert rgb(found["plain"]) == theme.plain


@pytest.mark.parametrize(("theme", "at"), [(LIGHT, 0), (DARK, 1)], ids=["light", "dark"])
def test_the_ground_and_the_letters_have_the_colors_of_the_stylesheet(theme: Any, at: int) -> None:
    rules = re.findall(r":root[^{]*\{([^}]*)\}", CSS.read_text(encoding="utf-8"))[at]
    found = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", rules))
    for name in ("background", "side", "grid", "line", "text", "muted", "accent"):
        assert getattr(theme, name) == rgb(found[name]), name


COLUMNS = {
    "words": ["b", "a", "", "a", "C10", "C9", "c9", "é", "e", "b", "-", "10", "9"],
    "digits": ["10", "9", "2", "2", "9", "10", "10", "", "1", "1", "1", "1", "3"],
    "sizes": ["", *(f"{i / 7:.3f}" for i in range(12))],
    "codes": ["x1", "2", "1e1", " ", "y", "z", "x10", "x2", "x02", "", "x1", "x1", "Ω"],
    "same": ["5"] * 13,
}


@pytest.mark.parametrize("name", COLUMNS)
def test_points_and_legend_are_colored_by_a_column_as_in_the_page(name: str) -> None:
    values = COLUMNS[name]
    table = EmbeddingTable(np.zeros((13, 2), "f4"), {name: values})
    found = ask_page(
        """
        import { colorPoints, rgb } from '#js/drawing/color.js';
        import { createColumn } from '#js/data/table.js';
        const column = Object.assign(createColumn('c', given.kind), { values: given.values });
        const { colors, legend } = colorPoints(column, { n: 13, as: 'auto', dark: false });
        const answer = { colors: [...colors], legend };
        """,
        {"values": values, "kind": "number" if name in ("digits", "sizes", "same") else "text"},
    )
    ours = color_points(table, name, None, LIGHT)
    assert np.abs(ours.colors.astype(int) - np.reshape(found["colors"], (13, 4))[:, :3]).max() <= 1
    entries = found["legend"].get("entries")
    if entries is None:
        assert ours.ends == (found["legend"]["low"], found["legend"]["high"])
        assert sum(entry.count for entry in ours.rest) == found["legend"]["missing"]
    else:
        told = [(e.name, e.count, e.color) for e in (*ours.entries, *ours.rest)]
        assert told == [(e["name"], e["count"], rgb(e["color"])) for e in entries]


def test_what_has_no_color_of_its_own_is_counted_as_in_the_page() -> None:
    values = [f"v{i % 70}" for i in range(400)] + [""] * 7
    table = EmbeddingTable(np.zeros((407, 2), "f4"), {"c": values})
    found = ask_page(
        """
        import { colorPoints } from '#js/drawing/color.js';
        import { createColumn } from '#js/data/table.js';
        const column = Object.assign(createColumn('c', 'text'), { values: given });
        const answer = colorPoints(column, { n: 407, as: 'auto', dark: false }).legend.entries;
        """,
        values,
    )
    ours = color_points(table, "c", None, LIGHT)
    told = [(e.name, e.count) for e in (*ours.entries, *ours.rest)]
    assert told == [(e["name"], e["count"]) for e in found]
    assert [e.name for e in ours.rest] == ["20 other values", "missing"]


def test_the_column_of_the_first_colors_is_that_of_the_page() -> None:
    def table(**columns: list[str]) -> EmbeddingTable:
        return EmbeddingTable(np.zeros((60, 2), "f4"), columns)

    many, few = [str(i) for i in range(60)], [str(i % 3) for i in range(60)]
    assert default_column(table(a=many, b=few), "a") == "b"
    assert default_column(table(a=few, b=few), "b") == "b"
    assert default_column(table(a=many, b=["x"] * 60), "a") is None
    assert default_column(table(), None) is None


VIEW = """
import * as camera from '#js/drawing/camera.js';
const { n, dims, width, height, axes } = given;
const coordinates = Float32Array.from(given.coordinates);
const area = camera.plotArea(width, height, { dims, axes });
const box = camera.widened(camera.boxOf(coordinates, n, dims));
const xy = new Float32Array(2 * n);
const depth = new Float32Array(n);
if (dims === 2) {
  const view = camera.homeView2(box, area, camera.hasEqualScale(box, area, Boolean(axes)));
  camera.project2(coordinates, n, camera.transform2(view, area), xy);
} else {
  const aspect = camera.boxAspect(box, Boolean(axes));
  const view = camera.homeView3({ coordinates, n, axes }, box, aspect, area);
  camera.project3(coordinates, n, camera.clipMatrix(view, box, aspect, area), area, xy, depth);
}
const answer = { xy: [...xy], depth: [...depth], area };
"""


def spread(dims: int, n: int = 400) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(dims)
    return (rng.normal(size=(n, dims)) * [5, 1, 2][:dims] + 3).astype(np.float32)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("axes", [True, False], ids=["axes", "map"])
@pytest.mark.parametrize("size", [(552, 435), (276, 390)], ids=["wide", "high"])
def test_points_lie_where_the_page_opens_with_them(
    dims: int, axes: bool, size: tuple[int, int]
) -> None:
    places = spread(dims)
    titles = [{"title": "x", "low": "", "high": ""}] * dims if axes else None
    found = ask_page(
        VIEW,
        {
            "n": len(places),
            "dims": dims,
            "width": size[0],
            "height": size[1],
            "axes": titles,
            "coordinates": places.ravel().tolist(),
        },
    )
    ours = [AxisTitle("x")] * dims if axes else None
    area = plot_area(*size, dims, ours)
    assert found["area"] == {
        "left": area.left, "top": area.top, "width": area.width, "height": area.height,
    }  # fmt: skip
    xy, depth = open_view([places], Box.around(places).widened(), area, axes).project(places)
    np.testing.assert_allclose(xy.ravel(), found["xy"], atol=1e-3)
    if depth is not None:
        np.testing.assert_allclose(depth, found["depth"], atol=1e-4)


@pytest.mark.parametrize("places", [[[1, 1], [1, 1]], [[0, 2], [0, 5]], [[1e9, 1e9 + 1]]])
def test_points_in_one_place_or_on_a_line_lie_where_the_page_has_them(places: Any) -> None:
    given = np.array(places, np.float32)
    found = ask_page(
        VIEW,
        {
            "n": len(given), "dims": 2, "width": 500, "height": 400, "axes": None,
            "coordinates": given.ravel().tolist(),
        },
    )  # fmt: skip
    view = open_view([given], Box.around(given).widened(), plot_area(500, 400, 2, None), False)
    np.testing.assert_allclose(view.project(given)[0].ravel(), found["xy"], atol=1e-3)


RASTER = """
import * as raster from '#js/drawing/raster.js';
import { deepen, densityShade } from '#js/drawing/density.js';
const { xy: places, depth, radius, opacity, fade, scale, width, height, area, inner } = given;
const xy = Float32Array.from(places);
const picture = raster.createPicture(width, height, scale);
const sorted = depth
  ? raster.depthOrder(Float32Array.from(depth), null)
  : { order: null, levels: null };
const colors = new Uint32Array(Uint8Array.from(given.colors).buffer);
const stamps = raster.discStamps(radius, { opacity, fade, inner });
raster.drawStamps(picture, { xy, colors, visible: null, ...sorted }, stamps, area);
if (given.ink) {
  const shade = densityShade(xy, null, area, given.ink);
  if (shade) deepen(picture, shade, area, given.dark);
}
const answer = {
  bytes: [...picture.bytes],
  order: [...(sorted.order ?? [])],
  levels: [...(sorted.levels ?? [])],
};
"""


def drawn_by_page(xy: Any, colors: Any, **rest: Any) -> Any:
    opaque = np.concatenate([colors, np.full((len(colors), 1), 255)], axis=1)
    area = {"left": 10, "top": 8, "width": 130, "height": 85}
    given = {
        "xy": np.ravel(xy).tolist(), "colors": opaque.ravel().tolist(), "depth": None, "inner": 0,
        "fade": 0, "opacity": 1, "scale": 5 / 3, "width": 150, "height": 99, "area": area, **rest,
    }  # fmt: skip
    found = ask_page(RASTER, given)
    return {**found, "bytes": np.reshape(found["bytes"], (165, 250, 4))}


def scattered(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(n)
    xy = (rng.normal(size=(n, 2)) * 22 + [75, 50]).astype(np.float32)
    return xy, rng.integers(0, 256, (n, 3)).astype(np.uint8)


def area() -> Any:
    return type(plot_area(1, 1, 2, None))(10, 8, 130, 85)


@pytest.mark.parametrize(
    ("radius", "opacity", "inner"), [(4.5, 1, 0), (6, 0.5, 0), (1.5, 0.125, 0), (7, 1, 4.5)]
)
def test_discs_and_rings_blend_as_in_the_page(radius: float, opacity: float, inner: float) -> None:
    xy, colors = scattered(500)
    found = drawn_by_page(xy, colors, radius=radius, opacity=opacity, inner=inner)["bytes"]
    canvas = Canvas(250, 165, 5 / 3)
    draw_discs(canvas, xy, colors, Stamps.disc(radius, inner, opacity), area())
    difference = np.abs(canvas.pixels - found)
    assert difference[..., :3].mean() < 1
    assert difference.max() <= (4 if opacity == 1 else 12)


def test_near_points_lie_over_far_ones_and_are_larger_as_in_the_page() -> None:
    xy, colors = scattered(300)
    depth = np.random.default_rng(1).normal(size=300).astype(np.float32)
    found = drawn_by_page(xy, colors, radius=5, opacity=1, fade=0.4, depth=depth.tolist())
    order, levels = depth_order(depth, None)
    assert order.tolist() == found["order"]
    assert levels.tolist() == [found["levels"][row] for row in order]
    canvas = Canvas(250, 165, 5 / 3)
    draw_discs(canvas, xy[order], colors[order], Stamps.disc(5, 0, 1, 0.4), area(), levels)
    assert np.abs(canvas.pixels - found["bytes"]).max() <= 6


@pytest.mark.parametrize(("dims", "places"), [(2, 10**6), (3, 10**6), (2, 12), (3, 1)])
def test_points_are_drawn_in_the_order_of_the_page(dims: int, places: int) -> None:
    rng = np.random.default_rng(dims * places)
    xy = (rng.integers(-places, places, (3000, dims)) / places).astype(np.float32)
    colors = rng.integers(0, 3, (3000, 3)).astype(np.uint8)
    opaque = np.concatenate([colors, np.full((3000, 1), 255)], axis=1)
    found = ask_page(
        """
        import { createShuffle } from '#js/plot/shuffle.js';
        const scene = { coordinates: Float32Array.from(given.xy), n: 3000, dims: given.dims };
        const colors = new Uint32Array(Uint8Array.from(given.colors).buffer);
        const orderOf = (paint) => createShuffle()({ scene }, paint, false).order;
        const answer = [colors, 1].map((paint) => [...orderOf(paint)]);
        """,
        {"xy": xy.ravel().tolist(), "colors": opaque.ravel().tolist(), "dims": dims},
    )
    assert [drawing_order(xy, paint).tolist() for paint in (colors, None)] == found
    assert sorted(found[0]) == list(range(3000))


@pytest.mark.parametrize("places", [10**6, 8])
def test_a_preview_is_the_same_in_any_order_of_rows(places: int) -> None:
    rng = np.random.default_rng(places)
    xy = (rng.integers(0, places, (4000, 2)) * (90 / places) + [20, 5]).astype(np.float32)
    colors = np.repeat(np.uint8([[200, 0, 0], [0, 0, 200]]), [3000, 1000], axis=0)
    other = rng.permutation(4000)
    pictures = []
    for at, paint in ((xy, colors), (xy[other], colors[other])):
        canvas = Canvas(250, 165, 5 / 3)
        order = drawing_order(at, paint)
        draw_discs(canvas, at[order], paint[order], Stamps.disc(2, 0, 0.5), area())
        pictures.append(canvas.pixels)
    assert pictures[0].any()
    assert (pictures[0] == pictures[1]).all()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_where_points_of_one_color_lie_thick_it_deepens_as_in_the_page(dark: bool) -> None:
    xy, _ = scattered(20_000)
    colors = np.tile(np.uint8([11, 99, 206]), (20_000, 1))
    found = drawn_by_page(xy, colors, radius=2, opacity=0.25, ink=3.0, dark=dark)["bytes"]
    canvas = Canvas(250, 165, 5 / 3)
    draw_discs(canvas, xy, colors, Stamps.disc(2, 0, 0.25), area())
    shade = density_shade(xy, area(), 3.0)
    assert shade is not None
    assert shade.max() > 0.5
    deepen(canvas, shade, area(), dark)
    assert np.abs(canvas.pixels - found).mean() < 2


def test_sizes_and_opacities_of_discs_are_those_of_the_page() -> None:
    counts = [1, 3, 100, 999, 20_000, 1_000_000]
    found = ask_page(
        """
        import { discOpacity, discRadius } from '#js/drawing/raster.js';
        const area = { width: 500, height: 400 };
        const answer = given.map((n) => [discRadius(n), discOpacity(n, discRadius(n), area)]);
        """,
        counts,
    )
    room = plot_area(500, 400, 2, None)
    ours = [[disc_radius(n), disc_opacity(n, disc_radius(n), room)] for n in counts]
    np.testing.assert_allclose(ours, found)


def test_sizes_of_thumbnails_are_those_of_the_page() -> None:
    rng = np.random.default_rng(0)
    tiles = [(n, ink, share) for n in (3, 60, 900, 9000) for ink, share in ((1, 0.13), (0, 1.0))]
    places = {n: (rng.normal(size=(n, 2)) * 60 + 250).astype(np.float32) for n, *_ in tiles}
    room = plot_area(500, 400, 2, None)
    for n, ink, share in tiles:
        found = ask_page(
            """
            import { spread, thumbnailSize } from '#js/drawing/tiles.js';
            const area = { left: 0, top: 0, width: 500, height: 400 };
            const lying = spread(Float32Array.from(given.xy), null, area);
            const sprite = { tileWidth: 28, tileHeight: 20, ink: given.ink, inkShare: given.share };
            const answer = thumbnailSize(lying, sprite);
            """,
            {"xy": places[n].ravel().tolist(), "ink": bool(ink), "share": share},
        )
        pixels = np.zeros((1, 20, 28, 1), np.uint8)
        ours = Tiles(pixels, np.zeros(n, np.int64), bool(ink), True, share)
        assert thumbnail_size(places[n], room, ours) == found


@pytest.mark.parametrize("ink", [True, False], ids=["ink", "photographs"])
def test_thumbnails_blend_as_in_the_page(ink: bool) -> None:
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (4, 16, 16, 4), dtype=np.uint8)
    if ink:
        pixels[..., 3] = 255
    xy, colors = scattered(60)
    of = np.arange(60) % 4
    found = ask_page(
        """
        import * as raster from '#js/drawing/raster.js';
        import { createAtlas, tileSides } from '#js/drawing/tiles.js';
        const { area, ink } = given;
        const sprite = { columns: 1, ink, light: false, tileWidth: 16, tileHeight: 16 };
        const bytes = Uint8ClampedArray.from(given.pixels);
        const atlas = createAtlas(bytes, 16, { width: 16, height: 16, rows: 4 }, sprite);
        const picture = raster.createPicture(150, 99, 5 / 3);
        const colors = new Uint32Array(Uint8Array.from(given.colors).buffer);
        const xy = Float32Array.from(given.xy);
        const points = { xy, colors, order: null, levels: null, visible: null };
        const size = { ...tileSides(sprite, 20 * (5 / 3)), frame: 2, opacity: 0.9 };
        raster.drawTiles(picture, points, atlas, (row) => row % 4, size, area);
        const answer = [...picture.bytes];
        """,
        {
            "pixels": pixels.ravel().tolist(), "xy": xy.ravel().tolist(), "ink": ink,
            "colors": np.concatenate([colors, np.full((60, 1), 255)], 1).ravel().tolist(),
            "area": {"left": 10, "top": 8, "width": 130, "height": 85},
        },
    )  # fmt: skip
    canvas = Canvas(250, 165, 5 / 3)
    tiles = Tiles(pixels, of, ink, False, 1.0)
    draw_tiles(canvas, Placed(xy, of, colors, np.full(60, 0.9)), tiles, 20, area())
    difference = np.abs(canvas.pixels - np.reshape(found, (165, 250, 4)))
    assert (difference.max(axis=2) <= 6).mean() > 0.999


def test_labels_have_the_places_that_the_page_gives_them() -> None:
    rng = np.random.default_rng(5)
    labels = [
        {
            "x": float(x), "y": float(y), "width": float(w), "height": 16, "gap": 7,
            "strength": int(s),
        }
        for x, y, w, s in zip(
            *rng.uniform(0, 300, (2, 90)), rng.uniform(10, 60, 90), rng.integers(0, 3, 90),
            strict=True,
        )
    ]  # fmt: skip
    found = ask_page(
        """
        import { placeLabels } from '#js/drawing/labels.js';
        const boxes = given.map(({ x, y }) => [x - 4, y - 4, x + 4, y + 4]);
        const bounds = { left: 0, top: 10, width: 300, height: 280 };
        const answer = [...placeLabels(given, bounds, boxes)];
        """,
        labels,
    )
    wanted = [
        Wanted(str(i), at["x"], at["y"], at["width"], 7, strength=at["strength"])
        for i, at in enumerate(labels)
    ]
    boxes = [(w.x - 4, w.y - 4, w.x + 4, w.y + 4) for w in wanted]
    bounds = type(plot_area(1, 1, 2, None))(0, 10, 300, 280)
    placed = {
        int(label.text): SIDES.index(side) for label, side in place_labels(wanted, bounds, boxes)
    }
    assert [placed.get(i, -1) for i in range(90)] == found


def test_numbers_and_texts_are_written_as_in_the_page() -> None:
    numbers = [0, 7, -3, 1234567, 0.5, 0.00001234, 1234.56, 1e20, -0.000123456, 99999.96, 12.5]
    texts = ["a\u202eb\nc", " x ", "y" * 50, "", "é" * 41]
    spans = [(0, 10, 6), (-3.2, 41, 5), (1e-7, 4e-7, 4), (-2e9, 5e9, 6), (3, 3, 4), (5, -5, 3)]
    found = ask_page(
        """
        import { cleanLabel } from '#js/drawing/labels.js';
        import { ticksOf } from '#js/drawing/ticks.js';
        const { readFileSync: read } = await import('node:fs');
        const source = read('embviz/templates/js/dom.js', 'utf8');
        const body = source.slice(source.indexOf('function format'));
        const format = new Function(`${body}; return format`)();
        const answer = {
          numbers: given.numbers.map(format),
          texts: given.texts.map((text) => cleanLabel(text)),
          ticks: given.spans.map((span) => ticksOf(...span).map((tick) => [tick.text, tick.index])),
        };
        """,
        {"numbers": numbers, "texts": texts, "spans": spans},
    )
    assert [format_number(x) for x in numbers] == found["numbers"]
    assert [clean(text) for text in texts] == found["texts"]
    ours = [[[tick.text, tick.index] for tick in ticks_of(*span)] for span in spans]
    assert ours == found["ticks"]


def test_eighths_are_rounded_as_in_the_page() -> None:
    assert [eighths(x) for x in (0.18, 2.4444, 0.0625)] == [0.125, 2.5, 0.125]
    assert [finely(x) for x in (0.95, 0.18, 0.0234375)] == [1, 0.1875, 0.03125]


def test_names_are_in_the_order_of_the_page() -> None:
    from embviz.preview.collation import natural_key

    rng = np.random.default_rng(0)
    letters = list("aAbBzZäÄéeñ09_ -.(ßжЖαω'\"!#")
    names = sorted({"".join(rng.choice(letters, rng.integers(1, 6))) for _ in range(600)})
    found = ask_page(
        """
        const natural = new Intl.Collator('en', { numeric: true }).compare;
        const answer = given.sort((a, b) => natural(a, b) || (a < b ? -1 : 1));
        """,
        names,
    )
    assert sorted(names, key=natural_key) == found
