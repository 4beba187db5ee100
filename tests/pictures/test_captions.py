"""The words in a picture: what may be read from it, and what not."""

from __future__ import annotations

import numpy as np
import pytest

from embviz import PCA, Axes, EmbeddingTable, Projection
from embviz.pictures.captions import (
    LAID,
    STEPS,
    all_captions,
    caption_of,
    explain_measure,
    fill_caption,
)
from embviz.pictures.plan import project
from embviz.projections import PROJECTORS, Identity
from embviz.report.payload import ReportOptions, build_payload


@pytest.fixture
def table() -> EmbeddingTable:
    vectors = np.random.default_rng(3).normal(size=(60, 3)).astype(np.float32)
    return EmbeddingTable(vectors, {"word": tuple(f"w{i}" for i in range(60))})


def test_every_method_and_kind_has_a_caption() -> None:
    assert set(all_captions()) == {*PROJECTORS.ours, "densmap", "linear", "map"}


def test_a_caption_is_short_and_is_what_travels(table: EmbeddingTable) -> None:
    captions = build_payload(table, [PCA().project(table)], ReportOptions()).manifest["captions"]
    assert captions == all_captions()
    assert all(len(text) <= 110 for text in [*captions.values(), *STEPS.values(), *LAID.values()])


def test_pca_says_how_much_of_the_variance_its_components_show(table: EmbeddingTable) -> None:
    centered = np.asarray(table.vectors, np.float64)
    centered -= centered.mean(axis=0)
    shares = np.linalg.svd(centered, compute_uv=False) ** 2
    shares /= shares.sum()
    projection = PCA().project(table)
    for components in ((0, 1), (0, 2), (0, 1, 2)):
        told = f"{np.floor(100 * shares[list(components)].sum() + 0.5):.0f} %"
        wanted = "All" if len(components) == 3 else told
        assert caption_of(projection, components) == (
            f"PCA: distances are shortened, never lengthened. {wanted} of the variance is shown."
        )


def test_pca_of_spherized_vectors_says_whose_distances_are_shortened(table: EmbeddingTable) -> None:
    text = caption_of(PCA(normalize="sphere").project(table))
    assert text.startswith("PCA: distances of the centered vectors at length 1 are shortened")


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.0, "Under 0.1 % of"),
        (0.0004, "Under 0.1 % of"),
        (0.0347, "3.5 % of"),
        (0.125, "13 % of"),
        (0.5, "50 % of"),
        (0.9912, "99.1 % of"),
        (0.9999, "Over 99.9 % of"),
        (1.0, "All of"),
    ],
)
def test_a_share_is_never_all_or_nothing_where_it_is_neither(share: float, told: str) -> None:
    assert fill_caption("A. {variance} of it.", share) == f"A. {told} it."


def test_what_is_not_known_is_not_said(table: EmbeddingTable) -> None:
    placed = Projection("pca", np.zeros((60, 2), np.float32), kind="linear")
    assert caption_of(placed) == "PCA: distances are shortened, never lengthened."
    assert fill_caption("A. {variance} of it.", float("nan")) == "A."


def test_what_a_projection_measures_of_each_point_says_what_may_be_read_from_it(
    table: EmbeddingTable,
) -> None:
    placed = project(table, methods=("tsne",), dims=(2, 3))
    for projection in placed:
        assert projection.per_point
        assert all(explain_measure(name) for name in projection.per_point)
    (entry,) = build_payload(table, placed[-1:], ReportOptions()).manifest["projections"]
    told = {column["name"]: column["about"] for column in entry["per_point"]}
    assert told["torn (log10), 3D t-SNE"].startswith("High where a small change")
    assert explain_measure("mine") is None


def test_pictures_of_others_say_what_is_known_of_their_kind(table: EmbeddingTable) -> None:
    places = np.zeros((60, 2), np.float32)
    assert caption_of(Projection("mine", places)) == all_captions()["map"]
    assert caption_of(Projection("mine", places, axes=("x", "y"))) == all_captions()["linear"]
    assert caption_of(Identity().project(table)) == all_captions()["none"]
    assert caption_of(Axes((("=w1", "=w2"),)).project(table)) == all_captions()["custom"]
