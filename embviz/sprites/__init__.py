"""Sprites: sheets of thumbnails, a tile a point, row by row from the top left."""

from __future__ import annotations

from embviz.sprites.encoding import shrink_sprite
from embviz.sprites.images import MOST_SIDE
from embviz.sprites.kind import average_tile_kind, tile_kind
from embviz.sprites.manifest import SheetNote, find_files, find_labels
from embviz.sprites.sheet import load_sprite, pack_tiles, read_tiles, take_tiles

__all__ = [
    "MOST_SIDE",
    "SheetNote",
    "average_tile_kind",
    "find_files",
    "find_labels",
    "load_sprite",
    "pack_tiles",
    "read_tiles",
    "shrink_sprite",
    "take_tiles",
    "tile_kind",
]
