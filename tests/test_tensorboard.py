"""What embviz writes for TensorBoard, opened by the real TensorBoard in Chromium."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import embviz
from embviz import EmbeddingTable, Projection
from embviz.model import Kind
from embviz.sprites import pack_tiles
from tests.projector import Projector, serve

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tensorboard") is None, reason="tensorboard is not installed"
)

N, D = 400, 6
RNG = np.random.default_rng(12)
VECTORS = RNG.normal(size=(N, D)).astype(np.float32)
WORDS = tuple(f"word {i}" for i in range(N))
ODD = ("tab\there", "two\nlines", "", "back\\slash", " x ", "Ünï ☃ 🦊", "<b>", '"', *WORDS[8:])
VIEW = {
    "label": "selected before",
    "selectedProjection": "pca",
    "projections": [{"pca-0": float(i), "pca-1": -float(i)} for i in range(N)],
    "pcaComponentDimensions": [0, 1],
    "selectedPoints": [3, 4],
}


def placed(name: str, n_components: int, **params: Any) -> Projection:
    coordinates = RNG.normal(size=(N, n_components)).astype(np.float32)
    title = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP", "custom": "Axes"}.get(name, "As given")
    kind: Kind = "map" if name in ("tsne", "umap") else "linear"
    return Projection(name, coordinates, params=params, title=title, kind=kind)


MADE = [
    placed("pca", 6),
    placed("pca", 2),
    placed("tsne", 2, perplexity=7.5, iterations=300),
    placed("tsne", 3),
    placed("umap", 2, n_neighbors=9, min_dist=0.2),
    placed("umap", 3),
    placed("custom", 3, axes=[{"from": "=word 1", "to": "/2$/"}, {"from": "3", "to": "4"}]),
    placed("none", 2),
    placed("none", 3),
]


@pytest.fixture(scope="module")
def projector(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Projector]:
    """One TensorBoard on one logdir of three tensors: complete, odd, and as text."""
    logdir = tmp_path_factory.mktemp("tensorboard") / "a logdir"
    tiles = RNG.integers(0, 256, (N, 12, 12, 3)).astype(np.uint8)
    full = EmbeddingTable(
        VECTORS,
        {"name": WORDS, "class": tuple(str(i % 3) for i in range(N))},
        name="full",
        sprite=pack_tiles(tiles),
        bookmarks=(embviz.Bookmark("selected before", VIEW),),
    )
    odd = EmbeddingTable(VECTORS.astype(np.float64), {"text": ODD}, name="odd/a b:1")
    text = EmbeddingTable(np.arange(2 * N).reshape(N, 2) % 9, {"label": WORDS}, name="text")
    embviz.export_logdir(logdir, [full, odd, text], {"full": MADE})
    with serve(logdir) as url:
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        opened = Projector(page)
        page.goto(f"{url}/#projector")
        yield opened
        page.close()


def test_a_complete_tensor_is_shown_with_all_that_belongs_to_it(projector: Projector) -> None:
    seen = projector.open("full")
    assert seen["tensors"] == ["full", "odd/a b:1", "text"]
    assert (seen["n_points"], seen["n_dims"], seen["spherized"]) == (N, D, False)
    np.testing.assert_array_equal(np.array(seen["vectors"], np.float32), VECTORS[:3])
    assert seen["columns"] == ["name", "class"]
    assert [point["name"] for point in seen["metadata"]] == list(WORDS)
    assert (seen["sprite"], seen["tile"]) == ([240, 240], [12, 12])
    assert (projector.errors, projector.failed) == ([], [])


def test_odd_labels_keep_their_rows(projector: Projector) -> None:
    seen = projector.open("odd/a b:1")
    assert seen["columns"] == ["text", "row"]
    assert [point["row"] for point in seen["metadata"]] == list(range(N))
    shown = [point["text"] for point in seen["metadata"]]
    assert shown[:4] == ["tab\\there", "two\\nlines", None, "back\\\\slash"]
    assert shown[4:] == list(ODD[4:])
    assert (projector.errors, projector.failed) == ([], [])


def test_a_table_whose_bytes_are_text_is_shown(projector: Projector) -> None:
    seen = projector.open("text")
    assert (seen["n_points"], seen["n_dims"]) == (N, 2)
    assert seen["vectors"] == [[0, 1], [2, 3], [4, 5]]
    assert seen["metadata"][399]["label"] == "word 399"
    assert (projector.errors, projector.failed) == ([], [])


def test_every_bookmark_is_applied_with_its_coordinates(projector: Projector) -> None:
    # The last test: the t-SNE that a bookmark starts in TensorBoard outlives a change of tensors.
    seen = projector.open("full")
    wanted = [
        ("PCA", "pca", 3),
        ("PCA", "pca", 2),
        ("t-SNE 2D", "custom", 2),
        ("t-SNE 2D, iterating on", "tsne", 2),
        ("t-SNE 3D, iterating on", "tsne", 3),
        ("UMAP 2D", "umap", 2),
        ("UMAP 3D", "umap", 3),
        ("Axes", "custom", 2),
        ("As given", "custom", 2),
        ("As given", "pca", 3),
        ("selected before", "pca", 2),
    ]
    assert seen["bookmarks"] == [label for label, _, _ in wanted]
    coordinates = [p.coordinates for p in MADE]
    coordinates.insert(2, MADE[2].coordinates)
    for i, (label, kind, dims) in enumerate(wanted):
        applied = projector.apply(i)
        assert (applied["kind"], applied["dims"]) == (kind, dims), label
        shown = np.array(applied["shown"], np.float64)
        np.testing.assert_allclose(shown, np.array(applied["stored"]), atol=1e-5)
        if i < len(coordinates):
            np.testing.assert_allclose(shown, coordinates[i][:, :dims], atol=1e-5)
    assert applied["selected"] == [3, 4]
    assert (projector.errors, projector.failed) == ([], [])
