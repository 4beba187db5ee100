"""Thumbnails in the page: the very pixels, from several sheets, and the images they open."""

from __future__ import annotations

import base64
import io
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import embviz
from embviz.sprites import pack_tiles
from embviz.sprites.sheet import _pack_sheet
from tests.page.test_exports import save

COLORS = np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250], [250, 250, 0], [0, 250, 250]], np.uint8)
TILES = np.broadcast_to(COLORS[:, None, None], (5, 12, 12, 3)).copy()
TILES[:, 4:8, 4:8] = 255 - TILES[:, 4:8, 4:8]  # a photograph, not ink


def several() -> embviz.Sprite:
    sheets = [_pack_sheet(TILES[:4], 2), _pack_sheet(TILES[4:], 2)]
    return embviz.Sprite(sheets[0], "image/png", 12, 12, 2, (sheets[1],))


def pixels_of(canvas: Any) -> np.ndarray[Any, Any]:
    """What a canvas shows, (height, width, 4)."""
    pixels = canvas.evaluate(
        "(c) => [c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    return np.array(pixels[1:]).reshape(-1, pixels[0], 4)


@pytest.mark.parametrize("sprite", [pack_tiles(TILES), several()], ids=["one", "several"])
def test_the_card_shows_its_own_tile(tmp_path: Path, open_page: Any, sprite: embviz.Sprite) -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    table = embviz.EmbeddingTable(vectors, sprite=sprite)
    links = [f"./im/{i}%20x.png" for i in range(5)]
    path = tmp_path / "o.html"
    embviz.write_report(path, table, [embviz.PCA().project(table)], image_links=links)
    opened = open_page(path)
    for row in range(5):
        opened.call(f"e.select([{row}])")
        link = opened.page.locator("a.thumbnail-link")
        link.wait_for()
        assert link.get_attribute("href") == links[row]
        image = pixels_of(link.locator("canvas"))
        np.testing.assert_allclose(image[8, 8, :3], COLORS[row], atol=3)
        # Outermost, where its neighbors in the sheet would come in.
        for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
            np.testing.assert_allclose(edge[:, :3], np.tile(COLORS[row], (len(edge), 1)), atol=3)
            assert (edge[:, 3] == 255).all()
    assert (opened.requests, opened.complaints) == ([], [])


def letterboxed() -> embviz.Sprite:
    """Photographs of 12 x 4 in tiles of 12 x 12; above and below them nothing is."""
    tiles = np.zeros((5, 12, 12, 4), np.uint8)
    tiles[:, 4:8, :, :3] = COLORS[:, None, None]
    tiles[:, 4:8, 4:8, :3] //= 2
    tiles[:, 4:8, :, 3] = 255
    return pack_tiles(tiles)


@pytest.fixture
def photographs(tmp_path: Path, open_page: Any) -> Any:
    vectors = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    # Labels, so that each point's frame has a color of its own.
    table = embviz.EmbeddingTable(vectors, {"word": tuple("abcde")}, sprite=letterboxed())
    embviz.write_report(tmp_path / "o.html", table, [embviz.PCA().project(table)])
    return open_page(tmp_path / "o.html")


@pytest.mark.parametrize(("theme", "ground"), [("light", 255), ("dark", 18)])
def test_the_ground_shows_through_the_clear_parts_of_a_photograph(
    photographs: Any, theme: str, ground: int
) -> None:
    photographs.call(f"e.set({{dims: 2, theme: '{theme}', thumbnails: true, labels: 'none'}})")
    photographs.page.wait_for_timeout(800)
    plot = photographs.page.locator(".plot")
    picture = Image.open(io.BytesIO(plot.screenshot())).convert("RGB")
    seen = np.asarray(picture, int)
    places = np.array(photographs.call("e.screenPositions()")).reshape(-1, 2).round().astype(int)
    for (x, y), color in zip(places, COLORS, strict=True):
        bars = seen[[y - 5, y + 5], x - 4 : x + 5]
        assert np.abs(bars - seen[2, 2]).max() <= 30, "only the grid of the plot"
        assert np.abs(seen[y, x - 5] - color).max() < 40
    assert abs(int(seen[2, 2].mean()) - ground) < 12


def test_the_svg_keeps_clear_parts_and_each_tile_to_itself(photographs: Any) -> None:
    photographs.call("e.set({dims: 2, thumbnails: true, labels: 'none'})")
    photographs.page.wait_for_timeout(600)
    _, data = save(photographs, "Picture, SVG")
    root = ET.fromstring(data)
    image = next(root.iter("{http://www.w3.org/2000/svg}image"))
    sheet = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(image.get("href", "").split(",")[1])))
    )
    found = set()
    for view in root.iter("{http://www.w3.org/2000/svg}svg"):
        if view is root:
            continue
        x, y, width, height = (int(float(part)) for part in view.get("viewBox", "").split())
        # With the pixels around it, which a viewer mixes in.
        tile = sheet[y - 1 : y + height + 1, x - 1 : x + width + 1]
        assert tile.shape[:2] == (height + 2, width + 2)
        assert (tile[: height // 4, :, 3] == 0).all()
        middle = tile[height // 2 + 1]
        assert (middle[:, 3] == 255).all()
        np.testing.assert_allclose(middle[:2, :3], np.tile(middle[-1, :3], (2, 1)), atol=3)
        found.add(tuple(int(c) for c in middle[0, :3].round(-1)))
    assert found == {tuple(map(int, color)) for color in COLORS}
