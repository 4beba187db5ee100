"""The pickle machine: what Python pickles is what it reads, and nothing of a file is trusted."""

from __future__ import annotations

import collections
import pickle
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_writer import Call, Storage, dump, named, tensor

from embviz.loaders.weights import pickle_machine, pickled_tensors
from embviz.loaders.weights.pickle_machine import read_pickle
from embviz.loaders.weights.pickle_nodes import Dict, Made, Name, Persistent, PickleError, Skipped
from embviz.loaders.weights.pickled_tensors import find_tensors

REAL = Path(__file__).parents[2] / "data" / "pytorch"
START = b"\x80\x02"
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 500), 1 << 500)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None), max_size=300),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=5)
        | st.tuples()
    ),
    max_leaves=20,
)


def plain(node: Any) -> Any:
    """What Python would have made of a node."""
    if isinstance(node, Dict):
        return {plain(key): plain(value) for key, value in node.pairs}
    if isinstance(node, list):
        return [plain(item) for item in node]
    return tuple(plain(item) for item in node) if isinstance(node, tuple) else node


@given(VALUES, st.integers(2, 5))
@settings(max_examples=80, deadline=None)
def test_what_python_pickles_is_what_is_read(value: Any, protocol: int) -> None:
    raw = pickle.dumps(value, protocol)
    node, end = read_pickle(raw)
    assert plain(node) == value
    assert end == len(raw)
    assert read_pickle(b"before" + raw + b"behind", 6)[1] == 6 + len(raw)


@given(st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        root, end = read_pickle(START + raw)
    except PickleError:
        return
    assert 3 <= end <= 2 + len(raw)
    find_tensors(root, "x")


class Point:
    """A class of one's own, whose name alone is kept."""

    def __init__(self) -> None:
        self.x = [1.5]


class Ours(dict[str, int]):
    """A dictionary of one's own."""


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_objects_are_what_made_them(protocol: int) -> None:
    point, _ = read_pickle(pickle.dumps(Point(), protocol))
    assert str(point.by) == f"{__name__}.Point" or str(point.by) == "copyreg._reconstructor"
    assert [plain(state) for state in point.states] == [{"x": [1.5]}]
    ours, _ = read_pickle(pickle.dumps(Ours(a=1), protocol))
    assert ours.pairs == [("a", 1)]
    ordered, _ = read_pickle(pickle.dumps(collections.OrderedDict(b=2), protocol))
    assert (str(ordered.by), ordered.pairs) == ("collections.OrderedDict", [("b", 2)])
    deque, _ = read_pickle(pickle.dumps(collections.deque([3]), protocol))
    assert deque.items == [3]
    for raw in (pickle.dumps(np.float64(1.5), protocol), pickle.dumps({1, 2}, protocol)):
        assert isinstance(read_pickle(raw)[0], Made)


def test_bytes_and_long_values_are_passed_over() -> None:
    texts = ["x" * (pickle_machine.MOST_TEXT + 1), b"abc", bytearray(b"d"), 1 << 4000]
    for protocol in (4, 5):
        nodes, _ = read_pickle(pickle.dumps(texts, protocol))
        assert isinstance(nodes[0], Skipped)
        assert isinstance(nodes[1], Skipped)
        assert isinstance(nodes[2], Skipped | Made)
        assert isinstance(nodes[3], Skipped)


def test_texts_of_python_2_are_texts() -> None:
    assert read_pickle(START + b"U\x03abcq\0.")[0] == "abc"
    assert read_pickle(START + b"T\x02\0\0\0\xc3\xa9.")[0] == "é"
    assert read_pickle(START + b"U\x01\xe9.")[0] == "é"


@pytest.mark.parametrize("code", [code for code in range(256) if code != ord(".")])
def test_an_opcode_without_its_operands_is_refused(code: int) -> None:
    for before in (START, START + b"(", START + b"N", START + b"(N", START + b"NN(", START + b"]N"):
        raw = before + bytes([code])
        with pytest.raises(PickleError) as caught:
            read_pickle(raw)  # Cut off here at the latest.
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["state_dict.pt", "whole_module.pt", "epoch=3-step=400.ckpt"])
def test_a_pickle_that_is_cut_off_is_refused_wherever(file: str) -> None:
    with zipfile.ZipFile(REAL / file) as archive:
        (member,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        raw = archive.read(member)
    read_pickle(raw)
    for cut in range(len(raw)):
        with pytest.raises(PickleError):
            read_pickle(raw[:cut])


@pytest.mark.parametrize(
    "raw",
    [
        b"\x8b\xff\xff\xff\x7f",  # LONG4
        b"\x8b\xff\xff\xff\xff",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",  # BINUNICODE8
        b"X\xff\xff\xff\xff",
        b"T\xff\xff\xff\xff",
        b"\x8e\0\0\0\0\0\x10\0\0",  # BINBYTES8
        b"\x96\0\0\0\0\0\x10\0\0",  # BYTEARRAY8
        b"h\x05",
        b"j\xff\xff\xff\xff",
        b"cos\nsystem",
        b"c" + b"x" * 1000 + b"\ny\n",
        b"NN\x93",
        b"(NNNu",
        b"Na",
        b"NNs",
        b"N)b",
    ],
)
def test_what_claims_more_than_is_there_is_refused(raw: bytes) -> None:
    with pytest.raises(PickleError):
        read_pickle(START + raw + b".")


@pytest.mark.parametrize("raw", [b"", b".", b"N.", b"\x80", b"\x80\x00N.", b"\x80\x06N.", b"I1\n."])
def test_other_protocols_are_refused(raw: bytes) -> None:
    with pytest.raises(PickleError):
        read_pickle(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"(" * 20_000 + b"t" * 20_000,
        b"]" * 20_000 + b"a" * 19_999,
        b")" + b"\x85" * 20_000,
        b"cx\ny\n)\x81" + b"\x85cx\ny\n)\x81\x86" * 10_000,
        b"N" + b"Q" * 20_000,
    ],
)
def test_nothing_is_too_deep(raw: bytes) -> None:
    root, _ = read_pickle(START + raw + b".")
    assert find_tensors(root, "x") == []
    root, _ = read_pickle(START + b"}(U\x01k" + raw + raw + b"U\x01vu.")
    assert find_tensors(root, "x") == []
    module = b"cx\ny\n)\x81}(U\x0b_parametersNU\x08_modulesNU\x08_buffers}" + raw + b"Nsub."
    root, _ = read_pickle(START + module)
    assert find_tensors(root, "x") == []


