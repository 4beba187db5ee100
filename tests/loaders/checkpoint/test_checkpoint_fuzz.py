"""Damaged checkpoints: a clear error or the right answer, never a crash, a hang or a flood."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import table_writer as w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opening import list_tensors, load

from embviz.errors import EmbvizError
from embviz.loaders.bytes.protobuf import MalformedError
from embviz.loaders.checkpoint.graph import parse_object_graph
from embviz.loaders.checkpoint.sstable import Table

MUTATIONS = ("flip", "set", "cut", "drop", "insert", "splice")
MOST_SECONDS = 2.0
MOST_BYTES = 64 << 20
FUZZ = settings(
    max_examples=30, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """A function that changes bytes: flips, cuts, insertions, pieces moved."""
    kinds = draw(st.lists(st.sampled_from(MUTATIONS), min_size=1,
                          max_size=3))  # fmt: skip
    places = [(draw(st.floats(0, 1)), draw(st.integers(1, 40))) for _ in kinds]
    values = [draw(st.binary(min_size=1, max_size=12)) for _ in kinds]

    def change(data: bytes) -> bytes:
        for kind, (where, length), value in zip(kinds, places, values, strict=True):
            at = int(where * len(data))
            if kind == "flip" and at < len(data):
                data = data[:at] + bytes([data[at] ^ (1 << value[0] % 8)]) + data[at + 1 :]
            elif kind == "set":
                data = data[:at] + value + data[at + len(value) :]
            elif kind == "cut":
                data = data[:at]
            elif kind == "drop":
                data = data[:at] + data[at + length :]
            elif kind == "insert":
                data = data[:at] + value + data[at:]
            elif kind == "splice":
                data = data[:at] + data[: length * 4] + data[at + length :]
        return data

    return change


def read_all(path: Path) -> dict[str, bytes]:
    """Return what can be read of a checkpoint, within bounds of time and memory."""
    found = {}
    errors = []
    start = time.perf_counter()
    tracemalloc.start()
    try:
        listed = list_tensors(path)
        for name in [t.name for t in listed] + [None]:
            try:
                table = load(path, name)
                table.verify()
                found[table.name] = table.vectors.tobytes()
            except EmbvizError as error:
                errors.append(str(error))
    except EmbvizError as error:
        errors.append(str(error))
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_BYTES
    assert time.perf_counter() - start < MOST_SECONDS
    for text in errors:
        assert path.name in text
        assert "\n" not in text
    return found


REAL = {
    "tf1_adam": ("model.ckpt-1", ".index"),
    "tf1_partitioned": ("model.ckpt-1", ".index"),
    "tf_keras_legacy": ("cp.ckpt", ".index"),
    "max_shard_size": ("ckpt-1", ".index"),
    "keras3_adam": ("ckpt-1", ".data-00000-of-00001"),
    "dtypes": ("ckpt", ".index"),
    "tf1_v1": ("model.ckpt-1", ""),
    "tf1_v1_partitioned": ("model.ckpt-1", ""),
}

SAVED: dict[str, dict[str, bytes]] = {}


@pytest.mark.parametrize("kind", REAL)
@FUZZ
@given(change=mutations())
def test_a_damaged_file_gives_an_error_or_the_saved_bytes(
    tf_checkpoints, tmp_path_factory, kind, change
):
    """Checksums are left as they are, so that what is read must be what was saved."""
    name, ending = REAL[kind]
    folder = tmp_path_factory.mktemp("fuzz")
    for source in (tf_checkpoints.root / kind).glob(f"{name}*"):
        data = source.read_bytes()
        (folder / source.name).write_bytes(change(data) if source.name == name + ending else data)
    if kind not in SAVED:
        SAVED[kind] = read_all(tf_checkpoints.root / kind / name)
    saved = SAVED[kind]
    assert saved
    for key, data in read_all(folder / name).items():
        assert saved[key] == data


def rebuild(path: Path, change: Callable[[bytes], bytes], chosen: int, keys: bool) -> bytes:
    """Return a table with one entry changed and right checksums, keys in their order."""
    entries = list(Table(path).entries())
    key, value = entries[chosen % len(entries)]
    entries[chosen % len(entries)] = (change(key), value) if keys else (key, change(value))
    return w.table(sorted(dict(entries).items()))


@pytest.mark.parametrize("kind", REAL)
@FUZZ
@given(change=mutations(), chosen=st.integers(0, 30), keys=st.booleans())
def test_a_changed_entry_behind_right_checksums_is_met(
    tf_checkpoints, tmp_path_factory, kind, change, chosen, keys
):
    name, ending = REAL[kind]
    ending = ".index" if ending else ""
    folder = tmp_path_factory.mktemp("fuzz")
    for source in (tf_checkpoints.root / kind).glob(f"{name}*"):
        if source.name != name + ending:
            (folder / source.name).write_bytes(source.read_bytes())
    table = tf_checkpoints.root / kind / (name + ending)
    (folder / (name + ending)).write_bytes(rebuild(table, change, chosen, keys))
    read_all(folder / name)


NUMBERS = st.one_of(
    st.integers(-3, 40), st.sampled_from([2**31 - 1, 2**31, 2**45, 2**62, 2**63 - 1, -(2**63)])
)


@FUZZ
@given(
    dtype=st.one_of(st.integers(0, 40), NUMBERS),
    shape=st.lists(NUMBERS, max_size=4),
    place=st.tuples(st.integers(-1, 2), NUMBERS, NUMBERS),
    shards=NUMBERS,
    slices=st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3), max_size=4),
)
def test_an_entry_of_any_numbers_is_met(tmp_path_factory, dtype, shape, place, shards, slices):
    folder = tmp_path_factory.mktemp("fuzz")
    rows = [(b"", w.header(shards)), (b"emb", w.entry(dtype, shape, place, 0, slices))]
    (folder / "p.index").write_bytes(w.table(rows))
    (folder / "p.data-00000-of-00001").write_bytes(bytes(range(200)))
    read_all(folder / "p")


@FUZZ
@given(shape=st.tuples(st.integers(1, 4), st.integers(1, 4)), change=mutations())
def test_a_compressed_index_that_was_damaged_is_met(tmp_path_factory, shape, change):
    """The compressed bytes are changed, then summed, so that the decoder gets them."""
    folder = tmp_path_factory.mktemp("fuzz")
    raw = np.arange(shape[0] * shape[1], dtype=np.float32).tobytes()
    entry = w.entry(1, shape, (0, 0, len(raw)), w.masked_crc(raw))
    content = change(w.snappy_literals(w.block([(b"", w.header()), (b"emb", entry)])))
    data, handles = w.stored(content, kind=1), b""
    index = w.block([(b"emb", w.varint(0) + w.varint(len(content)))], restart=1)
    for block in (w.block([]), index):
        handles += w.varint(len(data)) + w.varint(len(block))
        data += w.stored(block)
    (folder / "p.index").write_bytes(data + handles.ljust(40, b"\0") + w.MAGIC)
    (folder / "p.data-00000-of-00001").write_bytes(raw)
    read_all(folder / "p")


@FUZZ
@given(change=mutations())
def test_a_damaged_object_graph_is_met(tf_checkpoints, change):
    key = "_CHECKPOINTABLE_OBJECT_GRAPH"
    graph = tf_checkpoints.tensors["tf_keras_legacy/cp.ckpt"][key][2]
    with contextlib.suppress(MalformedError):
        parse_object_graph(change(graph))


@FUZZ
@given(data=st.binary(max_size=300), change=mutations())
def test_a_damaged_state_file_is_met(tmp_path_factory, data, change):
    folder = tmp_path_factory.mktemp("fuzz")
    w.write_bundle(folder / "ckpt-1", {"emb": np.ones((3, 2), np.float32)})
    state = b'model_checkpoint_path: "ckpt-1"\nall_model_checkpoint_paths: "ckpt-1"\n'
    for content in (data, change(state)):
        (folder / "checkpoint").write_bytes(content)
        read_all(folder)
