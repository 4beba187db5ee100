"""The regular expressions that Python and the page share."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import ParameterError
from embviz.regexes import compile_regex, fold_case

PIECES = ["a", "b", ".", "(?:", ")", "|", "*", "+?", "?", "[ab]", "[^a]", "c{1,2}", "^", "$"]
PIECES += ["(?=", "(?!"]


@given(st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_folding_keeps_the_length_and_folding_again_changes_nothing(text):
    folded = fold_case(text)
    assert len(folded) == len(text)
    assert fold_case(folded) == folded


@given(st.text(max_size=20))
@settings(max_examples=200, deadline=None)
def test_an_escaped_text_is_found_in_itself_whatever_its_case(text):
    source = re.sub(r"[\^$\\.*+?()\[\]{}|/]", r"\\\g<0>", text)
    if source:
        assert compile_regex(source).search(fold_case(f"x{text}y"))


@given(
    st.text(alphabet="abc", max_size=8),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join),
)
@settings(max_examples=300, deadline=None)
def test_what_both_sides_know_means_what_it_means_in_python(text, source):
    try:
        ours = compile_regex(source)
    except ParameterError:
        return
    assert bool(ours.search(text)) == bool(re.search(source, text))


@pytest.mark.parametrize(
    ("source", "at"),
    [("a(?P<n>b)", 2), ("ab(?i)", 3), ("a++", 3), ("x\\Ay", 2), ("a{9999}", 2), ("(?<=a)b", 1),
     ("[b", 1), ("b[]", 2), ("a)", 2), ("(a", 3), ("\\", 1), ("(?", 1), ("[z-a]", 5)],
)  # fmt: skip
def test_what_one_side_lacks_is_refused_with_its_place(source, at):
    with pytest.raises(ParameterError, match=f"at character {at}, "):
        compile_regex(source)
