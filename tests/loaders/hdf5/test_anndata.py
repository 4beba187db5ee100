"""AnnData tables as anndata wrote them: obsm, X, and the cells that obs describes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from embviz import LoadError, list_tensors, load_table

DATA = Path(__file__).parents[2] / "data" / "hdf5"
COUNTS = np.load(DATA / "counts.npy")


@pytest.mark.parametrize("name", ["csr.h5ad", "dense.h5ad"])
def test_the_embedding_is_taken_with_what_describes_its_cells(name: str) -> None:
    table = load_table(DATA / name)
    assert (table.name, table.label_column()) == ("obsm/X_pca", "barcode")
    np.testing.assert_array_equal(table.vectors[0:20], np.load(DATA / "vectors.npy"))
    metadata = table.metadata
    assert list(metadata) == ["barcode", "kind", "n_genes", "share", "doublet", "age", "note"]
    assert metadata["barcode"] == tuple(f"AAAC{i}-1" for i in range(20))
    assert metadata["kind"] == ("B", "T", "", "B") * 5
    assert metadata["n_genes"] == tuple(str(3 * i) for i in range(20))
    assert metadata["share"][1] == "0.05263158"
    assert metadata["doublet"] == ("False", "True") * 10
    assert metadata["age"] == ("1", "") * 10
    assert metadata["note"][3] == "nöte 3"


@pytest.mark.parametrize("name", ["csr.h5ad", "dense.h5ad"])
def test_the_matrix_is_filled_in_where_it_is_sparse(name: str) -> None:
    vectors = load_table(DATA / name, tensor="X").vectors
    np.testing.assert_array_equal(vectors[0:20], COUNTS)
    np.testing.assert_array_equal(vectors[7:9], COUNTS[7:9])
    assert vectors[4:4].shape == (0, 7)


def test_coordinates_are_listed_and_not_taken() -> None:
    listed = {info.name: info for info in list_tensors(DATA / "csr.h5ad")}
    assert listed["obsm/X_umap"].note == "coordinates: --coordinates obsm/X_umap"
    assert [name for name, info in listed.items() if info.taken] == ["obsm/X_pca"]
    assert load_table(DATA / "csr.h5ad", tensor="X_umap").n_dims == 2


def test_a_matrix_that_is_stored_by_columns_is_refused_with_what_turns_it() -> None:
    with pytest.raises(
        LoadError, match=r"'X': a sparse matrix that is stored by columns; adata\.X"
    ):
        load_table(DATA / "csc.h5ad")


def write(path: Path, matrix: Any, **parts: Any) -> Path:
    """Write a table as the documentation of the format describes it."""
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "anndata"
        x = file.create_group("X")
        x.attrs["encoding-type"], x.attrs["shape"] = "csr_matrix", matrix.shape
        for name in ("data", "indices", "indptr"):
            x[name] = parts.get(name, getattr(matrix, name))
        obs = file.create_group("obs")
        obs.attrs["_index"], obs.attrs["column-order"] = "_index", ["score"]
        obs["_index"] = [f"c{i}" for i in range(matrix.shape[0])]
        obs["score"] = parts.get("score", np.arange(matrix.shape[0]))
        for name, values in parts.get("obsm", {}).items():
            file[f"obsm/{name}"] = values
    return path


def test_sparse_values_of_one_place_add_up_as_in_scipy(tmp_path: Path) -> None:
    rows = np.array([0, 0, 2, 2, 2]), np.array([1, 1, 0, 3, 3])
    matrix = sp.coo_matrix((np.arange(1.0, 6), rows), (3, 4))
    csr = sp.csr_matrix((matrix.data, matrix.col, np.array([0, 2, 2, 5])), (3, 4))
    table = load_table(write(tmp_path / "x.h5ad", csr))
    np.testing.assert_array_equal(table.vectors[0:3], csr.toarray())
    assert table.label(1) == "c1"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"indptr": np.array([0, 9, 1, 5])}, "rows do not follow"),
        ({"indptr": np.array([0, 1, 2, 500])}, "500 values named"),
        ({"indices": np.array([0, 9, 0, 1])}, "a column beyond 4"),
        ({"indices": np.array([0, -1, 0, 1])}, "a column beyond 4"),
        ({"score": np.arange(2)}, "columns of .2, 3. rows"),
    ],
)
def test_damaged_tables_are_refused(tmp_path: Path, parts: Any, said: str) -> None:
    matrix = sp.csr_matrix((np.ones(4), [0, 1, 0, 1], [0, 1, 2, 4]), (3, 4))
    path = write(tmp_path / "x.h5ad", matrix, **parts)
    with pytest.raises(LoadError, match=f"damaged: .*{said}"):
        load_table(path).vectors[0:3]


@pytest.mark.parametrize("part", ["data", "indices", "indptr"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"compression": "lzf"}, "packed by the filter LZF, which is not read; write it packed by"),
        ({"shape": (2, 2), "maxshape": None}, "no list of numbers"),
        ({"dtype": "S2"}, "text"),
    ],
)
def test_a_sparse_matrix_that_cannot_be_read_is_listed_as_refused(
    tmp_path: Path, part: str, options: dict[str, Any], said: str
) -> None:
    matrix = sp.csr_matrix((np.ones(4), [0, 1, 0, 1], [0, 1, 2, 4]), (3, 4))
    path = write(tmp_path / "x.h5ad", matrix)
    with h5py.File(path, "r+") as file:
        values = file[f"X/{part}"][:4]
        del file[f"X/{part}"]
        if options.get("dtype") == "S2":
            values = values.astype("S2")
        file.create_dataset(f"X/{part}", data=values, **{"shape": values.shape} | options)
    (listed,) = [info for info in list_tensors(path) if info.name == "X"]
    assert not listed.taken
    assert listed.note.startswith(said.partition(";")[0])
    with pytest.raises(LoadError, match=f"'X/{part}': {said}"):
        load_table(path)


def test_of_several_embeddings_the_user_names_one(tmp_path: Path) -> None:
    matrix = sp.csr_matrix(np.eye(5))
    obsm = {"X_pca": np.eye(5), "X_scvi": np.ones((5, 8)), "X_tsne": np.ones((5, 2))}
    path = write(tmp_path / "x.h5ad", matrix, obsm=obsm)
    with pytest.raises(LoadError, match=r"obsm/X_pca .*, obsm/X_scvi .*; choose by --tensor"):
        load_table(path)
    assert load_table(path, tensor="X_scvi").n_dims == 8


@pytest.mark.parametrize("options", [{}, {"chunks": (3,), "compression": "gzip"}])
def test_a_table_of_before_anndata_0_7_is_read_as_one_of_today(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    kinds = [("index", "S6"), ("group", "i1"), ("share", "<f4"), ("ok", "?"), ("n", "<i8")]
    obs = np.zeros(8, kinds)
    obs["index"] = [f"c{i}".encode() for i in range(8)]
    obs["group"], obs["share"] = [0, 1, -1, 0] * 2, np.arange(8) / 8
    obs["ok"], obs["n"] = [True, False] * 4, np.arange(8)
    obsm = np.zeros(8, [("X_pca", "<f4", (5,)), ("X_umap", "<f8", (2,))])
    obsm["X_pca"] = np.random.default_rng(2).normal(size=(8, 5))
    obsm["X_umap"] = np.random.default_rng(3).normal(size=(8, 2))
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["X"] = np.eye(8, 4)
        file["var"] = np.zeros(4, [("index", "S3")])
        file.create_dataset("obs", data=obs, **options)
        file.create_dataset("obsm", data=obsm, **options)
        file["uns/group_categories"] = [b"T", b"B"]
    table = load_table(tmp_path / "x.h5ad")
    assert (table.name, table.label(3)) == ("obsm/X_pca", "c3")
    np.testing.assert_array_equal(table.vectors[2:8], obsm["X_pca"][2:])
    assert {name: values[:3] for name, values in table.metadata.items()} == {
        "index": ("c0", "c1", "c2"),
        "group": ("T", "B", ""),
        "share": ("0.0", "0.125", "0.25"),
        "ok": ("True", "False", "True"),
        "n": ("0", "1", "2"),
    }
    places = load_table(tmp_path / "x.h5ad", tensor="X_umap").vectors
    np.testing.assert_array_equal(places[0:8], obsm["X_umap"])


@pytest.mark.parametrize("options", [{}, {"chunks": (3,), "compression": "gzip"}])
def test_records_of_texts_of_any_length_name_the_cells(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    text = h5py.string_dtype()
    obs = np.zeros(8, [("index", text), ("n", "<i8"), ("note", text), ("group", "i1")])
    obs["index"] = [f"cell {i}" * (i + 1) for i in range(8)]
    obs["note"] = ["", "nöte", "x" * 70_000, "a"] * 2
    obs["n"], obs["group"] = np.arange(8), [0, 1] * 4
    with h5py.File(tmp_path / "x.h5ad", "w") as file:
        file["X"] = np.eye(8, 4)
        file["var"] = np.array([(f"gene {i}",) for i in range(4)], [("index", text)])
        file.create_dataset("obs", data=obs, **options)
        file.create_dataset("uns/group_categories", data=["T", "B"], dtype=text)
        wanted = file["obs"][:]
    table = load_table(tmp_path / "x.h5ad")
    assert (table.name, table.label(3)) == ("X", "cell 3" * 4)
    assert list(table.metadata) == ["index", "n", "note", "group"]
    for name in ("index", "note"):
        assert table.metadata[name] == tuple(value.decode() for value in wanted[name])
    assert table.metadata["n"] == tuple(map(str, range(8)))
    assert table.metadata["group"] == ("T", "B") * 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"GCOL", b"GCOX", "its texts are not there"),
        ("nö".encode(), b"n\xc3(", "text that is not UTF-8"),
        (b"number", struct.pack("<I", 99), "a text that is not there"),
    ],
)
def test_texts_of_records_that_are_damaged_are_refused(
    tmp_path: Path, old: bytes, new: bytes, said: str
) -> None:
    path = tmp_path / "x.h5ad"
    obs = np.array([("nö", 1), ("b", 2)], [("index", h5py.string_dtype()), ("n", "<i8")])
    with h5py.File(path, "w") as file:
        file["X"], file["obs"] = np.eye(2), obs
        file["var"] = np.zeros(2, [("index", "S3")])
        place = file["obs"].id.get_offset()
    raw = path.read_bytes()
    old = raw[place : place + 16] if old == b"number" else old
    assert raw.count(old) == 1
    path.write_bytes(raw.replace(old, old[: len(old) - len(new)] + new))
    with pytest.raises(LoadError, match=f"'obs/index'.*{said}"):
        load_table(path)


def test_texts_that_many_records_share_are_refused_before_they_are_copied(tmp_path: Path) -> None:
    path = tmp_path / "x.h5ad"
    obs = np.zeros(500, [("index", h5py.string_dtype())])
    obs["index"] = "x" * 50_000, *["b"] * 499
    with h5py.File(path, "w") as file:
        file["X"], file["obs"] = np.eye(500, 2), obs
        file["var"] = np.zeros(2, [("index", "S3")])
        place = file["obs"].id.get_offset()
    raw = path.read_bytes()
    first = raw[place : place + 16]
    shorter = struct.pack("<I", 49_999) + first[4:]
    path.write_bytes(raw[:place] + first + shorter * 499 + raw[place + 500 * 16 :])
    with pytest.raises(LoadError, match="its texts overlap"):
        load_table(path)
