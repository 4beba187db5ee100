"""The regular expressions that Python and the page share."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import ParameterError
from embviz.regexes import compile_regex, fold_case, search
from embviz.regexes.automaton import Automaton
from embviz.regexes.search import as_python

PIECES = ["a", "b", ".", "(?:", ")", "|", "*", "+?", "?", "[ab]", "[^a]", "c{1,2}", "^", "$"]
PIECES += ["(?=", "(?!"]
MORE = [*PIECES, "\\b", "\\B", "\\w", "\\W", "(", "{2}", "{1,}", "é"]


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


@given(
    st.lists(st.text(alphabet="abcé \U0001f600", max_size=8), max_size=30),
    st.lists(st.sampled_from(MORE), min_size=1, max_size=12).map("".join),
)
@settings(max_examples=300, deadline=None)
def test_a_search_that_cannot_backtrack_finds_what_python_finds(texts, source):
    try:
        ours = compile_regex(source)
    except ParameterError:
        return
    found = re.compile(as_python(ours.tree)).search
    wanted = [i for i, text in enumerate(texts) if found(text)]
    assert Automaton(source, ours.tree).rows(texts) == wanted
    assert ours.rows(texts) == wanted


@given(
    st.lists(st.text(alphabet="abcÀſ ", max_size=9), max_size=9),
    st.lists(st.sampled_from(MORE), min_size=1, max_size=9).map("".join),
    st.integers(0, 10_000),
)
@settings(max_examples=200, deadline=None)
def test_short_and_long_texts_are_searched_alike(texts, source, steps):
    try:
        ours = compile_regex(source)
    except ParameterError:
        return
    found = re.compile(as_python(ours.tree)).search
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "QUICK_STEPS", steps)
        assert ours.rows(texts) == [i for i, t in enumerate(texts) if found(fold_case(t))]


SLOW = ["(a+)+$", "(a|a)*b", "(a*)*b", "(?:a+)+(?=x)", "(.*a){12}b", "^(a?){40}a{40}b", "a*a*a*a*b",
        "(?:(?!b)a+)+$", "(a|aa)+$", "a*b"]  # fmt: skip


@pytest.mark.parametrize("source", SLOW)
@pytest.mark.parametrize("kind", ["many", "long"])
def test_no_regular_expression_hangs(source, kind):
    texts = ["a" * 60 + "!"] * 20_000 if kind == "many" else ["a" * 100_000 + "!"]
    started = time.process_time()
    assert compile_regex(source).rows(texts) == []
    assert compile_regex(source).rows(["xaaaab!", *texts])[1:] == []
    assert time.process_time() - started < 5


@pytest.mark.parametrize("source", ["(.{1000}){11}", "((((.?){1000}){1000}){1000})x"])
def test_an_expression_of_too_many_steps_is_refused(source):
    with pytest.raises(ParameterError, match="more than 10,000 steps"):
        compile_regex(source)


def test_an_expression_of_too_many_states_is_refused_in_the_end():
    texts = [f"{i:b}".replace("0", "b").replace("1", "a") * 40 for i in range(40_000)]
    with pytest.raises(ParameterError, match=r"query: the regular expression .* too many steps"):
        compile_regex("^(.*a){3}(a|b){30}a(a|b)*(?!b)c*(a(a|b){28})+$").rows(texts)


def test_groups_are_nested_a_hundred_deep():
    assert compile_regex("(" * 100 + "a" + ")*" * 100).search("xay")
    with pytest.raises(ParameterError, match="at character 101, groups are nested deeper"):
        compile_regex("(" * 101 + "a" + ")" * 101)


@pytest.mark.parametrize(
    ("source", "at"),
    [("a(?P<n>b)", 2), ("ab(?i)", 3), ("a++", 3), ("x\\Ay", 2), ("a{9999}", 2), ("(?<=a)b", 1),
     ("[b", 1), ("b[]", 2), ("a)", 2), ("(a", 3), ("\\", 1), ("(?", 1), ("[z-a]", 5)],
)  # fmt: skip
def test_what_one_side_lacks_is_refused_with_its_place(source, at):
    with pytest.raises(ParameterError, match=f"at character {at}, "):
        compile_regex(source)
