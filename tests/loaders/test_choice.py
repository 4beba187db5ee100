"""Slots, duplicates and names, by rule."""

from __future__ import annotations

import time

import numpy as np
import pytest
import table_writer as w

from embviz.loaders.checkpoint.bundle import TensorBundle
from embviz.loaders.choice import (
    NamedTensor,
    find_closest,
    find_duplicates,
    find_parts,
    find_slots,
    match_name,
)

SHAPE = (9, 3)


def named(key: str, full_name: str = "", shape=SHAPE) -> NamedTensor:
    return NamedTensor(key, key, full_name, shape, 1)


@pytest.mark.parametrize(
    ("key", "full_name", "is_slot"),
    [
        ("emb/Adam", "", True),
        ("emb/Adam_1", "", True),
        ("emb/ExponentialMovingAverage", "", True),
        ("other/Adam", "", False),  # no tensor `other`
        ("emb/adam", "", False),
        ("emb_slot_vr", "", True),
        ("emb/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE", "", True),
        ("optimizer/_variables/2", "", True),
        ("optimizer/_trainable_variables/0", "emb/embeddings", False),
        ("opt/_variables/2", "adam/layer_embeddings_momentum", True),
        ("opt/_variables/2", "Adam/m/layer/embeddings", True),
        ("opt/_variables/2", "my_own_rule/layer_embeddings_trace", True),
        ("opt/_variables/2", "my_own_rule/other_embeddings_trace", False),
        ("x", "adam/embeddings", False),
        ("in_the_graph", "", True),
    ],
)
def test_slots_by_their_names(key, full_name, is_slot):
    table = named("emb", "layer/embeddings")
    slots = find_slots([table, named(key, full_name)], frozenset({"in_the_graph"}))
    assert slots == ({key} if is_slot else set())


def test_a_tensor_of_another_shape_is_no_slot_of_the_table():
    assert not find_slots([named("emb"), named("emb/Adam", shape=(8, 3))], frozenset())


def test_duplicates_share_name_and_content():
    tensors = [named(k, "Variable") for k in ("_all/0", "variables/0", "variables/1")]
    same = {"_all/0": (1, 2), "variables/0": (1, 2), "variables/1": (1, 3)}
    assert find_duplicates(tensors, same.get) == {"_all/0": "variables/0"}
    assert find_duplicates(tensors, lambda key: None) == {}
    assert find_duplicates([named("a"), named("b")], lambda key: (1,)) == {}


def test_the_first_rule_that_matches_decides():
    tensors = [named("emb"), named("a/emb"), named("b", "emb"), named("emb/embeddings")]
    assert [t.key for t in match_name(tensors, "emb")] == ["emb"]
    assert [t.key for t in match_name(tensors[1:], "emb")] == ["b"]
    assert [t.key for t in match_name([tensors[1], tensors[3]], "emb")] == ["a/emb"]
    assert [t.key for t in match_name(tensors[3:], "emb")] == ["emb/embeddings"]
    assert match_name(tensors, "mb") == []


def test_parts_are_found_by_the_end_of_their_common_name():
    tensors = [named("x/emb/part_0"), named("x/emb/part_1"), named("x/other/part_0")]
    for asked in ("x/emb", "emb", "emb:0"):
        assert [t.key for t in find_parts(tensors, asked)] == ["x/emb/part_0", "x/emb/part_1"]
    assert find_parts(tensors, "mb") == []


def test_the_closest_names_come_first_and_slots_after_their_table():
    tensors = [named("z/emb/Adam")._replace(is_slot=True), named("z/emb"), named("q/kernel")]
    assert find_closest(tensors, "embb")[0] == "z/emb"


def test_names_of_any_length_are_compared_in_no_time():
    tensors = [named("ab" * 20_000 + str(i)) for i in range(200)]
    start = time.perf_counter()
    find_closest(tensors, "ba" * 20_000)
    assert time.perf_counter() - start < 2


def test_a_reference_type_is_the_type_it_refers_to(tmp_path):
    raw = np.arange(6, dtype=np.float32)
    entry = w.entry(101, (3, 2), (0, 0, 24), w.masked_crc(raw.tobytes()))
    (tmp_path / "p.index").write_bytes(w.table([(b"", w.header()), (b"a", entry)]))
    (tmp_path / "p.data-00000-of-00001").write_bytes(raw.tobytes())
    values, verify = TensorBundle(tmp_path / "p").read("a")
    verify()
    np.testing.assert_array_equal(values, raw.reshape(3, 2))
