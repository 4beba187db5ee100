"""t-SNE: what it finds, what it says, what it refuses."""

from __future__ import annotations

import logging

import numpy as np
import openTSNE
import pytest
from openTSNE import affinity, kl_divergence
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.neighbors import build_graph
from embviz.projections import tsne_descent, tsne_gradient
from embviz.projections.tsne import TSNE

DIGITS = load_digits().data[:900].astype(np.float32)
TABLE = EmbeddingTable(DIGITS, source="digits.npy")


@pytest.fixture(scope="module")
def affinities():
    return affinity.PerplexityBasedNN(DIGITS, perplexity=30, method="exact", n_jobs=2).P


@pytest.fixture(scope="module")
def their_map():
    return openTSNE.TSNE(n_jobs=1, random_state=0, neighbors="exact").fit(DIGITS)


def divergence(p, coordinates):
    points = np.ascontiguousarray(coordinates, dtype=np.float64)
    return kl_divergence.kl_divergence_exact(np.asarray(p.todense()), points)


@pytest.fixture(scope="module")
def flat():
    return TSNE(metric="euclidean").project(TABLE)


METHODS = ["exact", "fourier", "barnes-hut"]


def force(monkeypatch, method):
    monkeypatch.setattr(tsne_gradient, "choose_method", lambda *_: method)


@pytest.mark.parametrize("method", METHODS)
def test_the_map_is_as_good_as_that_of_opentsne_itself(affinities, their_map, monkeypatch, method):
    force(monkeypatch, method)
    found = TSNE(metric="euclidean").project(TABLE)
    assert found.params["gradient"] == method
    ours = divergence(affinities, found.coordinates)
    assert ours <= 1.01 * divergence(affinities, their_map)
    assert found.stats["kl_divergence"] == pytest.approx(ours, abs=1e-4)


@pytest.mark.parametrize("n_components", [2, 3])
def test_neighbors_in_the_map_are_neighbors_in_the_vectors(n_components):
    found = TSNE(n_components, metric="euclidean", iterations=150).project(TABLE)
    assert found.coordinates.shape == (900, n_components)
    assert found.coordinates.dtype == np.float32
    assert trustworthiness(DIGITS, found.coordinates, n_neighbors=10) > 0.95


def test_the_parameters_in_force_are_recorded(flat):
    assert flat.name == "tsne"
    assert flat.axes == ()
    assert dict(flat.params) == {
        "n_components": 2,
        "perplexity": 30.0,
        "perplexity_chosen": True,
        "iterations": 750,
        "early_iterations": 100,
        "early_exaggeration": 12,
        "annealing_iterations": 300,
        "momentum": [0.8, 0.8, 0.8],
        "learning_rate": [75.0, 900],
        "metric": "euclidean",
        "normalize": "none",
        "seed": 0,
        "n_neighbors": 90,
        "neighbor_recall": 1.0,
        "initialization": "pca",
        "gradient": "fourier, exact",
        "device": "cpu",
    }


def test_frames_lead_from_the_start_to_the_end(flat):
    frames = flat.frames
    assert frames.coordinates.shape == (31, 900, 2)
    assert frames.unit == "iteration"
    assert (frames.steps[0], frames.steps[-1]) == ("0", "750")
    assert list(frames.steps) == sorted(set(frames.steps), key=int)
    assert frames.coordinates[0][:, 0].std() == pytest.approx(1e-4, rel=1e-3)
    np.testing.assert_array_equal(frames.coordinates[-1], flat.coordinates)
    losses = frames.figures["kl_divergence"]
    assert losses[-1] == flat.stats["kl_divergence"]
    assert losses[0] > 2 * losses[-1]


