"""What users pass for a checkpoint, and what they are told when something is missing."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import table_writer as w
from opening import claims, list_tensors, load

from embviz.errors import LoadError
from embviz.loaders.checkpoint.paths import locate
from embviz.loaders.checkpoint.state import read_latest

ONE = np.ones((5, 2), np.float32)


def save(prefix: Path, value: float = 1) -> Path:
    prefix.parent.mkdir(parents=True, exist_ok=True)
    w.write_bundle(prefix, {"emb": ONE * np.float32(value)})
    return prefix


def first(path: Path) -> float:
    return float(load(path, "emb").vectors[0, 0])


@pytest.mark.parametrize(
    "given",
    ["", ".", ".index", ".meta", ".data", ".data-00000-of-00001", ".data-?????-of-00001"],
)
def test_a_prefix_and_each_of_its_files_lead_to_it(tmp_path, given):
    prefix = save(tmp_path / "model.ckpt-7")
    prefix.with_name("model.ckpt-7.meta").write_bytes(b"\n\x01x")
    path = tmp_path / f"model.ckpt-7{given}"
    assert claims(path)
    assert locate(path).prefix == prefix
    assert load(path, None).source == path.name


@pytest.mark.parametrize("kind", ["keras3_export", "keras3_saved_model", "module_saved_model"])
@pytest.mark.parametrize(
    "given", ["", "variables", "variables/variables", "variables/variables.index"]
)
def test_a_saved_model_and_its_parts_lead_to_its_variables(tf_checkpoints, kind, given):
    path = tf_checkpoints.root / kind / given
    assert claims(path)
    assert locate(path).prefix == tf_checkpoints.root / kind / "variables" / "variables"


@pytest.mark.parametrize(
    ("kind", "given"),
    [("tf1_v1", "model.ckpt-1"), ("tf1_v1", "model.ckpt-1.meta"), ("tf1_v1", ""),
     ("tf1_v1_sharded", "model.ckpt-1-?????-of-00003"), ("tf1_v1_sharded", "model.ckpt-1"),
     ("tf1_v1_sharded", "model.ckpt-1-00001-of-00003"), ("tf1_v1_sharded", "checkpoint"),
     ("tf1_v1_sharded", "model.ckpt-1.meta"), ("tf1_v1_sharded", "")],
)  # fmt: skip
def test_v1_files_shards_globs_and_folders(tf_checkpoints, kind, given):
    path = tf_checkpoints.root / kind / given
    assert claims(path)
    names = [t.name for t in list_tensors(path)]
    assert "model/word_embedding" in names or "word_embedding_2" in names


@pytest.mark.parametrize("given", ["", "checkpoint"])
def test_the_state_file_chooses_the_latest(tf_checkpoints, given):
    table = load(tf_checkpoints.root / "tf2_manager" / given, "emb")
    np.testing.assert_array_equal(table.vectors, tf_checkpoints.table * np.float32(100))
    assert table.source == "tf2_manager/ckpt-100"


@pytest.mark.parametrize("kind", ["tf1_adam", "tf1_v1", "tf1_v1_sharded", "tf2_manager"])
def test_a_moved_folder_is_read_where_it_is_now(tf_checkpoints, tmp_path, kind):
    """TensorFlow 1 writes absolute paths; the original is still there and must not be read."""
    moved = tmp_path / "moved"
    shutil.copytree(tf_checkpoints.root / kind, moved)
    location = locate(moved)
    for path in (*location.v1_files, *filter(None, [location.prefix])):
        assert moved in path.parents


def test_a_state_file_never_leads_out_of_its_folder(tmp_path):
    save(tmp_path / "other" / "ckpt-1", 2)
    run = tmp_path / "run"
    run.mkdir()
    for written in (
        "../other/ckpt-1",
        (tmp_path / "other" / "ckpt-1").as_posix(),
        "a/../../other/ckpt-1",
    ):
        (run / "checkpoint").write_text(f'model_checkpoint_path: "{written}"\n', "utf-8")
        with pytest.raises(LoadError, match="ckpt-1, which is not in its folder"):
            locate(run)
    save(run / "ckpt-1", 3)
    assert first(run) == 3


@pytest.mark.parametrize(
    "written", ["C:\\\\train\\\\run\\\\ckpt-1", "/old/place/ckpt-1", "sub/ckpt-1", "ckpt-1"]
)
def test_paths_of_other_systems_and_subfolders(tmp_path, written):
    save(tmp_path / ("sub/ckpt-1" if written.startswith("sub") else "ckpt-1"))
    (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "{written}"\n', "utf-8")
    assert first(tmp_path) == 1


@pytest.mark.parametrize(
    ("text", "latest"),
    [
        ('model_checkpoint_path: "a-1"', "a-1"),
        ("# c\nmodel_checkpoint_path : 'a-1' ; last_preserved_timestamp: 1.5e9\n", "a-1"),
        ('model_checkpoint_path: "a\\"b\\\\c\\303\\244\\x41\\n"', 'a"b\\cäA\n'),
        ('model_checkpoint_path: "\\u00e4\\v"', "ä\v"),
        (r'model_checkpoint_path: "\u00e4\v1"', "ä\v1"),
        ('model_checkpoint_path: "old"\nmodel_checkpoint_path: "new"', "new"),
        ('all_model_checkpoint_paths: "x"\nmodel_checkpoint_path: "ä-1"\n', "ä-1"),
    ],
)
def test_state_files_in_text_format(tmp_path, text, latest):
    path = tmp_path / "checkpoint"
    path.write_text(text, "utf-8")
    assert read_latest(path) == latest


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "names no checkpoint"),
        (b'all_model_checkpoint_paths: "a"', "names no checkpoint"),
        (b'model_checkpoint_path: ""', "names no checkpoint"),
        (b'model_checkpoint_path: "a\\000"', "names no checkpoint"),
        (b'model_checkpoint_path: "a\n', "line 1"),
        (b'last_preserved_timestamp: 1\n{"a": 1}', "line 2"),
        (b'model_checkpoint_path: "\\377"', "UTF-8"),
        (b"\x89PNG", "line 1"),
    ],
)
def test_a_state_file_that_is_none_is_refused(tmp_path, data, why):
    (tmp_path / "checkpoint").write_bytes(data)
    save(tmp_path / "ckpt-1")
    with pytest.raises(LoadError, match=f"checkpoint: .*{why}"):
        locate(tmp_path)


def test_a_state_file_of_another_name_is_followed(tmp_path):
    save(tmp_path / "best-3")
    path = tmp_path / "best_checkpoint"
    path.write_text('model_checkpoint_path: "best-3"\n', "utf-8")
    assert claims(path)
    assert locate(path).prefix == tmp_path / "best-3"


def test_a_step_that_is_gone_lists_those_present(tmp_path):
    for step in (5, 10):
        save(tmp_path / f"ckpt-{step}")
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "ckpt-300"\n', "utf-8")
    with pytest.raises(LoadError, match=r"names ckpt-300.*there: ckpt-10, ckpt-5"):
        load(tmp_path, None)


def test_without_a_state_file_the_highest_step_is_taken_and_told(tmp_path, caplog):
    for step in (9, 10, 2):
        save(tmp_path / f"ckpt-{step}", step)
    with caplog.at_level(logging.INFO, "embviz"):
        assert first(tmp_path) == 10
    assert "taking ckpt-10, the highest step of 3" in caplog.text


def test_checkpoints_of_different_names_are_not_chosen_from(tmp_path):
    for name in ("ckpt-9", "best-1"):
        save(tmp_path / name)
    with pytest.raises(LoadError, match=r"holds 2 checkpoints.*best-1, ckpt-9"):
        locate(tmp_path)


@pytest.mark.parametrize(
    ("files", "given", "why"),
    [
        (["p.data-00000-of-00001"], "p", r"p\.index: missing; there is p\.data-00000-of-00001"),
        (["p.data-00000-of-00001"], "", r"p\.index: missing"),
        (["p.meta"], "p", r"p\.index: missing; there is p\.meta"),
        (["p.meta"], "p.meta", r"p\.index: missing"),
        (["p.data-00000-of-00001.tempstate9"], "p", "interrupted save"),
        (["p.data-00000-of-00001.tempstate9", "p.index.tempstate3"], "", "interrupted save"),
        (["p-00000-of-00002.v", "p-00001-of-00002.v"], "p", None),
        (["saved_model.pb"], "", "SavedModel without variables"),
    ],
)
def test_what_is_missing_is_named(tmp_path, files, given, why):
    for name in files:
        (tmp_path / name).write_bytes(b"x")
    path = tmp_path / given
    assert claims(path) == (why is not None)
    if why:
        with pytest.raises(LoadError, match=why):
            list_tensors(path)


def test_a_prefix_without_its_step_suggests_the_steps(tmp_path):
    for step in (1, 20, 3):
        save(tmp_path / f"model.ckpt-{step}")
    path = tmp_path / "model.ckpt"
    assert claims(path)
    with pytest.raises(LoadError, match=r"there is model\.ckpt-1, model\.ckpt-3, model\.ckpt-20"):
        load(path, None)


def test_a_v1_shard_that_is_missing_is_counted(tf_checkpoints, tmp_path):
    for i in (0, 2):
        shutil.copy(
            tf_checkpoints.root / "tf1_v1_sharded" / f"model.ckpt-1-0000{i}-of-00003", tmp_path
        )
    for given in ("model.ckpt-1", "model.ckpt-1-?????-of-00003", "model.ckpt-1-00000-of-00003", ""):
        assert claims(tmp_path / given)
        with pytest.raises(LoadError, match="2 of 3 shards"):
            list_tensors(tmp_path / given)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.npy", b"\x93NUMPY"), ("v.index", b"IxF2\0\0"), ("a.tsv", b"1\t2\n"), ("m.h5", b"\x89HDF"),
     ("zeros.bin", bytes(100))],
)  # fmt: skip
def test_files_of_other_programs_are_left_alone(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    assert not claims(tmp_path / name)
    assert not claims(tmp_path)


def test_paths_that_lead_nowhere_are_left_alone(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "vectors.metadata.tsv").write_text("a\n", "utf-8")
    for name in ("empty", "nothing", "no/such/folder", "vectors", "x" * 5000, "nul\0"):
        assert not claims(tmp_path / name)
        with pytest.raises(LoadError):
            load(tmp_path / name, None)


def test_a_logdir_of_the_projector_is_left_to_its_loader(tmp_path):
    save(tmp_path / "ckpt-1")
    assert claims(tmp_path)
    (tmp_path / "projector_config.pbtxt").write_text("", "utf-8")
    assert not claims(tmp_path)
    assert claims(tmp_path / "ckpt-1")


def test_no_path_that_was_not_typed_is_shown(tmp_path, monkeypatch):
    save(tmp_path / "run" / "ckpt-1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run" / "ckpt-1.data-00000-of-00001").write_bytes(b"")
    for given in ("run", "run/ckpt-1", "./run/ckpt-1.index"):
        with pytest.raises(LoadError, match="run/ckpt-1") as caught:
            load(Path(given), None)
        assert str(tmp_path) not in str(caught.value)
    monkeypatch.chdir(tmp_path / "run")
    with pytest.raises(LoadError, match=r"^ckpt-1\.data"):
        load(Path("."), None)


def write_checkpoint(folder):
    folder.mkdir()
    w.write_bundle(folder / "m", {"emb": np.arange(12, dtype=np.float32).reshape(4, 3)})
    return folder / "m"


@pytest.mark.parametrize("piece", ["m.index", "m.data-00000-of-00001"])
def test_links_out_of_the_folder_of_a_checkpoint_are_refused(tmp_path, piece):
    prefix = write_checkpoint(tmp_path / "own")
    (tmp_path / "own" / piece).rename(tmp_path / piece)
    (tmp_path / "own" / piece).symlink_to(tmp_path / piece)
    with pytest.raises(LoadError, match="outside"):
        load(tmp_path / "own").vectors[:]
    if piece != "m.index":
        with pytest.raises(LoadError, match="outside"):
            load(prefix)


def test_a_checkpoint_that_is_named_may_be_links_to_one_folder(tmp_path):
    write_checkpoint(tmp_path / "real")
    (tmp_path / "links").mkdir()
    for file in (tmp_path / "real").iterdir():
        (tmp_path / "links" / file.name).symlink_to(file)
    assert load(tmp_path / "links" / "m").n_points == 4
