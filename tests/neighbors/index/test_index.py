"""The index on disk against all distances in float64, and what its recall says."""

from __future__ import annotations

import os

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from embviz import LoadError, ParameterError, append_rows, build_index, open_index
from embviz.model import EmbeddingTable
from embviz.neighbors.exact import find_neighbors
from embviz.neighbors.index import files as index_files
from embviz.neighbors.index.files import MANIFEST

RNG = np.random.default_rng(11)
GROUPS = RNG.normal(size=(120, 20)) * 2
POINTS = (GROUPS[np.arange(7000) % 120] + RNG.normal(size=(7000, 20))).astype(np.float32)
LABELS = tuple(f"p{i % 6990}" for i in range(7000))


@pytest.fixture(scope="module")
def table():
    return EmbeddingTable(POINTS, {"name": LABELS}, name="t", source="t.npy")


@pytest.fixture(scope="module")
def built(table, tmp_path_factory):
    return build_index(table, tmp_path_factory.mktemp("index") / "idx")


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_reading_all_gives_the_neighbors_of_an_exact_search(built, table, metric):
    rows = np.arange(0, 7000, 501)
    found = built.find_neighbors(rows, 12, metric, recall=1)
    exact = find_neighbors(table, rows, 12, metric)
    np.testing.assert_array_equal(found.indices, exact.indices)
    np.testing.assert_array_equal(found.distances, exact.distances)
    assert found.recall == 1


