"""Sparse autoencoders: the decoder, a row a feature whatever the layout, with explanations."""

from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from torch_reading import all_commands_read
from torch_writer import write_bin

from embviz import LoadError, list_tensors, load_table
from embviz.cli import main
from embviz.loaders import open_columns, open_source
from embviz.loaders.reading import Reading

RNG = np.random.default_rng(12)
N, D = 40, 6
DECODER = RNG.normal(size=(N, D)).astype(np.float32)
ENCODER = RNG.normal(size=(D, N)).astype(np.float32)
B_ENC = RNG.normal(size=N).astype(np.float32)
B_DEC = RNG.normal(size=D).astype(np.float32)
OWN = {"W_dec": DECODER, "W_enc": ENCODER, "b_enc": B_ENC, "b_dec": B_DEC}
TEXTS = {0: "mentions of cats", 7: 'numbers, "quoted"', 39: "новости | news"}


def sae_lens(folder: Path, **config: Any) -> Path:
    folder.mkdir(exist_ok=True)
    save_file(OWN, folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps({"d_in": D, "d_sae": N, **config}))
    return folder


def linear(prefix: str = "") -> dict[str, np.ndarray[Any, Any]]:
    return {
        f"encoder{prefix}.weight": np.ascontiguousarray(ENCODER.T),
        f"decoder{prefix}.weight": np.ascontiguousarray(DECODER.T),
        f"encoder{prefix}.bias": B_ENC, f"decoder{prefix}.bias": B_DEC,
    }  # fmt: skip


def write_sae_lens(folder: Path) -> Path:
    return sae_lens(folder / "sae")


def write_sae_lens_file(folder: Path) -> Path:
    return sae_lens(folder / "sae") / "sae_weights.safetensors"


def write_gemma_scope(folder: Path) -> Path:
    threshold = np.abs(B_ENC)
    np.savez(folder / "params.npz", **OWN, threshold=threshold)
    return folder / "params.npz"


def write_gemma_scope_2(folder: Path) -> Path:
    save_file({name.lower(): array for name, array in OWN.items()}, folder / "params.safetensors")
    (folder / "config.json").write_text(json.dumps({"architecture": "jumprelu", "width": N}))
    return folder


def write_llama_scope(folder: Path) -> Path:
    save_file(linear(), folder / "final.safetensors")
    return folder / "final.safetensors"


def write_dictionary_learning(folder: Path) -> Path:
    write_bin(folder / "ae.pt", {**linear(), "bias": B_DEC})
    trainer = {"activation_dim": D, "dict_size": N, "dict_class": "AutoEncoderTopK"}
    (folder / "config.json").write_text(json.dumps({"trainer": trainer}))
    return folder


def write_goodfire(folder: Path) -> Path:
    return write_bin(folder / "Llama-SAE-l19.pth", linear("_linear"))


def write_sparsify(folder: Path) -> Path:
    tensors = {**linear(), "W_dec": DECODER, "b_dec": B_DEC}
    del tensors["decoder.weight"], tensors["decoder.bias"]
    save_file(tensors, folder / "sae.safetensors")
    (folder / "cfg.json").write_text(
        json.dumps({"expansion_factor": 4, "d_in": D, "num_latents": N})
    )
    return folder


