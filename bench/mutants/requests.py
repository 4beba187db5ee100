"""Kinds of files that a user names beside a source: views, settings, lists, configs, coordinates."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mutants.changing import LABELS, VECTORS, Kind, N, mutate_bytes, mutate_value

VIEW = {
    "label": "wörd", "selectedProjection": "tsne", "tSNEis3d": True, "tSNEIteration": 500,
    "projections": [{"tsne-0": 0.5, "tsne-1": -2.25, "tsne-2": None} for _ in range(4)],
    "cameraDef": {"position": [0.1, 2, -3e-5], "target": [0, 0, 0], "zoom": 1.5},
    "selectedPoints": [1, 2], "pcaComponentDimensions": [0, 1, 2], "unknown": {"a": [1, "b"]},
}  # fmt: skip
SETTINGS = """
method = ["pca", "tsne"]
perplexity = 30
title = "wörds"
[project]
seed = 7
[sprite]
tile = "8x8"
"""
CONFIG = """
model_checkpoint_path: "m"
embeddings {
  tensor_name: "emb" metadata_path: "m.tsv" tensor_path: 't.tsv'
  tensor_shape: 60 tensor_shape: 8
  sprite { image_path: "s\\303\\266.png" single_image_dim: [8, 8] }
}
"""


def named(name: str, content: bytes, read: Callable[[Path], Any], whole: Any = None) -> Kind:
    """A file that is read alone; one of JSON is changed by values too."""

    def make(folder: Path) -> None:
        (folder / name).write_bytes(content)

    def mutate(folder: Path, rng: random.Random) -> bool:
        file = folder / name
        if whole is not None and rng.random() < 0.6:
            text = json.dumps(mutate_value(whole, rng))
            file.write_text(text.replace("2.25", rng.choice(("1e999", "2.25", "-1e400"))))
        else:
            file.write_bytes(mutate_bytes(file.read_bytes(), rng))
        return False

    def run(folder: Path) -> None:
        read(folder / name)

    return Kind(make, mutate, run)


def read_views(path: Path) -> None:
    """Read views and write them again, as a page and a logdir hold them."""
    from embviz.bookmarks import read_bookmarks
    from embviz.bookmarks.files import encode_bookmarks

    encode_bookmarks(read_bookmarks(path))


def read_settings(path: Path) -> None:
    from embviz.commands.shared.settings import read_config

    read_config(path)


def read_pbtxt(path: Path) -> None:
    from embviz.loaders.projector.config import read_config

    read_config(path)


def make_listing(folder: Path) -> None:
    from PIL import Image

    for i in range(4):
        Image.fromarray(np.full((8, 8), i, np.uint8)).save(folder / f"wörd {i}.png")
    (folder / "list.txt").write_text("".join(f"wörd {i}.png\n" for i in range(4)), "utf-8")


def mutate_listing(folder: Path, rng: random.Random) -> bool:
    file = rng.choice(sorted(folder.iterdir()))
    file.write_bytes(mutate_bytes(file.read_bytes(), rng))
    return False


def read_listing(folder: Path) -> None:
    from embviz.pictures.images import open_images
    from embviz.sprites.packing import SheetOptions, encode_sheet, plan_sheets

    source, _ = open_images((str(folder / "list.txt"),))
    plan = plan_sheets(source, SheetOptions(tile_size=(8, 8)))
    b"".join(encode_sheet(plan, 0, "PNG"))


def places(name: str) -> Kind:
    """Coordinates as `--save-coordinates` writes them."""

    def make(folder: Path) -> None:
        import embviz
        from embviz.export.coordinates import write_coordinates

        table = embviz.EmbeddingTable(VECTORS, {"word": tuple(LABELS)})
        found = embviz.Projection("pca", VECTORS[:, :2])
        write_coordinates(folder / name, table, [found])
        np.save(folder / "x.npy", VECTORS)

    def mutate(folder: Path, rng: random.Random) -> bool:
        file = folder / name
        file.write_bytes(mutate_bytes(file.read_bytes(), rng))
        return False

    def read(folder: Path) -> None:
        from embviz.loaders import load_table
        from embviz.pictures.coordinates import read_coordinates

        read_coordinates(str(folder / name), load_table(folder / "x.npy"))

    return Kind(make, mutate, read)


def request_kinds() -> dict[str, Kind]:
    """Return the kinds of this module by name."""
    views = [VIEW, {**VIEW, "selectedProjection": "pca"}]
    assert len(LABELS) == N
    return {
        "bookmarks": named("s.txt", json.dumps(views).encode(), read_views, views),
        "settings": named("embviz.toml", SETTINGS.encode(), read_settings),
        "pbtxt": named("projector_config.pbtxt", CONFIG.encode(), read_pbtxt),
        "listing": Kind(make_listing, mutate_listing, read_listing),
        "places-tsv": places("c.tsv"),
        "places-npz": places("c.npz"),
    }
