"""What a column of numbers is: a dimension, or a counter, an identifier, a class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embviz.loaders.columns.kinds import find_asides

RNG = np.random.default_rng(4)
N = 200
FRACTIONS = RNG.normal(size=(N, 16))
ROW = np.arange(N)[:, None]
CLASSES = RNG.integers(0, 10, (N, 1))


def asides(names: list[str], *columns: np.ndarray[Any, Any]) -> list[tuple[int, str, bool]]:
    found = find_asides(names, np.hstack(columns))
    return [(aside.column, aside.kind, aside.sure) for aside in found]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Unnamed: 0", "counter"),
        ("", "counter"),
        ("user_id", "identifier"),
        ("movieId", "identifier"),
        ("item_idx", "identifier"),
        ("iso_num", "identifier"),
        ("doc_no", "identifier"),
        ("ISBN", "identifier"),
        ("uuid", "identifier"),
        ("index", "identifier"),
        ("level_0", "identifier"),
        ("__index_level_0__", "identifier"),
        ("year", "time"),
        ("Label", "class"),
        ("true_label", "class"),
        ("species_class", "class"),
        ("target", "class"),
        ("y", "class"),
    ],
)
def test_a_name_says_that_a_column_of_whole_numbers_is_no_dimension(name: str, kind: str) -> None:
    plain = ["width", "height", "depth", "weight"]
    assert asides([name, *plain], ROW * 3 + 7, FRACTIONS[:, :4]) == [(0, kind, True)]
    numbered = [f"x{i}" for i in range(16)]
    assert asides([*numbered, name or "Unnamed: 16"], FRACTIONS, ROW)[0][0] == 16


@pytest.mark.parametrize("name", ["grid_id", "unnamed: 0", "y", "year", "ranking"])
def test_a_name_alone_does_not_make_fractions_an_identifier(name: str) -> None:
    assert asides([name, "a", "b"], FRACTIONS[:, :3]) == []


def test_y_beside_x_is_a_dimension() -> None:
    assert asides(["x", "y", "z"], ROW * 5 + CLASSES, ROW + CLASSES, FRACTIONS[:, :1]) == []


def test_columns_of_one_name_but_for_its_number_are_the_vector() -> None:
    names = ["age", *[f"d{i}" for i in range(16)], "score"]
    found = asides(names, FRACTIONS[:, :1] * 30, FRACTIONS, FRACTIONS[:, :1])
    assert found == [(0, "other", True), (17, "other", True)]
    assert asides([f"id_{i}" for i in range(16)], ROW + np.arange(16)) == []
    assert asides([str(i) for i in range(16)], FRACTIONS) == []


def test_of_two_such_families_the_one_that_speaks_of_an_embedding_is_meant() -> None:
    names = [f"emb_{i}" for i in range(8)] + [f"tsne{i}" for i in range(8)]
    assert [a[0] for a in asides(names, FRACTIONS)] == list(range(8, 16))
    both = [f"x{i}" for i in range(8)] + [f"y{i}" for i in range(8)]
    assert asides(both, FRACTIONS) == []


def test_names_that_are_numbers_are_one_family_however_they_are_written() -> None:
    names = ["400", *(f"{400 + i / 10}" for i in range(1, 14)), "-0.5", "1e-05"]
    assert asides(names, FRACTIONS) == []
    assert asides([*names, "age"], FRACTIONS, ROW / 3) == [(16, "other", True)]


def test_whole_numbers_at_the_ends_of_unnamed_fractions_are_known_for_what_they_are() -> None:
    names = [""] * 17
    assert asides(names, ROW, FRACTIONS) == [(0, "counter", True)]
    assert asides(names, ROW + 1, FRACTIONS) == [(0, "counter", True)]
    assert asides(names, 100_000 + 7 * ROW[::-1], FRACTIONS) == [(0, "identifier", True)]
    assert asides(names, FRACTIONS, CLASSES) == [(16, "class", True)]
    both = asides([""] * 18, ROW, FRACTIONS, CLASSES)
    assert both == [(0, "counter", True), (17, "class", True)]


def test_whole_numbers_that_are_neither_few_nor_all_different_may_be_either() -> None:
    ages = RNG.integers(20, 90, (N, 1))
    assert asides([""] * 17, ages, FRACTIONS) == [(0, "identifier", False)]


def test_dead_units_are_dimensions() -> None:
    dead = np.zeros((N, 2))
    assert asides([""] * 18, dead, FRACTIONS) == []
    found = asides([""] * 19, FRACTIONS, dead, CLASSES)
    assert found == [(18, "class", True)]


def test_named_whole_numbers_beside_fractions_may_be_either() -> None:
    names = ["acid", "sugar", "quality"]
    assert asides(names, FRACTIONS[:, :2], CLASSES) == [(2, "class", False)]
    ages = RNG.integers(20, 90, (N, 1))
    assert asides(names, FRACTIONS[:, :2], ages) == []


def test_first_numbers_that_ascend_or_dwarf_all_others_may_be_identifiers() -> None:
    names, numbers = [*"abcd"], RNG.permutation(N)[:, None] * 10**6
    whole = RNG.integers(-9, 9, (N, 3))
    for others in (FRACTIONS[:, :3], whole):
        assert asides(names, numbers, others) == [(0, "identifier", False)]
        assert asides(names, others, numbers) == []
        assert asides(names, numbers // 10**6, others * 10) == []
        assert asides(names, ROW * 3 + 500, others * 10) == [(0, "identifier", False)]
        assert asides(names, ROW * 3 + 500, ROW * 2, others[:, 1:] * 10) == []
    assert asides([""] * 4, numbers, whole) == [(0, "identifier", False)]
    assert asides([""] * 4, ROW * 3 + 500, whole * 99) == [(0, "identifier", False)]
    assert asides(names, FRACTIONS[:, :1] * 10**6, whole) == []


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("ascending", [True, False])
def test_a_class_among_whole_numbers_cannot_be_told_for_sure(last: bool, ascending: bool) -> None:
    pixels = RNG.integers(0, 17, (N, 64)) * RNG.integers(0, 2, (N, 64))
    classes = np.sort(CLASSES, axis=0) if ascending else CLASSES
    pixels[:, ::9] = 0  # The border of a picture is the same throughout.
    table = (pixels, classes) if last else (classes, pixels)
    assert asides([""] * 65, *table) == [(64 * last, "class", False)]
    assert asides([""] * 64, pixels) == []
    bits = RNG.integers(0, 2, (N, 64))
    assert asides([""] * 64, bits) == []


@pytest.mark.parametrize("last", [True, False])
def test_scikit_learns_digits_are_asked_about(last: bool) -> None:
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    table = (pixels, classes[:, None]) if last else (classes[:, None], pixels)
    assert asides([""] * 65, *table) == [(64 * last, "class", False)]
    assert asides([""] * 65, *(part[:400] for part in table)) == [(64 * last, "class", False)]
    assert asides([""] * 64, pixels) == []


def test_a_counter_is_one_only_where_no_other_column_ascends() -> None:
    whole = RNG.integers(0, 100, (N, 5))
    assert asides([""] * 6, ROW, whole) == [(0, "counter", True)]
    assert asides([""] * 3, ROW, ROW * 2, ROW * 3) == []


def test_counting_is_judged_on_the_first_rows_and_ascending_on_all() -> None:
    sampled = np.concatenate([np.arange(100), [5000, 9000, 9001]])[:, None]
    rows = FRACTIONS[: len(sampled)]
    (aside,) = find_asides([""] * 17, np.hstack([sampled, rows]), n_first=100)
    assert (aside.column, aside.kind) == (0, "counter")


def test_a_column_with_gaps_among_full_ones_is_set_aside() -> None:
    gaps = np.where(RNG.random((N, 1)) < 0.3, np.nan, FRACTIONS[:, :1])
    names = ["a", "b", "c", "age"]
    assert asides(names, FRACTIONS[:, :3], gaps) == [(3, "gaps", True)]
    few = FRACTIONS[:, :4].copy()
    few[5, 3] = np.nan
    assert asides(names, few) == []


def test_values_leave_two_dimensions_or_say_nothing() -> None:
    assert asides(["", ""], ROW, FRACTIONS[:, :1]) == []
    assert asides(["", "", ""], ROW, FRACTIONS[:, :2]) == [(0, "counter", True)]
    assert asides(["id", "label"], ROW, CLASSES) == []
