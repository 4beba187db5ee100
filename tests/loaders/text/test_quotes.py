"""Quoted fields of CSV, of any length."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embviz.errors import LoadError
from embviz.loaders import list_tensors, load_table
from embviz.loaders.text.fields import split_quoted


@given(st.text('ab",;é ', min_size=1), st.sampled_from(",;\t"))
def test_quotes_are_read_as_csv_reads_them(line: str, delimiter: str) -> None:
    try:
        (wanted,) = csv.reader([line], delimiter=delimiter, strict=True)
    except csv.Error:
        with pytest.raises(ValueError, match=r"quote|expected"):
            split_quoted(line.encode(), delimiter.encode())
        return
    assert split_quoted(line.encode(), delimiter.encode()) == [f.encode() for f in wanted]


@pytest.mark.parametrize("row", [0, 1, 70])
@pytest.mark.parametrize("length", [131_072, 131_073, 1_000_000])
def test_a_cell_of_any_length_is_read(tmp_path: Path, row: int, length: int) -> None:
    labels = [f"w, {i}" for i in range(80)]
    labels[row] = 'a "b", ' + "ä" * length
    path = tmp_path / "x.csv"
    quoted = ['"' + label.replace('"', '""') + '"' for label in labels]
    path.write_text("".join(f"{q},{i},{i}.5\n" for i, q in enumerate(quoted)), encoding="utf-8")
    table = load_table(path)
    assert next(iter(table.metadata.values())) == tuple(labels)
    assert table.vectors[70].tolist() == [70, 70.5]
    assert list_tensors(path)[0].shape == (80, 2)


def test_text_behind_a_closed_quote_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('"a",1,2\n"b",3,4\n"c"d,5,6\n')
    with pytest.raises(LoadError, match=r"x\.csv:3: not CSV \(',' expected after"):
        load_table(path)
