"""Safetensors: every type as the format's own library reads it, and each of the format's checks."""

from __future__ import annotations

import json
import struct
import time
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize, safe_open
from safetensors.numpy import save, save_file

from embviz import LoadError, list_tensors, load_table
from embviz.loaders import open_source
from embviz.loaders.reading import Reading

RNG = np.random.default_rng(3)
TYPES = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "I8": np.int8,
    "U16": np.uint16,
    "I16": np.int16,
    "U32": np.uint32,
    "I32": np.int32,
    "U64": np.uint64,
    "I64": np.int64,
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
    "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
}


def random_array(kind: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    values = RNG.normal(size=shape) * 30
    if kind is ml_dtypes.float8_e8m0fnu:
        values = 2.0 ** np.round(values / 10)
    return values.astype(np.float32).astype(kind)


def write(path: Path, header: Any, data: bytes = b"", length: int | None = None) -> Path:
    """Write a file of the format from its parts."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw) if length is None else length) + raw + data)
    return path


def of(**changes: Any) -> dict[str, Any]:
    """The header of one float32 table of 4 x 2."""
    return {"emb": {"dtype": "F32", "shape": [4, 2], "data_offsets": [0, 32], **changes}}


@pytest.mark.parametrize("code", TYPES)
def test_every_type_of_whole_bytes_is_read_as_the_formats_own_library_reads_it(
    tmp_path: Path, code: str
) -> None:
    path = tmp_path / "x.safetensors"
    array = random_array(TYPES[code], (40, 6))
    # One byte before it, so that it is not aligned.
    raw = save({"emb": array, "a": np.array([7], np.uint8)})
    assert f'"{code}"'.encode() in raw
    path.write_bytes(raw)
    ((_, theirs),) = [found for found in deserialize(raw) if found[0] == "emb"]
    assert (theirs["dtype"], theirs["shape"]) == (code, [40, 6])
    table = load_table(path)
    assert np.asarray(table.vectors).tobytes() == bytes(theirs["data"])
    np.testing.assert_array_equal(
        next(iter(table.blocks()))[1], array.astype(np.float32), strict=True
    )
    (info,) = [info for info in list_tensors(path) if info.taken]
    assert (info.name, info.shape, info.dtype) == ("emb", (40, 6), np.dtype(TYPES[code]).name)


def test_tensors_are_listed_in_the_order_of_numbers_and_those_of_other_shapes_are_named(
    tmp_path: Path,
) -> None:
    layers = {f"h.{i}.w": RNG.normal(size=(3, 2)).astype(np.float32) for i in (10, 2, 1)}
    other = {
        "norm": np.ones(3),
        "conv": np.ones((2, 2, 2)),
        "none": np.ones((0, 2)),
        "s": np.ones(()),
    }
    save_file({**layers, **other}, tmp_path / "x.safetensors", metadata={"format": "pt"})
    listed = {info.name: info.note for info in list_tensors(tmp_path / "x.safetensors")}
    assert [name for name in listed if name.startswith("h")] == ["h.1.w", "h.2.w", "h.10.w"]
    assert [listed[name] for name in ("norm", "conv", "none", "s")] == [
        "1-D",
        "3-D",
        "empty",
        "scalar",
    ]
    with pytest.raises(LoadError, match=r"3-D \(2 x 2 x 2\)"):
        load_table(tmp_path / "x.safetensors", tensor="conv")


def test_rows_are_a_memory_map(tmp_path: Path) -> None:
    save_file({"emb": RNG.normal(size=(50, 4))}, tmp_path / "x.safetensors")
    (tensor,) = open_source(tmp_path / "x.safetensors").tensors
    assert isinstance(tensor.rows(), np.memmap)
    assert not np.asarray(tensor.rows()).flags.writeable


@pytest.mark.parametrize(("code", "bits"), [("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6)])
def test_floats_of_less_than_a_byte_are_refused_by_name(
    tmp_path: Path, code: str, bits: int
) -> None:
    path = write(tmp_path / "x.safetensors", of(dtype=code, data_offsets=[0, bits]), bytes(bits))
    with safe_open(path, "numpy") as theirs:
        assert list(theirs.keys()) == ["emb"]
    with pytest.raises(LoadError, match=rf"floats of {bits} bits \({code}\)"):
        load_table(path)


def test_complex_numbers_and_types_of_a_later_format_hurt_only_who_asks_for_them(
    tmp_path: Path,
) -> None:
    header = {
        **of(),
        "z": {"dtype": "C64", "shape": [2, 1], "data_offsets": [32, 48]},
        "new": {"dtype": "F3_NEW", "shape": [2, 7], "data_offsets": [48, 53]},
    }
    path = write(tmp_path / "x.safetensors", header, bytes(53))
    assert load_table(path).n_points == 4
    for name, said in (("z", "complex numbers"), ("new", r"not known \(F3_NEW\)")):
        with pytest.raises(LoadError, match=said):
            load_table(path, tensor=name)


DAMAGED = {
    "hole": ({**of(data_offsets=[8, 40])}, 40, "leaves 8 bytes"),
    "overlap": (
        {**of(), "b": {"dtype": "U8", "shape": [9], "data_offsets": [31, 40]}},
        40,
        "'b' overlaps",
    ),
    "cut": (of(), 31, "cut off: its tensors take 32 bytes, 31 are there"),
    "tail": (of(), 33, "1 bytes follow its last tensor"),
    "size": (of(shape=[4, 3]), 32, "4 x 3 of F32 does not take the 32 bytes"),
    "half a byte": (of(dtype="F4", shape=[3, 3], data_offsets=[0, 4]), 4, "3 x 3 of F4 does not"),
    "overflow": (of(shape=[1 << 62, 1 << 62]), 32, "does not take"),
    "backwards": (of(data_offsets=[32, 0]), 32, r"data_offsets are \[32, 0\]"),
    "negative": (of(shape=[-4, -2]), 32, r"shape are \[-4, -2\], no list of counts"),
    "fraction": (of(shape=[4.0, 2]), 32, r"shape are \[4.0, 2\]"),
    "bool": (of(shape=[True, 8]), 32, "no list of counts"),
    "no dtype": ({"emb": {"shape": [4, 2], "data_offsets": [0, 32]}}, 32, "dtype is None"),
    "no shape": ({"emb": {"dtype": "F32", "data_offsets": [0, 32]}}, 32, "shape are None"),
    "list": ([1], 0, "does not begin with {"),
    "word": ({"emb": "F32"}, 0, "described by 'F32'"),
    "metadata": ({**of(), "__metadata__": {"a": 1}}, 32, "__metadata__ is no object of texts"),
    "json": (b'{"emb": ]}', 0, "no JSON"),
    "utf-8": (b'{"\xff": {}}', 0, "not UTF-8"),
    "deep": (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 0, "nested too deeply"),
    "digits": (b'{"a":' + b"9" * 5000 + b"}", 0, "no JSON"),
    "twice": (b'{"a":1,"a":1}', 0, "the key 'a' twice"),
    "many": (b'{"a":[' + b"0," * 5_000_000 + b"0]}", 0, "more than 5,000,000 values"),
    "name": ({"n" * 5000: of()["emb"]}, 32, "name of 5,000 characters"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_each_check_of_the_format_is_made(tmp_path: Path, case: str) -> None:
    header, n_bytes, said = DAMAGED[case]
    path = write(tmp_path / "x.safetensors", header, bytes(n_bytes))
    with pytest.raises(LoadError, match=said) as told:
        load_table(path)
    assert "\n" not in str(told.value)
    assert str(path) in str(told.value)
    if case not in ("twice", "many", "name"):  # In these we ask for more.
        with pytest.raises(SafetensorError):
            deserialize(path.read_bytes())


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (100_000_001, "a header of 100,000,001 bytes, at most 100,000,000 fit"),
        (1 << 63, "at most 100,000,000 fit"),
        (101, "cut off: its header takes 101 bytes, 100 are there"),
        (0, "a header of 0 bytes"),
    ],
)
def test_a_header_that_is_too_long_is_not_read(tmp_path: Path, length: int, said: str) -> None:
    path = write(tmp_path / "x.safetensors", b"{}".ljust(100), length=length)
    with pytest.raises(LoadError, match=said):
        load_table(path)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "0 bytes"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        (b"hello", "text, where a safetensors file is needed"),
        (b"\x05\0\0", "a header of 5 bytes"),
    ],
)
def test_what_came_in_place_of_a_file_is_named(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(raw)
    with pytest.raises(LoadError, match=said):
        load_table(path)


def test_a_file_is_known_by_its_content_under_any_name(tmp_path: Path) -> None:
    save_file({"emb": RNG.normal(size=(5, 4))}, tmp_path / "weights.dat")
    assert load_table(tmp_path / "weights.dat").n_points == 5


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=9).filter(lambda name: name != "__metadata__"),
        st.tuples(
            st.sampled_from(["uint8", "float16", "int32", "float64", "bfloat16"]),
            st.lists(st.integers(0, 4), max_size=3),
        ),
        max_size=5,
    )
)
def test_what_the_library_writes_is_read_back_name_by_name(
    tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, tuple[str, list[int]]]
) -> None:
    described = {
        name: np.array(random_array(getattr(ml_dtypes, dtype, dtype), tuple(shape)))
        for name, (dtype, shape) in tensors.items()
    }
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(save(described))
    found = {t.name: t for t in open_source(path, Reading(input_format="safetensors")).tensors}
    assert found.keys() == described.keys()
    for name, value in described.items():
        assert found[name].shape == value.shape
        if value.size:
            assert np.asarray(found[name].rows()).tobytes() == value.tobytes()


def test_twenty_thousand_tensors_are_listed_in_a_moment(tmp_path: Path) -> None:
    n = 20_000
    header = {
        f"layers.{i}.w": {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]} for i in range(n)
    }
    path = write(tmp_path / "x.safetensors", header, bytes(n))
    start = time.process_time()
    assert len(open_source(path).tensors) == n
    assert time.process_time() - start < 4
