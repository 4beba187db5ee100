"""`--columns`: which columns a user says are the vector."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embviz.errors import ParameterError
from embviz.loaders.columns.request import ColumnRequest, describe_columns, read_request

NAMES = ["ProductId", "a-b", "x0", "x1", "x2", "n, tokens", "all"]


def ask(text: str, names: list[str] = NAMES) -> ColumnRequest:
    return read_request(text, names, "t.csv")


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("3-5", (2, 3, 4)),
        ("x0-x2", (2, 3, 4)),
        ("x0, x2", (2, 4)),
        ("a-b", (1,)),
        ("a-b-x1", (1, 2, 3)),
        ('"n, tokens"', (5,)),
        ("vector=x0-x1,6", (2, 3, 5)),
        ("@1", (0,)),
        ("all", (6,)),
    ],
)
def test_columns_are_named_by_name_place_and_range(text: str, taken: tuple[int, ...]) -> None:
    assert ask(text) == ColumnRequest(taken)


def test_columns_are_left_out_of_those_that_would_be_taken() -> None:
    request = ask("-ProductId,-@2")
    assert request.left == {0, 1}
    assert request.choose([0, 1, 2, 3], [0, 1, 2, 3, 5]) == (2, 3)
    assert ask("all,-x1", ["x0", "x1", "id"]).choose([0, 1], [0, 1, 2]) == (0, 2)
    assert ask("3-6,-x1").choose([0], [0]) == (2, 4, 5)


def test_a_column_names_the_points() -> None:
    assert ask("vector=3-5,label=ProductId") == ColumnRequest((2, 3, 4), label=0)
    assert ask("label=1") == ColumnRequest(label=0)


def test_a_name_goes_before_a_place() -> None:
    names = ["id", "0", "1", "2", "3"]
    assert ask("0-3", names).taken == (1, 2, 3, 4)
    assert ask("3", names).taken == (4,)
    assert ask("@3", names).taken == (2,)
    assert ask("5", names).taken == (4,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x9", "t.csv has no column 'x9'; did you mean x2, x1, x0"),
        ("8", "has no column '8'; there are ProductId, a-b, x0"),
        ("0", "has no column '0'"),
        ("x2-x0", "'x2-x0' runs backwards"),
        ("", "names no column"),
        ("x0,,x1", "an empty column"),
        ("label=x0,x1", "label is one column"),
        ("label=x0-x2", "label is one column"),
        ("size=3", "has no column 'size=3'"),
    ],
)
def test_what_names_no_column_is_refused_with_those_that_are_there(text: str, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        ask(text)
    assert said in str(caught.value)


def test_two_columns_of_one_name_are_told_apart_by_their_places() -> None:
    with pytest.raises(ParameterError, match="several columns are named 'a'; @PLACE"):
        ask("a", ["a", "a"])
    assert ask("@2", ["a", "a"]).taken == (1,)


def test_columns_without_names_are_told_by_their_number() -> None:
    with pytest.raises(ParameterError, match=r"its 3 columns have no names: 1-3 are there"):
        ask("4", ["", "", ""])


@given(st.sets(st.integers(0, 40), min_size=1), st.booleans())
def test_what_is_said_of_columns_can_be_typed(columns: set[int], numbered: bool) -> None:
    names = [str(40 - i) if numbered else f"c{i}" for i in range(41)]
    text = describe_columns(sorted(columns), names)
    assert ask(text, names).taken == tuple(sorted(columns))
