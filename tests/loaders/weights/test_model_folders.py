"""Where a model lies in a folder: its shards, steps, modules and links; what leads out of it."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from model_writer import WORDS, shard, table, write_model
from safetensors.numpy import save_file
from torch_writer import write_bin

from embviz import LoadError, list_tensors, load_table
from embviz.model import TensorInfo


def taken(path: Path) -> TensorInfo:
    (info,) = [info for info in list_tensors(path) if info.taken]
    return info


def notes(path: Path) -> dict[str, str]:
    return {info.name: info.note for info in list_tensors(path)}


def test_shards_are_read_by_their_index_which_may_be_given_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "embviz")
    tensors = {"wte.weight": table(7), "h.weight": table(3), "norm": np.ones(2, np.float32)}
    homes = {"wte.weight": "b.safetensors", "h.weight": "a.safetensors", "norm": "a.safetensors"}
    index = shard(tmp_path / "m", homes, tensors)
    for path in (index, index.parent):
        assert notes(path).keys() == tensors.keys()
        np.testing.assert_array_equal(load_table(path).vectors, tensors["wte.weight"])
        np.testing.assert_array_equal(load_table(path, tensor="h").vectors, tensors["h.weight"])
    assert "not there" not in caplog.text


def test_a_missing_shard_hurts_only_where_words_should_be_in_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "embviz")
    homes = {"wte.weight": "a.safetensors", "h.weight": "b.safetensors"}
    index = shard(tmp_path / "m", homes, {name: table(7) for name in homes})
    (tmp_path / "m" / "b.safetensors").unlink()
    assert load_table(index).name == "wte.weight"
    assert "without b.safetensors of 2 shards, which is not there" in caplog.text
    homes = {"wte.weight": "b.safetensors", "h.weight": "a.safetensors"}
    index = shard(tmp_path / "n", homes, {name: table(7) for name in homes})
    (tmp_path / "n" / "b.safetensors").unlink()
    with pytest.raises(
        LoadError, match=r"b\.safetensors .*not there, with wte\.weight in it; fetch"
    ):
        load_table(index)
    # The way out that is named.
    assert load_table(tmp_path / "n" / "a.safetensors").name == "h.weight"


def test_an_index_that_is_not_that_of_its_shards_is_refused(tmp_path: Path) -> None:
    index = shard(tmp_path / "m", {"wte.weight": "a.safetensors"}, {})
    with pytest.raises(LoadError, match=r"a\.safetensors: does not hold wte\.weight"):
        load_table(index)
    for text in (
        "{}",
        "[]",
        '{"weight_map": {}}',
        '{"weight_map": {"a": 1}}',
        '{"weight_map": []}',
    ):
        index.write_text(text)
        with pytest.raises(LoadError, match=r"weight_map|has no file's name"):
            load_table(index)


def test_shards_without_an_index_are_read_if_they_are_all_there(tmp_path: Path) -> None:
    for i in (1, 2):
        name = f"model-0000{i}-of-00002.safetensors"
        save_file({f"w{i}": table(i), "emb" * i: table(9)}, tmp_path / name)
    assert sorted(notes(tmp_path)) == ["emb", "embemb", "w1", "w2"]
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    assert load_table(tmp_path / "model-00001-of-00002.safetensors").name == "emb"
    with pytest.raises(LoadError, match="1 of 2 shards, without an index"):
        load_table(tmp_path)


LEADING_OUT = ["../x.safetensors", "/etc/passwd", "a/../../x.safetensors", "..\\x.safetensors",
               "C:x.safetensors", "", "a\0b", "file:///x.safetensors"]  # fmt: skip


@pytest.mark.parametrize("name", LEADING_OUT)
def test_an_index_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    save_file({"wte.weight": table(7)}, tmp_path / "x.safetensors")
    (tmp_path / "m").mkdir()
    index = tmp_path / "m" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"wte.weight": name}}))
    with pytest.raises(LoadError, match=r"no file in .*nothing outside it is read"):
        load_table(tmp_path / "m")


needs_links = pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")


@needs_links
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.txt"])
def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path / "m", {"wte.weight": table(7)}, {"vocab_size": 7})
    shutil.move(folder / name, tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    if name == "vocab.txt":
        assert load_table(folder).metadata == {}
        return
    with pytest.raises(LoadError, match=f"a link to .*, outside {folder}; give that file itself"):
        load_table(folder)
    if name == "model.safetensors":  # The way out that is named, and the link itself.
        assert load_table(tmp_path / name).n_points == 7
        assert load_table(folder / name).metadata["token"] == tuple(WORDS)


@needs_links
def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", {"wte.weight": table(7)}, {"vocab_size": 7})
    (folder / "real").mkdir()
    shutil.move(folder / "model.safetensors", folder / "real" / "w")
    (folder / "model.safetensors").symlink_to(Path("real", "w"))
    assert load_table(folder).n_points == 7


@needs_links
def test_the_cache_of_the_hub_is_read_through_its_links(tmp_path: Path) -> None:
    cache = tmp_path / "hub" / "models--org--name"
    plain = write_model(tmp_path / "plain", {"wte.weight": table(7)}, {"vocab_size": 7})
    for revision, inner in (("abc", ""), ("def", "0_Transformer")):
        home = cache / "snapshots" / revision / inner
        home.mkdir(parents=True)
        (cache / "blobs").mkdir(exist_ok=True)
        for file in plain.iterdir():
            shutil.copy(file, cache / "blobs" / f"sha-{file.name}")
            up = "../../.." if inner else "../.."
            (home / file.name).symlink_to(f"{up}/blobs/sha-{file.name}")
    modules = [
        {"idx": 0, "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"}
    ]
    (cache / "snapshots" / "def" / "modules.json").write_text(json.dumps(modules))
    for path in (cache / "snapshots" / "abc", cache / "snapshots" / "def"):
        assert load_table(path).metadata["token"] == tuple(WORDS)
    with pytest.raises(LoadError, match=r"2 snapshots, and refs/main names none; give one: .*abc"):
        load_table(cache)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc")
    assert load_table(cache).metadata["token"] == tuple(WORDS)
    secret = tmp_path / "secret.safetensors"
    save_file({"wte.weight": table(7)}, secret)
    (cache / "snapshots" / "abc" / "model.safetensors").unlink()
    (cache / "snapshots" / "abc" / "model.safetensors").symlink_to(secret)
    with pytest.raises(LoadError, match="outside"):
        load_table(cache)


def test_of_a_training_the_last_step_is_taken_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "embviz")
    run = tmp_path / "run"
    for step in (500, 1000, 90):
        rows = table(7)
        rows[0, 0] = step
        write_model(run / f"checkpoint-{step}", {"wte.weight": rows}, {"vocab_size": 7}, None)
    (run / "checkpoint-2000").mkdir()
    (run / "vocab.txt").write_text("".join(f"{word}\n" for word in WORDS))
    found = load_table(run)
    assert found.vectors[0, 0] == 1000
    assert "taking checkpoint-1000, the last of 3 steps, 1 without weights" in caplog.text
    assert found.metadata["token"] == tuple(WORDS)
    assert load_table(run / "checkpoint-500").vectors[0, 0] == 500
    write_model(run, {"wte.weight": np.zeros((7, 4), np.float32)}, {"vocab_size": 7})
    assert load_table(run).vectors[0, 0] == 0


@pytest.mark.parametrize("inner", ["", "0_Transformer"])
def test_the_words_of_a_sentence_model_are_said_not_to_be_its_sentences(
    tmp_path: Path, inner: str
) -> None:
    modules = [
        {"idx": 0, "name": "0", "path": inner, "type": "sentence_transformers.models.Transformer"},
        {
            "idx": 1,
            "name": "1",
            "path": "1_Pooling",
            "type": "sentence_transformers.models.Pooling",
        },
    ]
    tensors = {"embeddings.word_embeddings.weight": table(7), "pooler.dense.weight": table(4)}
    write_model(tmp_path / "m" / inner, tensors, {"vocab_size": 7})
    (tmp_path / "m" / "modules.json").write_text(json.dumps(modules))
    note = "words, not the space of its sentences, 7 labels in vocab.txt"
    assert taken(tmp_path / "m").note == note


@pytest.mark.parametrize("path", ["../other", "/etc", "gone"])
def test_a_module_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "m" / "1_Pooling").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "m" / "modules.json").write_text(json.dumps([{"path": path, "type": "x"}]))
    with pytest.raises(LoadError, match=r"nothing outside it is read|which is not there"):
        load_table(tmp_path / "m")


def test_a_folder_without_weights_says_what_was_looked_for(tmp_path: Path) -> None:
    write_model(tmp_path / "m", {"wte.weight": table(7)}, {"vocab_size": 7})
    (tmp_path / "m" / "model.safetensors").unlink()
    with pytest.raises(LoadError, match=r"no weights in it: no model\.safetensors, .*; download"):
        load_table(tmp_path / "m")
    for name in ("a", "b"):
        save_file({"emb": table(4)}, tmp_path / "m" / f"{name}.safetensors")
    with pytest.raises(LoadError, match=r"2 files of weights without an index; give one: .*a\.saf"):
        load_table(tmp_path / "m")
    assert load_table(tmp_path / "m" / "a.safetensors").n_points == 4


def test_weights_of_pytorch_are_read_where_there_are_no_others(tmp_path: Path) -> None:
    one = write_model(tmp_path / "one", {"none": table(1)}, {"vocab_size": 7})
    (one / "model.safetensors").unlink()
    tensors = {"wte.weight": table(7), "wpe.weight": table(9), "h.weight": table(9)}
    write_bin(one / "pytorch_model.bin", tensors)
    np.testing.assert_array_equal(load_table(one).vectors, tensors["wte.weight"])
    assert load_table(one).metadata["token"] == tuple(WORDS)
    homes = {"wte.weight": "a.bin", "wpe.weight": "b.bin"}
    shards = tmp_path / "shards"
    shards.mkdir()
    for name, home in homes.items():
        write_bin(shards / home, {name: tensors[name], "other": table(2)})
    index = shards / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": homes}))
    assert notes(index) == notes(shards) == {"wte.weight": "table", "wpe.weight": "table"}
    np.testing.assert_array_equal(load_table(shards).vectors, tensors["wte.weight"])
    index.write_text(json.dumps({"weight_map": {"wte.weight": "b.bin"}}))
    with pytest.raises(LoadError, match=r"b\.bin: does not hold wte\.weight"):
        load_table(shards)


def test_of_several_models_the_folders_are_named(tmp_path: Path) -> None:
    for name in ("text_encoder", "unet"):
        write_model(tmp_path / "m" / name, {"wte.weight": table(7)}, {"vocab_size": 7})
    (tmp_path / "m" / "model_index.json").write_text("{}")
    with pytest.raises(LoadError, match=r"in 2 folders of it; give one: .*text_encoder, .*unet"):
        load_table(tmp_path / "m")
    assert load_table(tmp_path / "m" / "text_encoder").n_points == 7
