"""The pictures of a run over time: what moves has moved."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes
from scipy.stats import spearmanr
from sklearn import decomposition
from sklearn.neighbors import NearestNeighbors

from embviz.comparison.values import Step, Steps
from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable, Neighbors, Projection
from embviz.pictures.alignment import find_similarity
from embviz.pictures.motion import measure_motion
from embviz.pictures.step_neighbors import measure_steps, share_in_common
from embviz.pictures.steps import fill_gaps, project_steps
from embviz.pictures.warm_start import begin, find_spread, lay_on
from embviz.projections import PCA, TSNE, UMAP
from embviz.projections.placed import Placed

RNG = np.random.default_rng(7)
CENTERS = RNG.normal(size=(8, 20)) * 2
BELONGS = np.arange(400) % 8
BLOBS = (CENTERS[BELONGS] + RNG.normal(size=(400, 20))).astype(np.float32)
LABELS = tuple(f"w{i}" for i in range(400))


def make_steps(*states: NDArray[np.floating], present: dict[int, NDArray[np.bool_]] | None = None):
    """Steps of the vectors of all points in each state, of which some have some points only."""
    made = []
    for i, vectors in enumerate(states):
        there = (present or {}).get(i)
        points = np.arange(len(vectors)) if there is None else np.flatnonzero(there)
        labels = {"label": tuple(LABELS[p] for p in points)}
        made.append(Step(str(100 * (i + 1)), EmbeddingTable(vectors[points], labels), there))
    return Steps(tuple(made), EmbeddingTable(states[-1], {"label": LABELS[: len(states[-1])]}))


def exchanged(vectors: NDArray[np.floating], size: int) -> tuple[NDArray, NDArray[np.int64]]:
    """The vectors with those of some points exchanged in pairs of other blobs, and these points."""
    chosen = np.random.default_rng(1).choice(len(vectors) // 2, size, replace=False)
    others = (chosen + 1 + len(vectors) // 2) % len(vectors)
    out = vectors.copy()
    out[chosen], out[others] = vectors[others], vectors[chosen]
    return out, np.concatenate([chosen, others])


def ways(projection: Projection, i: int = 1) -> NDArray[np.float64]:
    """How far each point moves to a step, in units of the spread before."""
    assert projection.frames is not None
    before, after = projection.frames.coordinates[i - 1 : i + 1].astype(np.float64)
    return np.linalg.norm(after - before, axis=1) / find_spread(before)


# A similarity transform.


def test_the_rotation_is_that_of_scipy():
    a, b = RNG.normal(size=(2, 50, 3))
    found = find_similarity(a, b)
    wanted, _ = orthogonal_procrustes(a - a.mean(0), b - b.mean(0))
    np.testing.assert_allclose(found.rotation, wanted, atol=1e-12)


@pytest.mark.parametrize("mirrored", [1, -1])
@pytest.mark.parametrize("dims", [2, 3])
def test_a_turned_mirrored_scaled_and_shifted_picture_is_laid_back(dims, mirrored):
    b = RNG.normal(size=(40, dims))
    turn = np.linalg.qr(RNG.normal(size=(dims, dims)))[0]
    turn[:, 0] *= mirrored * np.sign(np.linalg.det(turn))
    a = 1e-30 * (b @ turn) + 5e-30
    np.testing.assert_allclose(find_similarity(a, b).apply(a), b, atol=1e-9)
    assert procrustes(b, a)[2] < 1e-12


def test_a_picture_that_does_not_agree_keeps_its_size():
    a, b = RNG.normal(size=(2, 500, 2))
    laid = find_similarity(a, b).apply(a)
    assert find_spread(laid) == pytest.approx(find_spread(b))
    fitted = procrustes(b, a)[1]
    assert np.corrcoef(laid.ravel(), fitted.ravel())[0, 1] == pytest.approx(1, abs=0.01)


def test_points_at_one_place_are_shifted_only():
    a = np.ones((5, 2))
    np.testing.assert_array_equal(find_similarity(a, a + 3).apply(a), a + 3)


def test_only_points_whose_neighbors_stayed_say_where_a_map_lies():
    before = RNG.normal(size=(100, 2))
    kept = np.where(np.arange(100) < 60, 0.5, 0.4)
    after = before @ np.array([[0, 1], [-1, 0]]) * 3 + 2
    after[60:] = 1000
    laid = lay_on(after, before, kept)
    np.testing.assert_allclose(laid[:60], before[:60], atol=1e-9)
    few = np.where(np.arange(100) < 9, 1.0, 0.0)
    wanted = find_similarity(after, before).apply(after)
    np.testing.assert_allclose(lay_on(after, before, few), wanted)


# Where points begin.


def test_a_point_whose_neighbors_changed_begins_in_the_middle_of_those_it_has():
    before = np.array([[0.0, 0], [1, 0], [0, 1], [50, 50], [51, 50], [50, 51], [np.nan, np.nan]])
    nearest = np.array(
        [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [5, 3, 6], [4, 3, 6], [3, 0, 1]]
    )
    kept = np.array([1, 1, 1, 0.0, 1, 1, np.nan])
    found = begin(before, kept, nearest, reach=2.0)
    assert found.goes_on
    np.testing.assert_array_equal(found.places[[0, 1, 2, 4, 5]], before[[0, 1, 2, 4, 5]])
    np.testing.assert_array_equal(found.places[3], [0, 0])
    np.testing.assert_array_equal(found.places[6], [0, 0])


def test_a_map_of_which_nothing_stays_is_made_anew():
    before = RNG.normal(size=(200, 2))
    nearest = RNG.integers(0, 200, (200, 10))
    found = begin(before, np.zeros(200), nearest, reach=1e-3)
    assert not found.goes_on
    assert np.isfinite(found.places).all()


# Neighbors and figures.


def test_neighbors_of_each_step_are_those_of_scikit_learn_among_all_points():
    there = np.arange(400) >= 100
    steps = measure_steps(make_steps(BLOBS, BLOBS, present={0: there}), metric="euclidean")
    found = NearestNeighbors(n_neighbors=11).fit(BLOBS[100:]).kneighbors(BLOBS[100:])
    first, last = (step.neighbors for step in steps.steps)
    assert first is not None
    assert last is not None
    np.testing.assert_array_equal(first.indices, found[1][:, 1:] + 100)
    np.testing.assert_allclose(first.distances, found[0][:, 1:], rtol=1e-5)
    assert last.indices.shape == (400, 10)


def test_the_share_of_neighbors_kept_is_counted_as_by_hand():
    a = np.array([[1, 2], [0, 2], [0, 1], [-1, -1]], np.int32)
    b = np.array([[2, 1], [2, 3], [3, -1], [0, 1]], np.int32)
    np.testing.assert_array_equal(share_in_common(a, b), [1, 0.5, 0, np.nan])


def test_equal_steps_keep_all_neighbors_and_exchanged_vectors_do_not():
    other = exchanged(BLOBS, 100)[0]
    steps = measure_steps(make_steps(BLOBS, BLOBS, other))
    before, last = (steps.figures[n] for n in ("kept_from_previous", "kept_of_last"))
    assert before[:2] == (None, 1.0)
    assert before[2] < 0.7
    assert last == (before[2], before[2], 1.0)


def test_neighbors_that_are_known_are_not_looked_for_again(monkeypatch):
    steps = measure_steps(make_steps(BLOBS[:60], BLOBS[:60]))
    monkeypatch.setattr("embviz.pictures.step_neighbors.build_graph", None)
    assert measure_steps(steps).steps == steps.steps
    with pytest.raises(TypeError):
        measure_steps(steps, metric="euclidean")


@pytest.mark.parametrize("linear", [True, False])
def test_motion_is_the_rank_correlation_of_the_way_and_the_neighbors_lost(linear):
    places = [RNG.normal(size=(80, 3)) for _ in range(3)]
    places[1][:5] = np.nan
    kept = [np.where(np.isnan(places[1][:, 0]), np.nan, RNG.integers(0, 11, 80) / 10)] * 2
    overall, each = measure_motion(places, kept, linear)
    dims = 2 if linear else 3
    way = np.linalg.norm(places[2][5:, :dims] - places[1][5:, :dims], axis=1)
    assert each["motion"][0] is None
    assert each["motion"][2] == pytest.approx(spearmanr(way, 1 - kept[1][5:])[0], abs=1e-4)
    assert set(overall) == ({"2", "3"} if linear else {"3"})
    assert ("motion_3d" in each) is linear


def test_what_does_not_move_has_no_motion():
    places = [np.eye(4)[:, :2]] * 2
    assert measure_motion(places, [np.array([0, 0.1, 0.2, 1])], False)[0] == {"2": None}


# Projections.


def test_principal_components_are_common_to_all_steps():
    states = [BLOBS, BLOBS * 1.5 + 1, exchanged(BLOBS, 50)[0]]
    (pca,) = project_steps(make_steps(*states))
    assert pca.frames is not None
    assert pca.frames.unit == "step"
    assert pca.frames.steps == ("100", "200", "300")
    oracle = decomposition.PCA(3).fit(np.concatenate(states).astype(np.float64))
    for state, frame in zip(states, pca.frames.coordinates, strict=True):
        wanted = oracle.transform(state.astype(np.float64))
        np.testing.assert_allclose(np.abs(frame), np.abs(wanted), atol=2e-3)
    np.testing.assert_allclose(
        pca.stats["variance_shares"], oracle.explained_variance_ratio_, rtol=1e-4
    )
    np.testing.assert_array_equal(pca.coordinates, pca.frames.coordinates[-1])
    placed = states[-1] @ pca.directions.T - pca.stats["mean_projection"]
    np.testing.assert_allclose(placed, pca.coordinates, atol=1e-3)


def test_two_models_have_components_of_their_own_laid_on_each_other():
    turn = np.linalg.qr(RNG.normal(size=(20, 20)))[0]
    steps = make_steps(BLOBS, (2 * BLOBS @ turn + 5).astype(np.float32))
    (pca,) = project_steps(replace(steps, kind="comparison"), metric="euclidean")
    assert ways(pca).max() < 1e-3
    (pca,) = project_steps(steps, metric="euclidean")
    assert ways(pca).max() > 1


def test_as_many_components_are_kept_as_are_asked_for():
    found = project_steps(make_steps(BLOBS, BLOBS), methods=["pca:n_components=7"])
    assert found[0].coordinates.shape == (400, 7)
    assert project_steps(make_steps(BLOBS, BLOBS), methods=[PCA()])[0].coordinates.shape[1] == 10


def test_steps_of_other_types_share_their_components():
    (one,) = project_steps(make_steps(BLOBS, BLOBS))
    (two,) = project_steps(make_steps(BLOBS.astype(np.float16).astype(np.float64), BLOBS))
    np.testing.assert_allclose(one.coordinates, two.coordinates, atol=0.02)


def test_steps_of_other_widths_are_laid_on_the_step_after():
    turn = np.linalg.qr(RNG.normal(size=(25, 25)))[0][:20]
    wide = 3 * BLOBS.astype(np.float64) @ turn + 1
    (pca,) = project_steps(make_steps(BLOBS, wide))
    assert ways(pca).max() < 1e-3
    (last,) = project_steps(make_steps(wide, wide))
    np.testing.assert_allclose(np.abs(pca.coordinates), np.abs(last.coordinates), atol=1e-3)


def test_an_axis_lies_between_each_step_s_own_centroids():
    other = exchanged(BLOBS, 150)[0]
    *_, axes = project_steps(make_steps(BLOBS, other), axes=[("=w0", "=w1")], dims=[2])
    assert axes.frames is not None
    for state, frame in zip((BLOBS, other), axes.frames.coordinates, strict=True):
        way = (state[1] - state[0]).astype(np.float64)
        np.testing.assert_allclose(frame[:, 0], state @ (way / np.linalg.norm(way)), atol=1e-4)


def test_components_that_fill_up_axes_do_not_flip():
    noisy = BLOBS + RNG.normal(size=BLOBS.shape).astype(np.float32) * 0.05
    for _ in range(2):
        *_, axes = project_steps(make_steps(noisy, BLOBS), axes=[("=w0", "=w1")])
        assert axes.coordinates.shape == (400, 3)
        assert np.median(ways(axes)) < 0.1
    *_, alone = project_steps(make_steps(BLOBS, BLOBS), axes=[("=w0", "=w1")])
    np.testing.assert_allclose(axes.coordinates, alone.coordinates, atol=1e-5)


def test_an_axis_may_be_defined_on_points_that_are_not_shown():
    whole = make_steps(BLOBS, BLOBS)
    part = make_steps(BLOBS[:50], BLOBS[:50])
    *_, axes = project_steps(part, whole=whole, axes=[("=w300", "=w301")])
    assert axes.coordinates.shape == (50, 3)


def test_vectors_of_two_dimensions_are_shown_as_they_are_at_each_step():
    states = [BLOBS[:, :2], BLOBS[:, 2:4]]
    (found,) = project_steps(make_steps(*states), methods=["none"], with_pca=False)
    assert found.frames is not None
    np.testing.assert_array_equal(found.frames.coordinates, np.stack(states))
    with pytest.raises(ParameterError, match="--method none: the steps have 2 and 3 dimensions"):
        project_steps(make_steps(BLOBS[:, :2], BLOBS[:, :3]), methods=["none"])


def test_coordinates_of_one_time_do_not_follow():
    placed = Placed(BLOBS[:, :2].astype(np.float64), "mine")
    with pytest.raises(ParameterError, match="--coordinates mine: has places for one step"):
        project_steps(make_steps(BLOBS, BLOBS), methods=[placed])


@pytest.fixture(scope="module")
def tsne() -> Projection:
    """t-SNE of blobs of which some then change places; the points of these are in `moved`."""
    *_, found = project_steps(
        make_steps(BLOBS, exchanged(BLOBS, 40)[0]), methods=["tsne"], dims=[2], iterations=300
    )
    return found


def test_points_whose_neighbors_stay_stay_and_exchanged_ones_move(tsne):
    moved = np.zeros(400, np.bool_)
    moved[exchanged(BLOBS, 40)[1]] = True
    assert np.median(ways(tsne)[~moved]) < 0.05
    assert np.quantile(ways(tsne)[~moved], 0.9) < 0.15
    assert np.median(ways(tsne)[moved]) > 0.5
    assert tsne.stats["motion"]["2"] > 0.4
    assert tsne.params["initialization"] == "the step before"


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_nothing_moves_where_neighbors_stay_as_they_are(method):
    turn = np.linalg.qr(RNG.normal(size=(20, 20)))[0]
    turned = (3 * BLOBS[:80] @ turn).astype(np.float32)
    *_, found = project_steps(
        make_steps(BLOBS[:80], turned, BLOBS[:80]), methods=[method], dims=[2], metric="euclidean"
    )
    assert ways(found).max() == 0
    assert ways(found, 2).max() == 0
    assert found.stats["motion"] == {"2": None}


def test_structure_that_emerges_from_noise_is_seen():
    noise = np.random.default_rng(8).normal(size=BLOBS.shape).astype(np.float32)
    states = [noise + t * CENTERS[BELONGS].astype(np.float32) for t in (0, 0.2, 0.35, 0.5)]
    *_, found = project_steps(make_steps(*states), methods=["tsne"], dims=[2], iterations=200)
    cold = TSNE(iterations=200).project(EmbeddingTable(states[-1])).stats["kl_divergence"]
    assert found.stats["kl_divergence"] < 1.1 * cold


def test_a_later_step_is_as_good_a_map_as_one_of_its_own(tsne):
    cold = TSNE(iterations=300).project(EmbeddingTable(exchanged(BLOBS, 40)[0]))
    last = tsne.frames.figures["kl_divergence"][1]
    assert last == tsne.stats["kl_divergence"]
    assert last <= 1.05 * cold.stats["kl_divergence"]


def test_points_that_come_later_begin_beside_their_neighbors():
    there = np.arange(400) >= 100
    *_, found = project_steps(
        make_steps(BLOBS, BLOBS, present={0: there}), methods=["tsne"], dims=[2], iterations=300
    )
    frames = found.frames.coordinates.astype(np.float64)
    np.testing.assert_array_equal(frames[0, :100], frames[1, :100])
    centers = np.stack([frames[0, there & (b == BELONGS)].mean(0) for b in range(8)])
    new = frames[1, :100]
    nearest = np.linalg.norm(new[:, None] - centers, axis=2).argmin(axis=1)
    assert (nearest == BELONGS[:100]).mean() > 0.95
    assert np.median(ways(found)[100:]) < 0.1


def test_steps_without_common_points_are_maps_of_their_own():
    half = np.arange(400) < 200
    *_, found = project_steps(
        make_steps(BLOBS, BLOBS, BLOBS, present={0: half, 1: ~half}),
        methods=["tsne"], dims=[2], iterations=100,
    )  # fmt: skip
    assert np.isfinite(found.frames.coordinates).all()
    assert found.frames.figures["motion"][1] is None


def test_umap_goes_on_from_the_step_before():
    *_, found = project_steps(
        make_steps(BLOBS, exchanged(BLOBS, 40)[0]), methods=["umap"], dims=[2]
    )
    moved = np.zeros(400, np.bool_)
    moved[exchanged(BLOBS, 40)[1]] = True
    assert np.median(ways(found)[~moved]) < 0.2 < np.median(ways(found)[moved])
    assert found.params["epochs"] == 200


@pytest.mark.parametrize("projector", [TSNE, UMAP])
def test_a_start_that_is_settled_is_a_start(projector):
    with pytest.raises(ParameterError, match="settled: is said of a start; give initialization"):
        projector(settled=True)
    table = EmbeddingTable(BLOBS[:50])
    with pytest.raises(ParameterError, match="initialization: shape"):
        projector(initialization=np.zeros((3, 2))).project(table)


@dataclass(frozen=True)
class Mine:
    """Another package's projector: the first two columns, turned as it likes."""

    def project(self, table: EmbeddingTable) -> Projection:
        block = table.take_block(slice(None))
        sign = 1 if block[0, 0] > 0 else -1
        return Projection("mine", sign * block[:, :2], kind="map")


