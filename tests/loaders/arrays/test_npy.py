from __future__ import annotations

import io
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import EmbvizError, LoadError, ParameterError
from embviz.loaders import list_tensors, load_table

RNG = np.random.default_rng(5)
VECTORS = RNG.normal(size=(30, 4)).astype(np.float32)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("PWNED",))


def saved(path: Path, array: Any, **options: Any) -> Path:
    with path.open("wb") as file:
        np.save(file, array, **options)
    return path


def error(path: Path, **options: Any) -> str:
    with pytest.raises(LoadError) as caught:
        load_table(path, **options)
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", ">f4", ">f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i4"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_real_dtype_is_mapped_as_it_is(tmp_path: Path, dtype: str, order: Any) -> None:
    array = np.asarray(VECTORS * 50, dtype=dtype, order=order) if dtype[0] != "u" else None
    if array is None:
        array = np.asarray(np.abs(VECTORS * 50), dtype=dtype, order=order)
    table = load_table(saved(tmp_path / "x.npy", array))
    assert isinstance(table.vectors, np.memmap)
    assert table.vectors.dtype == np.dtype(dtype)
    assert not table.vectors.flags.writeable
    np.testing.assert_array_equal(table.vectors, array)


def test_bool_is_read_as_0_and_1(tmp_path: Path) -> None:
    table = load_table(saved(tmp_path / "x.npy", VECTORS > 0))
    np.testing.assert_array_equal(table.vectors, (VECTORS > 0).astype(np.uint8))
    (_, block), *_ = table.blocks()
    assert set(np.unique(block)) == {0.0, 1.0}


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_format_version_is_read(tmp_path: Path, version: tuple[int, int]) -> None:
    path = tmp_path / "x.npy"
    with path.open("wb") as file:
        np.lib.format.write_array(file, VECTORS, version)
    np.testing.assert_array_equal(load_table(path).vectors, VECTORS)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([["a", "b"]]), "<U1"),
        (np.array([[b"a", b"b"]]), "|S1"),
        (np.zeros((2, 2), "M8[s]"), "datetime64[s]"),
        (np.zeros((2, 2), "m8[s]"), "timedelta64[s]"),
        (np.zeros((2, 2), "c8"), "complex64"),
        (np.zeros((2, 2), ml_dtypes.bfloat16), "bfloat16"),
        (np.zeros((2, 2), "V3"), "V3"),
        (np.zeros(2, [("a", "f4")]), "structured"),
        (np.zeros(7), "1-D, shape (7)"),
        (np.zeros((2, 3, 4)), "3-D, shape (2, 3, 4)"),
        (np.float32(1), "0-D"),
        (np.zeros((0, 4)), "0 rows of 4 columns"),
        (np.zeros((4, 0)), "4 rows of 0 columns"),
    ],
)
def test_what_is_no_table_of_real_numbers_is_refused_by_dtype_or_shape(
    tmp_path: Path, array: Any, said: str
) -> None:
    assert said in error(saved(tmp_path / "x.npy", array))


def test_objects_are_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    array = np.array([[Bomb(), 1]], dtype=object)
    assert "dtype object" in error(saved(Path("x.npy"), array, allow_pickle=True))
    np.savez("x.npz", emb=array)
    assert "dtype object" in error(Path("x.npz"))
    np.savez("y.npz", emb=VECTORS, labels=np.array([Bomb()] * 30, dtype=object))
    assert load_table("y.npz").metadata == {}
    assert not Path("PWNED").exists()


def test_missing_bytes_are_counted(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npy", VECTORS)
    path.write_bytes(path.read_bytes()[:-1])
    assert "30 x 4 of float32 takes 480 bytes, 479 are there" in error(path)
    with pytest.raises(LoadError, match="479 are there"):
        list_tensors(path)


@pytest.mark.parametrize("shape", ["(4611686018427387904, 8)", "(1099511627776, 8)"])
def test_a_header_that_claims_more_than_there_is_takes_no_memory(
    tmp_path: Path, shape: str
) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + b"\0" * 64)
    assert "64 are there" in error(path)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 8)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (True, 8)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': [3, 8]}",
        b"{'descr': 'f4,f4', 'fortran_order': False, 'shape': (3, 8)}",
        b"{'descr': '(2,)f4', 'fortran_order': False, 'shape': (3, 8)}",
        b"{'descr': 'zz', 'fortran_order': False, 'shape': (3, 8)}",
        b"{'descr': 3, 'fortran_order': False, 'shape': (3, 8)}",
        b"__import__('os').mkdir('PWNED')",
        b"[" * 5000,
        b"{'shape': (3, 8)}",
        b"\xff\xfe",
        b"",
    ],
)
def test_a_damaged_header_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + b"\0" * 400)
    assert "a damaged .npy header" in error(path)


