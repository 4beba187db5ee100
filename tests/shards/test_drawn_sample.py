"""The sample of all rows: the same however it is drawn, small groups in it, fair weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embviz import ParameterError
from embviz.shards import memory
from embviz.shards.blocks import open_shards
from embviz.shards.components import find_components
from embviz.shards.hashes import hash_rows, least_hashed
from embviz.shards.running import open_workers
from embviz.shards.sample import draw_sample
from embviz.shards.strata import Classes, find_classes
from embviz.shards.values import Sample
from tests.shards.conftest import Cut

RNG = np.random.default_rng(4)


def grouped(n: int, n_dims: int, small: int, away: float) -> NDArray[np.float32]:
    """Return rows of five broad groups, the last `small` of them a group that lies apart."""
    centers = RNG.normal(size=(5, n_dims)) * 3
    rows = centers[RNG.integers(5, size=n)] + RNG.normal(size=(n, n_dims))
    direction = RNG.normal(size=n_dims)
    direction *= away / np.linalg.norm(direction)
    rows[n - small :] = centers[0] + direction + 0.3 * RNG.normal(size=(small, n_dims))
    return rows.astype(np.float32)


ROWS = grouped(30_000, 8, 20, 12)


def draw(
    source: str, n: int, seed: int = 0, scheduler: Any = None, classes: Classes | None = None
) -> Sample:
    sharded = open_shards(source)
    with open_workers(scheduler) as workers:
        found = find_components(sharded, 10, workers)
        return draw_sample(sharded, n, seed, found, workers, classes)


def test_a_hash_is_that_of_splitmix64() -> None:
    def reference(state: int) -> int:
        mask = 2**64 - 1
        z = state & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    golden = 0x9E3779B97F4A7C15
    for seed in (0, 7, 2**32 - 1):
        first = reference(seed * golden + 1)
        rows = [0, 1, 2, 10**9]
        expected = [reference(first + (row + 1) * golden) for row in rows]
        assert hash_rows(np.array(rows), seed).tolist() == expected


def test_the_least_hashes_are_those_of_a_whole_sort() -> None:
    hashes = hash_rows(np.arange(5000), 3)
    rows, least = least_hashed(5000, 70, 3)
    np.testing.assert_array_equal(rows, np.argsort(hashes)[:70])
    np.testing.assert_array_equal(least, np.sort(hashes)[:70])
    assert len(least_hashed(50, 50, 3)[0]) == 50


def test_neither_files_nor_workers_change_the_sample(cut: Cut) -> None:
    whole = draw(cut(ROWS, [len(ROWS)]), 1000)
    pieces = cut(ROWS, [7000, 1, 9000, len(ROWS) - 16_001])
    for scheduler in (None, "processes:2"):
        other = draw(pieces, 1000, scheduler=scheduler)
        assert other.rows.tobytes() == whole.rows.tobytes()
        assert other.weights.tobytes() == whole.weights.tobytes()
    assert len(whole.rows) == len(np.unique(whole.rows)) == 1000
    assert draw(pieces, 1000, seed=1).rows.tolist() != whole.rows.tolist()


@pytest.mark.parametrize("away", [8, 40])
def test_a_group_of_20_in_200000_appears_in_a_sample_of_2000(cut: Cut, away: float) -> None:
    rows = grouped(200_000, 16, 20, away)
    source = cut(rows, [120_000, 80_000])
    for seed in range(3):
        found = draw(source, 2000, seed)
        assert (found.rows >= 199_980).sum() >= 3  # 0.2 by chance alone.


def test_weights_count_groups_rightly(cut: Cut) -> None:
    source = cut(ROWS, [len(ROWS)])
    group = np.digitize(ROWS[:, 0], [-3, 0, 3])  # Of very different sizes.
    true = np.bincount(group)
    counts = np.array(
        [
            np.bincount(group[found.rows], found.weights, minlength=4)
            for found in (draw(source, 1000, seed) for seed in range(40))
        ]
    )
    error = counts.std(axis=0, ddof=1) / np.sqrt(40)
    assert (np.abs(counts.mean(axis=0) - true) < 3.5 * error).all()
    assert (counts.std(axis=0) < 2 * np.sqrt(true * len(ROWS) / 1000)).all()
    np.testing.assert_allclose(counts.sum(axis=1), len(ROWS), rtol=1e-9)


def test_weights_are_finite_and_one_at_least(cut: Cut) -> None:
    found = draw(cut(ROWS, [len(ROWS)]), 1000)
    assert np.isfinite(found.weights).all()
    assert (found.weights >= 1).all()
    assert found.n_all == len(ROWS)
    assert [text.split(" ", 1)[1] for text in found.strata] == [
        "cells of 8 principal components",
        "lies beyond the 1,024 pilot points of a cell",
    ]


def test_small_classes_keep_points_of_their_own(cut: Cut) -> None:
    labels = np.array(["common"] * len(ROWS), object)
    labels[:9], labels[9:12], labels[12] = "rare", "rarer", ""
    labels = labels[RNG.permutation(len(labels))]
    classes = find_classes("kind", labels.tolist())
    assert classes is not None
    found = draw(cut(ROWS, [len(ROWS)]), 1000, classes=classes)
    assert len(found.rows) == 1000
    assert found.strata[0] == "3 classes of kind"
    for label, size in (("rare", 9), ("rarer", 3)):
        inside = labels[found.rows] == label
        assert inside.sum() == size
        np.testing.assert_array_equal(found.weights[inside], 1)


def test_classes_are_two_to_fifty_values() -> None:
    assert find_classes("x", ["a"] * 9) is None
    assert find_classes("x", ["a", "", "a"]) is None
    assert find_classes("x", [str(i) for i in range(51)]) is None
    found = find_classes("x", ["b", "", "a", "b"])
    assert found is not None
    assert found.codes.tolist() == [0, -1, 1, 0]
    assert found.n_classes == 2


@pytest.mark.parametrize("n", [1, 2, 5, 63, 64, 999])
@pytest.mark.parametrize("rows", [ROWS[:1000], np.ones((1000, 3), np.float32)])
def test_a_sample_has_the_size_that_is_asked_for(
    cut: Cut, n: int, rows: NDArray[np.float32]
) -> None:
    classes = find_classes("x", [str(i % 30) for i in range(1000)])
    found = draw(cut(rows, [len(rows)]), n, classes=classes)
    assert len(np.unique(found.rows)) == n
    assert (found.weights >= 1).all()
    if n == 999:
        assert found.weights.sum() == pytest.approx(1000, rel=1e-9)


def test_all_rows_are_the_sample_where_there_are_no_more(cut: Cut) -> None:
    found = draw(cut(ROWS[:100], [60, 40]), 100)
    assert found.rows.tolist() == list(range(100))
    assert found.weights.tolist() == [1] * 100


def test_a_sample_that_does_not_fit_into_memory_is_refused(
    cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cut(ROWS, [len(ROWS)])
    sharded = open_shards(source)
    with open_workers() as workers:
        found = find_components(sharded, 4, workers)
        monkeypatch.setattr(memory, "available_memory", lambda: 10_000)
        with pytest.raises(ParameterError, match="a sample of 1,000 points x 8 takes"):
            draw_sample(sharded, 1000, 0, found, workers)
