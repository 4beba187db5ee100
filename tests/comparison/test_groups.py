"""Groups that changed together: found where points were moved, none where all is chance."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from embviz.comparison.groups import MOST, SMALLEST, GroupSearch, find_groups
from embviz.model import Neighbors

Floats = NDArray[np.float64]


def nearest(vectors: Floats, k: int = 50) -> Neighbors:
    """The k nearest others of each row, by brute force."""
    distances = cdist(vectors, vectors)
    np.fill_diagonal(distances, np.inf)
    k = min(k, len(vectors) - 1)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return Neighbors(
        order.astype(np.int32),
        np.take_along_axis(distances, order, axis=1).astype(np.float32),
        "euclidean",
    )


def search(a: Floats, b: Floats) -> GroupSearch:
    return find_groups(nearest(a), nearest(b), np.arange(len(a)), len(a), lambda i: f"p{i}")


def clusters(seed: int, n: int = 500, d: int = 10, count: int = 10) -> tuple[Floats, Floats]:
    """Points in clusters, of which point i is in cluster i % count, and their centers."""
    random = np.random.default_rng(seed)
    centers = random.normal(size=(count, d)) * 10 / np.sqrt(2 * d)
    return centers[np.arange(n) % count] + random.normal(size=(n, d)) / np.sqrt(d), centers


def likeness(points: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    """The Jaccard index of two sets."""
    return len(np.intersect1d(points, others)) / len(np.union1d(points, others))


def test_a_cluster_that_moved_onto_another_is_a_group_named_for_one_of_the_other() -> None:
    a, centers = clusters(0)
    moved = np.arange(0, 500, 10)
    b = a.copy()
    b[moved] += centers[1] - centers[0]
    groups = search(a, b).groups
    best = max(groups, key=lambda g: likeness(g.points, moved))
    assert likeness(best.points, moved) > 0.9
    assert int(best.name[1:]) % 10 == 1
    assert all(point % 10 == 1 for point in best.came)
    # Those of the other cluster gained the moved ones, and nobody else changed.
    assert len(groups) == 2
    assert all(likeness(g.points, moved) > 0.9 or set(g.points % 10) == {1} for g in groups)


def test_chance_picks_twenty_points_that_move_to_a_place_of_their_own() -> None:
    random = np.random.default_rng(1)
    a = random.normal(size=(1000, 10))
    b = a + random.normal(size=a.shape) * 0.02
    moved = np.sort(random.choice(1000, 20, replace=False))
    b[moved] = 12 / np.sqrt(10) + random.normal(size=(20, 10)) * 0.3
    (group,) = search(a, b).groups
    np.testing.assert_array_equal(group.points, moved)
    assert set(group.came) <= set(moved.tolist())
    assert group.name == f"p{group.came[0]}"
    assert 0.7 < group.score <= 1


def test_the_halves_of_a_cluster_that_split_are_groups_by_what_they_lost() -> None:
    a, _ = clusters(2, n=400, count=5)
    half = np.arange(0, 400, 10)
    b = a.copy()
    b[half] += 10 / np.sqrt(10)
    groups = search(a, b).groups
    assert max(likeness(g.points, half) for g in groups) > 0.7
    assert max(likeness(g.points, half + 5) for g in groups) > 0.7
    assert all(set(g.points % 5) == {0} for g in groups)


def test_two_clusters_whose_points_changed_places_are_groups() -> None:
    a, _ = clusters(3)
    one, other = np.arange(0, 500, 10), np.arange(1, 500, 10)
    b = a.copy()
    b[one], b[other] = a[other], a[one]
    groups = search(a, b).groups
    assert max(likeness(g.points, one) for g in groups) > 0.9
    assert max(likeness(g.points, other) for g in groups) > 0.9
    assert len(groups) == 2


@pytest.mark.parametrize("d", [2, 3, 10, 100])
@pytest.mark.parametrize("n", [60, 400])
def test_two_clouds_that_know_nothing_of_each_other_have_no_group(n: int, d: int) -> None:
    random = np.random.default_rng(n + d)
    found = search(random.normal(size=(n, d)), random.normal(size=(n, d)))
    assert found.groups == ()
    assert "stand out" in found.reason


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.3, 0.7, 2.0])
@pytest.mark.parametrize("d", [1, 2, 10])
def test_noise_makes_no_group(d: int, noise: float) -> None:
    random = np.random.default_rng(5)
    a = random.normal(size=(500, d))
    assert search(a, a + noise * random.normal(size=a.shape)).groups == ()


@pytest.mark.parametrize("noise", [0.1, 0.3, 1.0])
def test_noise_makes_no_group_of_clusters(noise: float) -> None:
    a, _ = clusters(6)
    b = a + noise * a.std() * np.random.default_rng(7).normal(size=a.shape)
    assert search(a, b).groups == ()


def test_a_permuted_pairing_has_no_group_for_all_its_clusters() -> None:
    a, _ = clusters(8)
    found = search(a, a[np.random.default_rng(9).permutation(len(a))])
    assert found.groups == ()
    assert found.reason.startswith("most points have new neighbors")


@pytest.mark.parametrize("d", [2, 40])
@pytest.mark.parametrize("share", [0.05, 0.2])
def test_points_that_move_each_to_a_place_of_its_own_are_no_group(d: int, share: float) -> None:
    random = np.random.default_rng(18)
    a = random.normal(size=(800, d))
    moved = random.random(800) < share
    b = a.copy()
    b[moved] = random.normal(size=(int(moved.sum()), d))
    assert search(a, b).groups == ()


def test_equal_sides_have_no_group() -> None:
    a, _ = clusters(10)
    assert search(a, a).groups == ()


def test_points_with_many_exact_doubles_are_in_no_group() -> None:
    random = np.random.default_rng(11)
    a = np.repeat(random.normal(size=(50, 10)), 20, axis=0)
    assert search(a, a + 0.6 * random.normal(size=a.shape)).groups == ()


def test_few_points_have_no_group_and_a_reason() -> None:
    a = np.random.default_rng(12).normal(size=(2 * SMALLEST - 1, 3))
    assert search(a, a[::-1].copy()).reason == "there are too few points"


def test_groups_come_the_strongest_first_and_have_at_most_half_in_common() -> None:
    a, centers = clusters(13, n=2000, count=20)
    b = a.copy()
    for i in range(0, 10, 2):
        b[i::20] += centers[i + 1] - centers[i]
    groups = search(a, b).groups
    assert 5 <= len(groups) <= MOST
    strength = [g.score * len(g.points) ** 0.25 for g in groups]
    assert strength == sorted(strength, reverse=True)
    for i, one in enumerate(groups):
        assert one.points.tolist() == sorted(one.points)
        for other in groups[:i]:
            smaller = min(len(one.points), len(other.points))
            assert len(np.intersect1d(one.points, other.points)) <= smaller / 2


def test_the_points_of_a_sample_have_their_own_numbers() -> None:
    a, centers = clusters(14, n=1000)
    b = a.copy()
    b[::10] += centers[1] - centers[0]
    compared = np.sort(np.random.default_rng(15).choice(1000, 600, replace=False))

    def of(vectors: Floats) -> Neighbors:
        every = nearest(vectors)
        return Neighbors(every.indices[compared], every.distances[compared], "euclidean")

    groups = find_groups(of(a), of(b), compared, 1000, str).groups
    moved = compared[compared % 10 == 0]
    assert max(likeness(g.points, moved) for g in groups) > 0.9


@pytest.mark.parametrize(("size", "count"), [(200, 1), (400, 0)])
def test_hubs_that_more_than_300_points_gained_make_no_group(size: int, count: int) -> None:
    n = 2000
    steps = np.array([sign * step for step in range(1, 26) for sign in (1, -1)])
    around = (np.arange(n)[:, None] + steps) % n
    gained = around.copy()
    gained[100 : 100 + size, :3] = [1000, 1500, 1800]
    distances = np.sort(np.random.default_rng(18).random((n, 50)).astype(np.float32), axis=1)
    before, after = (
        Neighbors(lists.astype(np.int32), distances, "cosine") for lists in (around, gained)
    )
    groups = find_groups(before, after, np.arange(n), n, str).groups
    assert len(groups) == count
    for group in groups:
        np.testing.assert_array_equal(group.points, np.arange(100, 100 + size))
        assert group.came == (1000, 1500, 1800)


def test_the_same_input_gives_the_same_groups() -> None:
    a, centers = clusters(16)
    b = a + np.random.default_rng(17).normal(size=a.shape) * 0.02
    b[::10] += centers[1] - centers[0]
    first, second = search(a, b), search(a, b)
    assert len(first.groups) == len(second.groups) > 0
    for one, other in zip(first.groups, second.groups, strict=True):
        assert one.points.tobytes() == other.points.tobytes()
        assert (one.name, one.score, one.came, one.left) == (
            (other.name, other.score, other.came, other.left)
        )
    assert all(x.score <= 1 for x in first.groups)