def test_what_another_projector_makes_of_each_step_is_laid_on_the_step_before():
    turned = BLOBS * np.where(np.arange(20) < 2, -1, 1).astype(np.float32)
    *_, found = project_steps(make_steps(BLOBS, turned), methods=[Mine()])
    assert found.frames is not None
    assert ways(found).max() < 1e-5


def test_a_point_has_its_first_place_before_it_comes_and_its_last_when_it_is_gone():
    gap = np.nan
    places = [np.array([[gap], [1.0]]), np.array([[2.0], [gap]]), np.array([[3.0], [4.0]])]
    np.testing.assert_array_equal(fill_gaps(places)[:, :, 0], [[2, 1], [2, 1], [3, 4]])


def test_what_is_wrong_with_a_step_names_it():
    broken = BLOBS.copy()
    broken[3, 3] = np.nan
    with pytest.raises(LoadError, match=r"step 100: .* rows hold NaN"):
        project_steps(make_steps(broken, BLOBS))
    few = np.arange(400) < 3
    with pytest.raises(ParameterError, match=r"step 100: .*3 points are too few for t-SNE"):
        project_steps(make_steps(BLOBS, BLOBS, present={0: few}), methods=["tsne"])


def test_what_is_the_same_at_every_step_is_said_once(caplog):
    with caplog.at_level(logging.INFO, "embviz"):
        project_steps(make_steps(BLOBS, BLOBS), axes=[("=w0", "=w1")])
    assert sum("axis 1" in r.message for r in caplog.records) == 2


def test_the_same_steps_give_the_same_bytes(tsne):
    *_, again = project_steps(
        make_steps(BLOBS, exchanged(BLOBS, 40)[0]), methods=["tsne"], dims=[2], iterations=300
    )
    assert again.frames.coordinates.tobytes() == tsne.frames.coordinates.tobytes()


def test_neighbors_of_another_metric_are_looked_for():
    steps = measure_steps(make_steps(BLOBS, BLOBS))
    first = steps.steps[0].neighbors
    assert isinstance(first, Neighbors)
    changed = replace(steps.steps[0], neighbors=replace(first, metric="euclidean"))
    found = measure_steps(replace(steps, steps=(changed, steps.steps[1])))
    assert found.steps[0].neighbors.metric == "cosine"
