"""FAISS's index files against FAISS itself."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path

import faiss
import numpy as np
import pytest

from embviz import LoadError
from embviz.loaders import list_tensors, load_table, open_source

N, D = 400, 8
RNG = np.random.default_rng(7)
VECTORS = RNG.normal(size=(N, D)).astype(np.float32)
IDS = RNG.permutation(5 * N)[:N].astype(np.int64)
faiss.cvar.distance_compute_blas_threshold = 20


def write_index(path: Path, spec: str, metric: int = faiss.METRIC_L2) -> Path:
    index = faiss.index_factory(D, spec, metric)
    index.verbose = False
    index.train(VECTORS)
    if "IDMap" in spec:
        index.add_with_ids(VECTORS, IDS)
    else:
        index.add(VECTORS)
    faiss.write_index(index, str(path))
    return path


def loaded(path: Path) -> np.ndarray:
    table = load_table(path)
    return np.asarray(table.vectors[0 : table.n_points])


@pytest.mark.parametrize("metric", [faiss.METRIC_L2, faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L1])
@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("Flat", "flat"),
        ("HNSW8,Flat", "HNSW of flat"),
        ("IVF4,Flat", "inverted lists"),
        ("IVF4_HNSW4,Flat", "inverted lists"),
    ],
)
def test_vectors_are_read_as_faiss_gives_them_back(
    tmp_path: Path, spec: str, kind: str, metric: int
) -> None:
    if metric == faiss.METRIC_L1 and "IVF" in spec:
        pytest.skip("FAISS trains no such lists")
    path = write_index(tmp_path / "x.faiss", spec, metric)
    index = faiss.read_index(str(path))
    np.testing.assert_array_equal(loaded(path), index.reconstruct_n(0, N))
    assert load_table(path).metadata == {}
    names = {0: "inner product", 1: "squared L2", 2: "L1"}
    (info,) = list_tensors(path)
    assert (info.shape, info.note) == ((N, D), f"FAISS {kind}, {names[metric]}")


@pytest.mark.parametrize("spec", ["IDMap,Flat", "IDMap2,Flat", "IDMap,HNSW8"])
def test_the_ids_of_a_map_are_a_column(tmp_path: Path, spec: str) -> None:
    path = write_index(tmp_path / "x", spec)
    np.testing.assert_array_equal(loaded(path), VECTORS)
    assert load_table(path).metadata == {"id": tuple(map(str, IDS.tolist()))}
    assert open_source(path).tensors[0].columns().find(str(IDS[7])) == [7]  # type: ignore[misc]


def test_the_rows_of_lists_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    index = faiss.index_factory(D, "IVF4,Flat")
    index.train(VECTORS)
    index.add_with_ids(VECTORS, IDS)
    faiss.write_index(index, str(tmp_path / "x"))
    order = np.argsort(IDS)
    rows = open_source(tmp_path / "x").tensors[0].rows()
    for start, stop in ((0, N), (5, 60), (N - 1, N), (9, 9)):
        np.testing.assert_array_equal(rows[start:stop], VECTORS[order[start:stop]])
    assert load_table(tmp_path / "x").metadata == {"id": tuple(map(str, IDS[order].tolist()))}
    mapped = write_index(tmp_path / "y", "IDMap,IVF4,Flat")
    np.testing.assert_array_equal(loaded(mapped), VECTORS)
    assert load_table(mapped).metadata == {"id": tuple(map(str, IDS.tolist()))}


def test_of_lists_that_are_mostly_empty_none_is_lost(tmp_path: Path) -> None:
    index = faiss.index_factory(D, "IVF300,Flat")
    index.train(np.tile(VECTORS, (20, 1)))
    index.add(VECTORS[:60])
    faiss.write_index(index, str(tmp_path / "x"))
    assert b"sprs" in (tmp_path / "x").read_bytes()
    np.testing.assert_array_equal(loaded(tmp_path / "x"), VECTORS[:60])


def test_a_direct_map_before_the_lists_is_passed_over(tmp_path: Path) -> None:
    for kind in (faiss.DirectMap.Array, faiss.DirectMap.Hashtable):
        index = faiss.index_factory(D, "IVF4,Flat")
        index.train(VECTORS)
        index.set_direct_map_type(kind)
        index.add(VECTORS)
        faiss.write_index(index, str(tmp_path / "x"))
        np.testing.assert_array_equal(loaded(tmp_path / "x"), VECTORS)


def write_beside(folder: Path) -> Path:
    index = faiss.index_factory(D, "IVF4,Flat")
    index.train(VECTORS)
    lists = faiss.OnDiskInvertedLists(index.nlist, index.code_size, str(folder / "lists.ivf"))
    index.replace_invlists(lists)
    index.add(VECTORS)
    faiss.write_index(index, str(folder / "x.faiss"))
    return folder / "x.faiss"


def test_lists_in_a_file_beside_are_read_also_where_both_were_moved(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    path = write_beside(tmp_path / "old")
    np.testing.assert_array_equal(loaded(path), VECTORS)
    moved = (tmp_path / "old").rename(tmp_path / "new")
    np.testing.assert_array_equal(loaded(moved / "x.faiss"), VECTORS)
    assert open_source(moved / "x.faiss").files == (moved / "lists.ivf",)
    (moved / "lists.ivf").write_bytes((moved / "lists.ivf").read_bytes()[:1000])
    with pytest.raises(LoadError, match=r"lists\.ivf: cut off"):
        load_table(moved / "x.faiss")
    (moved / "lists.ivf").unlink()
    with pytest.raises(LoadError, match=r"lists\.ivf': no such file beside it; put it into"):
        load_table(moved / "x.faiss")


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_lists_are_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = write_beside(tmp_path / "in")
    (tmp_path / "in" / "lists.ivf").rename(tmp_path / "lists.ivf")
    (tmp_path / "in" / "lists.ivf").symlink_to(tmp_path / "lists.ivf")
    with pytest.raises(LoadError, match=r"a link to .*, outside"):
        load_table(path)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("PQ2x4", "product quantization"),
        ("IVF4,PQ2x4", "product quantization"),
        ("IDMap,PQ2x4", "product quantization"),
        ("SQ8", "scalar quantization"),
        ("HNSW4,SQ8", "scalar quantization"),
        ("LSH", "locality-sensitive hashing"),
        ("RQ2x4", "additive quantization"),
        ("PCA4,Flat", "a transform before it"),
        ("IDMap,L2norm,Flat", "a transform before it"),
        ("PQ2x4,RFlat", "a second, finer index"),
        ("RaBitQ", "RaBitQ"),
    ],
)
def test_what_a_compressed_index_keeps_is_had_as_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, kind: str
) -> None:
    path = write_index(tmp_path / "it's.faiss", spec)
    with pytest.raises(LoadError, match=f"a FAISS index with {kind}") as caught:
        load_table(path)
    monkeypatch.chdir(tmp_path)
    code = caught.value.way_out.removeprefix("in Python: ").partition(", where its ids")[0]
    exec(code, {})
    assert load_table("x.npy").vectors.shape == (N, 4 if spec == "PCA4,Flat" else D)


def test_an_index_of_bits_can_be_unpacked_as_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bits = RNG.integers(0, 2, (N, 16), np.uint8)
    index = faiss.IndexBinaryFlat(16)
    index.add(np.packbits(bits, axis=1))
    faiss.write_index_binary(index, str(tmp_path / "b.index"))
    with pytest.raises(LoadError, match="a FAISS index of bits, not of real numbers") as caught:
        load_table(tmp_path / "b.index")
    monkeypatch.chdir(tmp_path)
    exec(caught.value.way_out.removeprefix("in Python: "), {})
    np.testing.assert_array_equal(load_table("x.npy").vectors, bits)


def test_where_faiss_gives_nothing_back_nothing_of_the_kind_is_told(tmp_path: Path) -> None:
    path = write_index(tmp_path / "x.faiss", "IVF4,PQ4x4fs")
    with pytest.raises(LoadError, match=r"save the vectors by numpy\.save where they are made$"):
        load_table(path)


@pytest.mark.parametrize("spec", ["Flat", "IDMap,HNSW4", "IVF4,Flat"])
def test_an_index_that_was_cut_off_or_changed_is_one_line(tmp_path: Path, spec: str) -> None:
    raw = write_index(tmp_path / "x", spec).read_bytes()
    path = tmp_path / "y"
    for length in (*range(46, 200, 7), *range(200, len(raw), 1501), len(raw) - 1):
        path.write_bytes(raw[:length])
        with pytest.raises(LoadError, match=r"cut off|damaged"):
            load_table(path)
    for at in range(4, len(raw) - 8, 397):
        path.write_bytes(raw[:at] + struct.pack("<q", 1 << 60) + raw[at + 8 :])
        with suppress(LoadError):
            assert loaded(path).shape == (N, D)