def test_a_list_in_itself_ends() -> None:
    root, _ = read_pickle(START + b"]q\0h\0a}q\x01(U\x01ah\0U\x01bh\x01ua.")
    assert find_tensors(root, "x") == []


def bomb(levels: int) -> bytes:
    """Lists of ten times the list before."""
    steps = b"".join(b"](" + b"h" + bytes([i]) + (b"h" + bytes([i])) * 9 + b"eq" + bytes([i + 1])
                     for i in range(levels))  # fmt: skip
    return START + b"]q\0" + steps + b"."


def test_a_memo_bomb_is_refused_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled_tensors, "MOST_VISITS", 20_000)
    root, _ = read_pickle(bomb(60))
    started = time.process_time()
    with pytest.raises(PickleError, match="more than 20000 values"):
        find_tensors(root, "x")
    assert time.process_time() - started < 2


def test_names_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickled_tensors, "MOST_NAMES", 1_000_000)
    long = b"X" + struct.pack("<I", 60_000) + b"n" * 60_000 + b"q\0"
    call = b"ctorch._utils\n_rebuild_tensor\n)R"
    root, _ = read_pickle(START + b"]" + long + b"0" + b"}h\0" + call + b"sa" * 1 + b".")
    assert len(find_tensors(root, "x")) == 1
    root, _ = read_pickle(START + b"]" + long + b"0" + (b"}h\0" + call + b"sa") * 40 + b".")
    with pytest.raises(PickleError, match="names that are longer"):
        find_tensors(root, "x")


@pytest.mark.parametrize(
    ("limit", "raw"), [("MOST_STEPS", b"N" * 999), ("MOST_OBJECTS", b"]" * 999)]
)
def test_steps_and_objects_are_bounded(
    monkeypatch: pytest.MonkeyPatch, limit: str, raw: bytes
) -> None:
    monkeypatch.setattr(pickle_machine, limit, 500)
    with pytest.raises(PickleError, match="more than 500"):
        read_pickle(START + raw + b".")


def test_storages_are_told_as_they_are_met() -> None:
    kept: list[Persistent] = []
    root = [tensor(Storage("FloatStorage", "a", 1), (1,)), Call(named("x", "y"))]
    nodes, _ = read_pickle(dump(root), kept=kept)
    assert [node.key[2] for node in kept] == ["a"]
    assert isinstance(nodes[1].by, Name)
