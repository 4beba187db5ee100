"""Which points of a run a report is made of, at every step."""

from __future__ import annotations

import numpy as np
import pytest

from embviz.comparison.values import Step, Steps
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.pictures.step_neighbors import measure_steps
from embviz.pictures.step_selection import choose_step_points
from embviz.pictures.steps import project_steps

RNG = np.random.default_rng(2)
STATES = RNG.normal(size=(3, 40, 5)).astype(np.float32)
LABELS = tuple(f"w{i}" for i in range(40))


def make(first_has: np.ndarray | None = None) -> Steps:
    tables = [EmbeddingTable(state, {"label": LABELS}) for state in STATES]
    first = tables[0] if first_has is None else tables[0].take(np.flatnonzero(first_has))
    return Steps(
        (Step("1", first, first_has), Step("2", tables[1]), Step("3", tables[2])), tables[2]
    )


def test_the_points_of_a_query_are_taken_of_every_step():
    chosen = choose_step_points(make(), select="/^w[12]$/")
    assert chosen.part.table.metadata["label"] == ("w1", "w2")
    for step, state in zip(chosen.steps.steps, STATES, strict=True):
        np.testing.assert_array_equal(step.table.take_block(slice(None)), state[1:3])
    assert chosen.whole.table.n_points == 40


def test_a_sample_is_of_the_same_points_at_every_step():
    chosen = choose_step_points(make(), sample=10, seed=4)
    rows = chosen.part.table.rows
    assert rows is not None
    assert len(rows) == 10
    np.testing.assert_array_equal(chosen.steps.steps[0].table.vectors[0:10], STATES[0, rows])


def test_neighbors_are_those_of_the_last_step_with_their_distances():
    chosen = choose_step_points(make(), neighbors_of="w5", k=3)
    oracle = STATES[2] / np.linalg.norm(STATES[2], axis=1, keepdims=True)
    wanted = {5, *np.argsort(-oracle @ oracle[5])[1:4].tolist()}
    assert set(chosen.part.table.rows.tolist()) == wanted
    assert "distance to w5" in chosen.steps.table.metadata


def test_points_that_are_not_there_yet_stay_so():
    there = np.arange(40) >= 10
    chosen = choose_step_points(make(there), select="/^w(8|9|10|11)$/")
    present = chosen.steps.steps[0].present
    assert present is not None
    assert present.tolist() == [False, False, True, True]
    np.testing.assert_array_equal(chosen.steps.steps[0].table.vectors[0:2], STATES[0, 10:12])
    assert "2 points of 4 come after step 1" in chosen.part.notes
    with pytest.raises(ParameterError, match="step 1: has 0 points of the 2 chosen"):
        choose_step_points(make(there), select="/^w[12]$/")


def test_axes_are_defined_on_all_points_of_each_step():
    chosen = choose_step_points(make(), select="/^w[123]$/")
    *_, axes = project_steps(chosen.steps, whole=chosen.whole, axes=[("=w20", "=w30")], dims=[2])
    assert axes.frames is not None
    for state, frame in zip(STATES, axes.frames.coordinates, strict=True):
        way = state[30].astype(np.float64) - state[20]
        wanted = state[1:4] @ (way / np.linalg.norm(way))
        np.testing.assert_allclose(frame[:, 0], wanted, atol=1e-5)


def test_all_points_keep_the_neighbors_that_are_known():
    steps = measure_steps(make())
    chosen = choose_step_points(steps).steps
    assert [s.neighbors for s in chosen.steps] == [s.neighbors for s in steps.steps]
    assert choose_step_points(steps, sample=5).steps.steps[-1].neighbors is None


def test_checksums_of_every_step_are_checked():
    checked = []
    tables = [
        EmbeddingTable(state, {"label": LABELS}, verify=lambda i=i: checked.append(i))
        for i, state in enumerate(STATES)
    ]
    steps = Steps(tuple(Step(str(i), t) for i, t in enumerate(tables)), tables[2])
    choose_step_points(steps)
    assert sorted(checked) == [0, 1, 2]
