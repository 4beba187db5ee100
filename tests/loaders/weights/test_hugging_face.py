"""Folders of models: which files, which table, which labels; what leads out of them."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from torch_writer import Storage, tensor, write_zip

from embviz import EmbeddingTable, LoadError, list_tensors, load_table
from embviz.cli import main
from embviz.loaders import choose_tensor, open_columns, open_source
from embviz.model import TensorInfo

REAL = Path(__file__).parents[2] / "data" / "hugging_face"
EXPECTED = json.loads((REAL / "expected.json").read_text(encoding="utf-8"))
RNG = np.random.default_rng(4)
WORDS = ["<pad>", "the", "cat", "##s", "sat", "on", "mats"]


def table(n_rows: int, n_dims: int = 4) -> np.ndarray[Any, Any]:
    return RNG.normal(size=(n_rows, n_dims)).astype(np.float32)


def write_model(
    folder: Path,
    tensors: dict[str, np.ndarray[Any, Any]],
    config: dict[str, Any] | None = None,
    words: list[str] | None = WORDS,
) -> Path:
    """Write a folder as a library of Hugging Face does."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    if words is not None:
        (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in words))
    return folder


def shard(folder: Path, homes: dict[str, str], tensors: dict[str, np.ndarray[Any, Any]]) -> Path:
    """Write shards and their index, which says that each tensor is in the file of `homes`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in {home for home in homes.values() if "/" not in home}:
        held = {t: array for t, array in tensors.items() if homes.get(t) == name}
        save_file(held or {"none": table(1)}, folder / name)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": homes}))
    return index


def taken(path: Path) -> TensorInfo:
    (info,) = [info for info in list_tensors(path) if info.taken]
    return info


def notes(path: Path) -> dict[str, str]:
    return {info.name: info.note for info in list_tensors(path)}


def kinds(found: EmbeddingTable) -> list[str]:
    return list(found.metadata["kind"])


@pytest.mark.parametrize("path", EXPECTED["tensors"])
def test_what_the_libraries_wrote_is_read_with_the_values_of_pytorch(path: str) -> None:
    for name, wanted in EXPECTED["tensors"][path].items():
        found = load_table(REAL / path, tensor=name)
        array = np.asarray(found.vectors).astype("<f4")
        assert list(array.shape) == wanted["shape"]
        assert hashlib.sha256(array.tobytes()).hexdigest() == wanted["sha256_float32"]


@pytest.mark.parametrize("path", ["gpt2", "t5"])
def test_the_words_of_a_real_model_have_its_tokens(path: str) -> None:
    wanted = EXPECTED["labels"][path]
    found = load_table(REAL / path)
    assert found.n_points == wanted["rows"]
    for row, text in wanted["sample"].items():
        assert (
            found.metadata["token" if path == "gpt2" else "raw"][int(row)].strip() == text.strip()
        )
    assert found.label(wanted["count"]) == f"[unused {wanted['count']}]"
    assert kinds(found)[wanted["count"] :] == ["unused"] * (wanted["rows"] - wanted["count"])
    n_unused = wanted["rows"] - wanted["count"]
    said = f"{wanted['count']} labels in tokenizer.json, {n_unused} rows unused"
    assert taken(REAL / path).note == said


def test_a_static_model_has_its_tokens_and_no_more_is_said_of_it() -> None:
    assert taken(REAL / "static").note == "401 labels in tokenizer.json"


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("model.embed_tokens.weight", ["model.layers.0.mlp.up_proj.weight", "lm_head.weight"]),
        ("transformer.wte.weight", ["transformer.wpe.weight", "transformer.h.0.mlp.c_fc.weight"]),
        ("embeddings.word_embeddings.weight", ["embeddings.position_embeddings.weight"]),
        ("embeddings.word_embeddings.weight", ["entity_embeddings.entity_embeddings.weight"]),
        ("shared.weight", ["encoder.block.0.layer.0.SelfAttention.q.weight"]),
        ("model.shared.weight", ["model.encoder.embed_positions.weight"]),
        ("tok_embeddings.weight", ["output.weight"]),
        ("model.language_model.embed_tokens.weight", ["model.visual.pos_embed.weight"]),
        ("text_model.embeddings.token_embedding.weight", ["vision.embeddings.patch.weight"]),
        ("backbone.embedding.weight", ["backbone.layers.0.mixer.in_proj.weight"]),
    ],
)
@pytest.mark.parametrize("tells", [True, False])
def test_the_table_of_words_is_taken_by_its_name_and_the_config(
    tmp_path: Path, word: str, others: list[str], tells: bool
) -> None:
    if "entity" in others[0] and not tells:
        pytest.skip("only the config tells words from other things with names")
    tensors = {word: table(7), **{name: table(90) for name in others}}
    if not tells and word != "tok_embeddings.weight" and "lm_head.weight" in tensors:
        tensors["lm_head.weight"] = table(7)
    folder = write_model(tmp_path / "m", tensors, {"vocab_size": 7} if tells else {})
    assert taken(folder).name == word
    assert load_table(folder).metadata["token"] == tuple(WORDS)


def test_the_sizes_of_a_models_parts_count_too(tmp_path: Path) -> None:
    tensors = {"lm.embed_tokens.weight": table(7), "vision.embed_other.weight": table(90)}
    folder = write_model(tmp_path / "m", tensors, {"text_config": {"vocab_size": 7}})
    assert taken(folder).name == "lm.embed_tokens.weight"


def test_heads_have_the_same_labels_and_positions_none(tmp_path: Path) -> None:
    tensors = {"wte.weight": table(9), "lm_head.weight": table(9), "wpe.weight": table(9)}
    folder = write_model(tmp_path / "m", tensors, {"vocab_size": 9})
    assert notes(folder) == {
        "wte.weight": "7 labels in vocab.txt, 2 rows unused",
        "lm_head.weight": "7 labels in vocab.txt, 2 rows unused",
        "wpe.weight": "",
    }
    assert load_table(folder, tensor="lm_head").metadata["token"][7:] == (
        "[unused 7]",
        "[unused 8]",
    )
    assert load_table(folder, tensor="wpe").metadata == {}


def test_what_transformers_ties_is_a_duplicate(tmp_path: Path) -> None:
    tensors = {"embed_tokens.weight": table(7), "lm_head.weight": table(7)}
    folder = write_model(tmp_path / "a", tensors, {"vocab_size": 7, "tie_word_embeddings": True})
    assert notes(folder)["lm_head.weight"].startswith("tied to embed_tokens.weight")
    names = ("model.shared.weight", "model.encoder.embed_tokens.weight")
    folder = write_model(tmp_path / "b", {name: table(7) for name in names}, {"vocab_size": 7})
    assert notes(folder)[names[1]].startswith("tied to model.shared.weight")
    assert taken(folder).name == names[0]
    np.testing.assert_array_equal(
        load_table(folder, tensor=names[1]).vectors,
        load_file(folder / "model.safetensors")[names[1]],
    )


def test_tables_that_no_config_counts_have_labels_if_they_are_as_many(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "a", {"embedding.weight": table(9)})
    assert load_table(folder).metadata["token"][:7] == tuple(WORDS)
    folder = write_model(tmp_path / "b", {"item_embedding.weight": table(5000)})
    assert load_table(folder).metadata == {}


def test_fewer_rows_than_tokens_are_told_and_go_without_labels_or_with_others(
    tmp_path: Path,
) -> None:
    folder = write_model(tmp_path / "m", {"wte.weight": table(5)}, {"vocab_size": 5})
    assert taken(folder).note == "7 labels in vocab.txt for fewer rows"
    with pytest.raises(LoadError, match=r"7 tokens for a table of 5 rows; .*--metadata FILE"):
        load_table(folder)
    (tmp_path / "five.tsv").write_text("a\nb\nc\nd\ne\n")
    assert load_table(folder, metadata=tmp_path / "five.tsv").label(4) == "e"


def test_a_damaged_tokenizer_hurts_only_who_asks_for_labels(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", {"wte.weight": table(7)}, {"vocab_size": 7}, None)
    (folder / "tokenizer.json").write_text('{"model": {"type": "BPE", "vocab": {"a": "b"}}}')
    assert taken(folder).note == "labels that cannot be read"
    with pytest.raises(LoadError, match=r"tokenizer\.json.*--metadata FILE"):
        load_table(folder)


def test_a_file_of_weights_beside_its_config_is_that_model(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", {"wte.weight": table(7)}, {"vocab_size": 7})
    assert load_table(folder / "model.safetensors").metadata["token"] == tuple(WORDS)
    (folder / "config.json").unlink()
    assert load_table(folder / "model.safetensors").metadata == {}


def test_every_file_that_is_read_is_named_so_that_no_output_replaces_it() -> None:
    names = {path.name for path in open_source(REAL / "gpt2").files}
    assert names == {
        "config.json", "tokenizer.json", "model.safetensors.index.json",
        "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
    }  # fmt: skip


def test_shards_are_read_by_their_index_which_may_be_given_itself(tmp_path: Path) -> None:
    tensors = {"wte.weight": table(7), "h.weight": table(3), "norm": np.ones(2, np.float32)}
    homes = {"wte.weight": "b.safetensors", "h.weight": "a.safetensors", "norm": "a.safetensors"}
    index = shard(tmp_path / "m", homes, tensors)
    for path in (index, index.parent):
        assert notes(path).keys() == tensors.keys()
        np.testing.assert_array_equal(load_table(path).vectors, tensors["wte.weight"])
        np.testing.assert_array_equal(load_table(path, tensor="h").vectors, tensors["h.weight"])


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


def test_a_row_of_model2vec_has_all_tokens_that_are_mapped_to_it(tmp_path: Path) -> None:
    mapping = np.array([0, 1, 2, 2, 0, 1, 2], np.int64)
    tensors = {"embeddings": table(3), "mapping": mapping, "weights": np.ones(7, np.float32)}
    folder = write_model(tmp_path / "m", tensors, {"model_type": "model2vec", "normalize": True})
    assert taken(folder).note == "7 labels in vocab.txt, several a row"
    assert load_table(folder).metadata["token"] == ("<pad>, sat", "the, on", "cat, ##s, mats")
    source = open_source(folder)
    columns = open_columns(source, choose_tensor(source), 3)
    assert columns is not None
    found = [columns.find(text) for text in ("on", "mats", "cat, ##s, mats", "none")]
    assert found == [[1], [2], [2], []]


def test_the_weights_of_model2vecs_tokens_are_a_column(tmp_path: Path) -> None:
    weights = np.array([0, 0.5, 1, 2, 3, 4, 5], np.float64)
    tensors = {"embeddings": table(7), "weights": weights}
    folder = write_model(tmp_path / "m", tensors, {"model_type": "model2vec"})
    found = load_table(folder)
    assert found.metadata["token"] == tuple(WORDS)
    assert found.metadata["weight"] == ("0", "0.5", "1", "2", "3", "4", "5")


def test_a_mapping_that_leads_beyond_the_rows_is_refused(tmp_path: Path) -> None:
    tensors = {"embeddings": table(3), "mapping": np.array([0, 1, 2, 3, 0, 1, 2], np.int64)}
    folder = write_model(tmp_path / "m", tensors, {"model_type": "model2vec"})
    with pytest.raises(LoadError, match="--metadata FILE"):
        load_table(folder)


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


def test_others_that_are_offered_begin_with_embeddings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "embviz")
    choose_tensor(open_source(REAL / "gpt2"))
    assert "taking transformer.wte.weight (404 x 32 bfloat16); also there: transformer.wpe" in (
        caplog.text
    )


def test_all_commands_read_a_models_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(REAL / "gpt2")
    assert main(["info", source]) == 0
    assert "401 labels in tokenizer.json" in capsys.readouterr().out
    for command in (
        ["project", source, "--method", "pca", "-o", str(tmp_path / "x.html")],
        ["index", source, "-o", str(tmp_path / "index")],
        ["export", source, "-o", str(tmp_path / "logdir")],
        ["neighbors", "[unused 402]", "--source", source, "-k", "2"],
    ):
        assert main(command) == 0, capsys.readouterr().err
    assert main(["neighbors", "[unused 402]", "--source", str(tmp_path / "index"), "-k", "2"]) == 0


def write_bin(path: Path, tensors: dict[str, np.ndarray[Any, Any]]) -> Path:
    root, storages = {}, {}
    for key, (name, array) in enumerate(tensors.items()):
        root[name] = tensor(Storage("FloatStorage", str(key), array.size), array.shape)
        storages[str(key)] = array.tobytes()
    return write_zip(path, root, storages)


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