@pytest.mark.parametrize("wanted", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("k", [1, 10, 60])
def test_the_stated_recall_is_that_of_other_points(built, wanted, k):
    rows = np.arange(3, 7000, 23)
    found = built.find_neighbors(rows, k, recall=wanted)
    assert wanted <= found.recall <= 1
    d = cdist(POINTS[rows].astype(float), POINTS.astype(float), "cosine")
    d[np.arange(len(rows)), rows] = np.inf
    truth = np.argsort(d, axis=1, kind="stable")[:, :k]
    share = np.mean([len(set(a) & set(b)) / k for a, b in zip(found.indices, truth, strict=True)])
    assert share >= found.recall - 0.05
    if k in (1, 10):  # For other k the recall of more neighbors is stated, which is lower.
        assert share == pytest.approx(found.recall, abs=0.05)
    near = np.take_along_axis(d, found.indices.astype(np.int64), axis=1)
    np.testing.assert_allclose(found.distances, near, atol=1e-6)
    assert (np.diff(found.distances, axis=1) >= 0).all()


def test_without_a_wanted_recall_little_is_read_of_a_large_index(built, monkeypatch):
    from embviz.neighbors.index import index

    assert built.quick_recall(10) == 0.99
    monkeypatch.setattr(index, "QUICK_BYTES", 1000)
    assert built.quick_recall(10) == 0.95


def test_labels_are_found_by_bisection_with_all_their_points(built):
    assert built.columns.find("p17") == [17]
    assert built.columns.find("p5") == [5, 6995]
    assert built.columns.find("p6990") == []
    assert built.columns.find("") == []
    assert built.columns.value("name", 6999) == "p9"


def test_excluded_points_are_not_listed(built):
    vector = POINTS[:1].astype(float)
    found = built.find_neighbors_of_vectors(vector, 5, exclude=[0, 120], recall=0.9)
    assert not set(found.indices[0].tolist()) & {0, 120}
    assert built.find_neighbors_of_vectors(vector, 1).indices[0, 0] == 0


def test_more_neighbors_than_the_cells_hold_are_all_found(built):
    found = built.find_neighbors([4], 6999, recall=0.5)
    assert sorted(found.indices[0].tolist()) == [i for i in range(7000) if i != 4]


@pytest.mark.parametrize(
    "vectors",
    [
        (POINTS * 3000).clip(-6e4, 6e4).astype(np.float16),
        (POINTS * 1e30).astype(ml_dtypes.bfloat16),
        (POINTS * 10).astype(np.int8),
        POINTS.astype(">f4"),
        np.asfortranarray(POINTS.astype(np.float64) * 1e200),
        POINTS * np.float32(1e-25),
    ],
    ids=["float16", "bfloat16", "int8", "big-endian", "float64 of 1e200", "1e-25"],
)
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_every_dtype_and_range_is_indexed_as_it_is(vectors, metric, tmp_path):
    table = EmbeddingTable(vectors)
    if metric == "euclidean" and vectors.dtype == np.float64:
        table = EmbeddingTable(vectors / 1e170)
    built = build_index(table, tmp_path / "idx", metric=metric)
    rows = [0, 10, 6999]
    exact = find_neighbors(table, rows, 5, metric)
    found = built.find_neighbors(rows, 5, recall=1)
    np.testing.assert_array_equal(found.indices, exact.indices)
    np.testing.assert_array_equal(found.distances, exact.distances)
    some = built.find_neighbors(rows, 5, recall=0.95)
    assert np.isin(some.indices, exact.indices).mean() > 0.7
    assert built.dtype.newbyteorder("=") == table.vectors.dtype.newbyteorder("=")


def test_zero_vectors_and_duplicates_are_as_without_an_index(tmp_path):
    vectors = POINTS.copy()
    vectors[100:140] = vectors[0]
    vectors[50] = 0
    table = EmbeddingTable(vectors)
    built = build_index(table, tmp_path / "idx")
    found = built.find_neighbors([0], 20, recall=0.9)
    assert found.indices[0].tolist() == list(range(100, 120))
    assert found.distances.max() == 0
    with pytest.raises(ParameterError, match="row 50: a zero vector has no direction"):
        built.find_neighbors([50], 3)
    far = built.find_neighbors([0], 6999, recall=1)
    assert far.distances[0][far.indices[0] == 50] == 1


def test_the_same_seed_gives_the_same_bytes(table, tmp_path):
    for name in ("a", "b"):
        build_index(table, tmp_path / name, seed=5)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_points_that_are_added_are_as_if_they_had_been_there(table, tmp_path):
    rows = np.arange(7000)
    first, second, third = (
        table.take(part) for part in (rows[:5500], rows[5500:6998], rows[6998:])
    )
    plain = [EmbeddingTable(t.vectors, t.metadata) for t in (first, second, third)]
    build_index(plain[0], tmp_path / "idx")
    append_rows(plain[1], tmp_path / "idx")
    grown = append_rows(plain[2], tmp_path / "idx")
    assert (grown.n_points, grown.columns.segments) == (7000, (5500, 1498, 2))
    asked = [0, 5499, 5500, 6997, 6999]
    exact = find_neighbors(table, asked, 8)
    found = grown.find_neighbors(asked, 8, recall=1)
    np.testing.assert_array_equal(found.indices, exact.indices)
    some = grown.find_neighbors(asked, 8, recall=0.97)
    shared = [len(set(a) & set(b)) for a, b in zip(some.indices, exact.indices, strict=True)]
    assert sum(shared) >= 0.9 * exact.indices.size
    assert grown.columns.find("p5") == [5, 6995]
    grown.verify()
    whole = grown.table()
    np.testing.assert_array_equal(whole.vectors, POINTS[whole.rows])


def test_what_an_interrupted_addition_leaves_means_nothing(table, tmp_path):
    built = build_index(table, tmp_path / "idx")
    exact = built.find_neighbors([3], 5, recall=1)
    for file in (tmp_path / "idx").glob("*.bin"):
        with file.open("ab") as out:
            out.write(b"\xff" * 12345)
    again = open_index(tmp_path / "idx")
    again.verify()
    np.testing.assert_array_equal(again.find_neighbors([3], 5, recall=1).indices, exact.indices)


def test_a_large_index_checks_what_a_query_touches(table, tmp_path, monkeypatch):
    build_index(table, tmp_path / "idx")
    file = tmp_path / "idx/vectors.bin"
    raw = bytearray(file.read_bytes())
    raw[100] ^= 64
    file.write_bytes(raw)
    with pytest.raises(LoadError, match=r"vectors\.bin: damaged"):
        open_index(tmp_path / "idx")
    monkeypatch.setattr(index_files, "CHECKED_WHOLE", 0)
    opened = open_index(tmp_path / "idx")
    inside = int(opened.store.files.array("points")[0])
    with pytest.raises(LoadError, match=r"vectors\.bin: damaged"):
        opened.find_neighbors([inside], 3, recall=0.9)
    with pytest.raises(LoadError, match=r"vectors\.bin: damaged"):
        opened.verify()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([0], 0), "k = 0"),
        (([0], 7000), "must be 1 .. 6999"),
        (([7000], 3), "7000 is not in 0 .. 6999"),
        (([0], 3, "manhattan"), "manhattan"),
        (([0], 3, None, 0.0), "recall = 0"),
    ],
)
def test_a_request_out_of_range_is_refused(built, arguments, told):
    with pytest.raises(ParameterError, match=told):
        built.find_neighbors(*arguments)


