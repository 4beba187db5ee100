"""Reports that the page tests open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import PCA, TSNE, Axes, EmbeddingTable, write_report
from embviz.sprites import pack_tiles
from tests.page.plot_harness import HEIGHT, LEFT, TOP, WIDTH, Harness, build, opened
from tests.page.stepped import write_run


def make_table(n: int = 300) -> EmbeddingTable:
    """Points around five centers, with words, groups, sizes and thumbnails of their group."""
    rng = np.random.default_rng(7)
    centers = rng.normal(size=(5, 12)) * 4
    group = np.arange(n) % 5
    vectors = (centers[group] + rng.normal(size=(n, 12))).astype(np.float32)
    tiles = np.full((n, 16, 16), 255, np.uint8)
    for i, g in enumerate(group):
        tiles[i, 2:14, 2 + 2 * g : 4 + 2 * g] = 0
    metadata = {
        "word": tuple(f"w{i}" for i in range(n)),
        "group": tuple("abcde"[g] for g in group),
        "size": tuple("" if i == 3 else f"{i / 10:.1f}" for i in range(n)),
    }
    return EmbeddingTable(vectors, metadata, "emb", "model.ckpt-7", pack_tiles(tiles))


@pytest.fixture(scope="session")
def table() -> EmbeddingTable:
    return make_table()


@pytest.fixture(scope="session")
def report(table: EmbeddingTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of tab."""
    path = tmp_path_factory.mktemp("report") / "out.html"
    projections: list[Any] = [
        PCA().project(table),
        TSNE(n_components=2, metric="euclidean").project(table),
        TSNE(n_components=3, metric="euclidean", iterations=60).project(table),
        Axes((("=w0", "=w1"),), n_components=3).project(table),
    ]
    write_report(
        path, table, projections, title="Blobs", command="embviz project x", first="pca",
        metric="euclidean", color_by="group",
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def step_reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of a run of four steps, with its vectors and without."""
    folder = tmp_path_factory.mktemp("steps")
    return {how: write_run(folder / f"{how}.html", how) for how in ("auto", "neighbors")}


@pytest.fixture(scope="session")
def plot_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that holds the plot alone."""
    return build(tmp_path_factory.mktemp("plot") / "plot.html", (LEFT, TOP, WIDTH, HEIGHT))


@pytest.fixture
def open_harness(browser: Any, plot_page: Path) -> Iterator[Callable[..., Harness]]:
    """Open that page and handle its plot."""
    yield from opened(browser, plot_page)
