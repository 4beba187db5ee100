"""The table and the JSON object of what changed, against the sets of both lists."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embviz
from embviz.comparison.states import as_steps
from embviz.comparison.values import Comparison
from embviz.export.changes import comparison_object, encode_changes, most_changed, write_changes
from embviz.model import EmbeddingTable

N = 120


@pytest.fixture(scope="module")
def compared() -> Comparison:
    rng = np.random.default_rng(5)
    a = rng.standard_normal((N, 5))
    b = a + 0.4 * rng.standard_normal(a.shape)
    labels = [f"p{i}" for i in range(N)]
    labels[3], labels[4] = "tab\there", 'quote"\n'
    left = EmbeddingTable(a, {"name": labels, "loss": list(map(str, range(N)))}, source="a.npy")
    order = rng.permutation(N)
    right = EmbeddingTable(
        b[order], {"name": [labels[i] for i in order], "loss": ["1"] * N, "new": ["x"] * N},
        source="b.npy",
    )  # fmt: skip
    return embviz.compare(left, right)


def rows_of(compared: Comparison) -> list[dict[str, str]]:
    text = encode_changes(compared).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_each_point_has_a_line_most_changed_first(compared: Comparison) -> None:
    rows = rows_of(compared)
    assert len(rows) == N
    shares = [float(row["overlap10"]) for row in rows]
    assert shares == sorted(shares)
    assert sorted(int(row["row_a"]) for row in rows) == list(range(N))
    assert sorted(int(row["row_b"]) for row in rows) == list(range(N))
    assert {"tab\\there", 'quote"\\n'} <= {row["label"] for row in rows}


def test_neighbors_that_came_and_left_are_lists_with_ranks(compared: Comparison) -> None:
    for row in rows_of(compared)[:20]:
        point = int(row["row_a"])
        near = [
            [compared.a.label(i) for i in side.indices[point].tolist()]
            for side in (compared.neighbors_a, compared.neighbors_b)
        ]
        left, came = json.loads(row["left"]), json.loads(row["came"])
        assert set(left) == set(near[0][:10]) - set(near[1][:10])
        assert set(came) == set(near[1][:10]) - set(near[0][:10])
        assert float(row["overlap10"]) == pytest.approx(1 - len(left) / 10)
        for labels, ranks, other in ((left, "left_ranks_in_b", 1), (came, "came_ranks_in_a", 0)):
            listed = dict(zip(labels, json.loads(row[ranks]), strict=True))
            for label, rank in listed.items():
                assert rank > 10
                if label in near[other]:
                    assert near[other].index(label) + 1 == rank


def test_the_object_has_the_figures_and_the_ten_most_changed(compared: Comparison) -> None:
    found = comparison_object(compared)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["version"], found["n_matched"], found["only_a"], found["only_b"]) == (1, N, 0, 0)
    assert found["figures"]["overlap10"] == pytest.approx(compared.overlap10.mean())
    assert len(found["most_changed"]) == 10
    first = found["most_changed"][0]
    assert first["overlap10"] == compared.overlap10.min()
    assert (
        first["label"]
        == compared.a.label(first["row_a"])
        == compared.b.metadata["name"][first["row_a"]]
    )
    assert len(first["came"]) == len(first["left"]) == round(10 * (1 - first["overlap10"]))


def test_points_that_did_not_change_are_not_most_changed() -> None:
    vectors = np.random.default_rng(0).standard_normal((30, 3))
    assert most_changed(embviz.compare(vectors, vectors)) == []


def test_changes_are_written_whole(compared: Comparison, tmp_path: Path) -> None:
    size = write_changes(tmp_path / "c.tsv", compared)
    assert (tmp_path / "c.tsv").read_bytes() == encode_changes(compared)
    assert size == (tmp_path / "c.tsv").stat().st_size


def test_both_sides_are_states_of_the_same_points(compared: Comparison) -> None:
    steps = as_steps(compared)
    assert steps.names == ("a.npy", "b.npy")
    assert steps.kind == "comparison"
    assert list(steps.table.metadata) == ["name", "loss", "loss (B)", "new"]
    assert steps.table.metadata["loss (B)"] == ("1",) * N
    assert steps.table.metadata["name"] == compared.a.metadata["name"]
    first: Any = steps.steps[0].neighbors
    assert first.indices[:, :10].tolist() == compared.neighbors_a.indices[:, :10].tolist()
    assert steps.figures["kept_from_previous"] == (None, compared.figures["overlap10"])
