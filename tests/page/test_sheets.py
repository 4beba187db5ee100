"""Thumbnails in the page: the very pixels, from several sheets, and the images they open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embviz
from embviz.sprites import pack_tiles
from embviz.sprites.sheet import _pack_sheet

COLORS = np.array([[250, 0, 0], [0, 250, 0], [0, 0, 250], [250, 250, 0], [0, 250, 250]], np.uint8)
TILES = np.broadcast_to(COLORS[:, None, None], (5, 12, 12, 3)).copy()
TILES[:, 4:8, 4:8] = 255 - TILES[:, 4:8, 4:8]  # a photograph, not ink


def several() -> embviz.Sprite:
    sheets = [_pack_sheet(TILES[:4], 2), _pack_sheet(TILES[4:], 2)]
    return embviz.Sprite(sheets[0], "image/png", 12, 12, 2, (sheets[1],))


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
        corner = link.locator("canvas").evaluate(
            "(c) => [...c.getContext('2d').getImageData(8, 8, 1, 1).data]"
        )
        np.testing.assert_allclose(corner[:3], COLORS[row], atol=3)
    assert (opened.requests, opened.complaints) == ([], [])
