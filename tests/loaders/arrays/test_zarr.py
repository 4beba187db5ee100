"""Zarr folders: arrays as the package zarr wrote them, AnnData, and what is never unpacked."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import zarr
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


def test_without_numcodecs_the_command_that_installs_it_is_said(tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "x.zarr", mode="w").create_array("v", data=VECTORS)
    code = (
        "import sys; sys.modules['numcodecs'] = None; sys.argv = ['embviz', 'info', 'x.zarr']; "
        "from embviz.__main__ import main; sys.exit(main())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert told.returncode == 1
    assert told.stderr == (
        "embviz: x.zarr: Zarr, which is read by the package numcodecs, and that is not "
        "installed; pip install 'embviz[zarr]'\n"
    )


@pytest.mark.parametrize("kind", ["(3,", "<f4,<f4", "f", "<x4", "|O", "[('a', 'f4')]"])
def test_a_type_of_version_2_is_not_evaluated(tmp_path: Path, kind: str) -> None:
    group = zarr.open_group(tmp_path, mode="w", zarr_format=2)
    group.create_array("v", data=VECTORS)
    file = tmp_path / "v" / ".zarray"
    file.write_text(json.dumps({**json.loads(file.read_text()), "dtype": kind}))
    with pytest.raises(LoadError, match=r"'v': (of the type .*, which is not read|Python objects)"):
        load_table(tmp_path, tensor="v")