@pytest.mark.parametrize("iterations", [1, 2, 7, 31, 64, 301, 1001])
def test_any_number_of_iterations_is_obeyed(iterations, caplog, monkeypatch):
    monkeypatch.setattr(tsne_descent, "PROGRESS_SECONDS", 0)
    small = EmbeddingTable(DIGITS[:60])
    with caplog.at_level(logging.INFO, "embviz.progress"):
        found = TSNE(iterations=iterations).project(small)
    assert sum("t-SNE: iteration" in m for m in caplog.messages) == iterations
    assert found.params["iterations"] == iterations
    assert found.frames.steps[-1] == str(iterations)
    assert len(found.frames.steps) == len(found.frames.figures["kl_divergence"]) <= 33


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_bytes(monkeypatch, method):
    force(monkeypatch, method)
    table = EmbeddingTable(DIGITS[:300])
    first, again, other = (TSNE(seed=s, iterations=60).project(table) for s in (1, 1, 2))
    assert first.coordinates.tobytes() == again.coordinates.tobytes()
    assert first.frames.coordinates.tobytes() == again.frames.coordinates.tobytes()
    assert first.frames.figures == again.frames.figures
    assert first.coordinates.tobytes() != other.coordinates.tobytes()


def test_a_neighbor_graph_that_is_known_is_used():
    table = EmbeddingTable(DIGITS[:300])
    graph = build_graph(table, 120, "cosine")
    shared = TSNE(iterations=50, perplexity=20, neighbors=graph).project(table)
    alone = TSNE(iterations=50, perplexity=20).project(table)
    assert shared.params["n_neighbors"] == 60
    assert shared.coordinates.tobytes() == alone.coordinates.tobytes()


@pytest.mark.parametrize(("rows", "k", "metric"), [(299, 90, "cosine"), (300, 59, "cosine"),
                                                   (300, 90, "euclidean")])  # fmt: skip
def test_a_graph_that_does_not_fit_is_refused(rows, k, metric):
    graph = build_graph(EmbeddingTable(DIGITS[:rows]), k, metric)
    with pytest.raises(ParameterError, match="60 of 300"):
        TSNE(perplexity=20, neighbors=graph).project(EmbeddingTable(DIGITS[:300]))


def test_a_perplexity_that_needs_more_points_is_refused():
    with pytest.raises(ParameterError) as error:
        TSNE(perplexity=40).project(EmbeddingTable(DIGITS[:100]))
    assert str(error.value) == (
        "perplexity 40: needs 120 neighbors of each of 100 points; 1 to 33 fit"
    )


@pytest.mark.parametrize("perplexity", [0, -5, 0.5, float("nan")])
def test_a_perplexity_below_one_is_refused(perplexity):
    with pytest.raises(ParameterError, match=f"perplexity: {perplexity} is not a number from 1 up"):
        TSNE(perplexity=perplexity).project(EmbeddingTable(DIGITS[:100]))


def test_the_largest_perplexity_that_fits_is_taken_and_a_fitting_one_is_kept():
    table = EmbeddingTable(DIGITS[:32])
    chosen = TSNE(iterations=5).project(table)
    assert chosen.params["perplexity"] == pytest.approx(31 / 3)
    assert chosen.params["perplexity_chosen"] is True
    asked = TSNE(iterations=5, perplexity=31 / 3).project(table)
    assert asked.params["perplexity_chosen"] is False
    assert asked.params["n_neighbors"] == 31


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_than_four_points_are_refused(n):
    with pytest.raises(ParameterError, match=f"{n} points? are too few for t-SNE, which needs 4"):
        TSNE().project(EmbeddingTable(DIGITS[:n]))


@pytest.mark.parametrize("n_components", [2, 3])
@pytest.mark.parametrize("n", [4, 5, 6, 12])
def test_a_few_points_and_points_at_one_place_get_finite_coordinates(n, n_components):
    for vectors in (DIGITS[:n], np.ones((n, 3)), np.repeat(DIGITS[:2], n, axis=0)):
        found = TSNE(n_components, metric="euclidean").project(EmbeddingTable(vectors))
        assert np.isfinite(found.coordinates).all()
        assert np.isfinite(found.frames.figures["kl_divergence"]).all()


