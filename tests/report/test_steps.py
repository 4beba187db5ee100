"""How states of the same points travel, read back without the page."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from embviz import EmbeddingTable, Frames, ParameterError, Projection, ReportOptions, find_neighbors
from embviz.comparison.values import Comparison, Group, Step, Steps
from embviz.model import Neighbors
from embviz.report.payload import build_payload
from embviz.report.shell import shell_size
from tests.report.test_payload import blocks_of

N, K = 40, 5


def make_steps(
    n_steps: int = 3, n: int = N, widths: tuple[int, ...] = (6, 7, 8), late: int = 4
) -> Steps:
    """States of some widths, of which the first lacks the last few points."""
    rng = np.random.default_rng(3)
    words = {"word": tuple(f"w{i}" for i in range(n))}
    steps = []
    for i in range(n_steps):
        vectors = rng.normal(size=(n, widths[i])).astype(np.float32)
        table = EmbeddingTable(vectors, words, "emb", f"step-{i}")
        present = np.arange(n) < n - late if i == 0 and late else None
        kept = table if present is None else table.take(np.flatnonzero(present))
        near = find_neighbors(kept, range(kept.n_points), K)
        steps.append(Step(str(100 * (i + 1)), kept, present, near))
    return Steps(
        tuple(steps), steps[-1].table,
        figures={
            "kept_from_previous": (None, 0.5, 0.75),
            "kept_of_last": (0.25, float("nan"), 1.0),
        },
    )  # fmt: skip


def moved(steps: Steps, n_components: int = 2) -> Projection:
    rng = np.random.default_rng(5)
    frames = rng.normal(size=(len(steps.steps), steps.table.n_points, n_components))
    coordinates = frames.astype(np.float32)
    return Projection("pca", coordinates[-1], frames=Frames(steps.names, coordinates))


def payload_of(steps: Steps, *projections: Projection, **fields: Any) -> Any:
    shown = list(projections) or [moved(steps)]
    return build_payload(steps.table, shown, ReportOptions(**fields), steps=steps)


def test_a_report_of_one_state_has_no_steps() -> None:
    steps = make_steps()
    manifest = build_payload(steps.table, [], ReportOptions()).manifest
    assert manifest["steps"] is None
    assert manifest["comparison"] is None


def test_each_step_has_a_space_and_the_last_ones_is_the_reports_own() -> None:
    manifest = payload_of(make_steps()).manifest
    assert manifest["steps"]["names"] == ["100", "200", "300"]
    assert manifest["steps"]["spaces"] == ["input-0", "input-1", "input"]
    spaces = {space["key"]: space["n_dims"] for space in manifest["spaces"]}
    assert manifest["spaces"][0]["key"] == "input"
    assert spaces == {"input-0": 6, "input-1": 7, "input": 8}
    assert manifest["steps"]["figures"]["kept_of_last"] == [0.25, None, 1.0]


def test_the_vectors_of_each_step_travel_of_the_points_that_are_there() -> None:
    steps = make_steps()
    payload = payload_of(steps)
    blocks = blocks_of(payload)
    for step, key in zip(steps.steps, payload.manifest["steps"]["spaces"], strict=True):
        (space,) = [s for s in payload.manifest["spaces"] if s["key"] == key]
        assert np.array_equal(blocks[space["blocks"][0]], np.asarray(step.table.vectors))
    present = blocks["steps_present"]
    assert present.shape == (3, N)
    assert present.sum(axis=1).tolist() == [N - 4, N, N]


def test_the_vectors_of_all_steps_travel_or_those_of_none() -> None:
    rng = np.random.default_rng(0)
    words = {"word": tuple(map(str, range(600)))}
    tables = [EmbeddingTable(rng.normal(size=(600, 400)), words) for _ in range(6)]
    large = Steps(tuple(Step(str(i), t) for i, t in enumerate(tables)), tables[-1])
    room = round(shell_size() / 1e6 + 1, 1)
    manifest = payload_of(large, moved(large), max_size=room).manifest
    assert {space["vectors"] for space in manifest["spaces"]} == {None}
    (note,) = {space["vectors_note"] for space in manifest["spaces"]}
    why = f"Vectors were left out: those of 6 steps would make the page larger than {room:g} MB"
    found = re.fullmatch(f"{why}; --max-size ([0-9]+) puts them in", note)
    assert found
    manifest = payload_of(large, moved(large), max_size=int(found[1])).manifest
    assert {space["vectors"]["precision"] for space in manifest["spaces"]} <= {"int8", "float16"}


def test_neighbors_of_each_step_are_those_of_all_points_and_none_where_nobody_is_there() -> None:
    steps = make_steps()
    payload = payload_of(steps, vectors="neighbors")
    blocks, entry = blocks_of(payload), payload.manifest["neighbors"]
    assert (entry["k"], entry["metric"], entry["recall"]) == (K, "cosine", 1)
    for i, step in enumerate(steps.steps):
        near = step.neighbors
        assert near is not None
        there = len(near.indices)
        assert np.array_equal(blocks[entry["indices"]][:, i, :there].T, near.indices)
        assert np.array_equal(blocks[entry["distances"]][:, i, :there].T, near.distances)
        assert (blocks[entry["indices"]][:, i, there:] == -1).all()


def test_all_steps_travel_however_many_there_are_and_other_frames_are_thinned() -> None:
    n, n_steps = 5_000, 100
    words = {"word": tuple(map(str, range(n)))}
    table = EmbeddingTable(np.zeros((n, 2), np.float32), words)
    steps = Steps(tuple(Step(str(i), table) for i in range(n_steps)), table)
    coordinates = np.random.default_rng(0).normal(size=(n_steps, n, 2)).astype(np.float32)
    other = Frames(steps.names, coordinates, unit="iteration")
    shown = Projection("pca", coordinates[-1], frames=Frames(steps.names, coordinates))
    thinned = Projection("tsne", coordinates[-1], frames=other)
    payload = payload_of(steps, shown, thinned, vectors="none", max_size=shell_size() / 1e6 + 4)
    ours, theirs = (entry["frames"] for entry in payload.manifest["projections"])
    assert len(ours["steps"]) == 100
    assert 20 < len(theirs["steps"]) < 90
    (block,) = [b for b in payload.blocks if b.name == ours["block"]]
    assert block.entry["dtype"] == "uint16"
    span = np.ptp(coordinates, axis=(0, 1))
    assert ours["bounds"]["min"] == coordinates.min(axis=(0, 1)).tolist()
    assert ours["bounds"]["max"] == coordinates.max(axis=(0, 1)).tolist()
    assert (np.abs(blocks_of(payload)[ours["block"]] - coordinates) / span).max() < 1e-5


def test_columns_that_say_something_else_at_a_step_travel_with_it() -> None:
    steps = make_steps()
    assert payload_of(steps).manifest["steps"]["columns"] is None
    loss = [[f"{i + 0.5 * step}" for i in range(N)] for step in range(3)]
    changed = [
        replace(step, table=replace(step.table, metadata={**step.table.metadata, "loss": values}))
        for step, values in zip(
            steps.steps, [loss[0][: N - 4], loss[1], loss[2]], strict=True
        )
    ]  # fmt: skip
    payload = payload_of(replace(steps, steps=tuple(changed), table=changed[-1].table))
    entries, blocks = payload.manifest["steps"]["columns"], blocks_of(payload)
    assert [[(e["name"], e["kind"]) for e in own] for own in entries] == [
        [("loss", "number")], [("loss", "number")], []
    ]  # fmt: skip
    assert blocks[entries[0][0]["block"]] == loss[0][: N - 4] + loss[2][N - 4 :]
    assert blocks[entries[1][0]["block"]] == loss[1]


def test_steps_of_other_points_are_refused() -> None:
    steps = make_steps()
    with pytest.raises(ParameterError, match="40 points of 8 dimensions, the report has 39 of 8"):
        build_payload(steps.table.take(range(39)), [], ReportOptions(), steps=steps)


def make_comparison(n: int = 30) -> tuple[Steps, Comparison]:
    a, b = (s.table for s in make_steps(2, n, late=0).steps)
    rows = np.arange(0, n, 2)
    near = [find_neighbors(table, rows, 20) for table in (a, b)]
    rng = np.random.default_rng(1)
    ranks = [rng.integers(1, n, (len(rows), 10)) for _ in range(2)]
    comparison = Comparison(
        a, b, ("old", "new"), "label", ("gone",), (), "cosine", rows.astype(np.int64),
        near[0], near[1], ranks[0], ranks[1], ranks[0] > 10, ranks[1] > 10,
        3 * rng.random(len(rows)), rng.random(len(rows)), None,
        {"overlap10": 0.5, "overlap50": None, "procrustes": float("nan")},
        groups=(Group("w3", np.array([2, 4]), 0.75, (3,), (5, 6)),),
    )  # fmt: skip
    steps = Steps((Step("old", a), Step("new", b)), b, "comparison", comparison=comparison)
    return steps, comparison


def test_the_vectors_of_a_comparison_fit_beside_its_lists() -> None:
    steps, _ = make_comparison(3000)
    found = []
    for more in np.arange(0.28, 0.52, 0.01):
        room = shell_size() / 1e6 + more
        try:
            manifest = payload_of(steps, max_size=float(room)).manifest
        except ParameterError:
            assert not found
            continue
        assert "neighbors" in manifest["blocks"]
        vectors = manifest["spaces"][0]["vectors"]
        found.append("none" if vectors is None else vectors["precision"])
    assert list(dict.fromkeys(found)) == ["none", "int8", "float16", "float32"]


def test_what_changed_between_two_states_travels_with_them() -> None:
    steps, comparison = make_comparison()
    payload = payload_of(steps)
    entry, blocks = payload.manifest["comparison"], blocks_of(payload)
    assert payload.manifest["steps"]["kind"] == "comparison"
    assert (entry["names"], entry["only_a"], entry["only_b"]) == (["old", "new"], 1, 0)
    assert blocks[entry["only"]] == {"a": ["gone"], "b": []}
    assert (entry["n_matched"], entry["n_compared"]) == (30, 15)
    assert entry["figures"] == {"overlap10": 0.5, "overlap50": None, "procrustes": None}
    assert entry["groups"] == [
        {"name": "w3", "score": 0.75, "rows": [2, 4], "came": [3], "left": [5, 6]}
    ]
    changes = {name: block and blocks[block] for name, block in entry["changes"].items()}
    assert changes["overlap50"] is None
    assert np.array_equal(changes["rows"], comparison.compared)
    assert np.allclose(changes["displacement"], comparison.displacement)
    for name in ("overlap10", "ranks_in_a", "ranks_in_b", "left", "came"):
        assert np.allclose(changes[name], getattr(comparison, name)), name


def test_the_neighbors_of_a_comparison_are_those_that_were_compared() -> None:
    steps, comparison = make_comparison()
    for vectors, k in (("auto", 10), ("none", 20)):
        payload = payload_of(steps, vectors=vectors)
        blocks, entry = blocks_of(payload), payload.manifest["neighbors"]
        assert entry["k"] == k
        for i, near in enumerate([comparison.neighbors_a, comparison.neighbors_b]):
            found = blocks[entry["indices"]][:, i].T
            assert np.array_equal(found[comparison.compared], near.indices[:, :k])
            assert (found[1::2] == -1).all()


def test_where_vectors_travel_no_neighbors_of_a_run_do() -> None:
    payload = payload_of(make_steps())
    assert payload.manifest["spaces"][0]["vectors"] is not None
    assert payload.manifest["neighbors"] is None


def test_neighbors_that_a_step_lacks_are_looked_for() -> None:
    steps = make_steps()
    some = (Step("0", steps.steps[0].table, steps.steps[0].present), *steps.steps[1:])
    payload = payload_of(Steps(some, steps.table), vectors="neighbors")
    blocks, entry = blocks_of(payload), payload.manifest["neighbors"]
    near = steps.steps[0].neighbors
    assert near is not None
    assert entry["k"] == 10
    found = blocks[entry["indices"]][:K, 0, : len(near.indices)].T
    assert np.array_equal(found, near.indices)


def test_distances_travel_in_16_bits_where_the_digits_have_no_room() -> None:
    n = 3_000
    table = EmbeddingTable(np.ones((n, 2), np.float32))
    rng = np.random.default_rng(0)
    far = np.sort(rng.random((n, 10)).astype(np.float32), axis=1)
    near = Neighbors(rng.integers(0, n, (n, 10)).astype(np.int32), far, "cosine")
    steps = Steps((Step("a", table, neighbors=near), Step("b", table, neighbors=near)), table)
    for room, kind in ((25, "float32"), (shell_size() / 1e6 + 0.35, "bfloat16")):
        payload = payload_of(steps, moved(steps), vectors="neighbors", max_size=room)
        name = payload.manifest["neighbors"]["distances"]
        (block,) = [b for b in payload.blocks if b.name == name]
        assert block.entry["dtype"] == kind
        assert block.entry["shape"] == [10, 2, n]
        found = blocks_of(payload)[name][:, 0].T.astype(np.float64)
        assert (np.abs(found - far) <= far / 256).all()
