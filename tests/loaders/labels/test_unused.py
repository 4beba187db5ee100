"""Rows of a vocabulary that no token has are left out, without copying the others."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import ParameterError
from embviz.loaders import load_table
from embviz.loaders.labels.unused import drop_unused
from embviz.model import EmbeddingTable
from embviz.rows import keep_rows, read_rows

VECTORS = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
LABELS = "token\tkind\n" + "".join(
    f"{token}\t{kind}\n"
    for token, kind in (
        ("[PAD]", "special"), ("[unused1]", "unused"), ("the", "word"), ("of", "word"),
        ("and", "word"), ("to", "word"), ("[unused 6]", "unused"), ("[unused 7]", "unused"),
    )
)  # fmt: skip


class Sliced:
    """Rows that give slices and nothing else."""

    shape, dtype = VECTORS.shape, VECTORS.dtype

    def __getitem__(self, rows: slice) -> Any:
        assert isinstance(rows, slice)
        return VECTORS[rows]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", VECTORS)
    Path("x.tsv").write_text(LABELS)


@pytest.mark.usefixtures("source")
def test_unused_rows_are_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "embviz"):
        table = load_table("x.npy", metadata="x.tsv", drop_unused=True)
    assert "x.npy: 3 rows that no token has were left out" in caplog.text
    assert table.metadata["token"] == ("[PAD]", "the", "of", "and", "to")
    assert table.rows is not None
    assert table.rows.tolist() == [0, 2, 3, 4, 5]
    np.testing.assert_array_equal(table.vectors[:], VECTORS[[0, 2, 3, 4, 5]])


def test_rows_that_are_unused_at_the_end_leave_a_view() -> None:
    table = EmbeddingTable(VECTORS, {"kind": ("word",) * 6 + ("unused",) * 2})
    kept = drop_unused(table)
    assert isinstance(kept.vectors, np.ndarray)
    assert np.shares_memory(kept.vectors, VECTORS)
    assert kept.n_points == 6


def test_a_table_without_the_column_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"no column 'kind'.*--metadata tokenizer\.json"):
        drop_unused(EmbeddingTable(VECTORS, source="x.npy"))
    with pytest.raises(ParameterError, match=r"every row of x\.npy is unused"):
        drop_unused(EmbeddingTable(VECTORS, {"kind": ("unused",) * 8}, source="x.npy"))


def test_a_table_without_unused_rows_stays_as_it_is() -> None:
    table = EmbeddingTable(VECTORS, {"kind": ("word",) * 8})
    assert drop_unused(table) is table


@pytest.mark.parametrize("rows", [VECTORS, Sliced()], ids=["array", "rows"])
@settings(max_examples=60, deadline=None)
@given(
    kept=st.sets(st.integers(0, 7), min_size=1),
    start=st.integers(0, 8),
    stop=st.integers(0, 8),
    data=st.data(),
)
def test_rows_that_are_kept_are_those_of_the_whole(
    rows: Any, kept: set[int], start: int, stop: int, data: st.DataObject
) -> None:
    numbers = np.array(sorted(kept))
    found = keep_rows(rows, numbers)
    assert found.shape == (len(kept), 3)
    np.testing.assert_array_equal(found[start:stop], VECTORS[numbers][start:stop])
    some = np.array(data.draw(st.lists(st.integers(0, len(kept) - 1))), np.int64)
    np.testing.assert_array_equal(read_rows(found, some), VECTORS[numbers][some])
    again = keep_rows(found, np.arange(len(kept))[::2])
    np.testing.assert_array_equal(again[:], VECTORS[numbers][::2])


@pytest.mark.usefixtures("source")
def test_every_command_leaves_unused_rows_out(run: Any) -> None:
    given = ["x.npy", "--metadata", "x.tsv", "--drop-unused"]
    told = "3 rows that no token has were left out"
    ran = run("neighbors", "the", "--source", *given, "-k", "7", "--metric", "euclidean")
    assert told in ran.stderr
    rows = [int(line.split("\t")[2]) for line in ran.stdout.splitlines()[1:]]
    assert sorted(rows) == [0, 3, 4, 5]
    assert told in run("index", *given, "-o", "idx").stderr
    asked = run("neighbors", "to", "--source", "idx", "-k", "1", "--drop-unused")
    assert (asked.status, "--drop-unused: idx is an index" in asked.stderr) == (2, True)
    assert run("export", *given, "-o", "logs").status == 0
    assert Path("logs/metadata.tsv").read_text().count("\n") == 6
    ran = run("project", "x.npy", "--drop-unused", "-o", "x.html")
    assert (ran.status, "no column 'kind'" in ran.stderr) == (2, True)
    ran = run("project", *given, "--images", "pictures", "-o", "x.html")
    assert (ran.status, "--images: cannot be combined" in ran.stderr) == (2, True)
