"""The steps of a run as states of the same points."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from embviz.comparison.run import load_steps
from embviz.comparison.values import Steps
from embviz.errors import LoadError, ParameterError

RNG = np.random.default_rng(5)
VECTORS = RNG.normal(size=(30, 6)).astype(np.float32)


def write(path: Path, labels: list[int], more: dict[str, list[str]] | None = None) -> Path:
    """Write the vectors of some points, with their labels, as a table."""
    lines = ["\t".join(["label", *(more or {}), *(f"d{i}" for i in range(6))])]
    for place, i in enumerate(labels):
        extra = [values[place] for values in (more or {}).values()]
        lines.append("\t".join([f"w{i}", *extra, *(f"{x!r}" for x in VECTORS[i].tolist())]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def arrays(folder: Path, *states: NDArray[np.floating]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i, vectors in enumerate(states, 1):
        np.save(folder / f"emb_{i}.npy", vectors)
    return folder


def vectors(steps: Steps, i: int) -> NDArray[np.floating]:
    return steps.steps[i].table.take_block(slice(None))


def test_points_of_equal_labels_are_the_same_whatever_their_order(tmp_path):
    order = RNG.permutation(30).tolist()
    write(tmp_path / "s1.tsv", order)
    write(tmp_path / "s2.tsv", list(range(30)))
    steps = load_steps(tmp_path)
    assert steps.names == ("1", "2")
    assert steps.steps[0].present is None
    np.testing.assert_array_equal(vectors(steps, 0), VECTORS)
    assert steps.steps[0].table.metadata["label"] == steps.table.metadata["label"]


def test_points_of_the_last_step_that_come_later_are_not_there_before(tmp_path, caplog):
    write(tmp_path / "s1.tsv", [7, 3, 99 % 30, 5])
    write(tmp_path / "s2.tsv", [0, 1, 2, 3, 4, 5, 6, 7])
    with caplog.at_level(logging.INFO, "embviz"):
        steps = load_steps(tmp_path)
    present = steps.steps[0].present
    assert present is not None
    assert np.flatnonzero(present).tolist() == [3, 5, 7]
    np.testing.assert_array_equal(vectors(steps, 0), VECTORS[[3, 5, 7]])
    said = "Left out: 1 point that the last step has not (w9)"
    assert steps.notes == (said,)
    assert said in [record.getMessage() for record in caplog.records]


def test_without_labels_rows_are_the_points_and_counts_must_agree(tmp_path):
    run = arrays(tmp_path / "a", VECTORS, VECTORS * 2)
    np.testing.assert_array_equal(vectors(load_steps(run), 1), VECTORS * 2)
    run = arrays(tmp_path / "b", VECTORS[:20], VECTORS)
    with pytest.raises(LoadError, match="30 points and 20"):
        load_steps(run)


def test_points_may_be_matched_by_row_or_column(tmp_path):
    write(tmp_path / "s1.tsv", [0, 1, 2], {"id": ["a", "b", "c"]})
    write(tmp_path / "s2.tsv", [1, 0, 2], {"id": ["a", "b", "c"]})
    np.testing.assert_array_equal(vectors(load_steps(tmp_path), 0), VECTORS[[1, 0, 2]])
    for match in ("row", "id"):
        np.testing.assert_array_equal(vectors(load_steps(tmp_path, match=match), 0), VECTORS[:3])
    with pytest.raises(ParameterError, match="--match nothing"):
        load_steps(tmp_path, match="nothing")


def test_labels_are_given_once_for_all_steps(tmp_path):
    run = arrays(tmp_path / "run", VECTORS, VECTORS + 1)
    names = tmp_path / "names.txt"
    names.write_text("".join(f"w{i}\n" for i in range(30)))
    steps = load_steps(run, metadata=names)
    assert steps.steps[0].table.label(3) == steps.table.label(3) == "w3"


def test_a_step_has_its_own_columns_and_else_those_of_the_last(tmp_path):
    write(tmp_path / "s1.tsv", [0, 1, 2], {"guess": ["x", "y", "z"]})
    write(tmp_path / "s2.tsv", [0, 1, 2], {"guess": ["x", "x", "x"], "kind": ["k", "l", "m"]})
    first = load_steps(tmp_path).steps[0].table
    assert first.metadata["guess"] == ("x", "y", "z")
    assert first.metadata["kind"] == ("k", "l", "m")


def test_several_sources_are_steps_in_their_order_of_any_width(tmp_path):
    arrays(tmp_path, VECTORS, VECTORS[:, :2])
    steps = load_steps([tmp_path / "emb_2.npy", tmp_path / "emb_1.npy"])
    assert steps.names == ("emb_2", "emb_1")
    assert [step.table.n_dims for step in steps.steps] == [2, 6]
    with pytest.raises(ParameterError, match="2 sources are given, which are the steps"):
        load_steps([tmp_path / "emb_2.npy", tmp_path / "emb_1.npy"], "1,2")


def test_the_tensor_of_the_last_step_is_taken_of_all(tmp_path, caplog):
    for i in (1, 2):
        np.savez(tmp_path / f"m_{i}.npz", word_emb=VECTORS * i, other=VECTORS[:4])
    assert vectors(load_steps(tmp_path), 0).shape == (30, 6)
    assert vectors(load_steps(tmp_path, tensor="other"), 0).shape == (4, 6)
    with pytest.raises(ParameterError, match="tensor 'nothing'"):
        load_steps(tmp_path, tensor="nothing")


def test_rows_that_are_not_finite_are_left_out_where_they_are(tmp_path, caplog):
    first, last = VECTORS.copy(), VECTORS.copy()
    first[[2, 4]], last[[4, 9]] = np.nan, np.inf
    run = arrays(tmp_path, first, last)
    with caplog.at_level(logging.INFO, "embviz"):
        steps = load_steps(run, drop_nonfinite=True)
    assert steps.table.n_points == 28
    assert steps.table.rows is not None
    assert {4, 9}.isdisjoint(steps.table.rows.tolist())
    present = steps.steps[0].present
    assert present is not None
    assert steps.table.rows[~present].tolist() == [2]
    np.testing.assert_array_equal(vectors(steps, 0), first[np.setdiff1d(np.arange(30), [2, 4, 9])])
    said = [record.getMessage() for record in caplog.records]
    assert "step 1: 1 row not finite, left out" in said
    assert "step 2: 2 rows not finite, left out" in said


def test_steps_without_common_points_are_refused(tmp_path):
    write(tmp_path / "s1.tsv", [0, 1, 2])
    write(tmp_path / "s2.tsv", [3, 4, 5])
    with pytest.raises(LoadError, match="no label in common"):
        load_steps(tmp_path)


def test_vectors_are_read_when_they_are_sliced(tmp_path):
    steps = load_steps(arrays(tmp_path, VECTORS, VECTORS))
    np.save(tmp_path / "emb_1.npy", VECTORS)  # The same file, other bytes in place.
    with (tmp_path / "emb_1.npy").open("r+b") as file:
        file.seek(128)
        file.write((VECTORS * 7).tobytes())
    np.testing.assert_array_equal(vectors(load_steps(tmp_path), 0), VECTORS * 7)
    assert isinstance(steps.steps[0].table.vectors, np.memmap)