LAYOUTS = {
    "sae_lens": write_sae_lens,
    "sae_lens, the file": write_sae_lens_file,
    "Gemma Scope": write_gemma_scope,
    "Gemma Scope 2": write_gemma_scope_2,
    "Llama Scope": write_llama_scope,
    "dictionary_learning": write_dictionary_learning,
    "Goodfire": write_goodfire,
    "sparsify": write_sparsify,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_rows_are_the_features_whatever_the_layout(tmp_path: Path, layout: str) -> None:
    path = LAYOUTS[layout](tmp_path)
    (info,) = [info for info in list_tensors(path) if info.taken]
    assert info.shape == (N, D)
    assert info.note.startswith("decoder, a row for each of 40 features")
    assert ("turned" in info.note) == (info.name not in ("W_dec", "w_dec"))
    found = load_table(path)
    np.testing.assert_array_equal(np.asarray(found.vectors[:]), DECODER)
    np.testing.assert_array_equal(np.asarray(found.vectors[30:]), DECODER[30:])
    assert found.metadata["feature"] == tuple(map(str, range(N)))
    (bias,) = [name for name in found.metadata if "b_enc" in name or "bias" in name]
    assert [float(text) for text in found.metadata[bias]] == pytest.approx(B_ENC, rel=1e-5)
    others = [i for i in list_tensors(path) if "enc" in i.name.lower() and len(i.shape) == 2]
    assert [load_table(path, tensor=i.name).n_points for i in others] == [
        i.shape[0] for i in others
    ]


def test_a_folder_of_gemma_scope_is_its_archive(tmp_path: Path) -> None:
    write_gemma_scope(tmp_path)
    assert load_table(tmp_path).metadata.keys() == {"feature", "b_enc", "threshold"}


def test_a_link_to_neuronpedia_and_the_sparsity_are_columns(tmp_path: Path) -> None:
    folder = sae_lens(tmp_path / "a", metadata={"neuronpedia_id": "gpt2-small/8-res-jb"})
    save_file({"sparsity": B_ENC}, folder / "sparsity.safetensors")
    found = load_table(folder)
    assert found.metadata["link"][9] == "https://www.neuronpedia.org/gpt2-small/8-res-jb/9"
    assert float(found.metadata["sparsity"][9]) == pytest.approx(B_ENC[9], rel=1e-5)
    names = {file.name for file in open_source(folder).files}
    assert names == {"cfg.json", "sae_weights.safetensors", "sparsity.safetensors"}
    folder = sae_lens(tmp_path / "b", neuronpedia_id="javascript:alert(1)//x")
    assert "link" not in load_table(folder).metadata


def by_number() -> str:
    return json.dumps({str(n): text for n, text in TEXTS.items()})


def neuronpedia(lines: bool = False) -> str:
    shared = {"modelId": "gpt2-small", "layer": "8-res-jb", "explanationModelName": "gpt"}
    values = [{**shared, "index": str(n), "description": text} for n, text in TEXTS.items()][::-1]
    return "\n".join(map(json.dumps, values)) if lines else json.dumps(values, indent=1)


EXPLANATIONS = {
    "by number": ("explanations.json", by_number()),
    "in an object": ("explanations.json", json.dumps({"explanations": json.loads(by_number())})),
    "neuronpedia": ("explanations.json", neuronpedia()),
    "a line each": ("explanations.jsonl", neuronpedia(lines=True)),
    "packed": ("explanations.jsonl.gz", neuronpedia(lines=True)),
    "other words": (
        "feature_explanations.json",
        json.dumps([{"feature_id": n, "label": text} for n, text in TEXTS.items()]),
    ),
}


@pytest.mark.parametrize("form", EXPLANATIONS)
def test_explanations_beside_it_are_labels_by_the_features_numbers(
    tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "embviz")
    folder = sae_lens(tmp_path / "sae")
    name, text = EXPLANATIONS[form]
    raw = text.encode()
    (folder / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    found = load_table(folder)
    assert {i: t for i, t in enumerate(found.metadata["explanation"]) if t} == TEXTS
    assert found.label(7) == TEXTS[7]
    assert "explains 3 of 40 features" in caplog.text
    (info,) = [info for info in list_tensors(folder) if info.taken]
    assert info.note.endswith(f", {name}")
    assert folder / name in open_source(folder).files


@pytest.mark.parametrize("form", EXPLANATIONS)
def test_explanations_that_are_named_go_by_number_too_and_before_those_beside(
    tmp_path: Path, form: str
) -> None:
    folder = sae_lens(tmp_path / "sae")
    (folder / "explanations.json").write_text('{"0": "beside"}')
    raw = EXPLANATIONS[form][1].encode()
    file = tmp_path / EXPLANATIONS[form][0]
    file.write_bytes(gzip.compress(raw) if file.suffix == ".gz" else raw)
    found = load_table(folder, metadata=file)
    assert {i: t for i, t in enumerate(found.metadata["explanation"]) if t} == TEXTS
    assert found.metadata["feature"][39] == "39"
    source = open_source(folder)
    decoder = next(t for t in source.tensors if t.preferred)
    columns = open_columns(source, decoder, N, Reading(metadata=file))
    assert columns is not None
    assert columns.find(TEXTS[7]) == [7]


def test_features_without_an_explanation_can_be_left_out(tmp_path: Path) -> None:
    folder = sae_lens(tmp_path / "sae")
    (tmp_path / "x.json").write_text(by_number())
    found = load_table(folder, metadata=tmp_path / "x.json", unlabeled="drop")
    assert found.metadata["explanation"] == tuple(TEXTS.values())
    np.testing.assert_array_equal(np.asarray(found.vectors[:]), DECODER[list(TEXTS)])


def test_metadata_that_is_not_by_number_is_in_the_order_of_the_features(tmp_path: Path) -> None:
    folder = sae_lens(tmp_path / "sae")
    (tmp_path / "m.tsv").write_text("".join(f"w{i}\n" for i in range(N)))
    assert load_table(folder, metadata=tmp_path / "m.tsv").label(39) == "w39"
    rows = [{"text": f"w{i}"} for i in range(N)]
    (tmp_path / "m.json").write_text(json.dumps(rows))
    assert load_table(folder, metadata=tmp_path / "m.json").label(39) == "w39"
    (tmp_path / "m.json").write_text(json.dumps(rows[:-1]))
    with pytest.raises(LoadError, match="39 rows"):
        load_table(folder, metadata=tmp_path / "m.json")


def test_all_explanations_of_a_feature_are_kept(tmp_path: Path) -> None:
    folder = sae_lens(tmp_path / "sae")
    values = [{"index": "3", "description": text} for text in ("a", "b", "a")]
    (folder / "explanations.json").write_text(json.dumps(values))
    assert load_table(folder).metadata["explanation"][3] == "a | b"


def test_several_files_of_explanations_are_told_and_not_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "embviz")
    folder = sae_lens(tmp_path / "sae")
    for name in ("explanations.json", "explanations.jsonl"):
        (folder / name).write_text(by_number())
    assert "explanation" not in load_table(folder).metadata
    assert "none is read: explanations.json, explanations.jsonl; --metadata FILE" in caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"40": "x"}', "an explanation of feature 40, of 40 there are"),
        ('{"a": "x"}', "value 0 has no feature's number, but 'a'"),
        ('[{"description": "x"}]', "value 0 has no feature's number, but None"),
        ("[1, 2]", "value 0 has no feature's number"),
        ('{"-1": "x"}', "no feature's number, but '-1'"),
        ('{"²": "x"}', "no feature's number"),
        ("{}", "no explanations in it"),
        ("7", "no explanations in it"),
        ('{"1": ', "no JSON"),
        ('{"index": 1, "text": "a"}\n{"index"}', "explanations.json:2: no JSON"),
    ],
)
def test_explanations_that_are_none_are_refused(tmp_path: Path, text: str, said: str) -> None:
    folder = sae_lens(tmp_path / "sae")
    (folder / "explanations.json").write_text(text, encoding="utf-8")
    assert list_tensors(folder)
    with pytest.raises(LoadError, match="explanations") as told:
        load_table(folder)
    assert said in str(told.value)


