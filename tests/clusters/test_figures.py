"""Figures of groups are counts of true neighbors."""

from __future__ import annotations

import numpy as np
import pytest

from embviz import EmbeddingTable
from embviz.clusters.figures import Known, find_known, measure
from embviz.clusters.values import Partition

RNG = np.random.default_rng(0)
CODES = np.repeat([0, 1, 2, -1], 40)
VECTORS = (RNG.normal(size=(160, 8)) + 1.2 * np.eye(8)[np.repeat([0, 1, 1, 3], 40)]).astype("f4")
TABLE = EmbeddingTable(VECTORS)
PARTED = Partition("c", "clusters", CODES, ("a", "b", "c"))


def nearest(metric: str) -> np.ndarray:
    own = VECTORS.astype(np.float64)
    if metric == "cosine":
        own = own / np.linalg.norm(own, axis=1, keepdims=True)
    apart = ((own[:, None] - own[None]) ** 2).sum(-1)
    np.fill_diagonal(apart, np.inf)
    return np.argsort(apart, axis=1)[:, :10]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_shares_are_those_of_counting_the_ten_nearest(metric: str) -> None:
    known = find_known(TABLE, metric, None)  # type: ignore[arg-type]
    found = measure(PARTED, known, VECTORS[:, :2])
    codes = CODES[nearest(metric)]
    assert (found.measured, found.neighbors) == (160, 10)
    for group in range(3):
        own = codes[group == CODES]
        assert found.inside[group] == pytest.approx((own == group).mean())
        shares = {j: (own == j).mean() for j in range(3) if j != group}
        assert dict(found.toward[group]) == pytest.approx(shares)
        assert [s for _, s in found.toward[group]] == sorted(shares.values(), reverse=True)


def test_typical_members_have_most_of_their_neighbors_in_the_group() -> None:
    found = measure(PARTED, find_known(TABLE, "euclidean", None), VECTORS[:, :2])
    share = (CODES[nearest("euclidean")] == CODES[:, None]).mean(axis=1)
    for group, rows in enumerate(found.typical):
        assert len(rows) == 5
        assert sorted(share[list(rows)])[0] >= sorted(share[group == CODES])[-5]


def test_zero_vectors_have_no_neighbors_by_cosine() -> None:
    vectors = VECTORS.copy()
    vectors[:3] = 0
    known = find_known(EmbeddingTable(vectors), "cosine", None)
    assert known.rows.tolist() == list(range(3, 160))


def test_a_group_of_which_no_member_was_looked_at_has_no_figure() -> None:
    known = Known(np.array([0, 1]), np.array([[1, 2], [0, 50]], np.int32))
    found = measure(PARTED, known, VECTORS[:, :2])
    assert found.inside == (0.75, None, None)
    assert found.toward == (((1, 0.25),), (), ())


def test_of_many_points_a_sample_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embviz.clusters.figures.COST", 160 * 8 * 200)
    monkeypatch.setattr("embviz.clusters.figures._FEWEST", 20)
    known = find_known(TABLE, "euclidean", None)
    assert len(known.rows) == 160
    monkeypatch.setattr("embviz.clusters.figures.COST", 160 * 8 * 30)
    known = find_known(TABLE, "euclidean", None)
    assert len(known.rows) == 30
    assert known.near.tolist() == nearest("euclidean")[known.rows].tolist()
