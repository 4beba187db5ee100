"""ONNX models: what onnx wrote, and every form in which values may lie in a model or beside it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_writer import (
    external,
    graph,
    header,
    message,
    node,
    number,
    raw,
    typed,
    varint,
    write,
)
from torch_reading import found, read, refusal

from embviz import LoadError
from embviz.loaders import list_tensors, load_table, open_source
from embviz.loaders.bytes.protobuf import MalformedError
from embviz.loaders.formats import find_format
from embviz.loaders.weights import onnx_graph
from embviz.loaders.weights.onnx_graph import read_graph

REAL = Path(__file__).parents[2] / "data" / "onnx"
EXPECTED: dict[str, dict[str, Any]] = json.loads((REAL / "expected.json").read_text())
RNG = np.random.default_rng(6)
TABLE = RNG.normal(size=(9, 4)).astype(np.float32)


@pytest.mark.parametrize("file", ["model.onnx", "external.onnx"])
@pytest.mark.parametrize("name", EXPECTED)
def test_what_onnx_wrote_is_what_is_read(file: str, name: str) -> None:
    table = load_table(REAL / file, tensor=name)
    array = np.concatenate([np.asarray(block) for _, block in table.blocks()]).astype("<f4")
    assert list(array.shape) == EXPECTED[name]["shape"]
    assert hashlib.sha256(array.tobytes()).hexdigest() == EXPECTED[name]["sha256_float32"]
    assert [info.name for info in list_tensors(REAL / file) if info.taken] == ["emb.weight"]


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    shutil.copy(REAL / "model.onnx", tmp_path / "x.bin")
    assert find_format(tmp_path / "x.bin").name == "onnx"
    write(tmp_path / "y", [raw("a", TABLE)])
    assert find_format(tmp_path / "y").name == "onnx"


FIELDS = {
    "float32": 4, "float64": 10, "int32": 5, "int16": 5, "int8": 5, "uint16": 5, "uint8": 5,
    "bool": 5, "float16": 5, "bfloat16": 5, "float8_e4m3fn": 5, "float8_e5m2": 5, "int64": 7,
    "uint64": 11, "uint32": 11,
}  # fmt: skip


def dtype_of(name: str) -> Any:
    return np.dtype(getattr(ml_dtypes, name, name))


@pytest.mark.parametrize("name", FIELDS)
def test_every_type_is_read_as_bytes_and_as_numbers(tmp_path: Path, name: str) -> None:
    numbers = RNG.integers(0, 2, (5, 3)) if name == "bool" else np.arange(-5, 10).reshape(5, 3)
    array = (abs(numbers) if name.startswith("u") else numbers).astype(dtype_of(name))
    path = write(tmp_path / "x.onnx", [raw("a", array), typed("b", array, FIELDS[name])])
    for tensor in ("a", "b"):
        vectors = read(path, tensor)
        assert vectors.tobytes() == array.tobytes()
        assert vectors.dtype == (np.uint8 if name == "bool" else array.dtype)
        assert found(path)[tensor].dtype == vectors.dtype.name


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=2, max_size=20))
@settings(max_examples=40, deadline=None)
def test_whole_numbers_of_any_size_come_back(tmp_path_factory: Any, values: list[int]) -> None:
    array = np.array([values], np.int64)
    path = write(tmp_path_factory.mktemp("x") / "x.onnx", [typed("a", array, 7)])
    assert read(path).tolist() == [values]


def test_values_in_several_pieces_are_joined(tmp_path: Path) -> None:
    body = TABLE.tobytes()
    pieces = header("a", 1, (9, 4)) + message(4, body[:20]) + message(4, body[20:])
    packed = message(1, varint(9), varint(4)) + number(2, 1) + message(9, body) + message(8, "b")
    path = write(tmp_path / "x.onnx", [pieces, packed])
    np.testing.assert_array_equal(read(path, "a"), TABLE)
    np.testing.assert_array_equal(read(path, "b"), TABLE)


def test_constants_and_graphs_within_the_graph_are_read(tmp_path: Path) -> None:
    values = [message(5, message(1, "value"), message(5, raw("", a))) for a in (TABLE, TABLE[0])]
    constant, three = (
        node("Constant", "", name, value) for name, value in zip("cd", values, strict=True)
    )
    inner = graph([raw("deep", TABLE + 1)], [node("Gather", "deep ids", "z")])
    branch = node("If", "p", "q", message(5, message(1, "then_branch"), message(6, inner)))
    path = write(tmp_path / "x.onnx", [raw("", TABLE)], [constant, three, branch])
    assert list(found(path)) == ["c", "deep", "initializer 3"]
    np.testing.assert_array_equal(read(path, "c"), TABLE)
    np.testing.assert_array_equal(read(path), TABLE + 1)  # Its rows are looked up.


def test_names_that_are_there_twice_are_told_apart(tmp_path: Path) -> None:
    names = ["a (2)", "a", "a", "a (2) (4)", "a (2)"]
    path = write(tmp_path / "x.onnx", [raw(name, TABLE + i) for i, name in enumerate(names)])
    listed = ["a (2)", "a", "a (2) (2)", "a (2) (4)", "a (2) (4) (4)"]
    assert list(found(path)) == listed
    for i, name in enumerate(listed):
        np.testing.assert_array_equal(read(path, name), TABLE + i)


def test_the_table_whose_rows_are_looked_up_is_taken(tmp_path: Path) -> None:
    tall = RNG.normal(size=(50, 4)).astype(np.float32)
    tensors = [raw("onnx::MatMul_3", tall), raw("w", TABLE), raw("s", TABLE[:, 0])]
    nodes = [
        node("Gather", "w ids", "y"),
        node("Gather", "onnx::MatMul_3 i", "z", axis=1),
        node("Gather", "s i", "k"),
    ]
    path = write(tmp_path / "x.onnx", tensors, nodes)
    assert load_table(path).name == "w"
    assert load_table(write(tmp_path / "y.onnx", tensors)).name == "onnx::MatMul_3"


QUANTIZED = RNG.integers(-128, 128, (9, 4)).astype(np.int8)
REFUSED: dict[str, tuple[list[bytes], list[bytes], str]] = {
    "scale_of_another_shape": (
        [raw("q", QUANTIZED), raw("s", np.ones(5, np.float32))],
        [node("DequantizeLinear", "q s", "y")],
        "by scales of another shape",
    ),
    "zero_of_another_shape": (
        [raw("q", QUANTIZED), raw("s", np.ones(4, np.float32)), raw("z", np.ones(9, np.int8))],
        [node("DequantizeLinear", "q s z", "y")],
        "of two shapes",
    ),
    "scale_that_is_computed": (
        [raw("q", QUANTIZED)],
        [node("DequantizeLinear", "q s", "y")],
        "its scale is computed",
    ),
    "scale_that_is_lost": (
        [raw("q", QUANTIZED), header("s", 1, (4,))],
        [node("DequantizeLinear", "q s", "y")],
        "its values are not there",
    ),
    "scale_by_its_name": (
        [raw("q_quantized", QUANTIZED), raw("q_scale", np.ones(1, np.float32))],
        [],
        "int8, of which 'q_scale' has the scale",
    ),
    "names_that_mean_two": (
        [raw("q", QUANTIZED), *[raw("s", np.ones(4, np.float32) * i) for i in (1, 2)]],
        [node("DequantizeLinear", "q s", "y")],
        "a name means two tensors",
    ),
    "packed": (
        [raw("q", QUANTIZED.view(np.uint8)), raw("s", np.ones(4, np.float32))],
        [node("GatherBlockQuantized", "q ids s", "y")],
        "it is packed for GatherBlockQuantized",
    ),
    "looked_up_with_an_axis": (
        [raw("q", QUANTIZED), raw("s", np.ones(4, np.float32))],
        [node("Gather", "q ids", "r"), node("DequantizeLinear", "r s", "y", axis=1)],
        "by scales of another shape",
    ),
    "int4": ([header("q", 22, (9, 4)) + message(9, bytes(18))], [], "it is int4, numbers of whole"),
    "complex": ([header("q", 14, (1, 1)) + message(9, bytes(8))], [], "it is complex64"),
    "unknown": ([header("q", 99, (1, 1)) + message(9, bytes(8))], [], "it is unknown type 99"),
    "short": ([header("q", 1, (9, 4)) + message(9, bytes(143))], [], "takes 144 bytes, 143 are"),
    "long": ([header("q", 1, (9, 4)) + message(9, bytes(145))], [], "takes 144 bytes, 145 are"),
    "huge": ([header("q", 1, (1 << 40, 1 << 40)) + message(9, b"1234")], [], "damaged: it takes"),
    "few": ([header("q", 6, (9, 4)) + message(5, bytes(35))], [], "35 bytes for 36 numbers"),
    "cut_number": ([header("q", 6, (9, 4)) + message(5, b"\xff" * 40)], [], "damaged: .*number"),
    "miscounted": ([header("q", 6, (9, 4)) + message(5, bytes(37))], [], "37 numbers, 36 are"),
    "missing": ([header("q", 1, (9, 4))], [], "its values are not there"),
    "twice": (
        [header("q", 1, (9, 4)) + message(9, bytes(144)) + message(4, bytes(144))],
        [],
        "values of two kinds",
    ),
    "other_field": ([header("q", 1, (9, 4)) + message(7, bytes(36))], [], "the field of another"),
    "not_packed": ([header("q", 7, (1, 2)) + number(7, 1) + number(7, 2)], [], "not packed"),
    "segment": ([header("q", 1, (1, 1)) + message(3, b"") + message(9, bytes(4))], [], "a segment"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_tensor_that_cannot_be_read_is_refused(tmp_path: Path, kind: str) -> None:
    tensors, nodes, said = REFUSED[kind]
    path = write(tmp_path / "x.onnx", [*tensors, raw("a", TABLE)], nodes)
    name = "q_quantized" if kind == "scale_by_its_name" else "q"
    text = refusal(path, name)
    assert text.startswith(f"{path}: ")
    assert re.search(rf"tensor '{name}': .*{said}", text)
    np.testing.assert_array_equal(read(path, "a"), TABLE)


def test_sparse_tensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    sparse = message(15, message(1, raw("q", TABLE)), number(3, 100), number(3, 4))
    path.write_bytes(number(1, 8) + message(7, message(5, raw("a", TABLE[:2])), sparse))
    assert "tensor 'q': it is sparse" in refusal(path, "q")
    assert "tensor 'q': it is sparse" in refusal(path)


def beside(folder: Path, **entries: str) -> Path:
    return write(folder / "x.onnx", [external("a", 1, (9, 4), **entries)])


@pytest.mark.parametrize("offset", [None, 0, 12])
@pytest.mark.parametrize("length", [None, 144])
def test_values_in_a_data_file_are_mapped(
    tmp_path: Path, offset: int | None, length: int | None
) -> None:
    (tmp_path / "sub").mkdir()
    data = tmp_path / "sub" / "x.data"
    data.write_bytes(bytes(offset or 0) + TABLE.tobytes() + b"more")
    numbers = {"offset": offset, "length": length}
    entries = {key: str(value) for key, value in numbers.items() if value is not None}
    path = beside(tmp_path, location="sub/x.data", **entries)
    np.testing.assert_array_equal(read(path), TABLE)
    assert open_source(path).files == (data,)


@pytest.mark.parametrize(
    "location",
    ["../x.data", "sub/../../x.data", "/etc/passwd", "", "C:\\x", "a:b", "\0", "a/.."],
)
def test_nothing_outside_the_folder_is_read(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "x.data").write_bytes(TABLE.tobytes())
    text = refusal(beside(folder, location=location))
    assert f", no file in {folder}; nothing outside it is read" in text


def test_links_are_followed_within_the_folder_and_in_the_cache_of_a_hub(tmp_path: Path) -> None:
    home = tmp_path / "models--o--m" / "snapshots" / "r"
    blobs = tmp_path / "models--o--m" / "blobs"
    for folder in (home, blobs):
        folder.mkdir(parents=True)
    (blobs / "hash").write_bytes(TABLE.tobytes())
    (tmp_path / "outside").write_bytes(TABLE.tobytes())
    (home / "kept").write_bytes(TABLE.tobytes())
    path = beside(home, location="x.data")
    link = home / "x.data"
    for target in (blobs / "hash", home / "kept"):
        os.symlink(target, link)
        np.testing.assert_array_equal(read(path), TABLE)
        link.unlink()
    for where in ("../../../outside", "gone", "x.data"):
        os.symlink(where, link)
        assert re.search("a link to .*, outside|is not there|loop", refusal(path))
        link.unlink()


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"offset": "1"}, "cut off: it ends at byte 145, x.data has 144"),
        ({"offset": "9999999999999999999"}, "cut off"),
        ({"offset": "-4"}, "damaged: offset '-4' of a data file"),
        ({"offset": "1e3"}, "damaged: offset '1e3'"),
        ({"offset": "9" * 40}, "damaged: offset '9"),
        ({"length": "143"}, "takes 144 bytes, 143 are said to be in x.data"),
        ({"location": "gone"}, "data file 'gone' is not there"),
    ],
)
def test_a_place_in_a_data_file_is_checked(
    tmp_path: Path, entries: dict[str, str], said: str
) -> None:
    (tmp_path / "x.data").write_bytes(TABLE.tobytes())
    assert said in refusal(beside(tmp_path, **{"location": "x.data", **entries}))


def test_a_model_that_is_cut_off_is_refused_wherever(tmp_path: Path) -> None:
    whole = write(tmp_path / "x.onnx", [raw("a", TABLE)], [node("Gather", "a i", "y")])
    content = whole.read_bytes()
    for cut in range(len(content) - 4):
        whole.write_bytes(content[:cut])
        assert re.search(r"x\.onnx: (damaged|text, no ONNX|0 bytes)", refusal(whole))


@pytest.mark.parametrize("raw", [b"<html>", b"version https://git-lfs", b"\x08\x08", b"\xff" * 30])
def test_what_is_no_model_is_said(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "x.onnx").write_bytes(raw)
    assert re.search("no ONNX model|damaged: ", refusal(tmp_path / "x.onnx"))


def test_graphs_in_graphs_and_fields_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = graph([])
    for _ in range(40):
        deep = graph([], [node("If", "p", "q", message(5, message(1, "b"), message(6, deep)))])
    with pytest.raises(MalformedError, match="deep in each other"):
        read_graph(number(1, 8) + message(7, deep))
    with pytest.raises(MalformedError, match="more than 32 sides"):
        read_graph(message(7, message(5, number(1, 1) * 40)))
    with pytest.raises(MalformedError, match="more than 32 sides"):
        read_graph(message(7, message(5, message(1, b"\1" * 9999))))
    with pytest.raises(MalformedError, match="negative side"):
        read_graph(message(7, message(5, number(1, -1))))
    monkeypatch.setattr(onnx_graph, "MOST_FIELDS", 100)
    with pytest.raises(MalformedError, match="more than 100 fields"):
        read_graph(message(7, number(3, 1) * 200))


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_graph_or_refused(content: bytes) -> None:
    with suppress(MalformedError):
        for tensor in read_graph(message(7, content)).tensors:
            assert len(tensor.shape) <= 32
            assert all(0 <= a <= b for spans in tensor.values.values() for a, b in spans)


def test_the_way_out_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`onnx.numpy_helper.to_array` is onnx's own; what it makes of int4 is numbers."""
    monkeypatch.chdir(tmp_path)
    tensors, nodes, _ = REFUSED["int4"]
    line = refusal(write(tmp_path / "x.onnx", tensors, nodes)).rpartition("save it by ")[2]

    class Helper:
        @staticmethod
        def to_array(tensor: Any) -> Any:
            return np.ones((9, 4), np.int8)

    class Onnx:
        numpy_helper = Helper

    eval(line, {"numpy": np, "onnx": Onnx, "tensor": None})
    with pytest.raises(LoadError):
        load_table(tmp_path / "x.onnx")
    assert load_table(tmp_path / "x.npy").vectors.shape == (9, 4)


def test_a_number_in_a_table_of_its_own_is_no_table(tmp_path: Path) -> None:
    one, kernel = np.ones((1, 1), np.float32), np.ones((8, 3, 3, 3), np.float32)
    path = write(tmp_path / "m.onnx", [raw("one", one), raw("conv", kernel)])
    assert not any(info.taken for info in list_tensors(path))
    with pytest.raises(LoadError, match=r"no tensor in it is a table .*; --tensor one"):
        load_table(path)
    assert load_table(path, tensor="one").n_points == 1
