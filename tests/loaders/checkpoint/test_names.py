"""Slots and duplicates, by the names of a checkpoint."""

from __future__ import annotations

import numpy as np
import pytest
import table_writer as w

from embviz.loaders.checkpoint.bundle import TensorBundle
from embviz.loaders.checkpoint.names import NamedTensor, find_duplicates, find_slots

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


def test_a_reference_type_is_the_type_it_refers_to(tmp_path):
    raw = np.arange(6, dtype=np.float32)
    entry = w.entry(101, (3, 2), (0, 0, 24), w.masked_crc(raw.tobytes()))
    (tmp_path / "p.index").write_bytes(w.table([(b"", w.header()), (b"a", entry)]))
    (tmp_path / "p.data-00000-of-00001").write_bytes(raw.tobytes())
    values, verify = TensorBundle(tmp_path / "p").read("a")
    verify()
    np.testing.assert_array_equal(values, raw.reshape(3, 2))
