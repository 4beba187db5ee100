"""`embviz compare` on the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embviz

N = 60


@pytest.fixture
def models(tmp_path: Path) -> tuple[str, str]:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((N, 6)).astype(np.float32)
    b = np.hstack([a, rng.standard_normal((N, 2))]).astype(np.float32)
    names = [f"w{i}" for i in range(N)]
    order = rng.permutation(N)[: N - 2]
    rows = [[*map(repr, map(float, row))] for row in b]
    (tmp_path / "old.tsv").write_text(
        "".join(
            "\t".join([n, *map(repr, map(float, r))]) + "\n" for n, r in zip(names, a, strict=True)
        )
    )
    (tmp_path / "new.tsv").write_text(
        "".join("\t".join([names[i], *rows[i]]) + "\n" for i in order.tolist())
        + "\t".join(["added", *rows[0]]) + "\n"
    )  # fmt: skip
    return "old.tsv", "new.tsv"


def test_two_models_of_other_widths_and_orders_are_compared_by_label(
    run: Any, models: tuple[str, str], tmp_path: Path
) -> None:
    ran = run("compare", *models)
    assert ran.status == 0, ran.stderr
    assert "A old.tsv: 6 dimensions" in ran.stdout
    assert "B new.tsv: 8 dimensions" in ran.stdout
    assert "58 points in both, matched by label" in ran.stdout
    assert "2 points in A only, left out: w" in ran.stdout
    assert "1 point in B only, left out: added" in ran.stdout
    found = embviz.compare(tmp_path / "old.tsv", tmp_path / "new.tsv")
    share = found.figures["overlap10"]
    assert share is not None
    assert f"of the 10 nearest in common  {100 * share:.1f} %" in ran.stdout


def test_the_json_object_is_what_python_finds(
    run: Any, models: tuple[str, str], tmp_path: Path
) -> None:
    ran = run("compare", *models, "--json", "--metric", "euclidean")
    found = json.loads(ran.stdout)
    expected = embviz.compare(tmp_path / "old.tsv", tmp_path / "new.tsv", metric="euclidean")
    assert found["figures"] == embviz.comparison_object(expected)["figures"]
    assert (found["n_matched"], found["only_a"], found["only_b"]) == (58, 2, 1)
    assert {*found["most_changed"][0]} >= {"label", "row_a", "row_b", "overlap10", "came", "left"}


def test_a_condition_that_holds_exits_with_3_after_all_is_written(
    run: Any, models: tuple[str, str], tmp_path: Path
) -> None:
    given = ["--save-changes", "c.tsv", "--fail-if", "overlap10 < 0.9 and not rank_median < 3"]
    ran = run("compare", *models, "--json", *given)
    share = json.loads(ran.stdout)["figures"]["overlap10"]
    assert ran.status == 3
    assert f"overlap10 is {share:.4g}, rank_median is " in ran.stderr
    assert len((tmp_path / "c.tsv").read_text().splitlines()) == 59
    assert run("compare", *models, "--fail-if", "overlap10 > 0.99").status == 0


def test_a_condition_that_is_not_understood_is_refused_before_anything_is_read(run: Any) -> None:
    ran = run("compare", "no.npy", "none.npy", "--fail-if", "speed > 1")
    assert ran.status == 2
    assert "there is no figure 'speed'" in ran.stderr
    assert "figures are overlap10, overlap10_calibrated" in ran.stderr


def test_options_of_the_report_are_refused_without_one(run: Any, models: tuple[str, str]) -> None:
    ran = run("compare", *models, "--method", "umap")
    assert (ran.status, ran.stdout) == (2, "")
    assert "--method: belongs to the report; add -o FILE, or leave it out" in ran.stderr
    ran = run("compare", *models, "-o", "-")
    assert ran.status == 2
    assert "the standard output has the figures" in ran.stderr


def test_an_input_is_not_overwritten(run: Any, models: tuple[str, str], tmp_path: Path) -> None:
    before = (tmp_path / "new.tsv").read_bytes()
    for option in ("--save-changes", "-o"):
        ran = run("compare", *models, option, "new.tsv")
        assert ran.status == 2
        assert "would overwrite the source" in ran.stderr
    assert (tmp_path / "new.tsv").read_bytes() == before


def test_points_that_cannot_be_matched_are_refused_with_their_counts(
    run: Any, tmp_path: Path
) -> None:
    for name, n in (("a.npy", 40), ("b.npy", 50)):
        np.save(tmp_path / name, np.random.default_rng(0).standard_normal((n, 4)))
    ran = run("compare", "a.npy", "b.npy")
    assert ran.status == 1
    assert "there are 40 points and 50" in ran.stderr
    (tmp_path / "a.txt").write_text("".join(f"{i}\n" for i in range(40)))
    (tmp_path / "b.txt").write_text("".join(f"{i}\n" for i in range(49, -1, -1)))
    ran = run("compare", "a.npy", "b.npy", "--metadata", "a.txt", "--metadata-b", "b.txt")
    assert ran.status == 0, ran.stderr
    assert "40 points in both, matched by label" in ran.stdout


def test_points_are_the_same_as_is_asked(run: Any, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((40, 4))
    order = np.random.default_rng(1).permutation(40)
    for name, rows in (("a", np.arange(40)), ("b", order)):
        np.save(tmp_path / f"{name}.npy", vectors[rows])
        lines = [f"{name}{i}\t{row}\n" for i, row in enumerate(rows.tolist())]
        (tmp_path / f"{name}.tsv").write_text("label\tid\n" + "".join(lines))
    files = ["a.npy", "b.npy", "--metadata", "a.tsv", "--metadata-b", "b.tsv", "--json"]
    for way, is_same in (("id", True), ("row", False)):
        ran = run("compare", *files, "--match", way)
        assert ran.status == 0, ran.stderr
        found = json.loads(ran.stdout)
        assert found["matched_by"] == way
        assert (found["figures"]["overlap10"] == 1) == is_same
    assert run("compare", *files, "--match", "label").status == 1


def test_a_tensor_of_each_side_is_named(run: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {name: rng.standard_normal((30, 4)) for name in ("first", "second")}
    np.savez(tmp_path / "m.npz", **arrays)
    ran = run("compare", "m.npz", "m.npz", "--tensor", "first", "--tensor-b", "second", "--json")
    found = json.loads(ran.stdout)
    assert (found["a"]["tensor"], found["b"]["tensor"]) == ("first", "second")
    expected = embviz.compare(arrays["first"], arrays["second"]).figures["overlap10"]
    assert found["figures"]["overlap10"] == pytest.approx(expected, abs=1e-9)


def test_rows_that_are_not_finite_are_left_out_of_both(run: Any, tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((30, 4))
    np.save(tmp_path / "a.npy", vectors)
    vectors[5] = np.nan
    np.save(tmp_path / "b.npy", vectors)
    (tmp_path / "l.txt").write_text("".join(f"w{i}\n" for i in range(30)))
    ran = run("compare", "a.npy", "b.npy", "--metadata", "l.txt")
    assert ran.status == 1
    assert "--drop-nonfinite" in ran.stderr
    ran = run("compare", "a.npy", "b.npy", "--metadata", "l.txt", "--drop-nonfinite", "--json")
    found = json.loads(ran.stdout)
    assert (found["n_matched"], found["only_a"], found["figures"]["overlap10"]) == (29, 1, 1)


def test_labels_cannot_write_to_the_terminal(run: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, rng.standard_normal((30, 4)))
    labels = "".join(f"w{i}\x1b[31m\n" for i in range(30))
    (tmp_path / "l.txt").write_text(labels)
    ran = run("compare", "a.npy", "b.npy", "--metadata", "l.txt")
    assert ran.status == 0
    assert "\x1b" not in ran.stdout + ran.stderr
    assert "w1" in ran.stdout
