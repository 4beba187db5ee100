"""The report of a comparison: what it holds, and what its caller can ask for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embviz
from embviz.comparison.values import Comparison
from tests.report.comparisons import placed, ranked, shuffled_half, trained_digits


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return shuffled_half()


def manifest_of(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="manifest">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


def test_the_report_holds_both_sides_and_what_changed(
    comparison: Comparison, tmp_path: Path
) -> None:
    path = tmp_path / "changes.html"
    size = embviz.write_comparison(path, comparison, [placed(comparison)], title="Halves")
    assert size == path.stat().st_size
    manifest = manifest_of(path)
    assert manifest["title"] == "Halves"
    assert manifest["steps"]["kind"] == "comparison"
    assert manifest["steps"]["names"] == ["model-1.npy", "model-2.npy"]
    told = manifest["comparison"]
    assert (told["n_matched"], told["only_a"], told["only_b"]) == (120, 2, 1)
    a, b = (ranked(table.vectors)[:, :10] for table in (comparison.a, comparison.b))
    common = [len(np.intersect1d(x, y)) / 10 for x, y in zip(a, b, strict=True)]
    assert told["figures"]["overlap10"] == pytest.approx(np.mean(common))
    assert [group["name"] for group in told["groups"]] == ["w4", "w5"]


def test_without_projections_pca_and_tsne_of_both_sides_are_made(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 5)).astype(np.float32)
    comparison = embviz.compare(vectors, vectors[:, ::-1].copy())
    path = tmp_path / "changes.html"
    embviz.write_comparison(path, comparison)
    manifest = manifest_of(path)
    assert {entry["key"] for entry in manifest["projections"]} == {"pca", "tsne"}
    assert manifest["first"] == "tsne"
    for entry in manifest["projections"]:
        assert entry["frames"]["steps"] == list(comparison.names)
    again = tmp_path / "again.html"
    embviz.write_comparison(again, comparison)
    assert again.read_bytes() == path.read_bytes()


def test_neighbors_are_by_the_metric_of_the_comparison_unless_another_is_asked_for(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30, 4))
    comparison = embviz.compare(a, b, metric="euclidean")
    path = tmp_path / "changes.html"
    embviz.write_comparison(path, comparison, [placed(comparison)])
    assert manifest_of(path)["metric"] == "euclidean"
    embviz.write_comparison(path, comparison, [placed(comparison)], metric="cosine")
    assert manifest_of(path)["metric"] == "cosine"


def test_a_request_that_does_not_fit_is_refused_in_one_line(
    comparison: Comparison, tmp_path: Path
) -> None:
    path = tmp_path / "changes.html"
    with pytest.raises(embviz.ParameterError, match="--color-by"):
        embviz.write_comparison(path, comparison, [placed(comparison)], color_by="color")
    with pytest.raises(embviz.ParameterError, match="what embviz"):
        embviz.write_comparison(path, comparison.a)  # type: ignore[arg-type]
    wrong: Any = {"colour_by": "group"}
    with pytest.raises(embviz.ParameterError, match="colour_by"):
        embviz.write_comparison(path, comparison, [placed(comparison)], **wrong)
    assert not path.exists()


def test_a_network_moves_its_points_when_it_learns() -> None:
    comparison = embviz.compare(*trained_digits(300), match="row")
    overlap = comparison.figures["overlap10"]
    assert overlap is not None
    assert 0.1 < overlap < 0.9
