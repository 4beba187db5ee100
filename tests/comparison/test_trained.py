"""What training changed: word2vec on Python's help and a classifier of digits, as they were saved.

The figures stand beside NumPy and SciPy on all distances, and say what the training did.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

import embviz
from embviz import EmbeddingTable
from tests.commands.test_project import manifest_of
from tests.trained import LAYOUTS, Run, train_digits, train_words, write_arrays, write_word2vec


def table_of(run: Run, step: int, column: str = "label") -> EmbeddingTable:
    return EmbeddingTable(run.states[step], {column: run.labels}, source=f"step {step}")


def rank_by_distance(vectors: Any) -> Any:
    """The rank of each point among the others of each, 1 for the nearest, from all distances."""
    distances = cdist(vectors.astype(np.float64), vectors.astype(np.float64), "cosine")
    np.fill_diagonal(distances, -1)
    ranks = np.empty(distances.shape, np.int64)
    np.put_along_axis(ranks, np.argsort(distances, axis=1), np.arange(len(ranks)), axis=1)
    return ranks


@pytest.mark.parametrize("train", [train_words, train_digits])
def test_the_figures_of_a_trained_model_are_those_of_all_distances(train: Any) -> None:
    run = train()
    first, *_, last = run.states
    found = embviz.compare(table_of(run, first), table_of(run, last))
    ranks = [rank_by_distance(run.states[step]) for step in (first, last)]
    for k, overlap in ((10, found.overlap10), (50, found.overlap50)):
        near_a, near_b = ((of_all > 0) & (of_all <= k) for of_all in ranks)
        assert overlap is not None
        common = (near_a & near_b).sum(axis=1) / k
        assert np.mean(overlap != common) < 0.01  # Float32 leaves open which of two is nearer.
        np.testing.assert_allclose(overlap, common, atol=1 / k)
    near = np.nonzero((ranks[0] > 0) & (ranks[0] <= 10))
    of_near = np.sort(ranks[1][near].reshape(-1, 10), axis=1)
    np.testing.assert_allclose(np.sort(found.ranks_in_b, axis=1), of_near, atol=2)
    assert found.figures["rank_median"] == pytest.approx(np.median(of_near), abs=1)


@pytest.mark.parametrize("train", [train_words, train_digits])
def test_training_changes_less_and_less(train: Any) -> None:
    run = train()
    *earlier, last = run.states
    tables = {step: table_of(run, step) for step in run.states}
    kept = [embviz.compare(tables[s], tables[last]).figures["overlap10"] for s in earlier]
    assert all(early < late - 0.01 for early, late in pairwise(kept))
    assert kept[0] < kept[-1] - 0.2
    ranks = [embviz.compare(tables[s], tables[last]).figures["rank_median"] for s in earlier]
    assert all(early >= late for early, late in pairwise(ranks))


def test_the_digits_that_one_pass_mixes_up_are_those_that_change_most() -> None:
    run = train_digits()
    digits = np.array(run.labels)
    found = embviz.compare(table_of(run, 1, "digit"), table_of(run, 200, "digit"))
    own = (digits[found.neighbors_a.indices[:, :10]] == digits[:, None]).mean(axis=1)
    groups = found.by_group["digit"]
    assert {value: figures["n"] for value, figures in groups.items()} == {
        value: np.count_nonzero(digits == value) for value in "0123456789"
    }
    for value, figures in groups.items():
        assert figures["overlap10"] == pytest.approx(found.overlap10[digits == value].mean())
    of_each = [(own[digits == value].mean(), groups[value]["overlap10"]) for value in groups]
    assert spearmanr(of_each).statistic > 0.4


def test_digits_of_one_kind_are_found_to_have_come_together() -> None:
    run = train_digits()
    digits = np.array(run.labels)
    groups = embviz.compare(table_of(run, 1), table_of(run, 200)).groups
    assert groups
    for group in groups:
        assert np.unique(digits[group.points], return_counts=True)[1].max() > 0.8 * len(
            group.points
        )
    rng = np.random.default_rng(0)
    shuffled = embviz.compare(run.states[1], rng.permutation(run.states[200]))
    assert shuffled.groups == ()
    assert shuffled.no_groups


def test_two_trainings_of_other_widths_agree_far_beyond_chance() -> None:
    narrow, wide = train_words(steps=(600,), width=20), train_words()
    found = embviz.compare(table_of(narrow, 600), table_of(wide, 1000))
    assert (found.a.n_dims, found.b.n_dims, found.matched_by) == (20, 32, "label")
    figures = found.figures
    assert figures["procrustes_residual"] is None
    assert figures["overlap10_random"] < 0.03
    assert figures["overlap10_calibrated"] > 0.3


def test_words_that_an_early_step_lacks_are_counted_and_left_out(run: Any, tmp_path: Path) -> None:
    words = train_words()
    some = slice(None, None, 2)
    write_word2vec(Run(words.labels[some], {100: words.states[100][some]}), tmp_path)
    write_word2vec(Run(words.labels, {1000: words.states[1000]}), tmp_path)
    ran = run("compare", "vectors.100.vec", "vectors.1000.vec", "--json")
    found = json.loads(ran.stdout)
    n_some, n_all = len(words.labels[some]), len(words.labels)
    assert (found["n_matched"], found["only_a"], found["only_b"]) == (n_some, 0, n_all - n_some)
    alone = embviz.compare(words.states[100][some], words.states[1000][some])
    assert found["figures"]["overlap10"] == pytest.approx(alone.figures["overlap10"], abs=1e-3)


def test_the_same_command_writes_the_same_bytes(tmp_path: Path) -> None:
    words = train_words()
    made = []
    for seed in "12":
        folder = tmp_path / seed
        folder.mkdir()
        write_arrays(words, folder)
        files = ["vectors-100.npy", "vectors-1000.npy", "--metadata", "labels.tsv"]
        wanted = ["--json", "--save-changes", "changes.tsv", "-o", "changes.html"]
        page = ["--method", "pca", "--method", "tsne", "--iterations", "60", "--dims", "2"]
        ran = subprocess.run(
            [sys.executable, "-m", "embviz", "compare", *files, *wanted, *page],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr.decode()
        told = json.loads(ran.stdout)
        assert told.pop("timings")["total"] > 0
        made.append([told, *(folder.joinpath(f).read_bytes() for f in wanted[2::2])])
    assert made[0] == made[1]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_run_is_read_in_the_order_of_its_steps_however_it_was_saved(
    layout: str, tmp_path: Path
) -> None:
    if layout == "tensorflow" and importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed")
    words = train_words()
    LAYOUTS[layout](words, tmp_path)
    labels = tmp_path / "labels.tsv"
    steps = embviz.load_steps(tmp_path, metadata=labels if labels.exists() else None)
    assert steps.names == tuple(map(str, words.states))
    for step, vectors in zip(steps.steps, words.states.values(), strict=True):
        np.testing.assert_array_equal(step.table.vectors[:], vectors)
        assert [step.table.label(i) for i in range(len(vectors))] == list(words.labels)
        assert step.present is None


def test_a_page_of_a_run_says_how_training_comes_to_rest(run: Any, tmp_path: Path) -> None:
    words = train_words()
    write_arrays(words, tmp_path)
    asked = ["--steps", "last:4", "--metadata", "labels.tsv", "-o", "out.html"]
    ran = run("project", "vectors-*.npy", *asked)
    assert ran.status == 0, ran.stderr
    manifest = manifest_of(tmp_path / "out.html")
    assert manifest["title"] == "vectors-100.npy → vectors-1000.npy"
    found = manifest["steps"]
    assert found["names"] == ["100", "200", "400", "1000"]
    tables = [table_of(words, step) for step in (100, 200, 400, 1000)]
    share = {
        (i, j): embviz.compare(tables[i], tables[j]).figures["overlap10"]
        for i, j in ((0, 1), (1, 2), (2, 3), (0, 3), (1, 3))
    }
    from_previous = [share[0, 1], share[1, 2], share[2, 3]]
    assert found["figures"]["kept_from_previous"][1:] == pytest.approx(from_previous, abs=1e-3)
    of_last = [share[0, 3], share[1, 3], share[2, 3], 1]
    assert found["figures"]["kept_of_last"] == pytest.approx(of_last, abs=1e-3)
    assert of_last == sorted(of_last)


def test_motion_is_the_rank_correlation_of_ways_on_the_page_and_lost_neighbors() -> None:
    run = train_digits()
    tables = [table_of(run, step) for step in run.states]
    steps = embviz.Steps(tuple(map(embviz.Step, map(str, run.states), tables)), tables[-1])
    (projection,) = embviz.project_steps(steps, methods=["pca"], dims=[2])
    assert projection.frames is not None
    places = projection.frames.coordinates[:, :, :2].astype(np.float64)
    ways, lost = [], []
    for i, (before, after) in enumerate(pairwise(places)):
        spread = np.sqrt(np.square(before - before.mean(axis=0)).sum(axis=1).mean())
        ways.append(np.linalg.norm(after - before, axis=1) / spread)
        lost.append(1 - embviz.compare(tables[i], tables[i + 1]).overlap10)
    found = projection.frames.figures["motion"]
    assert found[0] is None
    each = [spearmanr(way, gone).statistic for way, gone in zip(ways, lost, strict=True)]
    assert list(found[1:]) == pytest.approx(each, abs=2e-3)
    overall = spearmanr(np.concatenate(ways), np.concatenate(lost)).statistic
    assert projection.stats["motion"]["2"] == pytest.approx(overall, abs=2e-3)
