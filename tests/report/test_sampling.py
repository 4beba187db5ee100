"""What a page of a sample holds of all points."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from embviz import EmbeddingTable, ParameterError, Projection
from embviz.pictures.captions import density_caption
from embviz.pictures.description import Opening, describe
from embviz.pictures.selection import Part
from embviz.report import ReportOptions, encode_report
from embviz.report.payload import build_payload
from embviz.shards.values import Density, Sample
from tests.report.test_payload import blocks_of

N, N_ALL = 40, 10_000


def table(**columns: tuple[str, ...]) -> EmbeddingTable:
    vectors = np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)
    return EmbeddingTable(vectors, metadata=columns, rows=np.arange(N) * 7)


def sample(weights: Any = None) -> Sample:
    given = np.linspace(1, 499, N) if weights is None else weights
    return Sample(np.arange(N) * 7, given, N_ALL)


def map_of(points: EmbeddingTable, key: str = "tsne") -> Projection:
    return Projection("tsne", points.vectors[:, :2], key=key)


def density(of: str = "tsne", counts: Any = None, **more: Any) -> Density:
    given = np.arange(6, dtype=np.uint32).reshape(2, 3) if counts is None else counts
    low, high = np.array([-4.0, -3.0]), np.array([4.0, 3.0])
    fields = {"low": low, "high": high, "n_points": N_ALL, **more}
    return Density(of, counts=given, **fields)


def part(points: EmbeddingTable, **more: Any) -> Part:
    return Part(points, points, **{"sampled": sample(), "densities": (density(),), **more})


def test_a_page_of_a_sample_holds_the_counts_of_all_points_and_their_number() -> None:
    points = table(word=tuple(f"w{i}" for i in range(N)))
    payload = build_payload(part(points), [map_of(points)], ReportOptions())
    assert payload.manifest["sample"] == {
        "n_all": N_ALL,
        "weights": "weight",
        "caption": "A sample of 40 of 10,000 points.",
    }
    (entry,) = payload.manifest["densities"]
    assert entry == {
        "of": "tsne",
        "low": [-4, -3],
        "high": [4, 3],
        "shape": [2, 3],
        "n_points": N_ALL,
        "counts": "density_0",
        "caption": "The grays count 15 of 10,000 points; 9,985 lie farther out.",
        "caption_3d": "How densely all 10,000 points lie is drawn in 2D only.",
    }
    counts = blocks_of(payload)["density_0"]
    assert counts.dtype == np.uint32
    assert counts.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_caption_says_how_many_points_lie_beyond_the_cells() -> None:
    counts = np.array([[7, 3]], np.uint32)
    said = [density_caption(density(counts=counts, n_points=n), 2) for n in (10, 11, 2010)]
    assert said == [
        "The grays count all 10 points.",
        "The grays count 10 of 11 points; 1 lies farther out.",
        "The grays count 10 of 2,010 points; 2,000 lie farther out.",
    ]


def test_each_point_of_a_sample_has_its_weight_in_a_column_behind_the_others() -> None:
    points = table(word=tuple(f"w{i}" for i in range(N)), weight=("heavy",) * N)
    payload = build_payload(part(points), [map_of(points)], ReportOptions(color_by="weight 2"))
    last = payload.manifest["columns"][-1]
    assert (last["name"], last["kind"]) == ("weight 2", "number")
    assert payload.manifest["sample"]["weights"] == "weight 2"
    texts = blocks_of(payload)[last["block"]]
    np.testing.assert_allclose([float(text) for text in texts], np.linspace(1, 499, N), rtol=1e-5)


def test_weights_do_not_become_the_labels_of_points_without_columns() -> None:
    points = table()
    payload = build_payload(part(points), [map_of(points)], ReportOptions())
    assert payload.manifest["label_by"] is None
    assert [column["name"] for column in payload.manifest["columns"]] == ["weight"]


def test_a_sample_whose_points_all_stand_for_as_many_has_no_column_of_weights() -> None:
    points = table()
    given = part(points, sampled=sample(np.full(N, N_ALL / N)))
    payload = build_payload(given, [map_of(points)], ReportOptions())
    assert payload.manifest["sample"]["weights"] is None
    assert payload.manifest["columns"] == []


def test_the_source_of_a_sample_has_all_points() -> None:
    points = table()
    page = encode_report(part(points), [map_of(points)]).decode()
    assert re.search(rf'"total_points":\s*{N_ALL}\b', page)
    (sentence, *_) = describe(part(points), [map_of(points)], Opening())
    assert sentence.startswith("40 of 10,000 points of 5 dimensions")
    assert sentence.endswith("over the density of all of them.")


def test_points_that_are_no_sample_have_no_word_of_it_in_the_page() -> None:
    points = table()
    manifest = build_payload(points, [map_of(points)], ReportOptions()).manifest
    assert not {"sample", "densities"} & set(manifest)


def test_a_page_of_limited_size_counts_what_a_density_takes() -> None:
    points = table()
    noise = np.random.default_rng(1).integers(0, 2**31, (700, 700), np.uint32)
    given = part(points, densities=(density(counts=noise, n_points=2**53),))
    with pytest.raises(ParameterError, match=r"densities 2\.\d"):
        build_payload(given, [map_of(points)], ReportOptions(max_size=2))


@pytest.mark.parametrize(
    ("densities", "why"),
    [
        ((density("umap"),), "density of umap: no such projection in 2D; there are: tsne"),
        ((density(), density()), "density of tsne: a second one"),
    ],
)
def test_a_density_is_of_one_picture_in_two_dimensions(densities: Any, why: str) -> None:
    points = table()
    with pytest.raises(ParameterError, match=why):
        build_payload(part(points, densities=densities), [map_of(points)], ReportOptions())


def test_a_map_in_three_dimensions_has_no_density() -> None:
    points = table()
    solid = Projection("tsne", points.vectors[:, :3], key="tsne")
    with pytest.raises(ParameterError, match="no such projection in 2D"):
        build_payload(part(points), [solid], ReportOptions())
    build_payload(part(points), [replace(solid, kind="linear", name="pca")], ReportOptions())


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"rows": np.arange(3)}, "(3,) rows and (40,) weights of 40 points"),
        ({"weights": np.ones(3)}, "(40,) rows and (3,) weights of 40 points"),
        ({"weights": np.zeros(N)}, "not a number above 0"),
        ({"weights": np.full(N, np.inf)}, "not a number above 0"),
        ({"n_all": N - 1}, "40 points of 39"),
    ],
)
def test_a_sample_that_the_points_are_not_is_refused(fields: dict[str, Any], why: str) -> None:
    points = table()
    given = part(points, sampled=replace(sample(), **fields))
    with pytest.raises(ParameterError, match=f"sampled: .*{re.escape(why)}"):
        build_payload(given, [map_of(points)], ReportOptions())


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"low": np.zeros(2), "high": np.array([0.0, 1.0])}, "is no area"),
        ({"low": np.array([0.0, np.nan])}, "not two pairs of numbers"),
        ({"counts": np.zeros((2, 2))}, "are no grid of uint32"),
        ({"counts": np.zeros((0, 2), np.uint32)}, "are no grid of uint32"),
        ({"n_points": 14}, "15 points in cells, of 14"),
    ],
)
def test_a_density_that_cannot_be_drawn_is_refused(fields: dict[str, Any], why: str) -> None:
    points = table()
    given = part(points, densities=(replace(density(), **fields),))
    with pytest.raises(ParameterError, match=f"density of tsne: .*{why}"):
        build_payload(given, [map_of(points)], ReportOptions())


def test_equal_samples_make_equal_pages() -> None:
    points = table()
    pages = [encode_report(part(points), [map_of(points)]) for _ in range(2)]
    assert pages[0] == pages[1]