def test_an_autoencoder_with_fewer_units_than_dimensions_is_left_as_it_is(tmp_path: Path) -> None:
    tensors = {"encoder.weight": DECODER.T, "decoder.weight": DECODER, "encoder.bias": B_DEC}
    tensors = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    save_file(tensors, tmp_path / "x.safetensors")
    assert load_table(tmp_path / "x.safetensors", tensor="decoder").metadata == {}


def test_a_square_dictionary_is_turned_by_its_layouts_name(tmp_path: Path) -> None:
    square = RNG.normal(size=(5, 5)).astype(np.float32)
    for name, encoder in (("W_dec", "W_enc"), ("decoder.weight", "encoder.weight")):
        save_file({name: square, encoder: square}, tmp_path / "x.safetensors")
        (tmp_path / "cfg.json").write_text('{"d_sae": 5}')
        found = np.asarray(load_table(tmp_path / "x.safetensors").vectors[:])
        np.testing.assert_array_equal(found, square if name == "W_dec" else square.T)


def test_a_decoder_with_scales_is_turned_too(tmp_path: Path) -> None:
    stored = np.ascontiguousarray(DECODER.T).astype(ml_dtypes.float8_e4m3fn)
    tensors = {**linear(), "decoder.weight": stored, "decoder.weight_scale": B_DEC[:, None]}
    save_file(tensors, tmp_path / "sae.safetensors")
    found = np.asarray(load_table(tmp_path / "sae.safetensors").vectors[:])
    np.testing.assert_array_equal(found, stored.astype(np.float32).T * B_DEC)


def test_all_commands_read_a_dictionary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(write_llama_scope(tmp_path))
    (tmp_path / "explanations.json").write_text(by_number())
    assert main(["info", source]) == 0
    assert "decoder, a row for each of 40 features, turned" in capsys.readouterr().out
    all_commands_read(source, "mentions of cats", tmp_path)
