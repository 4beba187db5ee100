"""Principal components against singular values in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import decomposition

from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable
from embviz.projections import pca
from embviz.projections.pca import PCA, find_components
from embviz.space import open_space

RNG = np.random.default_rng(0)
DECAY = 0.8 ** np.arange(40)


def sine_of_largest_angle(a, b):
    """Between the spaces that rows span."""
    a, b = (np.linalg.qr(m.T.astype(np.float64))[0] for m in (a, b))
    return float(np.linalg.norm(a - b @ (b.T @ a), 2))


def svd(vectors):
    x = vectors.astype(np.float64)
    _, singular, directions = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return singular, directions


TALL = (RNG.normal(size=(2000, 40)) * DECAY @ np.linalg.qr(RNG.normal(size=(40, 40)))[0]) + 3
SHAPES = {
    "tall": TALL,
    "tall float32": TALL.astype(np.float32),
    "wide": TALL[:30].repeat(20, axis=1) * RNG.normal(size=800),
    "rank deficient": RNG.normal(size=(300, 4)) @ RNG.normal(size=(4, 30)),
    "rank deficient float32": (RNG.normal(size=(3000, 4)) @ RNG.normal(size=(4, 30))).astype("f4"),
    "rank deficient and wide": RNG.normal(size=(30, 4)) @ RNG.normal(size=(4, 300)),
    "int8": np.clip(TALL * 30, -128, 127).astype(np.int8),
    "float16": TALL.astype(np.float16),
    "far from the origin": TALL + 1e7,
}


@pytest.mark.parametrize("case", SHAPES)
def test_components_span_the_space_of_the_singular_vectors(case):
    vectors = SHAPES[case]
    found = PCA().project(EmbeddingTable(vectors))
    singular, directions = svd(vectors)
    rank = min(10, int((singular > singular[0] * 1e-6).sum()))
    assert sine_of_largest_angle(found.directions[:rank], directions[:rank]) <= 1e-4
    shares = singular**2 / (singular**2).sum()
    np.testing.assert_allclose(found.stats["variance_shares"][:rank], shares[:rank], rtol=1e-4)
    assert found.coordinates[:, rank:].any() == np.False_
    assert found.stats["variance_shares"][rank:] == [0] * (10 - rank)


@pytest.mark.parametrize("case", ["tall", "wide"])
def test_coordinates_are_those_of_scikit_learn_up_to_sign(case):
    vectors = SHAPES[case]
    found = PCA(4).project(EmbeddingTable(vectors))
    theirs = decomposition.PCA(4, svd_solver="full").fit(vectors)
    expected = theirs.transform(vectors)
    expected *= np.sign((expected * found.coordinates).sum(axis=0))
    np.testing.assert_allclose(found.coordinates, expected, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(
        np.array(found.stats["variance_shares"]) * found.stats["total_variance"],
        theirs.explained_variance_,
        rtol=1e-9,
    )


def test_float32_products_agree_with_float64_products(monkeypatch):
    monkeypatch.setattr(pca, "CHEAP_PRODUCTS", 0)
    monkeypatch.setattr(pca, "SAFE_GAP", 0)
    space = open_space(EmbeddingTable(SHAPES["tall float32"]))
    found = find_components(space, 10)
    assert sine_of_largest_angle(found.directions, svd(SHAPES["tall float32"])[1][:10]) <= 1e-4


def test_eigenvalues_too_close_for_float32_are_found_in_float64(monkeypatch):
    monkeypatch.setattr(pca, "CHEAP_PRODUCTS", 0)
    vectors = RNG.normal(size=(4000, 40)).astype(np.float32)
    vectors[:, 0] *= 1000
    found = find_components(open_space(EmbeddingTable(vectors)), 10)
    assert sine_of_largest_angle(found.directions, svd(vectors)[1][:10]) <= 1e-4


def test_coordinates_are_raw_vectors_times_directions_minus_the_offset():
    found = PCA(5, "center").project(EmbeddingTable(TALL))
    again = TALL @ found.directions.T - found.stats["mean_projection"]
    np.testing.assert_allclose(found.coordinates, again, atol=1e-5)


def test_the_loading_of_largest_magnitude_is_positive():
    directions = PCA().project(EmbeddingTable(TALL)).directions
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], 1)
    assert (largest > 0).all()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_rows_does_not_change_the_components(seed):
    order = np.random.default_rng(seed).permutation(200)
    straight = PCA(3).project(EmbeddingTable(TALL[:200]))
    shuffled = PCA(3).project(EmbeddingTable(TALL[:200][order]))
    np.testing.assert_allclose(shuffled.coordinates, straight.coordinates[order], atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(50, 8), (4, 60)])
def test_a_constant_table_has_no_variance_and_no_spread(shape, dtype):
    found = PCA().project(EmbeddingTable(np.full(shape, 0.1, dtype)))
    assert found.coordinates.shape == (shape[0], min(10, *shape))
    assert not found.coordinates.any()
    assert found.stats["variance_shares"] == [0] * min(10, *shape)
    assert found.stats["total_variance"] == 0


@pytest.mark.parametrize(("n", "d", "k"), [(2, 5, 2), (5, 3, 3), (40, 1, 1), (50, 50, 10)])
def test_there_are_as_many_components_as_rows_columns_and_ten_allow(n, d, k):
    found = PCA().project(EmbeddingTable(RNG.normal(size=(n, d))))
    assert found.coordinates.shape == (n, k)
    assert found.params["n_components"] == k


def test_one_row_is_refused():
    with pytest.raises(ParameterError, match="1 row cannot be projected"):
        PCA().project(EmbeddingTable(np.ones((1, 5))))


def test_a_value_that_is_not_finite_is_refused_with_its_row():
    vectors = TALL.copy()
    vectors[7, 1] = np.inf
    with pytest.raises(LoadError, match="the first is row 7"):
        PCA().project(EmbeddingTable(vectors))


def test_values_of_1e30_keep_their_unit():
    found = PCA(3).project(EmbeddingTable((TALL * 1e30).astype(np.float32)))
    plain = PCA(3).project(EmbeddingTable(TALL.astype(np.float32)))
    assert found.params["unit"] == 1
    np.testing.assert_allclose(
        found.coordinates, plain.coordinates.astype(np.float64) * 1e30, atol=1e26
    )


@pytest.mark.parametrize("shape", [(60, 6), (5, 60)])
@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_values_beyond_float32_are_shown_in_a_recorded_unit(scale, shape):
    vectors = RNG.normal(size=shape)
    found = PCA(3).project(EmbeddingTable(vectors * scale))
    plain = PCA(3).project(EmbeddingTable(vectors))
    unit = found.params["unit"]
    assert unit != 1
    np.testing.assert_allclose(
        found.coordinates * (unit / scale), plain.coordinates, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        found.stats["variance_shares"], plain.stats["variance_shares"], atol=1e-9
    )


def test_sphere_is_pca_of_rows_of_length_one():
    centered = TALL - TALL.mean(axis=0)
    units = centered / np.linalg.norm(centered, axis=1, keepdims=True)
    found = PCA(3, "sphere").project(EmbeddingTable(TALL))
    plain = PCA(3).project(EmbeddingTable(units))
    np.testing.assert_allclose(found.coordinates, plain.coordinates, atol=1e-5)
    assert found.directions is None


def test_blocks_of_a_few_rows_give_the_same_components():
    space = open_space(EmbeddingTable(TALL))
    blocks = type(space).blocks
    whole = find_components(space, 4)
    object.__setattr__(space, "table", EmbeddingTable(TALL))
    type(space).blocks = lambda self, block_bytes=0: blocks(self, 17 * 320)
    try:
        parts = find_components(space, 4)
    finally:
        type(space).blocks = blocks
    np.testing.assert_allclose(parts.directions, whole.directions, atol=1e-10)


@pytest.mark.parametrize("decay", [0.9, 0.999, 1])
def test_a_few_of_many_eigenvectors_are_those_of_the_whole_decomposition(monkeypatch, decay):
    monkeypatch.setattr(pca, "KRYLOV_SIZE", 10)
    vectors = np.random.default_rng(1).normal(size=(900, 300)) * decay ** np.arange(300)
    found = PCA().project(EmbeddingTable(vectors))
    assert sine_of_largest_angle(found.directions, svd(vectors)[1][:10]) <= 1e-5
    deficient = vectors[:, :4] @ vectors[:4]
    few = PCA().project(EmbeddingTable(deficient))
    assert sine_of_largest_angle(few.directions[:4], svd(deficient)[1][:4]) <= 1e-5
    assert not few.coordinates[:, 4:].any()
