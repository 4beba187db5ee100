"""Zarr folders: arrays as the package zarr wrote them, AnnData, and what is never unpacked."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec

from embviz import LoadError, list_tensors, load_table

VECTORS = np.random.default_rng(7).normal(size=(41, 6)).astype(np.float32)
TEXTS = [f"wört {i}" for i in range(41)]
STRINGS = np.array(TEXTS, np.dtypes.StringDType())


@pytest.fixture(params=[2, 3])
def group(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A folder x.zarr of either version."""
    return zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=request.param)


@pytest.mark.parametrize("kind", ["<f2", "<f4", "<f8", "i1", "<i8", "<u2"])
@pytest.mark.parametrize("chunks", [(7, 4), (41, 6)])
def test_arrays_are_read_as_zarr_reads_them(
    group: Any, tmp_path: Path, kind: str, chunks: tuple[int, int]
) -> None:
    values = (VECTORS * 40).astype(kind)
    group.create_array("a/v", data=values, chunks=chunks)
    table = load_table(tmp_path / "x.zarr")
    assert (table.name, table.vectors.dtype) == ("a/v", np.dtype(kind))
    for rows in (np.s_[0:41], np.s_[5:9], np.s_[40:41], np.s_[3:3]):
        np.testing.assert_array_equal(table.vectors[rows], values[rows])


@pytest.mark.parametrize(
    "options",
    [
        {"compressors": None},
        {"compressors": ZstdCodec()},
        {"compressors": GzipCodec()},
        {"compressors": BloscCodec(cname="zstd", shuffle="bitshuffle")},
        {"filters": [TransposeCodec(order=(1, 0))], "chunks": (7, 4)},
        {"compressors": [GzipCodec(), Crc32cCodec()]},
    ],
)
def test_packed_and_turned_chunks_are_read(tmp_path: Path, options: dict[str, Any]) -> None:
    zarr.open_group(tmp_path, mode="w").create_array("v", data=VECTORS, **options)
    np.testing.assert_array_equal(load_table(tmp_path).vectors[0:41], VECTORS)


def test_an_array_by_itself_and_lists_beside_are_read(group: Any, tmp_path: Path) -> None:
    group.create_array("emb", data=VECTORS)
    group.create_array("word", data=STRINGS)
    group.create_array("n", data=np.arange(41))
    group.create_array("short", data=np.arange(5))
    metadata = load_table(tmp_path / "x.zarr").metadata
    assert dict(metadata) == {"word": tuple(TEXTS), "n": tuple(map(str, range(41)))}
    alone = load_table(tmp_path / "x.zarr" / "emb")
    np.testing.assert_array_equal(alone.vectors[0:41], VECTORS)


def test_anndata_in_zarr_is_read_as_in_hdf5(group: Any, tmp_path: Path) -> None:
    counts = sp.random(41, 9, 0.3, "csr", random_state=1)
    group.attrs["encoding-type"] = "anndata"
    x = group.create_group("X")
    x.attrs.update({"encoding-type": "csr_matrix", "shape": [41, 9]})
    for part in ("data", "indices", "indptr"):
        x.create_array(part, data=getattr(counts, part))
    group.create_array("obsm/X_pca", data=VECTORS)
    group.create_array("obsm/X_umap", data=VECTORS[:, :2])
    obs = group.create_group("obs")
    obs.attrs.update({"_index": "cell", "column-order": ["kind"]})
    obs.create_array("cell", data=STRINGS)
    obs.create_array("kind/categories", data=np.array(["B", "T"], np.dtypes.StringDType()))
    obs.create_array("kind/codes", data=np.array([0, 1, -1] * 13 + [0, 1], np.int8))
    table = load_table(tmp_path / "x.zarr")
    assert (table.name, table.label(3)) == ("obsm/X_pca", TEXTS[3])
    assert table.metadata["kind"][:4] == ("B", "T", "", "B")
    dense = load_table(tmp_path / "x.zarr", tensor="X").vectors[0:41]
    np.testing.assert_array_equal(dense, counts.toarray())


def write_old_anndata(path: Path) -> NDArray[Any]:
    """Write a table as anndata 0.6 did, obs and obsm as records; return obsm."""
    group = zarr.open_group(path, mode="w", zarr_format=2)
    obs = np.zeros(6, [("index", "S6"), ("kind", "i1"), ("share", "<f4")])
    obs["index"] = [f"c{i}".encode() for i in range(6)]
    obs["kind"], obs["share"] = [0, 1, -1, 0, 1, 0], np.arange(6) / 8
    obsm = np.zeros(6, [("X_pca", "<f4", (5,)), ("X_umap", "<f8", (2,))])
    obsm["X_pca"] = np.random.default_rng(2).normal(size=(6, 5))
    # The package does not write fields of several numbers: it gets bytes, and their type below.
    as_bytes = obsm.view([("X_pca", "V20"), ("X_umap", "V16")])
    records = {"obs": obs, "obsm": as_bytes, "var": np.zeros(4, [("index", "S3")])}
    for name, values in records.items():
        sizes: Any = {"shape": values.shape, "dtype": values.dtype, "chunks": (4,)}
        sizes["fill_value"] = np.zeros((), values.dtype)[()]
        group.create_array(name, **sizes)[:] = values
    group.create_array("X", data=np.eye(6, 4))
    group.create_array("uns/kind_categories", data=np.array([b"T", b"B"]))
    file = path / "obsm" / ".zarray"
    kinds = [["X_pca", "<f4", [5]], ["X_umap", "<f8", [2]]]
    file.write_text(json.dumps({**json.loads(file.read_text()), "dtype": kinds}))
    return obsm


