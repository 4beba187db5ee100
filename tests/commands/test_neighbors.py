"""`embviz neighbors` and `embviz info` on the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NAMES = ["king", "man", "woman", "queen", "apple", "pear", "king"]


@pytest.fixture
def source(tmp_path: Path) -> tuple[str, ...]:
    vectors = np.array(
        [[3, 1, 0], [1, 1, 0], [1, -1, 0.1], [3, -1, 0.1], [0, 0.5, 3], [0.1, 0.4, 3], [3, 1, 0.2]],
        np.float32,
    )
    np.save(tmp_path / "x.npy", vectors)
    (tmp_path / "x.tsv").write_text("".join(f"{n}\n" for n in NAMES))
    return ("--source", "x.npy", "--metadata", "x.tsv")


def test_neighbors_lists_the_nearest_first_with_their_rows(run: Any, source: Any) -> None:
    ran = run("neighbors", "apple", *source, "-k", "2", "--format", "tsv")
    assert ran.status == 0
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert rows[0] == ["query", "label", "row", "distance"]
    assert [row[1] for row in rows[1:]] == ["pear", "man"]
    assert [row[2] for row in rows[1:]] == ["5", "1"]
    a, b = np.array([0, 0.5, 3]), np.float32([0.1, 0.4, 3]).astype(float)
    cosine = 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert float(rows[1][3]) == pytest.approx(cosine, abs=1e-6)


def test_arithmetic_leaves_its_operands_out(run: Any, source: Any) -> None:
    for words in (["king - man + woman"], ["king", "-", "man", "+", "woman"]):
        ran = run("neighbors", *words, *source, "-k", "1")
        assert ran.stdout.split()[0] == "queen", ran.stderr


def test_several_words_are_answered_one_after_the_other(run: Any, source: Any) -> None:
    ran = run("neighbors", "apple", "man", *source, "-k", "1", "--format", "json")
    answers = json.loads(ran.stdout)
    assert [(a["query"], a["neighbors"][0]["label"]) for a in answers] == [
        ("apple", "pear"),
        ("man", "king"),
    ]


def test_a_label_of_several_points_is_told_and_a_row_number_works(run: Any, source: Any) -> None:
    ran = run("neighbors", "king", *source, "-k", "1")
    assert "'king' is the label of 2 points" in ran.stderr
    assert run("neighbors", "5", *source, "-k", "1").stdout.split()[0] == "apple"


def test_more_neighbors_than_there_are_gives_all_and_says_so(run: Any, source: Any) -> None:
    ran = run("neighbors", "apple", *source, "-k", "50")
    assert len(ran.stdout.splitlines()) == 6
    assert "-k 50: there are 6 other points; all are listed" in ran.stderr


def test_an_unknown_label_is_refused_with_the_closest(run: Any, source: Any) -> None:
    ran = run("neighbors", "quen", *source)
    assert (ran.status, ran.stdout) == (2, "")
    assert "close to it: queen" in ran.stderr


@pytest.mark.parametrize("place", ["environment", "toml", "above", "logdir"])
def test_the_source_is_found_where_none_is_named(
    run: Any, source: Any, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "environment":
        monkeypatch.setenv("EMBVIZ_SOURCE", "x.npy")
        assert run("neighbors", "4", "-k", "1").stdout.split()[:2] == ["row", "5"]
        return
    if place == "logdir":
        lines = ["\t".join(map(str, row)) for row in np.load(tmp_path / "x.npy").tolist()]
        (tmp_path / "log").mkdir()
        (tmp_path / "log/v.tsv").write_text("\n".join(lines) + "\n")
        (tmp_path / "x.tsv").rename(tmp_path / "log/x.tsv")
        (tmp_path / "log/projector_config.pbtxt").write_text(
            'embeddings { tensor_name: "t" tensor_path: "v.tsv" metadata_path: "x.tsv" }'
        )
        assert run("neighbors", "apple", "-k", "1").stdout.split()[0] == "pear"
        return
    (tmp_path / "embviz.toml").write_text('source = "x.npy"\nmetadata = "x.tsv"\n')
    if place == "toml":
        assert run("neighbors", "apple", "-k", "1").stdout.split()[0] == "pear"
        return
    import subprocess
    import sys

    (tmp_path / "a/b").mkdir(parents=True)
    command = [sys.executable, "-m", "embviz", "neighbors", "apple", "-k", "1"]
    ran = subprocess.run(command, cwd=tmp_path / "a/b", capture_output=True, text=True, check=True)
    assert ran.stdout.split()[0] == "pear"


def test_without_a_source_the_four_places_are_named(run: Any) -> None:
    ran = run("neighbors", "apple")
    assert ran.status == 1
    for place in ("--source", "EMBVIZ_SOURCE", "embviz.toml", "logdir"):
        assert place in ran.stderr


def test_info_lists_tensors_and_marks_the_one_that_would_be_taken(run: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", table=np.zeros((4, 3), np.float16), bias=np.zeros(3))
    ran = run("info", "x.npz")
    assert ran.status == 0
    marked = [line.split() for line in ran.stdout.splitlines() if line.startswith("*")]
    assert marked[0][:6] == ["*", "table", "4", "×", "3", "float16"]
    listed = json.loads(run("info", "x.npz", "--format", "json").stdout)
    assert {t["name"]: t["taken"] for t in listed} == {"table": True, "bias": False}


def test_help_has_an_example_for_every_command(run: Any) -> None:
    for command in ((), ("project",), ("neighbors",), ("info",), ("demo",)):
        ran = run(*command, "--help")
        assert ran.status == 0
        assert "Example:\n" in ran.stdout
