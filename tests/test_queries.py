"""The query language; `data/queries.json` drives the tests of the page as well."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import ParameterError
from embviz.model import EmbeddingTable
from embviz.queries import (
    BLANKS,
    bare_text,
    closest_labels,
    describe_match,
    match,
    match_some,
    parse_arithmetic,
)

SHARED = json.loads((Path(__file__).parent / "data/queries.json").read_text(encoding="utf-8"))


def table_of(**columns):
    n = len(next(iter(columns.values())))
    return EmbeddingTable(np.zeros((n, 2)), {k: tuple(v) for k, v in columns.items()})


FIXTURE = table_of(**SHARED["columns"])
WORDS = table_of(word=["king", "queen", "man", "woman", "king", "asbestos", "best", "7"])


@pytest.mark.parametrize("case", SHARED["cases"], ids=lambda c: ascii(c["query"]))
def test_a_query_finds_what_the_page_finds(case):
    if case.get("error"):
        with pytest.raises(ParameterError):
            match(FIXTURE, case["query"])
    else:
        assert match(FIXTURE, case["query"]).tolist() == case["rows"]


def test_the_shared_cases_hold_what_they_should():
    found = {c["query"]: c.get("rows") for c in SHARED["cases"]}
    word = SHARED["columns"]["word"]
    names = {q: [word[i] for i in rows or []] for q, rows in found.items()}
    assert names["best"] == ["best", "Best", "asbestos", "bestial", "BEST", "word:best", "=best"]
    assert names["=best"] == ["best"]
    assert names["/^best$/"] == ["best", "Best", "BEST"]
    assert names["σίσυφος"] == names["ΣΊΣΥΦΟΣ"] == ["ΣΊΣΥΦΟΣ", "σίσυφος"]
    assert names["ß"] == ["Straße", "ẞ", "ß"]
    assert names["/^i/"] == ["istanbul", "ISTANBUL"]
    assert names["row:=4"] == [word[4]]
    assert "/(?P<n>a)/" in found
    assert found["/(?P<n>a)/"] is None


@given(label=st.text(min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_a_label_matches_itself_as_a_whole_and_as_a_part(label):
    table = table_of(word=["other", label])
    assert 1 in match(table, f"={label}", "word")
    if label.strip(BLANKS) and not label.lstrip(BLANKS).startswith(("=", "/", "word:", "row:")):
        assert 1 in match(table, label, "word")


@given(source=st.text(alphabet="ab(|)[]{}?*+^$\\.-wd,12:=<>", max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_text_between_slashes_is_searched_or_refused(source):
    table = table_of(word=["a", "ab", "1", ""])
    try:
        rows = match(table, f"/{source}/")
    except ParameterError:
        return
    assert set(rows.tolist()) <= {0, 1, 2, 3}


def test_a_wrong_regular_expression_is_refused_with_the_position():
    with pytest.raises(ParameterError, match=r"/ab\(c/: at character 5, a group is not closed"):
        match(WORDS, "/ab(c/")


def test_an_empty_query_is_refused():
    for query in ("", "word:", "row:"):
        with pytest.raises(ParameterError, match="it is empty"):
            match(WORDS, query)


def test_an_unknown_column_is_refused_with_the_known_ones():
    with pytest.raises(ParameterError, match=r"column 'kind'.*one of word, row"):
        match(WORDS, "best", "kind")


def test_a_given_column_is_searched_unless_the_query_names_another():
    table = table_of(word=["a", "b"], kind=["b", "a"])
    assert match(table, "a", "kind").tolist() == [1]
    assert match(table, "word:a", "kind").tolist() == [0]
    assert match(table, "a").tolist() == [0]


def test_a_table_without_metadata_is_searched_by_row_number_in_the_source():
    table = EmbeddingTable(np.zeros((30, 1))).take([4, 14, 20])
    assert match(table, "4").tolist() == [0, 1]
    assert match(table, "=20").tolist() == [2]
    assert match(table, "row:=14").tolist() == [1]


@pytest.mark.parametrize("case", SHARED["own_row"]["cases"], ids=lambda c: c["query"])
def test_a_column_named_row_is_searched_and_not_the_numbers(case):
    assert match(table_of(**SHARED["own_row"]["columns"]), case["query"]).tolist() == case["rows"]


def test_a_match_is_described_with_examples_and_the_whole_word():
    def said(query):
        return describe_match(WORDS, match(WORDS, query), query)

    assert said("=best") == "'=best' matches 1 point (best)"
    assert said("best") == ("'best' matches 2 points (asbestos, best); '=best' for the whole word")
    assert said("word:best").endswith("; word:=best for the whole word")
    assert said("an") == "'an' matches 2 points (man, woman)"
    assert said("/n/") == "'/n/' matches 5 points (king, queen, …)"
    assert said("zzz") == "'zzz' matches 0 points"


def test_labels_with_control_characters_are_described_without_them():
    table = table_of(word=["a\x1b[31m", "b"])
    assert "\x1b" not in describe_match(table, match(table, "a"), "a")


def test_no_match_is_refused_with_close_labels():
    with pytest.raises(
        ParameterError, match="query 'quene': it matches none of 8 points in column"
    ):
        match_some(WORDS, "quene")
    with pytest.raises(ParameterError, match="close to it: queen"):
        match_some(WORDS, "=quene")


def test_a_close_label_with_a_blank_at_its_end_is_quoted():
    assert closest_labels([" the", "they", "x"], "the") == ["they", "' the'"]


@pytest.mark.parametrize(
    ("query", "bare"),
    [("=best", "best"), ("/^b/", "^b"), ("best", "best"), ("=", "="), ("/", "/"), ("//", "//")],
)
def test_the_bare_text_of_a_query_has_no_signs(query, bare):
    assert bare_text(query) == bare


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("king - man + woman", [(1, "king"), (-1, "man"), (1, "woman")]),
        ("state-of-the-art", [(1, "state-of-the-art")]),
        ("New York - York", [(1, "New York"), (-1, "York")]),
        ("- a + b", [(-1, "a"), (1, "b")]),
        (" c++  +  d ", [(1, "c++"), (1, "d")]),
    ],
)
def test_arithmetic_is_split_at_operators_between_blanks(text, terms):
    assert parse_arithmetic(text) == terms


@pytest.mark.parametrize("text", ["", "king -", "+", "a + - b"])
def test_arithmetic_without_a_term_is_refused(text):
    with pytest.raises(ParameterError, match="a term is missing"):
        parse_arithmetic(text)


def test_a_table_of_341479_labels_is_searched_while_one_types():
    labels = [f"word{i * 7919 % 1_000_003}" for i in range(341_479)]
    table = EmbeddingTable(np.zeros((len(labels), 1), np.int8), {"word": tuple(labels)})
    for query in ("rd77", f"={labels[77]}", "/^word7+$/"):
        begun = time.process_time()
        assert len(match(table, query))
        assert time.process_time() - begun < 0.6  # 0.1 s on an idle machine.
    begun = time.process_time()
    assert closest_labels(table.metadata["word"], "wrod1234")[0].startswith("word")
    assert time.process_time() - begun < 2