def test_a_few_points_need_no_cells(tmp_path):
    table = EmbeddingTable(POINTS[:50], {"name": LABELS[:50]})
    built = build_index(table, tmp_path / "idx")
    assert built.store.n_cells == 0
    found = built.find_neighbors([0], 3)
    np.testing.assert_array_equal(found.indices, find_neighbors(table, [0], 3).indices)
    with pytest.raises(ParameterError, match="no neighbors"):
        build_index(EmbeddingTable(POINTS[:1]), tmp_path / "one")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(st.lists(texts, min_size=2, max_size=30), texts)
@settings(max_examples=40, deadline=None)
def test_any_labels_are_found_again(tmp_path_factory, labels, other):
    folder = tmp_path_factory.mktemp("labels") / "idx"
    table = EmbeddingTable(np.eye(len(labels), 3, dtype=np.float32) + 1, {"a": tuple(labels)})
    built = build_index(table, folder, label_column="a")
    for text in {*labels, other}:
        assert built.columns.find(text) == [i for i, value in enumerate(labels) if value == text]
    assert built.columns.column("a") == tuple(labels)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_manifest_is_refused_or_means_the_same(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("manifest") / "idx"
    build_index(EmbeddingTable(POINTS[:20], {"a": LABELS[:20]}), folder)
    file = folder / MANIFEST
    raw = bytearray(file.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    before = file.read_bytes()
    file.write_bytes(raw)
    try:
        opened = open_index(folder)
    except LoadError:
        return
    assert bytes(raw).strip() == before.strip() or opened.columns.find("p3") == [3]


def test_directions_that_differ_by_less_than_float32_shows_keep_their_neighbors(tmp_path):
    rng = np.random.default_rng(8)
    close = rng.normal(size=8) + 1e-9 * rng.normal(size=(6000, 8))
    found = build_index(EmbeddingTable(close), tmp_path / "idx").find_neighbors([5], 10, recall=1)
    exact = find_neighbors(EmbeddingTable(close), [5], 10)
    np.testing.assert_array_equal(found.indices, exact.indices)
    units = close / np.linalg.norm(close, axis=1, keepdims=True)
    d = ((units - units[5]) ** 2).sum(axis=1) / 2
    assert set(found.indices[0].tolist()) == set(np.argsort(d)[1:11].tolist())


@pytest.mark.skipif(os.name == "nt", reason="an open folder cannot be replaced there")
def test_an_index_that_is_replaced_goes_on_answering_for_those_who_have_it_open(table, tmp_path):
    opened = build_index(table, tmp_path / "idx")
    before = opened.find_neighbors([3], 5, recall=0.9)
    build_index(EmbeddingTable(table.vectors[::-1].copy()), tmp_path / "idx")
    after = opened.find_neighbors([3], 5, recall=0.9)
    np.testing.assert_array_equal(after.indices, before.indices)
