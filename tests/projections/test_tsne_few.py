"""t-SNE of a few points, of equal points, and of maps that shrink or grow without end."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embviz.model import EmbeddingTable
from embviz.projections.tsne import TSNE
from embviz.projections.tsne_descent import FAST_POINTS, plan_phases
from tests.projections.tsne_rival import (
    DIGITS,
    FILE,
    HANDFUL,
    KINDS,
    SEVERAL,
    digits,
    divergence,
    judge_rival,
    trust,
)

RIVAL = json.loads(FILE.read_text(encoding="utf-8"))


def compare(n, kind, draws):
    """Return trustworthiness (draws, ours and openTSNE's), once the divergences are held."""
    ours, kept = [], []
    rival = RIVAL[f"{kind} {n}"]
    assert len(rival) == draws
    for seed in range(draws):
        vectors = KINDS[kind](n, seed)
        found = TSNE(metric="euclidean", seed=seed).project(EmbeddingTable(vectors))
        ours.append(divergence(vectors, found.coordinates))
        assert found.stats["kl_divergence"] == pytest.approx(ours[-1], abs=1e-3)
        assert np.ptp(found.coordinates) > 1
        kept.append([trust(vectors, found.coordinates), rival[seed][1]])
    assert np.mean(ours) <= 1.01 * np.mean([kl for kl, _ in rival])
    return np.array(kept)


@pytest.mark.parametrize(
    ("n", "kind", "seed"), [(5, "digits", 3), (20, "words", 1), (50, "clusters", 2)]
)
def test_what_is_known_of_opentsnes_maps_is_what_it_makes(n, kind, seed):
    # Few points may settle in another arrangement on another machine.
    assert judge_rival(n, kind, seed)[0] == pytest.approx(RIVAL[f"{kind} {n}"][seed][0], rel=0.1)


@pytest.mark.parametrize(("n", "kind", "draws"), SEVERAL)
def test_few_points_lie_as_well_as_by_the_defaults_of_opentsne(n, kind, draws):
    ours, theirs = compare(n, kind, draws).mean(axis=0)
    assert ours >= theirs - 0.005


def test_a_handful_of_points_lies_as_well_as_by_the_defaults_of_opentsne():
    """One neighbor of five points is a tenth, so that only all sizes together tell 0.005."""
    ours, theirs = np.concatenate([compare(*case) for case in HANDFUL]).mean(axis=0)
    assert ours >= theirs - 0.005


@pytest.mark.parametrize("iterations", [400, 1500, 3000])
def test_more_iterations_do_not_bring_points_to_one_place(iterations):
    vectors = digits(12, 0)
    asked = TSNE(metric="euclidean", iterations=iterations).project(EmbeddingTable(vectors))
    usual = TSNE(metric="euclidean").project(EmbeddingTable(vectors))
    kl = divergence(vectors, asked.coordinates)
    assert asked.stats["kl_divergence"] == pytest.approx(kl, abs=1e-3)
    assert kl <= 1.05 * usual.stats["kl_divergence"]
    assert np.ptp(asked.coordinates) > 1


def test_cosine_is_the_distance_between_rows_of_unit_length():
    vectors = digits(200, 0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = TSNE(metric="cosine").project(EmbeddingTable(vectors))
    kl = divergence(unit, found.coordinates)
    assert found.stats["kl_divergence"] == pytest.approx(kl, abs=1e-3)


@pytest.mark.parametrize("n_components", [2, 3])
@pytest.mark.parametrize("n", [4, 5, 30])
@pytest.mark.parametrize("make", [
    lambda n: np.ones((n, 3)),
    lambda n: np.repeat(DIGITS[:2], n, axis=0),
    lambda n: np.eye(n),
    lambda n: np.r_[np.zeros((n - 1, 4)), np.ones((1, 4))],
])  # fmt: skip
def test_equal_points_and_equal_distances_leave_an_extent(n_components, n, make):
    found = TSNE(n_components, metric="euclidean", iterations=2000).project(EmbeddingTable(make(n)))
    assert np.isfinite(found.coordinates).all()
    assert np.ptp(found.coordinates, axis=0).max() > 1e-5
    assert (np.asarray(found.frames.figures["kl_divergence"]) >= 0).all()


def test_pairs_of_perplexity_one_drift_apart_within_time_and_memory():
    vectors = digits(700, 0)
    found = TSNE(metric="euclidean", perplexity=1, iterations=600).project(EmbeddingTable(vectors))
    kl = divergence(vectors, found.coordinates, 1)
    assert found.stats["kl_divergence"] == pytest.approx(kl, abs=2e-3)
    assert found.params["gradient"] != "fourier"


def test_five_points_take_three_components():
    found = TSNE(3, metric="euclidean").project(EmbeddingTable(digits(5, 0)))
    flat = TSNE(2, metric="euclidean").project(EmbeddingTable(digits(5, 0)))
    assert np.ptp(found.coordinates, axis=0).min() > 0.1
    assert found.stats["kl_divergence"] <= flat.stats["kl_divergence"] + 1e-3


@pytest.mark.parametrize("n_points", [4, FAST_POINTS - 1, FAST_POINTS])
@pytest.mark.parametrize("total", [1, 2, 3, 20, 299, 300, 750, 100_001])
def test_the_phases_add_up_to_the_iterations(n_points, total):
    phases = plan_phases(n_points, total)
    assert sum(p.iterations for p in phases) == total
    assert all(p.iterations >= 0 for p in phases)
    factors = [p.exaggeration for p in phases]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == 12
    assert factors[-1] == 1


def test_few_points_take_more_iterations():
    totals = [sum(p.iterations for p in plan_phases(n)) for n in (4, 1_000_000)]
    assert totals == [750, 300]
