"""`--columns` and `--strict` in every command that opens a source."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

N = 120
RNG = np.random.default_rng(5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A CSV with a list beside numbers, one of digits with their class, vectors that miscount."""
    vectors = RNG.normal(size=(N, 6)).round(4)
    frame = pd.DataFrame(
        {"title": [f"t{i}" for i in range(N)], "score": range(N), "size": range(N)}
    )
    frame.assign(embedding=vectors.tolist()).to_csv(tmp_path / "food.csv")
    digits = np.hstack([RNG.integers(0, 256, (N, 12)), RNG.integers(0, 10, (N, 1))])
    np.savetxt(tmp_path / "digits.csv", digits, fmt="%d", delimiter=",")
    rows = "".join(f"w{i} {i}.5 1 2\n" for i in range(9))
    (tmp_path / "off.vec").write_text("10 3\n" + rows)
    np.save(tmp_path / "x.npy", vectors)
    return tmp_path


def test_a_list_is_taken_and_said_and_columns_overrule_it(run: Any, folder: Path) -> None:
    ran = run("info", "food.csv")
    assert re.search(r"\* +embedding +120 . 6 ", ran.stdout)
    assert (
        "taking column 'embedding' (6 numbers); as metadata: column 1, title, score" in ran.stderr
    )
    ran = run("info", "food.csv", "--columns", "score-size")
    assert re.search(r"\* +food.csv +120 . 2 ", ran.stdout)
    ran = run("neighbors", "t5", "--source", "food.csv", "--columns", "score,size", "-k", "1")
    assert ran.stdout.splitlines()[1].startswith("t5\tt")
    assert run("export", "food.csv", "--columns", "score,size", "-o", "log").status == 0
    assert (folder / "log/tensor.bytes").stat().st_size == N * 2 * 4
    assert run("index", "food.csv", "--columns", "score,size", "-o", "idx").status == 0


def test_what_a_refusal_offers_works_when_it_is_typed(run: Any, folder: Path) -> None:
    ran = run("project", "digits.csv", "-o", "o.html")
    assert ran.status == 1
    assert "column 13 holds whole numbers, 0 to 9: a class, or a dimension?" in ran.stderr
    offered = re.findall(r"--columns \S+", ran.stderr)
    assert len(offered) == 2
    for answer, n_dims in zip(offered, (12, 13), strict=True):
        ran = run("info", "digits.csv", *shlex.split(answer))
        assert f" {n_dims}  float32" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["info", "food.csv", "--columns", "titel"], "has no column 'titel'; did you mean title"),
        (["info", "food.csv", "--columns", "title"], "column 'title' of food.csv holds text"),
        (["info", "x.npy", "--columns", "1-3"], "x.npy is read as npy"),
    ],
)
def test_columns_that_cannot_be_taken_are_status_2(
    run: Any, folder: Path, arguments: list[str], said: str
) -> None:
    ran = run(*arguments)
    assert ran.status == 2
    assert said in ran.stderr


def test_a_header_that_miscounts_is_told_or_refused(run: Any, folder: Path) -> None:
    ran = run("export", "off.vec", "-o", "log")
    assert ran.status == 0
    assert "off.vec:1: the header says 10 rows, the file has 9, which are taken" in ran.stderr
    ran = run("export", "off.vec", "-o", "log2", "--strict")
    assert ran.status == 1
    assert not (folder / "log2").exists()
