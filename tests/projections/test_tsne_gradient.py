"""The gradient on a grid against sums over all pairs, and against openTSNE's own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import random as random_sparse

from embviz.projections.tsne_gradient import FourierGradient

SHAPE = np.random.default_rng(0).normal(size=(1500, 2))
SHAPE[:300] *= 0.1


def all_pairs(points):
    apart = points[:, None] - points[None]
    near = 1 / (1 + (apart**2).sum(axis=-1))
    return (apart * (near**2)[..., None]).sum(axis=1), near.sum() - len(points)


def error_of(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


@pytest.mark.parametrize("scale", [1e-4, 0.1, 1, 5, 20])
def test_repulsion_on_a_fine_grid_is_that_of_all_pairs(scale):
    points = SHAPE * scale
    forces, total = FourierGradient(spacing=0.125).repulsion(points)
    exact, exact_total = all_pairs(points)
    assert error_of(forces, exact) < 1.5e-3
    assert total == pytest.approx(exact_total, rel=2e-4)


@pytest.mark.parametrize("scale", [1, 10, 20])
def test_the_grid_in_use_is_about_as_accurate_as_that_of_opentsne(scale):
    from openTSNE import _tsne

    points = SHAPE * scale
    exact, exact_total = all_pairs(points)
    theirs = np.zeros_like(points)
    _tsne.estimate_negative_gradient_fft_2d(points, theirs, 3, 50, 1, 1)
    forces, total = FourierGradient().repulsion(points)
    assert error_of(forces, exact) < 1.6 * error_of(theirs, -exact / exact_total)
    assert total == pytest.approx(exact_total, rel=3e-3)


def test_repulsion_adds_up_to_nothing():
    forces, _ = FourierGradient().repulsion(SHAPE * 15 + 40)
    np.testing.assert_allclose(forces.sum(axis=0) / np.abs(forces).sum(), 0, atol=1e-5)


def test_points_at_one_place_do_not_repel():
    forces, total = FourierGradient().repulsion(np.full((50, 2), 3.0))
    np.testing.assert_allclose(forces, 0, atol=1e-5)
    assert total == pytest.approx(50 * 49, rel=1e-4)


@pytest.mark.parametrize("exaggeration", [1, 12])
def test_gradient_and_divergence_are_those_of_opentsne_without_approximation(exaggeration):
    from openTSNE.tsne import kl_divergence_bh

    affinities = random_sparse(1500, 1500, 0.02, format="csr", rng=np.random.default_rng(1))
    affinities = (affinities + affinities.T).tocsr()
    affinities *= exaggeration / affinities.sum()
    points = SHAPE * 3
    options = {"should_eval_error": True, "n_jobs": 2, "dof": 1}
    kl, gradient = FourierGradient(spacing=0.125)(points, affinities, **options)
    exact_kl, exact = kl_divergence_bh(points, affinities, bh_params={"theta": 0}, **options)
    assert error_of(gradient, exact) < 1e-3
    assert kl == pytest.approx(exact_kl, abs=1e-3 * exaggeration)


def test_the_same_points_give_the_same_bytes_with_any_number_of_threads():
    one, two = (FourierGradient(workers=n).repulsion(SHAPE * 10) for n in (1, 2))
    assert one[0].tobytes() == two[0].tobytes()
    assert one[1] == two[1]
