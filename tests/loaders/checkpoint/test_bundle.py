"""The V2 bundle and V1 against TensorFlow, and bundles made by hand."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest
import table_writer as w
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import LoadError
from embviz.loaders.checkpoint.bundle import TensorBundle
from embviz.loaders.checkpoint.graph import GRAPH_KEY, parse_object_graph
from embviz.loaders.checkpoint.paths import locate
from embviz.loaders.checkpoint.slices import encode_slice_key
from embviz.loaders.checkpoint.types import NUMERIC, type_name
from embviz.loaders.checkpoint.v1 import V1Checkpoint

KINDS = (
    *("tf1_adam", "tf1_sharded", "tf1_three_shards", "tf1_partitioned", "tf1_parts", "tf1_v1"),
    *("tf1_partitioned_axis1", "tf1_v1_sharded", "tf2", "tf2_write", "tf2_manager", "many"),
    *("module_saved_model", "sharded_variable", "max_shard_size", "tiles", "dtypes", "dtypes_v1"),
    *("tf1_adagrad", "tf1_rmsprop", "tf1_momentum", "tf1_ftrl", "tf1_adadelta"),
    *("keras3_adam", "keras3_adamw", "keras3_adamax", "keras3_nadam", "keras3_sgd"),
    *("keras3_rmsprop", "keras3_adagrad", "keras3_adadelta", "keras3_ftrl", "keras3_lion"),
    *("keras3_lamb", "keras3_adafactor", "keras3_saved_model", "keras3_export"),
    *("tf_keras_new", "tf_keras_legacy", "tf_keras_new_checkpoint"),
    "tf_keras_legacy_checkpoint",
)


def open_reader(path):
    location = locate(path)
    return TensorBundle(location.prefix) if location.prefix else V1Checkpoint(location.v1_files)


@pytest.mark.parametrize("kind", KINDS)
def test_names_shapes_types_and_bytes_are_those_that_tensorflow_reads(tf_checkpoints, kind):
    prefixes = [p for p in tf_checkpoints.tensors if p.split("/")[0] == kind]
    assert prefixes
    for prefix in prefixes:
        expected = tf_checkpoints.tensors[prefix]
        reader = open_reader(tf_checkpoints.root / prefix)
        found = {k: (e.shape, type_name(e.dtype)) for k, e in reader.entries.items()}
        assert found == {k: (shape, dtype) for k, (shape, dtype, _) in expected.items()}
        for key, (shape, dtype, data) in expected.items():
            if reader.entries[key].dtype in NUMERIC:
                values, verify = reader.read(key)
                verify()
                assert values.tobytes() == data, key
                assert values.dtype.name == dtype
            elif dtype == "string" and not shape:
                assert reader.read_string(key) == data


def test_every_kind_is_compared(tf_checkpoints):
    assert {prefix.split("/")[0] for prefix in tf_checkpoints.tensors} == set(KINDS)


@pytest.mark.parametrize("kind", ["tf1_v1_partitioned", "tf1_v1_partitioned_axis1"])
def test_v1_slices_are_joined_where_tensorflow_itself_gives_up(tf_checkpoints, kind):
    reader = open_reader(tf_checkpoints.root / kind)
    expected = np.load(tf_checkpoints.root / kind / "table.npy")
    np.testing.assert_array_equal(reader.read("model/word_embedding")[0], expected)


@pytest.mark.parametrize(
    ("kind", "mapped"),
    [("tf2", True), ("tf1_partitioned", True), ("sharded_variable", True), ("tiles", False),
     ("tf1_partitioned_axis1", False), ("max_shard_size", False)],
)  # fmt: skip
def test_a_table_in_one_run_of_bytes_is_a_read_only_map(tf_checkpoints, kind, mapped):
    reader = open_reader(tf_checkpoints.root / kind)
    key = max(reader.entries, key=lambda k: reader.entries[k].shape)
    values, _ = reader.read(key)
    assert isinstance(values, np.memmap) == mapped
    if mapped:
        with pytest.raises(ValueError, match="read-only"):
            values[0, 0] = 1


def test_the_object_graph_gives_the_names_of_the_program(tf_checkpoints):
    reader = open_reader(tf_checkpoints.root / "tf_keras_legacy")
    graph = parse_object_graph(reader.read_string(GRAPH_KEY))
    key = "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"
    assert graph.full_names[key] == "word_embedding/embeddings"
    slot = "layer_with_weights-0/embeddings/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE"
    assert slot in graph.slots
    assert key not in graph.slots


ARRAYS = {
    d: np.arange(-6, 6).reshape(4, 3).astype(d)
    for d in ("float16", "float32", "float64", "int8", "int16", "int32", "int64")
} | {d: np.arange(12).reshape(4, 3).astype(d) for d in ("uint8", "uint16", "uint32", "uint64")}
ARRAYS |= {
    d: np.arange(12).reshape(4, 3).astype(getattr(ml_dtypes, d))
    for d in ("bfloat16", "float8_e5m2", "float8_e4m3fn", "int4", "uint4")
}


@pytest.mark.parametrize("gap", [0, 1, 5])
@pytest.mark.parametrize("big_endian", [False, True])
def test_every_type_in_either_byte_order_at_any_offset(tmp_path, big_endian, gap):
    w.write_bundle(tmp_path / "p", ARRAYS, big_endian, gap)
    bundle = TensorBundle(tmp_path / "p")
    for name, array in ARRAYS.items():
        values, verify = bundle.read(name)
        verify()
        np.testing.assert_array_equal(values.astype(np.float64), array.astype(np.float64))
        assert values.tolist() == array.tolist()
        assert values.dtype.itemsize == array.dtype.itemsize
    assert bundle.read("float32")[0].dtype == (">f4" if big_endian else "<f4")


def test_a_compressed_index_is_read(tmp_path):
    w.write_bundle(tmp_path / "p", ARRAYS, compress=True)
    assert set(TensorBundle(tmp_path / "p").entries) == set(ARRAYS)


def hand_made(tmp_path, entries, data=bytes(400), head=None):
    rows = [(b"", w.header() if head is None else head), *entries]
    (tmp_path / "p.index").write_bytes(w.table(rows))
    (tmp_path / "p.data-00000-of-00001").write_bytes(data)
    return TensorBundle(tmp_path / "p")


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (w.header(least=2), "reader of version 2"),
        (w.header(endianness=7), "byte order 7"),
        (w.header(0), "0 data files"),
        (w.header(-5), "-5 data files"),
        (w.field(1, b"ab"), "V1 checkpoint"),
        (b"\xff", "entry 'header'"),
    ],
)
def test_a_header_that_cannot_be_obeyed_is_refused(tmp_path, head, why):
    with pytest.raises(LoadError, match=why):
        hand_made(tmp_path, [], head=head)


def test_an_index_without_a_header_is_refused(tmp_path):
    (tmp_path / "p.index").write_bytes(w.table([(b"a", w.entry(1, (1,)))]))
    with pytest.raises(LoadError, match="no header entry"):
        TensorBundle(tmp_path / "p")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (w.entry(1, (-1, 4)), "negative dimension"),
        (w.field(1, 1) + w.field(2, w.field(3, 1)), "shape is not known"),
        (b"\xff\xff", "entry 'a'"),
        (w.field(2, b"\x12\x09"), "entry 'a'"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_on_opening(tmp_path, value, why):
    with pytest.raises(LoadError, match=why):
        hand_made(tmp_path, [(b"a", value)])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (w.entry(1, (10, 10), (0, 0, 396)), r"396 bytes stored, \[10, 10\] of float32 takes 400"),
        (w.entry(1, (10, 10), (0, 4, 400)), "has 400 bytes, tensor 'a' ends at byte 404"),
        (w.entry(1, (10, 10), (0, -4, 400)), "offset -4"),
        (w.entry(1, (10, 10), (1, 0, 400)), "data file 1 of 1"),
        (w.entry(1, (10, 10), (-1, 0, 400)), "data file -1 of 1"),
        (w.entry(99, (10, 10), (0, 0, 400)), "unknown type 99"),
        (w.entry(7, (10, 10), (0, 0, 400)), "string"),
        (w.entry(1, (2**33, 2**31), (0, 0, 2**63 - 1)), "takes 73,786,976,294,838,206,464"),
        (w.entry(1, (2**40, 2), (0, 0, 2**43)), "truncated: it has 400 bytes"),
        (w.entry(1, (10, 10), slices=[[(0, 5), (0, -1)]]), "5 to 10 on axis 0 lie in no slice"),
        (w.entry(1, (10, 10), slices=[[(0, -1), (0, -1)]]), "has no entry"),
        (w.entry(1, (10, 10), slices=[[(0, -1)]]), "slice of 1 dimensions"),
    ],
)
def test_an_entry_that_contradicts_itself_or_the_data_is_refused(tmp_path, value, why):
    bundle = hand_made(tmp_path, [(b"a", value)])
    with pytest.raises(LoadError, match=why):
        bundle.read("a")


def test_slices_that_share_bytes_do_not_multiply_them(tmp_path):
    n = 50
    extents = [((i, 1), (0, 100)) for i in reversed(range(n))]
    rows = [(encode_slice_key(b"a", e), w.entry(1, (1, 100), (0, 0, 400))) for e in extents]
    rows.append((b"a", w.entry(1, (n, 100), slices=extents)))
    bundle = hand_made(tmp_path, sorted(rows))
    with pytest.raises(LoadError, match="20,000 bytes in slices, the data files have 400"):
        bundle.read("a")


def test_a_missing_data_file_is_named_and_others_are_told(tmp_path):
    bundle = hand_made(tmp_path, [(b"a", w.entry(1, (1, 1), (2, 0, 4)))], head=w.header(3))
    with pytest.raises(LoadError, match=r"p\.data-00002-of-00003: missing.*data-00000-of-00001"):
        bundle.read("a")


def test_a_changed_byte_is_found_by_verify_and_named(tmp_path):
    w.write_bundle(tmp_path / "p", {"a": np.ones((500, 8), np.float32)})
    data = tmp_path / "p.data-00000-of-00001"
    changed = bytearray(data.read_bytes())
    changed[7000] ^= 4
    data.write_bytes(bytes(changed))
    _, verify = TensorBundle(tmp_path / "p").read("a")
    with pytest.raises(LoadError, match=r"p\.data-00000-of-00001: corrupt: the checksum of .*'a'"):
        verify()


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_row_slices_in_any_order_in_the_file_join_to_the_table(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("slices")
    table = np.arange(40, dtype=np.float32).reshape(20, 2)
    cuts = sorted({0, 20, *data.draw(st.lists(st.integers(1, 19), max_size=5))})
    spans = data.draw(st.permutations(list(itertools.pairwise(cuts))))
    binary, rows, extents = b"", [], []
    for a, b in spans:
        raw = table[a:b].tobytes()
        extents.append(((a, b - a), (0, -1)))
        value = w.entry(1, (b - a, 2), (0, len(binary), len(raw)), w.masked_crc(raw))
        rows.append((encode_slice_key(b"a", extents[-1]), value))
        binary += raw
    rows.append((b"a", w.entry(1, (20, 2), slices=extents)))
    values, verify = hand_made(folder, sorted(rows), binary).read("a")
    verify()
    np.testing.assert_array_equal(values, table)
    assert isinstance(values, np.memmap) == (spans == sorted(spans))
