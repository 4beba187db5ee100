"""Which tensor of a checkpoint is taken: by default, by name; and what is refused."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import table_writer as w
from opening import list_tensors, load

from embviz.errors import LoadError, ParameterError

KERAS3 = ("adam", "adamw", "adamax", "nadam", "sgd", "rmsprop", "adagrad", "adadelta", "ftrl")
KERAS3 += ("lion", "lamb", "adafactor")
DEFAULTS = {f"keras3_{name}": "optimizer/_trainable_variables/0" for name in KERAS3}
DEFAULTS |= {f"tf1_{name}": "model/word_embedding" for name in (
    *("adam", "adagrad", "rmsprop", "momentum", "ftrl", "adadelta", "v1", "sharded"),
    *("partitioned", "partitioned_axis1", "v1_partitioned", "v1_partitioned_axis1"),
)}  # fmt: skip
DEFAULTS |= {
    "tf_keras_new": "layer_with_weights-0/embeddings",
    "tf_keras_legacy": "layer_with_weights-0/embeddings",
    "tf_keras_new_checkpoint": "model/layer_with_weights-0/embeddings",
    "tf_keras_legacy_checkpoint": "model/layer_with_weights-0/embeddings",
    "keras3_saved_model": "optimizer/_trainable_variables/0",
    "keras3_export": "variables/0",
    "module_saved_model": "tables/a.Sb..c",
    "tf2": "word_embedding",
    "tf2_manager": "emb",
    "sharded_variable": "emb",
}


@pytest.mark.parametrize("kind", DEFAULTS)
def test_the_table_is_taken_and_never_a_slot_of_its_shape(tf_checkpoints, kind):
    path = tf_checkpoints.root / kind
    table = load(path, None)
    table.verify()
    assert table.name == DEFAULTS[kind]
    taken = [t.name for t in list_tensors(path) if t.taken]
    assert taken == [table.name]
    assert table.vectors.shape == (100, 8)


@pytest.mark.parametrize(
    ("kind", "n_slots"),
    [("tf1_adam", 2), ("tf1_ftrl", 2), ("keras3_adam", 2), ("keras3_adamw", 3), ("keras3_sgd", 1),
     ("tf_keras_new", 2), ("tf_keras_legacy", 2), ("tf1_v1_partitioned", 2)],
)  # fmt: skip
def test_the_list_says_which_tensors_are_slots(tf_checkpoints, kind, n_slots):
    listed = [t for t in list_tensors(tf_checkpoints.root / kind) if t.shape == (100, 8)]
    assert sum(t.note.startswith("optimizer slot") for t in listed) == n_slots
    assert len(listed) == n_slots + 1


@pytest.mark.parametrize(
    ("kind", "asked", "name"),
    [
        ("tf1_adam", "model/word_embedding", "model/word_embedding"),
        ("tf1_adam", "model/word_embedding:0", "model/word_embedding"),
        ("tf1_adam", "word_embedding", "model/word_embedding"),
        ("tf1_adam", "model/word_embedding/Adam_1", "model/word_embedding/Adam_1"),
        ("tf1_adam", "dense/kernel:0", "model/dense/kernel"),
        ("tf2", "word_embedding", "word_embedding"),
        ("tf2", "word_embedding/.ATTRIBUTES/VARIABLE_VALUE", "word_embedding"),
        ("tf2", "table", "word_embedding"),
        ("tf2", "table:0", "word_embedding"),
        ("tf_keras_new", "word_embedding", "layer_with_weights-0/embeddings"),
        ("tf_keras_legacy", "word_embedding/embeddings:0", "layer_with_weights-0/embeddings"),
        ("tf_keras_legacy", "word_embedding", "layer_with_weights-0/embeddings"),
        ("tf_keras_new", "dense/kernel", "layer_with_weights-1/kernel"),
        ("keras3_adam", "word_embedding", "optimizer/_trainable_variables/0"),
        ("keras3_export", "word_embedding", "variables/0"),
        ("keras3_export", "_all_variables/0", "_all_variables/0"),
        ("module_saved_model", "tables/a/b.c", "tables/a.Sb..c"),
        ("module_saved_model", "slashed", "tables/a.Sb..c"),
        ("dtypes", "v_bool", "v_bool"),
    ],
)
def test_a_tensor_is_found_by_the_names_its_user_knows(tf_checkpoints, kind, asked, name):
    path = tf_checkpoints.root / kind
    path = path / "ckpt" if kind == "dtypes" else path
    assert load(path, asked).name == name


def test_the_line_on_the_log_says_what_was_taken_and_what_else_is_there(tf_checkpoints, caplog):
    with caplog.at_level(logging.INFO, "embviz"):
        load(tf_checkpoints.root / "keras3_adam" / "ckpt-1", None)
    assert len(caplog.records) == 1
    text = caplog.messages[0]
    assert "taking optimizer/_trainable_variables/0 (100 x 8 float32)" in text
    assert "known as" in text
    assert "word_embedding/embeddings" in text
    assert "also there: optimizer/_trainable_variables/1 (--tensor NAME)" in text
    assert "_variables/2" not in text


def test_a_named_tensor_needs_no_line_on_the_log(tf_checkpoints, caplog):
    with caplog.at_level(logging.INFO, "embviz"):
        load(tf_checkpoints.root / "tf1_adam", "model/word_embedding")
    assert not caplog.records


def bundle(tmp_path, **shapes):
    """Write zeros under names ('__' for '/') and return the prefix."""
    arrays = {k.replace("__", "/"): np.zeros(s, np.float32) for k, s in shapes.items()}
    w.write_bundle(tmp_path / "p", arrays)
    return tmp_path / "p"


@pytest.mark.parametrize(
    ("shapes", "taken"),
    [
        ({"kernel": (9, 3)}, "kernel"),
        ({"a": (9, 3), "wte": (5, 3)}, "wte"),
        ({"word_embedding": (9, 3), "position_embedding": (5, 3)}, "word_embedding"),
        ({"emb_wide": (20, 30), "emb_tall": (9, 3)}, "emb_tall"),
        ({"a": (9, 3), "b": (8, 3), "bias": (100,)}, "a"),
        ({"a": (9, 3), "b": (9, 3)}, None),
        ({"user_emb": (9, 3), "item_emb": (9, 3), "x": (90, 3)}, None),
        ({"a": (2, 3), "b": (1, 3)}, "a"),
        ({"empty_emb": (0, 3), "a": (2, 3)}, "a"),
        ({"x__embedding": (9, 3), "x__embedding__Adam_7": (9, 3)}, "x/embedding"),
        ({"x": (9, 3), "x__Adam": (8, 3)}, "x"),
        (
            {"bert__emb": (9, 3), "bert__emb__adam_m": (9, 3), "bert__emb__adam_v": (9, 3)},
            "bert/emb",
        ),
        ({"shared__emb": (9, 3), "shared__emb_slot_v": (9, 3)}, "shared/emb"),
    ],
)
def test_the_default_by_names_and_shapes(tmp_path, shapes, taken):
    path = bundle(tmp_path, **shapes)
    assert [t.name for t in list_tensors(path) if t.taken] == ([taken] if taken else [])
    if taken:
        assert load(path, None).name == taken
    else:
        with pytest.raises(LoadError, match="2 tensors are equally good"):
            load(path, None)


def test_no_table_at_all_is_told_with_what_there_is(tmp_path):
    path = bundle(tmp_path, bias=(4,), cube=(2, 3, 4))
    with pytest.raises(LoadError, match=r"there is bias \(4 float32\), cube \(2 x 3 x 4 float32\)"):
        load(path, None)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("emb", r"'emb': the name of 2 tensors of \S+: a/emb, b/emb"),
        ("part", r"'part': \S+ holds it in parts: x/part/part_0 \(5 x 3 float32\), x/part/part_1"),
        ("embb", r"'embb': \S+ holds a/emb, b/emb, x/part/part_0, .*; did you mean a/emb, b/emb"),
        ("", r"tensor '': \S+ holds a/emb"),
        (":0", r"tensor ':0': \S+ holds a/emb"),
    ],
)
def test_a_tensor_that_is_not_there_is_refused_with_those_that_are(tmp_path, asked, why):
    path = bundle(tmp_path, a__emb=(9, 3), b__emb=(9, 3), x__part__part_0=(5, 3), one=(),
                  x__part__part_1=(5, 4), bias=(4,), cube=(2, 3, 4))  # fmt: skip
    with pytest.raises(ParameterError, match=why):
        load(path, asked)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("bias", r"tensor 'bias' is 1-D \(4\)"),
        ("one", r"tensor 'one' is a scalar"),
        ("cube", r"tensor 'cube' is 3-D \(2 x 3 x 4\)"),
    ],
)
def test_a_tensor_that_is_no_table_says_why(tmp_path, asked, why):
    path = bundle(tmp_path, a__emb=(9, 3), b__emb=(9, 3), x__part__part_0=(5, 3), one=(),
                  x__part__part_1=(5, 4), bias=(4,), cube=(2, 3, 4))  # fmt: skip
    with pytest.raises(LoadError, match=why):
        load(path, asked)


@pytest.mark.parametrize(
    ("name", "why"), [("v_complex64", "complex64"), ("v_string", "string"), ("v_empty", "empty")]
)
def test_what_is_not_rows_of_real_numbers_is_refused(tf_checkpoints, name, why):
    with pytest.raises(LoadError, match=f"tensor '{name}' is {why}"):
        load(tf_checkpoints.root / "dtypes" / "ckpt", name)


def test_a_damaged_object_graph_costs_its_names_and_says_so(tf_checkpoints, tmp_path, caplog):
    source = tf_checkpoints.root / "tf_keras_new"
    entries = tf_checkpoints.tensors["tf_keras_new/cp.ckpt"]
    graph = entries["_CHECKPOINTABLE_OBJECT_GRAPH"][2]
    data = (source / "cp.ckpt.data-00000-of-00001").read_bytes()
    assert graph[:50] in data
    (tmp_path / "p.index").write_bytes((source / "cp.ckpt.index").read_bytes())
    broken = data.replace(graph, b"\xff" * len(graph))
    (tmp_path / "p.data-00000-of-00001").write_bytes(broken)
    table = load(tmp_path / "p", None)
    assert table.name == "layer_with_weights-0/embeddings"
    assert "names of variables in the program are not known" in caplog.text


def test_equal_full_names_alone_make_no_duplicates(tf_checkpoints):
    """An exported model stores each variable twice; that is told, and one is enough."""
    listed = list_tensors(tf_checkpoints.root / "keras3_export")
    notes = {t.name: t.note for t in listed}
    assert "duplicate of variables/0" in notes["_all_variables/0"]
    assert "duplicate" not in notes["variables/0"]


def test_three_thousand_variables_are_listed_at_once(tf_checkpoints):
    spent = []
    for _ in range(5):
        start = time.process_time()
        listed = list_tensors(tf_checkpoints.root / "many")
        spent.append(time.process_time() - start)
    assert len(listed) == 3001
    assert min(spent) < 0.15  # some 35 ms here; TensorFlow needs 2 s to start


def test_rows_of_a_table_of_2_gib_cost_their_own_bytes(tmp_path):
    """A sparse file stands for the table; reading it whole would take 2 GiB of memory."""
    rows, columns = 1 << 22, 128
    size = rows * columns * 4
    entry = w.entry(1, (rows, columns), (0, 0, size))
    (tmp_path / "big.index").write_bytes(w.table([(b"", w.header()), (b"emb", entry)]))
    with (tmp_path / "big.data-00000-of-00001").open("wb") as file:
        file.truncate(size)
        file.seek(size - 4)
        file.write(np.float32(7).tobytes())
    code = f"""
from pathlib import Path; import numpy as np
from embviz import load_table
table = load_table(Path({str(tmp_path / "big")!r}))
part = table.take(np.arange({rows} - 10_000, {rows}))
assert part.vectors[-1, -1] == 7 and part.vectors.shape == (10_000, {columns})
# Not ru_maxrss, which begins with the memory of the process that started this one.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    if sys.platform != "linux":
        pytest.skip("memory is measured the Linux way, and files may not be sparse")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(out.stdout) < 150 * 1024


def test_loading_imports_no_tensorflow_and_no_ml_dtypes_for_float32(tmp_path):
    path = bundle(tmp_path, emb=(4, 2))
    code = (
        f"import sys, embviz; embviz.load_table({str(path)!r}).verify();"
        "print([m for m in ('tensorflow', 'ml_dtypes', 'google.protobuf') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_control_characters_of_a_name_do_not_reach_the_terminal(tmp_path, caplog):
    w.write_bundle(tmp_path / "p", {"emb\x1b[2J\n": np.zeros((3, 2), np.float32), "x": np.zeros(1)})
    with caplog.at_level(logging.INFO, "embviz"):
        load(tmp_path / "p", None)
    assert not re.search(r"[\x00-\x1f]", caplog.messages[0])
