"""Which points of two tables are the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.comparison.match import match_tables, take_matched
from embviz.errors import LoadError, ParameterError
from embviz.model import EmbeddingTable


def table(labels: list[str] | None, n: int | None = None, **columns: list[str]) -> EmbeddingTable:
    given = {} if labels is None else {"label": labels}
    rows = n or len(labels or next(iter(columns.values())))
    vectors = np.arange(rows * 2, dtype=np.float64).reshape(rows, 2)
    return EmbeddingTable(vectors, given | columns, source="x.tsv")  # type: ignore[arg-type]


def test_points_of_equal_labels_match_whatever_their_order() -> None:
    a, b = table(["x", "y", "z"]), table(["z", "w", "x"])
    found = match_tables(a, b)
    assert found.by == "label"
    assert found.rows_a.tolist() == [0, 2]
    assert found.rows_b.tolist() == [2, 0]
    assert found.only_a.tolist() == [1]
    assert found.only_b.tolist() == [1]
    left, right = take_matched(a, b, found)
    assert left.metadata["label"] == right.metadata["label"] == ("x", "z")
    assert right.vectors[0].tolist() == [4, 5]
    assert right.rows is not None
    assert right.rows.tolist() == [2, 0]


@settings(deadline=None)
@given(
    st.lists(st.text("abc", max_size=2), unique=True),
    st.lists(st.text("abc", max_size=2), unique=True),
)
def test_every_point_is_matched_once_or_left_out(of_a: list[str], of_b: list[str]) -> None:
    of_a, of_b = [[*filter(None, labels)] for labels in (of_a, of_b)]
    if not set(of_a) & set(of_b):
        return
    found = match_tables(table(of_a), table(of_b))
    both = [of_a[i] for i in found.rows_a]
    assert both == [of_b[i] for i in found.rows_b] == [x for x in of_a if x in of_b]
    assert {of_a[i] for i in found.only_a} == set(of_a) - set(of_b)
    assert {of_b[i] for i in found.only_b} == set(of_b) - set(of_a)


def test_points_without_labels_match_by_row_where_the_counts_agree() -> None:
    assert match_tables(table(None, 3), table(None, 3)).by == "row"
    assert match_tables(table(["x", "y", "z"]), table(None, 3)).by == "row"
    with pytest.raises(LoadError, match="has no labels, and there are 3 points and 4; --match"):
        match_tables(table(None, 3), table(None, 4))


def test_repeated_labels_match_by_row_where_no_row_contradicts() -> None:
    assert match_tables(table(["x", "x", "y"]), table(["x", "x", "y"])).by == "row"
    with pytest.raises(LoadError, match="has 'x' 2 times, and row 2 is 'y' there, 'z' here"):
        match_tables(table(["x", "x", "y"]), table(["x", "x", "z"]))
    with pytest.raises(LoadError, match="there are 3 points and 2"):
        match_tables(table(["x", "x", "y"]), table(["x", "y"]))


def test_labels_without_one_in_common_are_refused() -> None:
    with pytest.raises(LoadError, match="no label in common"):
        match_tables(table(["x", "y"]), table(["u", "v"]))


def test_measured_numbers_are_no_labels_and_whole_ones_are() -> None:
    losses = table(None, loss=["0.1", "0.2", "0.3"])
    assert match_tables(losses, table(None, loss=["0.2", "0.1", "0.3"])).by == "row"
    numbered = match_tables(table(None, id=["7", "8", "9"]), table(None, id=["9", "8"]))
    assert numbered.rows_b.tolist() == [1, 0]


def test_points_match_by_a_column_that_is_named() -> None:
    a = table(["x", "x", "x"], id=["1", "2", "3"])
    b = table(["y", "y"], id=["3", "1"])
    found = match_tables(a, b, "id")
    assert (found.by, found.rows_a.tolist(), found.rows_b.tolist()) == ("id", [0, 2], [1, 0])
    with pytest.raises(ParameterError, match=r"--match key: x\.tsv has no such column; there are"):
        match_tables(a, b, "key")
    with pytest.raises(LoadError, match="'x' 3 times: no match by label"):
        match_tables(a, b, "label")


def test_rows_match_where_that_is_asked_for_whatever_the_labels() -> None:
    assert match_tables(table(["x", "y"]), table(["y", "x"]), "row").rows_b.tolist() == [0, 1]
    with pytest.raises(LoadError, match="2 points and 3"):
        match_tables(table(["x", "y"]), table(["y", "x", "z"]), "row")
