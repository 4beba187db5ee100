"""What travels in a page of limited size: the order, the promise, and what is said of the rest."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embviz import (
    PCA,
    EmbeddingTable,
    Frames,
    Neighbors,
    ParameterError,
    Projection,
    ReportOptions,
    build_graph,
    find_neighbors,
    project,
    write_report,
)
from embviz.report.budget import Budget, Level, Made, Offer, choose
from embviz.report.lists import pack_lists, without_zero_rows
from embviz.report.payload import build_payload
from embviz.report.shell import shell_size
from tests.report.test_changes import manifest_of
from tests.report.test_payload import blocks_of, unpack

N, D = 8000, 60
SHELL = shell_size() / 1e6
"""Megabytes of a page without data."""


def offer(name: str, *sizes: int, **more: Any) -> Offer:
    return Offer(name, tuple(Level(s, lambda s=s: s, lambda: None) for s in sizes), **more)  # type: ignore[misc]


def size(one: Offer, level: int) -> float:
    return one.levels[level].bound


def test_each_offer_takes_the_best_level_that_the_earlier_ones_left_room_for() -> None:
    offers = [
        offer("needed", 10, is_needed=True),
        offer("vectors", 50, 20),
        offer("lists", 15, 5, is_needed=True, instead_of="vectors"),
        offer("frames", 30, 8),
        offer("exact", 90, better="vectors"),
    ]
    want = {
        150: {"needed": 0, "vectors": 0, "frames": 0, "exact": 0},
        90: {"needed": 0, "vectors": 0, "frames": 0},
        70: {"needed": 0, "vectors": 0, "frames": 1},
        31: {"needed": 0, "vectors": 1},
        29: {"needed": 0, "lists": 0},
        24: {"needed": 0, "lists": 1, "frames": 1},
        3: {"needed": 0, "lists": 1},
    }
    for room, levels in want.items():
        assert choose(offers, room, size).levels == levels
    assert choose(offers, 150, size).left == 20
    assert choose(offers, 3, size).left == -12


@given(
    st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=4), min_size=1, max_size=5),
    st.integers(0, 120),
)
def test_what_is_chosen_never_takes_more_than_there_is(sizes: list[list[int]], room: int) -> None:
    offers = [offer(str(i), *sorted(levels, reverse=True)) for i, levels in enumerate(sizes)]
    chosen = choose(offers, room, size)
    used = sum(sorted(sizes[int(n)], reverse=True)[i] for n, i in chosen.levels.items())
    assert used + chosen.left == room
    assert chosen.left >= 0


def test_what_turns_out_larger_than_its_estimate_gives_way() -> None:
    def level(guess: int, real: int) -> Level:
        return Level(10**6, lambda: guess, lambda: Made((), "x" * (real - 2)))

    offers = [Offer("a", (level(10, 60), level(20, 30))), Offer("b", (level(40, 41),))]
    for room, levels, used in (
        (55, {"a": 1}, 30),
        (71, {"a": 0}, 60),
        (101, {"a": 0, "b": 0}, 101),
    ):
        budget = Budget(offers, 0, room)
        chosen = budget.settle()
        assert chosen.levels == levels
        assert sum(made.size for made in budget.taken(chosen).values()) == used


@pytest.fixture(scope="module")
def table() -> EmbeddingTable:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(N, D)).astype(np.float32)
    return EmbeddingTable(vectors, {"word": tuple(f"w{i}" for i in range(N))})


@pytest.fixture(scope="module")
def graph(table: EmbeddingTable) -> Neighbors:
    return build_graph(table, 12)


@pytest.fixture(scope="module")
def pictures(table: EmbeddingTable) -> list[Projection]:
    rng = np.random.default_rng(1)
    frames = Frames(tuple(map(str, range(20))), rng.normal(size=(20, N, 2)), unit="iteration")
    measured = {"kept": rng.random(N).astype(np.float32)}
    tsne = Projection(
        "tsne", rng.normal(size=(N, 2)), frames=frames, title="t-SNE", per_point=measured
    )
    return [PCA().project(table), tsne]


def test_a_page_keeps_within_its_size_and_gains_with_it(
    table: EmbeddingTable, pictures: list[Projection], graph: Neighbors, tmp_path: Path
) -> None:
    path = tmp_path / "out.html"
    sizes, kept = [], []
    for more in (0.32, 0.5, 0.8, 1.3, 1.8, 3.7, 5.2, 22, 97):
        room = SHELL + more
        sizes.append(write_report(path, table, pictures, max_size=room, neighbors=graph))
        assert path.stat().st_size == sizes[-1] <= room * 1e6
        manifest = manifest_of(path)
        pca, tsne = manifest["projections"]
        vectors, lists = manifest["spaces"][0]["vectors"], manifest["neighbors"]
        assert (vectors is None) == (lists is not None)
        if "frames" in tsne:  # What comes before has what it can use.
            assert pca["n_components"] == 10
            assert vectors is not None or lists["k"] == 10
        kept.append(
            (
                ["float32", "float16", "int8"].index(vectors["precision"]) - 20
                if vectors
                else -lists["k"],
                len(tsne.get("frames", {"steps": ()})["steps"]),
            )
        )
    vectors_of = [each[0] for each in kept]
    assert vectors_of == sorted(vectors_of, reverse=True)
    assert len(set(vectors_of)) >= 4
    assert kept[-1] == (-20, 20)
    assert kept[-2][1] == 20


def test_the_size_that_is_said_to_have_room_has_it(
    table: EmbeddingTable, pictures: list[Projection], graph: Neighbors
) -> None:
    def manifest(room: float) -> dict[str, Any]:
        options = ReportOptions(max_size=room)
        return build_payload(table, pictures, options, neighbors=graph).manifest

    room = SHELL + 0.5
    told = manifest(room)["size"]
    assert told["max"] == room
    text = " | ".join(told["left_out"])
    assert "8,000 × 60 would make the page larger than" in text
    for pattern, has in (
        (r"max-size (\d+) puts them in", lambda m: m["spaces"][0]["vectors"]),
        (r"to 10 of PCA; --max-size (\d+)", lambda m: m["projections"][0]["n_components"] == 10),
        (r"20 recorded iterations of t-SNE in 2D; --max-size (\d+)",
         lambda m: len(m["projections"][1]["frames"]["steps"]) == 20),
    ):  # fmt: skip
        (found,) = re.findall(pattern, text)
        assert has(manifest(int(found)))
    assert manifest(100)["size"]["left_out"] == []


def test_a_page_without_room_for_what_it_needs_is_refused_and_the_way_out_works(
    table: EmbeddingTable, pictures: list[Projection], graph: Neighbors, tmp_path: Path
) -> None:
    path = tmp_path / "out.html"
    for room, more in (
        (0.5, {}),
        (0.5, {"vectors": "float32"}),
        (round(SHELL + 0.2, 2), {}),
        (round(SHELL + 1.2, 2), {"vectors": "float32"}),
    ):
        with pytest.raises(ParameterError) as told:
            write_report(path, table, pictures, max_size=room, neighbors=graph, **more)  # type: ignore[arg-type]
        assert not path.exists()
        assert told.value.what == f"--max-size {room:g}"
        assert "scripts " in told.value.why
        (least,) = re.findall(r"--max-size (\d+)", told.value.way_out)
        size = write_report(path, table, pictures, max_size=int(least), neighbors=graph, **more)  # type: ignore[arg-type]
        assert size <= int(least) * 1e6
        path.unlink()


@pytest.mark.parametrize("wrong", [0, -3, float("nan"), float("inf"), True, "25"])
def test_a_size_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ParameterError, match=r"^--max-size: .* is not a number of megabytes"):
        ReportOptions(max_size=wrong)


def test_lists_are_the_ten_nearest_and_nearly_their_distances(table: EmbeddingTable) -> None:
    few = table.take(range(200))
    payload = build_payload(few, [], ReportOptions(vectors="neighbors", metric="euclidean"))
    entry, blocks = payload.manifest["neighbors"], blocks_of(payload)
    want = find_neighbors(few, range(200), 10, "euclidean")
    assert (entry["k"], entry["metric"], entry["recall"]) == (10, "euclidean", 1)
    assert np.array_equal(blocks[entry["indices"]][:, 0].T, want.indices)
    found = blocks[entry["distances"]][:, 0].T
    np.testing.assert_allclose(found, want.distances, rtol=1e-4)


def test_neighbors_that_a_method_found_are_taken(
    table: EmbeddingTable, pictures: list[Projection], graph: Neighbors
) -> None:
    fake = Neighbors(graph.indices[:, ::-1], graph.distances, "cosine", recall=0.98765)
    shown = [pictures[0], replace(pictures[1], nearest=fake)]
    payload = build_payload(table, shown, ReportOptions(vectors="neighbors"))
    entry = payload.manifest["neighbors"]
    assert (entry["k"], entry["recall"]) == (10, 0.9876)
    assert np.array_equal(blocks_of(payload)[entry["indices"]][:, 0].T, graph.indices[:, :1:-1])
    other = build_payload(
        table.take(range(50)), [], ReportOptions(vectors="neighbors", metric="euclidean")
    )
    assert other.manifest["neighbors"]["metric"] == "euclidean"


def test_neighbors_of_other_points_or_another_metric_are_refused(
    table: EmbeddingTable, graph: Neighbors
) -> None:
    few = table.take(range(50))
    near = find_neighbors(few, range(50), 4)
    outside = Neighbors(near.indices + 47, near.distances, "cosine")
    for near_others, told in (
        (graph, "those of 8,000 points, the report has 50"),
        (Neighbors(near.indices, near.distances, "euclidean"), "by euclidean, the report shows"),
        (outside, "there is no point"),
    ):
        with pytest.raises(ParameterError, match=told):
            build_payload(few, [], ReportOptions(), neighbors=near_others)
    payload = build_payload(few, [], ReportOptions(vectors="neighbors"), neighbors=near)
    assert payload.manifest["neighbors"]["k"] == 4


@pytest.mark.parametrize("n", [2, 3, 5, 11])
def test_a_few_points_list_all_others(n: int) -> None:
    few = EmbeddingTable(np.random.default_rng(0).normal(size=(n, 4)))
    payload = build_payload(few, [], ReportOptions(vectors="neighbors"))
    entry = payload.manifest["neighbors"]
    assert entry["k"] == min(10, n - 1)
    assert blocks_of(payload)[entry["indices"]].shape == (min(10, n - 1), 1, n)


def test_duplicates_and_zero_vectors_are_listed_as_neighbors_are() -> None:
    rows = np.ones((20, 3))
    rows[3:6] = 0
    rows[10:] = np.random.default_rng(0).normal(size=(10, 3))
    zeros = EmbeddingTable(rows)
    listed = without_zero_rows(zeros, build_graph(zeros, 10))
    assert sorted({*range(20)} - {*listed.rows.tolist()}) == [3, 4, 5]
    want = find_neighbors(zeros, listed.rows, 10)
    assert np.array_equal(listed.neighbors.indices, want.indices)
    made = pack_lists([listed], 20, 10, rounded=True)
    indices, distances = map(unpack, made.blocks)
    assert (indices[:, 0, 3:6] == -1).all()
    assert (distances[:, 0, 0] == 0).sum() == 6


def test_neighbors_that_cannot_be_had_are_said_and_the_page_is_written() -> None:
    rows = np.ones((30, 2))
    rows[4, 1] = np.nan
    shown = Projection("mine", np.zeros((30, 2)))
    payload = build_payload(EmbeddingTable(rows), [shown], ReportOptions(vectors="neighbors"))
    assert payload.manifest["neighbors"] is None
    (told,) = payload.manifest["size"]["left_out"]
    assert "1 of 30 rows hold NaN or infinity" in told


def test_distances_of_any_size_are_listed_in_the_unit_of_the_vectors() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20, 3))
    for power in (-900, 0, 900):
        one = EmbeddingTable(np.ldexp(rows, power))
        options = ReportOptions(vectors="neighbors", metric="euclidean")
        payload = build_payload(one, [Projection("x", rng.normal(size=(20, 2)))], options)
        entry = payload.manifest["neighbors"]
        found = blocks_of(payload)[entry["distances"]][:, 0].T.astype(float) * entry["scale"]
        want = find_neighbors(EmbeddingTable(rows), range(20), 10, "euclidean").distances
        np.testing.assert_allclose(np.ldexp(found, -power), want, rtol=1e-5)


def test_the_graph_that_a_map_is_made_of_gives_the_lists(
    table: EmbeddingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = table.take(range(400))
    made = project(few, methods=["tsne:iterations=20"], dims=[2], metric="euclidean")
    monkeypatch.setattr("embviz.report.payload.list_neighbors", None)  # It is not asked again.
    options = ReportOptions(vectors="neighbors", metric="euclidean")
    payload = build_payload(few, made, options)
    found = blocks_of(payload)[payload.manifest["neighbors"]["indices"]][:, 0].T
    assert np.array_equal(found, find_neighbors(few, range(400), 10, "euclidean").indices)


def test_neighbors_of_all_points_are_not_taken_for_those_of_some(
    table: EmbeddingTable, graph: Neighbors
) -> None:
    rows = np.arange(0, 300, 3)
    few = table.take(rows)
    shown = Projection("x", np.zeros((100, 2)), nearest=graph)
    payload = build_payload(few, [shown], ReportOptions(vectors="neighbors"))
    found = blocks_of(payload)[payload.manifest["neighbors"]["indices"]][:, 0].T
    assert np.array_equal(found, find_neighbors(few, range(100), 10).indices)


def test_no_neighbors_are_looked_for_where_none_are_asked_for(
    table: EmbeddingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embviz.report.payload.list_neighbors", None)
    manifest = build_payload(table, [], ReportOptions(vectors="none")).manifest
    assert manifest["neighbors"] is None
    assert manifest["spaces"][0]["vectors"] is None
    assert manifest["size"]["left_out"] == []
    assert "--vectors neighbors" in manifest["spaces"][0]["vectors_note"]


def test_of_very_many_numbers_no_digits_travel_that_no_screen_shows(
    table: EmbeddingTable, graph: Neighbors
) -> None:
    payload = build_payload(table, [], ReportOptions(vectors="neighbors"), neighbors=graph)
    blocks, (entry,) = payload.manifest["blocks"], payload.manifest["projections"]
    assert entry["n_components"] == 10
    assert blocks[entry["coordinates"]]["dtype"] == "uint16"
    assert blocks["neighbor_distances"]["dtype"] == "bfloat16"
