"""Folders of models: which files, which table, which labels; what leads out of them."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import pytest
from model_writer import WORDS, table, write_model
from safetensors.numpy import load_file
from torch_reading import all_commands_read

from embviz import EmbeddingTable, LoadError, list_tensors, load_table
from embviz.cli import main
from embviz.loaders import choose_tensor, open_columns, open_source
from embviz.model import TensorInfo

REAL = Path(__file__).parents[2] / "data" / "hugging_face"
EXPECTED = json.loads((REAL / "expected.json").read_text(encoding="utf-8"))


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
    many = [f"w{i}" for i in range(3000)]
    folder = write_model(tmp_path / "c", {"embedding.weight": table(3050, 2)}, words=many)
    assert load_table(folder).label(2999) == "w2999"


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
    all_commands_read(source, "[unused 402]", tmp_path)
