"""Conditions on figures: what they mean, and that nothing else is understood."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import ParameterError
from embviz.expressions import parse_condition

NAMES = ("overlap10", "rank_median", "none_here")
FIGURES = {"overlap10": 0.5, "rank_median": 20.0, "none_here": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("overlap10 < 0.6", True),
        ("overlap10 <.5", False),
        ("overlap10<=0.5", True),
        ("overlap10 >= 5e-1", True),
        ("0.5 == overlap10", True),
        ("overlap10 != 0.5", False),
        ("rank_median > overlap10", True),
        ("overlap10 < -1 or rank_median > 19", True),
        ("overlap10 < 1 and rank_median > 20", False),
        ("not overlap10 < 0.4", True),
        ("overlap10 > 1 and rank_median > 1 or rank_median == 20", True),
        ("overlap10 > 1 and (rank_median > 1 or rank_median == 20)", False),
        ("not (overlap10 > 1 or not rank_median == 20)", True),
        ("not not overlap10 == 0.5", True),
    ],
)
def test_a_condition_means_what_it_says(text: str, expected: bool) -> None:
    assert parse_condition(text, NAMES).holds(FIGURES) is expected


@settings(deadline=None)
@given(st.recursive(
    st.tuples(
        st.sampled_from(["overlap10", "rank_median"]),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.floats(-30, 30),
    ).map(lambda found: f"{found[0]} {found[1]} {found[2]!r}"),
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda found: f"({found[0]}) {found[1]} ({found[2]})"
        ),
    ),
    max_leaves=8,
))  # fmt: skip
def test_a_condition_is_what_python_makes_of_it(text: str) -> None:
    expected = eval(text, {"overlap10": 0.5, "rank_median": 20.0})
    assert parse_condition(text, NAMES).holds(FIGURES) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "overlap10",
        "1 < 2",
        "speed < 1",
        "overlap10 = 1",
        "overlap10 < 0.1 < 0.2",
        "overlap10 < 1)",
        "(overlap10 < 1",
        "overlap10 < 1 and",
        "overlap10 < nan",
        "overlap10 < 1; 2",
        "__import__('os')",
        "(" * 5000 + "overlap10 < 1" + ")" * 5000,
        "not " * 400 + "overlap10 < 1",
    ],
)
def test_anything_else_is_refused_with_the_names_that_exist(text: str) -> None:
    with pytest.raises(ParameterError, match="figures are overlap10, rank_median, none_here"):
        parse_condition(text, NAMES)


@settings(deadline=None)
@given(st.text("abc_()<>=!.0123456789 andortn", max_size=60))
def test_no_text_is_more_than_understood_or_refused(text: str) -> None:
    with contextlib.suppress(ParameterError):
        parse_condition(text, NAMES).holds(FIGURES)


def test_a_figure_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ParameterError, match="none_here could not be measured here"):
        parse_condition("overlap10 < 1 or none_here < 1", NAMES).holds(FIGURES)


def test_a_condition_says_which_figure_was_what() -> None:
    found = parse_condition("rank_median > 1 and overlap10 < 1 and rank_median < 99", NAMES)
    assert found.names == ("rank_median", "overlap10")
    assert found.said(FIGURES) == "rank_median is 20, overlap10 is 0.5"