def test_a_table_of_before_anndata_0_7_has_its_labels(tmp_path: Path) -> None:
    obsm = write_old_anndata(tmp_path)
    table = load_table(tmp_path)
    assert (table.name, table.label(3)) == ("obsm/X_pca", "c3")
    np.testing.assert_array_equal(table.vectors[1:6], obsm["X_pca"][1:])
    assert dict(table.metadata) == {
        "index": tuple(f"c{i}" for i in range(6)),
        "kind": ("T", "B", "", "T", "B", "T"),
        "share": ("0.0", "0.125", "0.25", "0.375", "0.5", "0.625"),
    }


@pytest.mark.parametrize(
    ("dtype", "why"),
    [
        ([["index", "|O"]], "Python objects, not numbers"),
        ([["index", [["a", "<f4"]]]], "records within records"),
        ([["index", "|S6", [1 << 40]]], "damaged metadata"),
        ([["index", "|S6", [1]], ["index", "|S6"]], "damaged metadata"),
        ([["index", "|S6", [-1]]], "damaged metadata"),
        ([[]], "damaged metadata"),
        ([], "of a type that is neither"),
    ],
)
def test_labels_that_cannot_be_read_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, dtype: Any, why: str
) -> None:
    write_old_anndata(tmp_path)
    file = tmp_path / "obs" / ".zarray"
    file.write_text(json.dumps({**json.loads(file.read_text()), "dtype": dtype}))
    with caplog.at_level("INFO", "embviz"):
        assert not load_table(tmp_path).metadata
    assert f"no labels, since 'obs' cannot be read: {why}" in caplog.text


def test_pickle_is_never_unpacked(tmp_path: Path) -> None:
    trap = f"cos\nsystem\n(S'touch {tmp_path}/ran'\ntR.".encode()
    (tmp_path / "x.zarr" / "v").mkdir(parents=True)
    (tmp_path / "x.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    notes = {
        "zarr_format": 2, "shape": [2, 2], "chunks": [2, 2], "dtype": "|O", "order": "C",
        "fill_value": None, "compressor": None, "filters": [{"id": "pickle", "protocol": 4}],
    }  # fmt: skip
    (tmp_path / "x.zarr" / "v" / ".zarray").write_text(json.dumps(notes))
    (tmp_path / "x.zarr" / "v" / "0.0").write_bytes(trap)
    with pytest.raises(LoadError, match="'v': packed by the codec 'pickle', which is not read"):
        load_table(tmp_path / "x.zarr", tensor="v")
    assert not (tmp_path / "ran").exists()
    pickle.loads(trap)
    assert (tmp_path / "ran").exists()  # What would have happened.


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
@pytest.mark.parametrize("name", ["v", "v/zarr.json", "v/c"])
def test_nothing_is_read_outside_the_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.zarr"
    zarr.open_group(path, mode="w").create_array("v", data=VECTORS)
    shutil.move(path / name, tmp_path / "elsewhere")
    (path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LoadError, match="a link"):
        load_table(path).vectors[0:41]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shape": [1 << 40, 6]}, "1099511627776 x 6 values are more than its files can hold"),
        ({"shape": [41, 1 << 40]}, "rows of more than 1 GiB"),
        ({"codecs": [{"name": "bytes"}, {"name": "other"}]}, "the codec 'other', which is not"),
        ({"data_type": "complex64", "fill_value": [0.0, 0.0]}, "complex numbers"),
        ({"storage_transformers": [{"name": "x"}]}, "a storage transformer"),
        ({"data_type": "nonsense"}, "of the type nonsense, which is not read"),
    ],
)
def test_metadata_that_cannot_be_obeyed_are_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    zarr.open_group(tmp_path, mode="w").create_array("v", data=VECTORS)
    file = tmp_path / "v" / "zarr.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(LoadError, match=f"'v': .*{said}"):
        load_table(tmp_path, tensor="v")
    assert [info.taken for info in list_tensors(tmp_path)] in ([True], [False])


def test_without_numcodecs_the_command_that_installs_it_is_said(
    tmp_path: Path, info_without: Any
) -> None:
    zarr.open_group(tmp_path / "x.zarr", mode="w").create_array("v", data=VECTORS)
    told = info_without("numcodecs", tmp_path / "x.zarr")
    assert told.returncode == 1
    assert told.stderr == (
        f"embviz: {tmp_path / 'x.zarr'}: Zarr, which is read by the package numcodecs, "
        "and that is not installed; pip install 'embviz[zarr]'\n"
    )


@pytest.mark.parametrize("kind", ["(3,", "<f4,<f4", "f", "<x4", "|O", "[('a', 'f4')]"])
def test_a_type_of_version_2_is_not_evaluated(tmp_path: Path, kind: str) -> None:
    group = zarr.open_group(tmp_path, mode="w", zarr_format=2)
    group.create_array("v", data=VECTORS)
    file = tmp_path / "v" / ".zarray"
    file.write_text(json.dumps({**json.loads(file.read_text()), "dtype": kind}))
    with pytest.raises(LoadError, match=r"'v': (of the type .*, which is not read|Python objects)"):
        load_table(tmp_path, tensor="v")


@pytest.mark.parametrize("where", ["chunk_key_encoding", "codec"])
@pytest.mark.parametrize("value", [1.5, "x", [1], True])
def test_a_configuration_that_is_no_object_is_refused(
    tmp_path: Path, where: str, value: Any
) -> None:
    zarr.open_group(tmp_path, mode="w", zarr_format=3).create_array("v", data=VECTORS)
    file = tmp_path / "v" / "zarr.json"
    notes = json.loads(file.read_text())
    changed = notes["codecs"][0] if where == "codec" else notes["chunk_key_encoding"]
    changed["configuration"] = value
    file.write_text(json.dumps(notes))
    with pytest.raises(LoadError, match="configuration that is no object"):
        load_table(tmp_path)
