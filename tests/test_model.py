"""Tables: what they take for vectors and columns, and rows that are read only by slices."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import embviz
import embviz.model
from embviz import EmbeddingTable, LoadError
from embviz.export.coordinates import write_coordinates

VECTORS = np.random.default_rng(3).normal(size=(60, 5)).astype(np.float32)


class Sliced:
    """Rows that give nothing but slices, and count what they give."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._array, self.shape, self.dtype = array, array.shape, array.dtype
        self.rows_read = self.slices = 0

    def __getitem__(self, rows: slice, /) -> Any:
        assert isinstance(rows, slice)
        assert rows.step in (None, 1)
        part = self._array[rows]
        self.rows_read += len(part)
        self.slices += 1
        return part.tolist()  # not even an array


@pytest.mark.parametrize("vectors", [VECTORS.tolist(), VECTORS.astype(">f8"), VECTORS.T.copy().T])
def test_vectors_may_be_lists_or_arrays_of_any_order(vectors: Any) -> None:
    table = EmbeddingTable(vectors)
    np.testing.assert_array_equal(table.take_block(np.s_[:]), VECTORS)


def test_an_array_is_not_copied() -> None:
    assert np.shares_memory(EmbeddingTable(VECTORS).vectors, VECTORS)


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        (VECTORS * 1j, "complex numbers (complex64); save the real part"),
        (VECTORS.astype(str), "text (dtype <U32)"),
        (VECTORS.astype("S9"), "text (dtype |S9)"),
        (VECTORS.astype(object), "Python objects (dtype object), not numbers of one type"),
        (np.zeros(3, "f4,f4"), "records"),
        (np.zeros((3, 2), "M8[s]"), "times (dtype datetime64[s])"),
        (np.zeros((3, 2), "m8[s]"), "time spans"),
        (np.zeros((3, 2), "V2"), "bfloat16 saved by NumPy"),
        (np.ma.masked_equal([[1, 2], [3, 4]], 3), "masked"),
        ([[1.0, 2.0], [3.0]], "no table of numbers"),
        (np.zeros(3), "1-D where a table of rows is needed"),
        (7.0, "0-D where"),
        (np.zeros((3, 0)), "3 rows of 0 columns"),
        ("words", "text"),
    ],
)
def test_what_are_no_real_numbers_is_refused_in_one_line(vectors: Any, said: str) -> None:
    with pytest.raises(LoadError, match=re.escape(said)) as caught:
        EmbeddingTable(vectors, source="x")
    assert str(caught.value).startswith("x: ")


def test_a_sparse_matrix_is_refused_with_a_way_out() -> None:
    scipy_sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(LoadError, match="toarray"):
        EmbeddingTable(scipy_sparse.csr_matrix(np.eye(3)))


@pytest.mark.parametrize("wrap", [np.asarray, Sliced])
def test_bool_is_read_as_0_and_1(wrap: Any) -> None:
    mask = VECTORS > 0
    table = EmbeddingTable(wrap(mask))
    assert table.vectors.dtype == np.uint8
    np.testing.assert_array_equal(table.take_block(np.s_[2:9]), mask[2:9])


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "int4"])
def test_types_that_numpy_lacks_are_numbers(name: str) -> None:
    raw = np.arange(6).reshape(3, 2).astype(getattr(ml_dtypes, name))
    np.testing.assert_array_equal(
        EmbeddingTable(raw).take_block(np.s_[:]), [[0, 1], [2, 3], [4, 5]]
    )


def test_metadata_from_python_becomes_text() -> None:
    numbers = [1, 2.5, float("nan"), np.int64(7), True]
    values: list[Any] = ["a", None, np.str_("b"), b"\xc3\xa9", *numbers]
    table = EmbeddingTable(np.ones((9, 2)), {1: values})  # type: ignore[dict-item]
    assert table.metadata == {"1": ("a", "", "b", "é", "1", "2.5", "", "7", "True")}
    assert all(type(value) is str for value in table.metadata["1"])


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"w": ["a"]}, "column 'w' has 1 values for 2 points"),
        ({"w": "ab"}, "column 'w' is 'ab', one value a point is needed"),
        ({"w": 5}, "column 'w' is 5, one value a point is needed"),
        ({"w": [b"\xff", b"a"]}, "not UTF-8"),
        ({1: ["a", "b"], "1": ["c", "d"]}, "the same name"),
    ],
)
def test_columns_that_do_not_fit_are_refused(metadata: Any, said: str) -> None:
    with pytest.raises(LoadError, match=said):
        EmbeddingTable(np.ones((2, 2)), metadata)