def test_one_dimension_is_enough():
    found = TSNE(3, metric="euclidean", iterations=30).project(EmbeddingTable(DIGITS[:50, 20:21]))
    assert found.coordinates.shape == (50, 3)
    assert np.isfinite(found.coordinates).all()


@pytest.mark.parametrize("n_components", [0, 1, 4])
def test_other_than_two_or_three_components_are_refused(n_components):
    with pytest.raises(ParameterError, match=rf"{n_components} is not a whole number in 2 \.\. 3"):
        TSNE(n_components).project(TABLE)


def test_no_iterations_are_refused():
    with pytest.raises(ParameterError, match="iterations: 0 is not a whole number from 1 up"):
        TSNE(iterations=0).project(TABLE)


def test_a_given_start_is_where_the_frames_begin():
    start = np.random.default_rng(0).normal(size=(60, 2)) * 7
    found = TSNE(iterations=3, initialization=start).project(EmbeddingTable(DIGITS[:60]))
    centered = start - start.mean(axis=0)
    np.testing.assert_allclose(
        found.frames.coordinates[0], centered * (1e-4 / centered[:, 0].std()), atol=1e-5
    )
    assert found.params["initialization"] == "given"
    with pytest.raises(ParameterError, match="initialization"):
        TSNE(initialization=start[:5]).project(EmbeddingTable(DIGITS[:60]))


def test_progress_says_the_iteration_and_the_divergence(caplog):
    with caplog.at_level(logging.INFO, "embviz.progress"):
        TSNE(iterations=30).project(EmbeddingTable(DIGITS[:60]))
    assert any(m.startswith("t-SNE: iteration 1 of 30, KL ") for m in caplog.messages)


def test_many_points_in_three_dimensions_are_announced_with_the_time(monkeypatch, caplog):
    monkeypatch.setattr(tsne_descent, "SLOW_POINTS", 50)
    with caplog.at_level(logging.INFO, "embviz"):
        TSNE(3, iterations=5).project(EmbeddingTable(DIGITS[:60]))
        TSNE(2, iterations=5).project(EmbeddingTable(DIGITS[:60]))
    said = [m for m in caplog.messages if "t-SNE in 3D: about" in m]
    assert said == ["t-SNE in 3D: about 0 seconds for 60 points"]


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_the_unit_of_the_vectors_does_not_matter(scale):
    plain = TSNE(metric="euclidean", iterations=60).project(EmbeddingTable(DIGITS[:200]))
    scaled = EmbeddingTable((DIGITS[:200] * scale).astype(np.float32))
    found = TSNE(metric="euclidean", iterations=60).project(scaled)
    kl = plain.stats["kl_divergence"]
    assert found.stats["kl_divergence"] == pytest.approx(kl, rel=0.05)


@pytest.mark.parametrize("n_components", [2, 3])
def test_steps_are_those_of_gains_and_momentum_written_down(n_components, monkeypatch):
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (50, n_components))
    monkeypatch.setattr(tsne_gradient.Gradient, "divergence", lambda *_: 0.0)
    descent = tsne_descent.Descent(points.copy(), tsne_gradient.Gradient(None), 1)
    descent_points, update, gains = points.copy(), np.zeros_like(points), np.ones_like(points)
    for momentum, rate in ((0.8, 1.0), (0.8, 1.0), (0.95, 20.0), (0.95, 3.0)):
        gradient = rng.normal(0, 1, points.shape)
        descent.step(gradient, momentum, rate)
        turned = np.sign(update) != np.sign(gradient)
        gains = np.where(turned, gains + 0.2, gains * 0.8 + 0.01)
        update = momentum * update - rate * gains * gradient
        lengths = np.linalg.norm(update, axis=1, keepdims=True)
        update *= tsne_descent.LONGEST_STEP / np.maximum(lengths, tsne_descent.LONGEST_STEP)
        descent_points += update
        descent_points -= descent_points.mean(axis=0)
        np.testing.assert_allclose(descent.points, descent_points, rtol=1e-12, atol=1e-12)
    assert (lengths > tsne_descent.LONGEST_STEP).any()