@pytest.mark.parametrize(
    ("raw", "said"),
    [(b"", "0 bytes"), (b"<!DOCTYPE html>", "a web page"), (b"0.1 0.2\n", "text"),
     (b"\x80\x04\x95", "a pickle"), (b"\x93NUMPY", "damaged"), (b"\x93NUMPY\1\0\xff\xff", "65535")],
)  # fmt: skip
def test_what_is_named_npy_and_is_not_is_named(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(raw)
    assert said in error(path)


def test_a_members_array_is_mapped_where_it_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, emb=VECTORS)
    table = load_table(path)
    assert isinstance(table.vectors, np.memmap)
    np.testing.assert_array_equal(table.vectors, VECTORS)
    assert table.verify is not None
    table.verify()


def test_a_stored_members_checksum_is_compared_on_request(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    vectors = RNG.normal(size=(3000, 8))
    np.savez(path, emb=vectors)
    raw = bytearray(path.read_bytes())
    raw[raw.index(vectors.tobytes()) + vectors.nbytes - 9] ^= 1
    path.write_bytes(raw)
    table = load_table(path)
    assert table.verify is not None
    with pytest.raises(LoadError, match="checksum"):
        table.verify()


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_compressed_member_is_unpacked(tmp_path: Path, order: Any) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, emb=np.asarray(VECTORS, order=order))
    np.testing.assert_array_equal(load_table(path).vectors, VECTORS)
    raw = bytearray(path.read_bytes())
    raw[150] ^= 255
    path.write_bytes(raw)
    assert "damaged" in error(path)


def test_a_zip64_archive_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with (
        zipfile.ZipFile(path, "w") as archive,
        archive.open("emb.npy", "w", force_zip64=True) as file,
    ):
        np.save(file, VECTORS)
    np.testing.assert_array_equal(load_table(path).vectors, VECTORS)


def test_arrays_of_one_value_a_row_become_metadata(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    words = np.array([f"wörd {i}" for i in range(30)])
    raw = np.array([b"b%d" % i for i in range(30)])
    np.savez(path, X=VECTORS, words=words, raw=raw, y=np.arange(30), other=np.arange(7))
    table = load_table(path)
    assert dict(table.metadata) == {
        "words": tuple(words.tolist()),
        "raw": tuple(f"b{i}" for i in range(30)),
        "y": tuple(map(str, range(30))),
    }


def test_several_tables_are_listed_and_one_is_picked_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, left=VECTORS, right=VECTORS[:7] * 2)
    text = error(path)
    assert "left (30 x 4 float32)" in text
    assert "right (7 x 4 float32)" in text
    np.testing.assert_array_equal(load_table(path, tensor="right").vectors, VECTORS[:7] * 2)
    np.testing.assert_array_equal(load_table(path, tensor="left.npy").vectors, VECTORS)
    with pytest.raises(ParameterError, match="left"):
        load_table(path, tensor="up")
    assert [(i.name, i.shape, i.taken) for i in list_tensors(path)] == [
        ("left", (30, 4), False),
        ("right", (7, 4), False),
    ]


def test_a_zip_named_npy_is_read_as_npz(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    with path.open("wb") as file:
        np.savez(file, emb=VECTORS)
    np.testing.assert_array_equal(load_table(path).vectors, VECTORS)


def test_a_compression_bomb_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    header = {"descr": "<f4", "fortran_order": False, "shape": (80 << 14, 16)}
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("emb.npy", "w") as file,
    ):
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(80):
            file.write(b"\0" * (1 << 20))
    assert "more than 200 times" in error(path)


def test_an_archive_without_arrays_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no arrays")
    assert "readme.txt" in error(path)


def _file(name: str) -> bytes:
    out = io.BytesIO()
    if name == "x.npy":
        np.save(out, VECTORS)
    elif name == "x.npz":
        np.savez(out, a=VECTORS, labels=np.array(["x"] * 30))
    else:
        np.savez_compressed(out, a=VECTORS, labels=np.array([b"x"] * 30))
    return out.getvalue()


FILES = {name: _file(name) for name in ("x.npy", "x.npz", "y.npz")}


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(FILES)),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 4), st.binary(max_size=4)), min_size=1, max_size=4
    ),
)
def test_a_mutated_array_file_is_read_or_refused_with_its_name(
    name: str, edits: list[tuple[float, int, bytes]]
) -> None:
    raw = FILES[name]
    for where, cut, new in edits:
        at = int(where * len(raw))
        raw = raw[:at] + new + raw[at + cut :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(raw)
        said = name
        try:
            table = load_table(path)
            assert table.vectors.size <= 10_000
            table.vectors.tobytes()
        except EmbvizError as e:
            said = str(e)
        assert name in said