@pytest.mark.parametrize("first", ["numbers", "texts"])
def test_the_label_column_is_looked_for_once_a_table(
    first: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    n_points = 2000
    columns = {
        "numbers": tuple(map(str, range(n_points))),
        "texts": tuple(f"w{i}" for i in range(n_points)),
    }
    metadata = {first: columns[first], **columns}
    table = EmbeddingTable(np.ones((n_points, 2)), metadata)
    scans = []
    is_numeric = embviz.model.is_numeric
    monkeypatch.setattr(
        embviz.model, "is_numeric", lambda values: scans.append(1) or is_numeric(values)
    )
    assert [table.label(i) for i in range(n_points)] == list(columns["texts"])
    places = embviz.Projection("pca", np.zeros((n_points, 2), np.float32))
    write_coordinates(tmp_path / "x.tsv", table, [places])
    assert len(scans) <= 2
    assert table.take([3]).label(0) == "w3"


def test_rows_in_any_order_come_by_slices() -> None:
    rng = np.random.default_rng(0)
    array = rng.normal(size=(5000, 3)).astype(np.float32)
    rows = Sliced(array)
    table = EmbeddingTable(rows)
    assert rows.slices == 0
    chosen = np.r_[rng.integers(0, 5000, 40), 7, 7, 4999, 0]
    np.testing.assert_array_equal(table.take_block(chosen), array[chosen])
    np.testing.assert_array_equal(table.take(chosen).vectors, array[chosen])
    np.testing.assert_array_equal(table.take_block(np.s_[10:30:7]), array[10:30:7])
    np.testing.assert_array_equal(table.take_block(np.s_[4990:]), array[4990:])
    np.testing.assert_array_equal(table.take_columns(np.s_[1:3]), array[:, 1:3])
    assert len(table.take_block(np.empty(0, np.int64))) == 0


def test_a_few_rows_of_many_cost_about_their_own() -> None:
    rows = Sliced(np.broadcast_to(np.float32(1), (1 << 24, 64)))
    EmbeddingTable(rows).take_block(np.array([5, 9_000_000, 16_000_000]))
    assert rows.rows_read == 3


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_not_finite_are_found_in_slices(bad: float) -> None:
    array = VECTORS.copy()
    array[17, 2] = bad
    table = EmbeddingTable(Sliced(array))
    assert table.nonfinite_rows().tolist() == [17]
    with pytest.raises(LoadError, match="1 of 60 rows hold NaN or infinity, the first is row 17"):
        list(table.blocks())


def test_rows_that_are_not_what_they_announced_are_an_error() -> None:
    rows = Sliced(VECTORS)
    rows.shape = (90, 5)
    with pytest.raises(LoadError, match="rows 0 to 90 came as 60 x 5"):
        list(EmbeddingTable(rows).blocks())


def test_sliced_rows_give_the_pictures_and_neighbors_of_the_array(tmp_path: Path) -> None:
    words = {"word": [f"w{i}" for i in range(len(VECTORS))]}
    tables = [EmbeddingTable(rows, words, source="x") for rows in (VECTORS, Sliced(VECTORS))]
    pages = []
    for number, table in enumerate(tables):
        pictures = [
            embviz.PCA().project(table),
            embviz.Axes([("w1", "w2")]).project(table),
        ]
        path = tmp_path / f"{number}.html"
        embviz.write_report(path, table, pictures)
        pages.append(path.read_bytes())
    assert pages[0] == pages[1]
    found = [embviz.find_neighbors(table, [3, 50], 4) for table in tables]
    np.testing.assert_array_equal(found[0].indices, found[1].indices)
    np.testing.assert_array_equal(found[0].distances, found[1].distances)


def test_more_columns_than_sliced_rows_give_the_same_components() -> None:
    wide = np.random.default_rng(1).normal(size=(12, 40))
    array, sliced = (embviz.PCA().project(EmbeddingTable(v)) for v in (wide, Sliced(wide)))
    np.testing.assert_array_equal(array.coordinates, sliced.coordinates)


def test_an_index_is_built_from_sliced_rows(tmp_path: Path) -> None:
    index = embviz.build_index(EmbeddingTable(Sliced(VECTORS)), tmp_path / "i")
    np.testing.assert_array_equal(index.vectors([4, 2]), VECTORS[[4, 2]])
