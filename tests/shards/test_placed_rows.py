"""All rows placed by their neighbors in a sample: shards, densities and figures."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from embviz.errors import OutputError
from embviz.model import EmbeddingTable, Metric
from embviz.neighbors.landmarks import open_landmarks
from embviz.neighbors.views import view_of
from embviz.projections.among import NEIGHBORS, place_among, spacings
from embviz.shards import placing, running
from embviz.shards.blocks import open_shards
from embviz.shards.folder import Layout, placed_folder, prefixes_of
from embviz.shards.grid import grid_over
from embviz.shards.kept import Kept, ask_for, compare_maps, draw_rows
from embviz.shards.placing import place_all
from embviz.shards.running import Workers, open_workers
from embviz.shards.staging import Target, open_staged, stage_sample
from embviz.shards.values import Density, Sample
from embviz.space import open_space

N, N_DIMS, N_SAMPLE = 3000, 8, 300


def clustered(seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centers = 4 * rng.normal(size=(12, N_DIMS))
    return (centers[rng.integers(0, 12, N)] + rng.normal(size=(N, N_DIMS))).astype(np.float32)


def saved(folder: Path, vectors: NDArray[np.float32], cuts: Sequence[int]) -> str:
    folder.mkdir()
    for i, part in enumerate(np.split(vectors, cuts)):
        np.save(folder / f"part-{i}.npy", part)
    return str(folder / "*.npy")


def place(
    source: str, vectors: NDArray[np.float32], out: Path, *,
    scheduler: str | None = None, metric: Metric = "euclidean", rows_a_file: int = 700,
) -> tuple[tuple[Density, ...], dict[str, Kept]]:  # fmt: skip
    rng = np.random.default_rng(1)
    chosen = np.sort(rng.choice(len(vectors), min(N_SAMPLE, len(vectors)), replace=False))
    theirs = vectors[chosen]
    # A map that keeps neighbors, without the cost of one: two dimensions of the vectors.
    maps = [np.ascontiguousarray(theirs[:, a : a + 2]) for a in (0, 2)]
    rows = open_shards(source)
    view = view_of(open_space(EmbeddingTable(vectors)), metric)
    sample = Sample(chosen.astype(np.int64), np.ones(len(chosen)), len(vectors))
    with placed_folder(out) as folder, open_workers(scheduler) as workers:
        layout = Layout(str(folder), rows.n_rows, rows_a_file, prefixes_of(("a", "b")))
        marks = open_landmarks(view, theirs, NEIGHBORS, rows.n_rows, 0)
        targets = [Target(k, m, grid_over(m), True) for k, m in zip("ab", maps, strict=True)]
        stage_sample(layout.work, marks, sample.rows, targets)
        asked = ask_for(rows, draw_rows(rows.n_rows, 0), view, (sample, theirs))
        densities, near = place_all(workers, rows, layout, asked)
        assert asked is not None
        assert near is not None
        kept = compare_maps(workers, layout, asked, near)
    open_staged.cache_clear()
    return densities, kept


def read(out: Path, prefix: str) -> NDArray[np.float32]:
    return np.concatenate([np.load(file) for file in sorted(out.glob(f"{prefix}-*.npy"))])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_each_row_is_placed_by_its_nearest_in_the_sample(tmp_path: Path, metric: Metric) -> None:
    vectors = clustered()
    source = saved(tmp_path / "in", vectors, [1000, 1001, 2500])
    place(source, vectors, tmp_path / "out", metric=metric)
    chosen = np.sort(np.random.default_rng(1).choice(N, N_SAMPLE, replace=False))
    oracle = NearestNeighbors(n_neighbors=NEIGHBORS, metric=metric, algorithm="brute")
    distances, found = oracle.fit(vectors[chosen].astype(np.float64)).kneighbors(
        vectors.astype(np.float64)
    )
    lengths = distances if metric == "euclidean" else np.sqrt(2 * distances)
    places = vectors[chosen][:, :2]
    expected = place_among(places, spacings(places), found, lengths)
    expected[chosen] = places
    np.testing.assert_allclose(read(tmp_path / "out", "a-places"), expected, atol=2e-3)
    np.testing.assert_array_equal(read(tmp_path / "out", "a-places")[chosen], places)
    distances[chosen, 0] = 0
    np.testing.assert_allclose(
        read(tmp_path / "out", "distances"), distances[:, 0], rtol=1e-4, atol=1e-5
    )
    assert {p.name.rpartition("-")[0] for p in (tmp_path / "out").iterdir()} == {
        "a-places", "b-places", "distances",
    }  # fmt: skip


def test_the_density_counts_every_row_in_its_cell(tmp_path: Path) -> None:
    vectors = clustered()
    densities, _ = place(saved(tmp_path / "in", vectors, [500]), vectors, tmp_path / "out")
    places = read(tmp_path / "out", "b-places").astype(np.float64)
    density = densities[1]
    assert (density.of, density.n_points, int(density.counts.sum())) == ("b", N, N)
    height, width = density.counts.shape
    assert max(height, width) == 1024
    expected = np.histogram2d(
        places[:, 1], places[:, 0], bins=(height, width),
        range=[[density.low[1], density.high[1]], [density.low[0], density.high[0]]],
    )[0]  # fmt: skip
    np.testing.assert_array_equal(density.counts, expected)
    cells = (density.high - density.low) / (width, height)
    assert cells[0] == pytest.approx(cells[1])


def test_the_share_of_neighbors_kept_is_that_of_comparing_all_with_all(tmp_path: Path) -> None:
    vectors = clustered()
    _, kept = place(saved(tmp_path / "in", vectors, [900]), vectors, tmp_path / "out")
    rows = draw_rows(N, 0)
    true = NearestNeighbors(n_neighbors=11).fit(vectors).kneighbors(vectors[rows])[1][:, 1:]
    for prefix in ("a-places", "b-places"):
        places = read(tmp_path / "out", prefix).astype(np.float64)
        near = NearestNeighbors(n_neighbors=12).fit(places).kneighbors(places[rows])[1]
        near = np.array(
            [[j for j in some if j != i][:10] for i, some in zip(rows, near, strict=True)]
        )
        shares = [len(set(a) & set(b)) / 10 for a, b in zip(true, near, strict=True)]
        assert kept[prefix].share == pytest.approx(np.mean(shares), abs=2e-3)
        assert kept[prefix].error == pytest.approx(
            np.std(shares, ddof=1) / np.sqrt(len(rows)) * np.sqrt(1 - len(rows) / N), rel=0.02
        )
        assert (kept[prefix].k, kept[prefix].n_rows) == (10, 1000)


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


@pytest.mark.parametrize("cuts", [[], [1, 2, 1999], [600, 2999]])
def test_files_and_workers_change_no_byte(tmp_path: Path, cuts: list[int]) -> None:
    vectors = clustered()
    made = []
    for i, (cut, scheduler) in enumerate((([900], None), (cuts, None), (cuts, "processes:2"))):
        source = saved(tmp_path / f"in{i}", vectors, cut)
        if scheduler and cuts != [1, 2, 1999]:
            continue
        found = place(source, vectors, tmp_path / f"out{i}", scheduler=scheduler)
        made.append((all_bytes(tmp_path / f"out{i}"), found[1], [d.counts for d in found[0]]))
    for files, kept, counts in made[1:]:
        assert files == made[0][0]
        assert kept == made[0][1]
        assert all((a == b).all() for a, b in zip(counts, made[0][2], strict=True))


def test_a_worker_that_comes_again_or_late_changes_nothing(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    with placed_folder(tmp_path / "out") as folder:
        layout = Layout(str(folder), 3, 3, ("places",))
        for _ in range(2):
            layout.write("places", 0, values)
    before = all_bytes(tmp_path / "out")
    assert sorted(before) == ["places-00000.npy"]
    late = Layout(str(tmp_path / "out"), 3, 3, ("places",))
    for each in (layout, late):
        with pytest.raises(OutputError, match="cannot be written"):
            each.write("places", 0, values + 1)
    assert all_bytes(tmp_path / "out") == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_process_that_is_killed_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = clustered()
    source = saved(tmp_path / "in", vectors, [900])
    place(source, vectors, tmp_path / "whole", scheduler="processes:2", rows_a_file=256)
    killed: list[int] = []
    write = running.map_blocks

    def killing(workers: Workers, work: Any, blocks: Any, what: str) -> Iterator[Any]:
        for i, found in enumerate(write(workers, work, blocks, what)):
            if i == 1:
                killed.append(next(iter(vars(workers.executor)["_processes"])))
                os.kill(killed[-1], signal.SIGKILL)
            yield found

    monkeypatch.setattr(placing, "map_blocks", killing)
    place(source, vectors, tmp_path / "killed", scheduler="processes:2", rows_a_file=256)
    assert len(killed) == 1
    assert all_bytes(tmp_path / "killed") == all_bytes(tmp_path / "whole")


def test_how_many_rows_a_file_holds_depends_on_their_width_alone() -> None:
    assert [placing.rows_a_file(d) for d in (2, 64, 768, 100_000)] == [65536, 65536, 16384, 1024]


def test_rows_without_a_direction_are_placed_in_the_middle(tmp_path: Path) -> None:
    vectors = clustered()
    chosen = np.sort(np.random.default_rng(1).choice(N, N_SAMPLE, replace=False))
    lost = np.setdiff1d(np.arange(20), chosen)
    vectors[lost] = 0
    place(saved(tmp_path / "in", vectors, [900]), vectors, tmp_path / "out", metric="cosine")
    places = read(tmp_path / "out", "a-places")
    assert len(np.unique(places[lost], axis=0)) == 1
    others = vectors[chosen][:, :2].astype(np.float64)
    step = np.array([[0.1, 0], [-0.1, 0], [0, 0.1], [0, -0.1]])
    costs = [np.linalg.norm(others - places[lost[0]] - s, axis=1).sum() for s in step]
    assert np.linalg.norm(others - places[lost[0]], axis=1).sum() <= min(costs)
