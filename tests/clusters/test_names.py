"""A name says what sets the labels of a group apart; docs/clusters.md has the rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from embviz.clusters.names import name_groups
from embviz.clusters.words import cut, find_words, tidy


def names_of(labels: list[str], codes: list[int], places: np.ndarray | None = None) -> list[str]:
    own = np.array(codes)
    if places is None:
        places = np.zeros((len(codes), 2), np.float32)
    return name_groups(labels, own, int(own.max()) + 1, places, np.arange(len(codes)) + 100)


def line(n: int) -> np.ndarray:
    return np.c_[np.arange(n), np.zeros(n)].astype(np.float32)


def test_labels_that_half_of_a_group_have_are_its_name() -> None:
    labels = ["7"] * 9 + ["1"] + ["4"] * 5 + ["9"] * 4 + ["7"]
    assert names_of(labels, [0] * 10 + [1] * 10) == ["7", "4"]
    mixed = ["a"] * 4 + ["b"] * 3 + ["c", "d", "e"] + ["x"] * 10
    assert names_of(mixed, [0] * 10 + [1] * 10) == ["a, b", "x"]


def test_words_are_weighed_by_class_based_tf_idf() -> None:
    rng = np.random.default_rng(0)
    topics = [
        "orbit shuttle moon launch nasa",
        "goal hockey team season ice",
        "disk drive card ram",
    ]
    common = "the of and is to"
    labels, codes = [], []
    for code, topic in enumerate(topics):
        for _ in range(40):
            own = rng.choice(topic.split(), 2, replace=False)
            labels.append(" ".join([*own, *rng.choice(common.split(), 3, replace=False)]))
            codes.append(code)
    counts = CountVectorizer(binary=True, token_pattern=r"\w\w+").fit(labels)
    table = np.stack([counts.transform(labels[i : i + 40]).toarray().sum(0) for i in (0, 40, 80)])
    weights = table * np.log(1 + table.sum() / 3 / table.sum(axis=0))
    words = counts.get_feature_names_out()
    for code, name in enumerate(names_of(labels, codes)):
        own = [w for w in words[np.argsort(-weights[code])] if w in topics[code].split()]
        assert set(name.split(", ")) <= set(own)
        got = [weights[code][list(words).index(w)] for w in name.split(", ")]
        assert got == sorted(got, reverse=True)
        assert math.isclose(got[0], max(weights[code][list(words).index(w)] for w in own))


def test_words_that_are_everywhere_name_nothing_and_spelling_is_that_of_the_labels() -> None:
    labels = [f"photo of a Cat {i}" for i in range(10)] + [f"photo of a dog {i}" for i in range(10)]
    assert names_of(labels, [0] * 10 + [1] * 10) == ["Cat", "dog"]
    files = [f"n02_{i}.JPEG" for i in range(10)] + [f"n03_{i}.JPEG" for i in range(10)]
    assert names_of(files, [0] * 10 + [1] * 10) == ["n02", "n03"]


def test_where_each_label_is_another_word_those_of_the_middle_name_the_group() -> None:
    labels = [f"w{i}" for i in range(100)]
    # Of the fifty nearest to 49.5, w25 … w74, those that come first.
    assert names_of(labels, [0] * 100, line(100)) == ["w25, w26, w27"]
    signs = ["." if i == 25 else "--" if i == 26 else label for i, label in enumerate(labels)]
    assert names_of(signs, [0] * 100, line(100)) == ["w27, w28, w29"]
    only = ["!" * (i + 1) for i in range(8)]
    assert names_of(only, [0] * 8, line(8)) == ["!!!, !!!!, !!!!!"]


def test_points_without_labels_do_not_count_and_a_group_without_any_has_a_row_number() -> None:
    labels = ["", "x", "x", "", "", ""]
    assert names_of(labels, [0, 0, 0, 1, 1, 1], line(6)) == ["x", "row 104"]
    own = np.array([0, 0, 0])
    assert name_groups(None, own, 1, line(3), [7, 8, 9]) == ["row 8"]


def test_names_of_groups_differ() -> None:
    assert names_of(["7"] * 6, [0, 0, 1, 1, 2, 2]) == ["7", "7 (2)", "7 (3)"]


def test_a_label_that_is_everywhere_does_not_hide_those_that_tell() -> None:
    labels = ["unknown"] * 6 + ["a"] * 6 + ["unknown"] * 8 + ["b"] * 4
    assert names_of(labels, [0] * 12 + [1] * 12)[0] == "a"


def test_hostile_and_long_labels_stay_short_and_on_one_line() -> None:
    label = "<b>\u202ex\u2066\n\ty\x00" + "z" * 300
    (name,) = names_of([label] * 4, [0] * 4)
    assert len(name) == 40
    assert name.startswith("<b>x y z")
    assert name.endswith("z…")
    assert tidy(" a\u00a0\u2003b\r\n") == "a b"
    assert cut("x" * 38 + "e\u0301" * 3) == "x" * 38 + "…"
    assert cut("\u0301" * 50).endswith("…")


def test_words_of_any_script_are_found_whole() -> None:
    assert list(find_words("Don't STOP_me-now 2nd")) == ["don", "t", "stop", "me", "now", "2nd"]
    assert list(find_words("हिन्दी भाषा")) == ["हिन्दी", "भाषा"]
    assert list(find_words("שלום עולם")) == ["שלום", "עולם"]
    assert find_words("Ünï U\u0308ni\u0308") == {"ünï": "Ünï"}


@pytest.mark.parametrize("labels", [["x"] * 40, [str(i) for i in range(40)], [""] * 40])
def test_labels_that_are_all_the_same_all_different_or_missing_give_each_group_a_name(
    labels: list[str],
) -> None:
    names = names_of(labels, [0] * 20 + [1] * 15 + [-1] * 5, line(40))
    assert len({*names} - {""}) == 2
