"""V1 checkpoints made by hand: what a damaged or lying one is told."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import table_writer as w

from embviz.errors import LoadError
from embviz.loaders.bytes.protobuf import MalformedError
from embviz.loaders.checkpoint.slices import encode_slice_key
from embviz.loaders.checkpoint.v1 import V1Checkpoint, parse_values

WHOLE = ((0, -1), (0, -1))


def meta(name: bytes, shape, dtype=1, slices=(WHOLE,), versions=b"") -> bytes:
    """A SavedTensorSlices with one tensor in its meta."""
    one = w.field(1, name) + w.field(2, w.shape_proto(shape)) + w.field(3, dtype)
    one += b"".join(w.field(4, w.slice_proto(s)) for s in slices)
    return w.field(1, w.field(1, one) + (w.field(2, versions) if versions else b""))


def data(name: bytes, extents, proto: bytes) -> tuple[bytes, bytes]:
    """The entry of a slice's values."""
    saved = w.field(1, name) + w.field(2, w.slice_proto(extents)) + w.field(3, proto)
    return encode_slice_key(name, extents), w.field(2, saved)


def floats(values) -> bytes:
    return w.field(5, struct.pack(f"<{len(values)}f", *values))


def checkpoint(tmp_path, *tables):
    paths = []
    for i, entries in enumerate(tables):
        paths.append(tmp_path / f"p-{i:05d}-of-{len(tables):05d}")
        paths[-1].write_bytes(w.table(sorted(entries)))
    return V1Checkpoint(paths)


def test_shards_with_a_slice_each_join(tmp_path):
    rows = [((0, 1), (0, -1)), ((1, 2), (0, -1))]
    values = [[1, 2], [3, 4, 5, 6]]
    tables = [
        [(b"", meta(b"e", (3, 2), slices=[s])), data(b"e", s, floats(v))]
        for s, v in zip(rows, values, strict=True)
    ]
    found, verify = checkpoint(tmp_path, *tables).read("e")
    verify()
    np.testing.assert_array_equal(found, np.array([[1, 2], [3, 4], [5, 6]], np.float32))


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([(b"", meta(b"e", (2, 2)))], "has no entry"),
        ([(b"", meta(b"e", (2, 2))), data(b"e", WHOLE, b"")], "0 bytes of values, 4 of float32"),
        ([(b"", meta(b"e", (2, 2))), data(b"e", WHOLE, floats([1] * 5))], "20 bytes of values"),
        ([(b"", meta(b"e", (2, 2))), data(b"e", WHOLE, b"\xff")], "'e'"),
        ([(b"", meta(b"e", (2**40, 2**40))), data(b"e", WHOLE, floats([1]))], "4 bytes of values"),
        ([(b"", meta(b"e", (2, 2), slices=[]))], "lie in no slice"),
        ([(b"", meta(b"e", (2, 2), slices=[((0, 1), (0, -1))]))], "1 to 2 on axis 0"),
        ([(b"", meta(b"e", (2, 2), dtype=8)), data(b"e", WHOLE, b"")], "complex64"),
        ([(b"", meta(b"e", (2, 2), dtype=99))], "unknown type 99"),
    ],
)
def test_values_that_do_not_fit_are_refused(tmp_path, entries, why):
    reader = checkpoint(tmp_path, entries)
    with pytest.raises(LoadError, match=f"p-00000-of-00001: .*{why}"):
        reader.read("e")


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ([[(b"a", b"")]], "no list of tensors"),
        ([[(b"", w.header())]], "index of a V2 checkpoint"),
        ([[(b"", meta(b"e", (2, 2), versions=w.field(2, 9)))]], "reader of version 9"),
        ([[(b"", meta(b"e", (-2, 2)))]], "negative"),
        ([[(b"", b"\xff\xff")]], "ends inside the number"),
        ([[(b"", meta(b"e", (2, 2)))], [(b"", meta(b"e", (2, 3)))]], "another shape"),
        ([[(b"", meta(b"e", (2, 2)))], [(b"", meta(b"e", (2, 2)))]], "is in two shards"),
    ],
)
def test_a_list_of_tensors_that_cannot_be_is_refused(tmp_path, tables, why):
    with pytest.raises(LoadError, match=why):
        checkpoint(tmp_path, *tables)


@pytest.mark.parametrize(
    ("dtype", "number", "values"),
    [(3, 7, [-1, 2**31 - 1, -(2**31)]), (9, 10, [-(2**63), 5]), (4, 7, [0, 255]), (10, 11, [0, 1]),
     (23, 17, [2**64 - 1, 0]), (6, 7, [-128, 127])],
)  # fmt: skip
def test_packed_integers_keep_their_sign_and_width(dtype, number, values):
    content = w.field(number, b"".join(map(w.varint, values)))
    assert parse_values(content, (0, len(content)), dtype, len(values)).tolist() == values


def test_values_in_several_runs_are_one_and_single_ones_are_refused():
    runs = floats([1, 2]) + floats([3])
    assert parse_values(runs, (0, len(runs)), 1, 3).tolist() == [1, 2, 3]
    single = w.varint(5 << 3 | 5) + struct.pack("<f", 1)
    with pytest.raises(MalformedError, match="not packed"):
        parse_values(single, (0, len(single)), 1, 1)
    with pytest.raises(MalformedError, match="2 values stored, 3 wanted"):
        parse_values(w.field(7, b"\1\2"), (0, 4), 3, 3)
